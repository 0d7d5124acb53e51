"""A reader that is pulled out and plugged in again, under another path each time, while a sale goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.address import parse
from emv.outcome import OutcomeKind
from simulators.cards import profile
from simulators.readers.field import Field
from terminal.config import Devices
from terminal.devices import worker
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceState
from terminal.payment.tap import Tap
from tests.plugs import ReaderOnCable
from tests.terminal.payment.taps import CONFIG, Counter

PATIENCE_S = 10.0
TIMES = 25


class Till:
    """A pool with one reader, and a wait for what becomes of it."""

    def __init__(self, address: str) -> None:
        self._changed = threading.Condition()
        self.pool = DevicePool(Devices(readers=(parse(address),)), self._tell)
        self.reader = self.pool.readers[0]

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait(self, *states: DeviceState) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.reader.status.state in states, PATIENCE_S), (
                self.reader.status
            )


@pytest.fixture
def cable(tmp_path: Path, field: Field) -> Iterator[ReaderOnCable]:
    cable = ReaderOnCable(tmp_path, field)
    yield cable
    cable.pull_out()


@pytest.fixture
def till(cable: ReaderOnCable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    monkeypatch.setattr(worker, "REOPEN_S", 0.01)
    monkeypatch.setattr(worker, "HEALTH_S", 0.01)
    till = Till(cable.address)
    till.pool.start()
    yield till
    till.pool.close()


@pytest.mark.parametrize("armed", [True, False], ids=["in a sale", "between sales"])
def test_a_reader_is_missed_and_works_again_each_time(
    till: Till, cable: ReaderOnCable, field: Field, armed: bool
) -> None:
    counter = Counter()
    tap = Tap(CONFIG, counter._transaction, counter._show)
    job = till.reader.submit(tap.run) if armed else None
    for _ in range(TIMES):
        cable.plug_in()
        till.wait(DeviceState.BUSY if armed else DeviceState.READY)
        cable.pull_out()
        till.wait(DeviceState.UNAVAILABLE)
    cable.plug_in()
    field.place(profile.load("visa-approve"))
    job = job or till.reader.submit(tap.run)
    tapped = job.future.result(PATIENCE_S)
    assert tapped is not None
    assert tapped.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert till.reader.status.faults == 0


def test_a_reader_pulled_out_during_a_tap_does_it_again_afterwards(
    till: Till, cable: ReaderOnCable, field: Field
) -> None:
    """Whichever command it is pulled out at."""
    for pull_at in (1, 2, 3, 4, 5):
        counter = Counter()
        pulled = threading.Event()
        beats = iter(range(1, 1000))

        def beat(beats: Iterator[int] = beats, pull_at: int = pull_at, at: threading.Event = pulled) -> None:
            if next(beats) == pull_at:
                cable.pull_out()
                at.set()

        tap = Tap(CONFIG, counter._transaction, counter._show)
        cable.plug_in()
        till.wait(DeviceState.READY)
        field.place(profile.load("visa-approve"))

        def work(reader: object, lease: worker.Lease, tap: Tap = tap, beat: object = beat) -> object:
            return tap.run(reader, worker.Lease(lease.stop, beat, lease.wait))  # type: ignore[arg-type]

        job = till.reader.submit(work)
        assert pulled.wait(PATIENCE_S)
        till.wait(DeviceState.UNAVAILABLE)
        cable.plug_in()
        assert job.future.result(PATIENCE_S) is not None
        field.take_away()
        cable.pull_out()
        till.wait(DeviceState.UNAVAILABLE)
