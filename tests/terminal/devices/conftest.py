"""A device that does what a test tells it, in the hands of a real worker, under a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.address import DeviceAddress
from drivers.protocols import DeviceInfo
from terminal.devices import worker as module
from terminal.devices.worker import DeviceState, DeviceStatus, DeviceWorker

ADDRESS = DeviceAddress("fake", "till")
PATIENCE_S = 10.0


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeDevice:
    """One opened device."""

    def __init__(self, bench: Bench) -> None:
        self.address = ADDRESS
        self.closed = threading.Event()
        self._bench = bench

    def info(self) -> DeviceInfo:
        self._bench.threads.add(threading.get_ident())
        for fault in self._bench.info_faults:
            self._bench.info_faults.remove(fault)
            fault()
        return DeviceInfo("Fake 1")

    def close(self) -> None:
        self.closed.set()


class Bench:
    """A worker with its device: what opening and health checks do, and every status that was reported."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.devices: list[FakeDevice] = []
        self.open_faults: list[Callable[[], None]] = []
        self.info_faults: list[Callable[[], None]] = []
        self.seen: list[DeviceStatus] = []
        self.threads: set[int] = set()
        self.blocked = threading.Event()
        self.release = threading.Event()
        self._changed = threading.Condition()
        self.worker: DeviceWorker[FakeDevice] = DeviceWorker(ADDRESS, self._open, self._on_change)

    def _open(self, address: DeviceAddress) -> FakeDevice:
        assert address == ADDRESS
        self.threads.add(threading.get_ident())
        if self.open_faults:
            self.open_faults.pop(0)()
        self.devices.append(FakeDevice(self))
        return self.devices[-1]

    def _on_change(self) -> None:
        with self._changed:
            self.seen.append(self.worker.status)
            self._changed.notify_all()

    @property
    def states(self) -> list[DeviceState]:
        return [status.state for status in self.seen]

    def wait_for(self, done: Callable[[], Any]) -> None:
        """Wait until a reported change has made something true."""
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE_S), self.seen

    def wait_state(self, state: DeviceState, times: int = 1) -> None:
        self.wait_for(lambda: self.states.count(state) >= times)

    def block(self) -> None:
        """Stand for a driver's call that does not return."""
        self.blocked.set()
        self.release.wait(PATIENCE_S)

    def wait_blocked(self) -> None:
        assert self.blocked.wait(PATIENCE_S)


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def bench(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "REOPEN_S", 0.001)
    monkeypatch.setattr(module, "HEALTH_S", 0.001)
    bench = Bench(clock)
    yield bench
    bench.release.set()
    bench.worker.close()
    bench.worker.join(PATIENCE_S)
