"""The worker of a device on a faulty line: it comes back by itself, and a standing job is done after all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Any

import pytest

from drivers.address import DeviceAddress
from drivers.page import Page, Text
from drivers.printers import escpos
from drivers.printers import wire as printer_wire
from drivers.registry import open_display, open_printer, open_reader, open_scanner
from simulators.wire_fault_script import Direction, Fault, What
from terminal.devices import worker as module
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from tests.drivers.wire_fault_places import (
    SELECT_PPSE,
    Place,
    display_place,
    network_printer_place,
    pn532_place,
    scanner_place,
    serial_printer_place,
)

PATIENCE_S = 10.0
FROM = Direction.FROM_DEVICE


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of workers and printers, shorter than a shop would have them."""
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    monkeypatch.setattr(module, "HEALTH_S", 0.01)
    monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
    monkeypatch.setattr(escpos, "END_S", 0.2)
    monkeypatch.setattr(printer_wire, "STALL_S", 0.1)


class Watched:
    """A worker, and the states that it has been in."""

    def __init__(self, address: DeviceAddress, open_device: Callable[[Any], Any]) -> None:
        self._changed = Condition()
        self.states: list[DeviceState] = []
        self.worker: DeviceWorker[Any] = DeviceWorker(address, open_device, self._note)
        self.worker.start()

    def _note(self) -> None:
        with self._changed:
            self.states.append(self.worker.status.state)
            self._changed.notify_all()

    def wait_for(self, state: DeviceState, after: int = 0) -> int:
        """Wait until it has been in that state; return how many states there were by then."""
        with self._changed:
            assert self._changed.wait_for(lambda: state in self.states[after:], PATIENCE_S), self.states
            return self.states.index(state, after) + 1


@contextlib.contextmanager
def watched(place: Place, open_device: Callable[[Any], Any]) -> Iterator[Watched]:
    one = Watched(place.address, open_device)
    try:
        yield one
    finally:
        one.worker.close()
        one.worker.join(PATIENCE_S)
        assert one.states[-1] is DeviceState.CLOSED
        assert one.worker.status.faults == 0


def tap(reader: Any, lease: Lease) -> bytes | None:
    """Wait for a card as long as it takes, and ask it what it is."""
    while not lease.stop.is_set():
        lease.wait()
        card = reader.wait_for_card(lease.stop, timeout_s=0.1)
        if card is not None:
            lease.beat()
            rapdu: bytes = card.transceive(SELECT_PPSE, timeout_s=1.0)
            card.release()
            return rapdu
    return None


PLUGGED = [What.UNPLUG, What.RE_ENUMERATE, What.BUSY]


@pytest.mark.parametrize("at", [0, 6, 100, 513, 560, 680])
@pytest.mark.parametrize("what", PLUGGED)
def test_a_tap_is_done_once_the_reader_is_back(what: What, at: int) -> None:
    with pn532_place([Fault(what, at, FROM)], 0) as place, watched(place, open_reader) as reader:
        job = reader.worker.submit(tap)
        assert place.line.wait_struck()
        reader.wait_for(DeviceState.UNAVAILABLE)
        assert not job.future.done()
        place.line.cure()
        assert (job.future.result(PATIENCE_S) or b"")[-2:] == b"\x90\x00"


@pytest.mark.parametrize("what", [What.TIME_OUT, What.OTHER_DEVICE, What.STUCK, What.SLOW_START])
def test_a_tap_is_done_once_the_reader_speaks_again(what: What) -> None:
    fault = Fault(what, 560, FROM, other=b"NMEA")
    with pn532_place([fault], 0) as place, watched(place, open_reader) as reader:
        job = reader.worker.submit(tap)
        assert place.line.wait_struck()
        reader.wait_for(DeviceState.UNAVAILABLE)
        place.line.cure()
        assert (job.future.result(PATIENCE_S) or b"")[-2:] == b"\x90\x00"


@pytest.mark.parametrize(
    ("places", "open_device"),
    [
        (pn532_place, open_reader),
        (scanner_place, open_scanner),
        (display_place, open_display),
        (network_printer_place, open_printer),
        (serial_printer_place, open_printer),
    ],
)
def test_an_idle_device_is_missed_and_found_again_many_times(
    places: Callable[[list[Fault], int], contextlib.AbstractContextManager[Place]],
    open_device: Callable[[Any], Any],
) -> None:
    with places([], 0) as place, watched(place, open_device) as device:
        seen = device.wait_for(DeviceState.READY)
        for what in [What.UNPLUG, What.BUSY, What.UNPLUG] * 3:
            place.line.strike(Fault(what))
            seen = device.wait_for(DeviceState.UNAVAILABLE, seen)
            place.line.cure()
            seen = device.wait_for(DeviceState.READY, seen)


def test_a_display_shows_its_lines_once_it_is_back() -> None:
    with display_place([Fault(What.UNPLUG, 5, Direction.TO_DEVICE)], 0) as place:
        with watched(place, open_display) as display:
            job = display.worker.submit(lambda device, lease: device.show(["TOTAL", "EUR 12.50"]))
            assert place.line.wait_struck()
            display.wait_for(DeviceState.UNAVAILABLE)
            place.line.cure()
            assert job.future.result(PATIENCE_S) is None


def test_a_receipt_comes_out_once_the_printer_is_back() -> None:
    page = Page((Text("EUR 12.50"),))
    with network_printer_place([Fault(What.UNPLUG, 2, FROM)], 0) as place:
        with watched(place, open_printer) as printer:
            job = printer.worker.submit(lambda device, lease: device.print_page(page))
            assert place.line.wait_struck()
            printer.wait_for(DeviceState.UNAVAILABLE)
            place.line.cure()
            assert job.future.result(PATIENCE_S) is None
