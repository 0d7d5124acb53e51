"""All devices of a terminal together, real simulated ones and one that nothing drives."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from drivers.address import parse
from terminal.config import Devices
from terminal.devices import worker as module
from terminal.devices.pool import DevicePool

PATIENCE_S = 10.0
READER, SCANNER, NOTHING = parse("sim:"), parse("sim:281234567890123456"), parse("typewriter:1")


class Pool:
    def __init__(self, devices: Devices) -> None:
        self._changed = threading.Condition()
        self.pool = DevicePool(devices, self._on_change)

    def _on_change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_states(self, *states: str) -> None:
        def reached() -> bool:
            return [view.state for view in self.pool.views()] == list(states)

        with self._changed:
            assert self._changed.wait_for(reached, PATIENCE_S), self.pool.views()


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    pool = Pool(Devices(readers=(READER, NOTHING), scanners=(SCANNER,)))
    yield pool
    pool.pool.close()


def test_each_device_has_a_line_and_one_that_fails_does_not_hold_up_the_rest(three: Pool) -> None:
    assert [view.state for view in three.pool.views()] == ["opening"] * 3
    three.pool.start()
    three.wait_states("ready", "unavailable", "ready")
    reader, nothing, scanner = three.pool.views()
    assert (reader.address, reader.kind, reader.text) == ("sim:", "reader", "Simulated reader")
    assert (scanner.kind, scanner.cure) == ("scanner", "")
    assert (nothing.kind, nothing.text) == ("reader", "wrong address")
    assert nothing.cure.startswith("no reader driver is called typewriter; ")


def test_a_closed_pool_has_closed_devices(three: Pool) -> None:
    three.pool.start()
    three.wait_states("ready", "unavailable", "ready")
    three.pool.close()
    assert [view.state for view in three.pool.views()] == ["closed"] * 3


def test_a_pool_that_was_never_started_or_has_nothing_can_be_closed(three: Pool) -> None:
    three.pool.close()
    empty = Pool(Devices()).pool
    empty.start()
    assert empty.views() == ()
    empty.close()
