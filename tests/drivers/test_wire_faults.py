"""Every driver on a line meets every fault at bytes all over a short conversation.

Whatever happens, a driver raises only what `drivers.errors` has, with a cure; `close` works; no thread
and no descriptor is left behind; and after the cure it works again. A fault may be noticed once more
after its cure, where late bytes were on their way; so the second attempt counts.

`--every-byte` tries each byte of each conversation, which takes an hour.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from random import Random
from shutil import which
from time import monotonic

import pytest

from drivers.errors import DeviceError, DeviceUnavailableError, Reason
from drivers.printers import escpos, wire
from drivers.scanners import capture
from simulators.wire_fault_script import Direction, Fault, What
from tests.drivers.wire_fault_places import (
    Place,
    camera_place,
    display_place,
    network_printer_place,
    pn532_place,
    scanner_place,
    serial_printer_place,
)

TO, FROM = Direction.TO_DEVICE, Direction.FROM_DEVICE
OTHER = b"\x02$GPGGA,,,\r\n\xff"
PATIENCE_S = 5.0
Places = Callable[[Sequence[Fault], int], AbstractContextManager[Place]]

# Where a driver can only wait out its own limits: few bytes of those, or the suite takes minutes.
SILENT = {What.STUCK, What.TIME_OUT, What.SLOW_START, What.OTHER_DEVICE}


def positions(name: str, what: What, way: Direction, length: int, count: int, *, every: bool) -> list[int]:
    """Return the bytes to try: all, or the first, the last and some that are always the same."""
    if every:
        return list(range(length + 1))
    chosen = Random(f"{name} {what} {way}")  # noqa: S311  the same bytes each time
    return sorted({0, length, *(chosen.randrange(length + 1) for _ in range(count))})


def left_over() -> tuple[int, int]:
    """Return how many threads and descriptors there are."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def check(error: DeviceError, place: Place) -> None:
    assert str(error)
    if isinstance(error, DeviceUnavailableError):
        assert error.address.scheme == place.address.scheme
        assert isinstance(error.reason, Reason)
        assert error.hint


def meet(places: Places, fault: Fault, seed: int) -> None:
    """Let a driver meet one fault, cure it, and see that it works again."""
    before = left_over()
    with places([fault], seed) as place:
        try:
            place.talk()
        except DeviceError as error:
            check(error, place)
        place.line.cure()
        try:
            place.talk()
        except DeviceError as error:
            check(error, place)
            # Where the device speaks by itself the fault may have struck only now.
            place.line.cure()
            place.talk()
    # A web server's threads end a moment after it has been stopped.
    deadline = monotonic() + PATIENCE_S
    while left_over() > before and monotonic() < deadline:
        os.sched_yield()
    assert left_over() == before


@pytest.fixture
def every(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-byte"))


def lengths(places: Places) -> dict[Direction, int]:
    """Return how many bytes go each way when nothing is wrong."""
    with places([], 0) as place:
        place.talk()
        return {way: place.line.passed(way) for way in Direction}


def sweep(places: Places, what: What, way: Direction, count: int, *, every: bool) -> None:
    length = lengths(places)[way]
    for at in positions(places.__name__, what, way, length, count, every=every):
        fault = Fault(what, at, way, noisy_bytes=1 + at % 3, other=OTHER)
        try:
            meet(places, fault, seed=at)
        except BaseException as error:
            error.add_note(f"{what} at byte {at} {way}")
            raise


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", Direction)
@pytest.mark.parametrize("what", What)
def test_pn532(what: What, way: Direction, every: bool) -> None:
    sweep(pn532_place, what, way, 1 if what in SILENT else 5, every=every)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", What)
def test_serial_scanner(what: What, every: bool) -> None:
    sweep(scanner_place, what, FROM, 3 if what in SILENT else 20, every=every)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", [what for what in What if what is not What.WRONG_CHECKSUM])
def test_serial_display(what: What, every: bool) -> None:
    sweep(display_place, what, TO, 8, every=every)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer's limits, shorter than a shop would have them."""
    monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
    monkeypatch.setattr(escpos, "END_S", 0.2)
    monkeypatch.setattr(wire, "STALL_S", 0.1)


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("places", [network_printer_place, serial_printer_place])
@pytest.mark.parametrize("way", Direction)
@pytest.mark.parametrize("what", [what for what in What if what is not What.WRONG_CHECKSUM])
def test_printer(what: What, way: Direction, places: Places, every: bool) -> None:
    if what is What.NO_PERMISSION and places is network_printer_place:
        pytest.skip("TCP has no permissions")
    sweep(places, what, way, 2, every=every)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera's limits, shorter than a shop would have them."""
    monkeypatch.setattr(capture, "OPEN_TIMEOUT_MS", 300)
    monkeypatch.setattr(capture, "READ_TIMEOUT_MS", 300)


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "what", [what for what in What if what not in (What.NO_PERMISSION, What.WRONG_CHECKSUM)]
)
def test_camera(what: What, every: bool) -> None:
    sweep(camera_place, what, FROM, 3, every=every)


SERIAL = [pn532_place, scanner_place, display_place, serial_printer_place]
TCP = [network_printer_place, camera_place]


def refused(place: Place) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        place.talk()
    check(caught.value, place)
    return caught.value


@pytest.mark.parametrize("places", SERIAL + TCP)
def test_what_is_not_plugged_in_is_not_found(places: Places) -> None:
    with places([Fault(What.UNPLUG)], 0) as place:
        assert refused(place).reason in (Reason.NOT_FOUND, Reason.REFUSED)
        place.line.cure()
        place.talk()


@pytest.mark.parametrize("places", [*SERIAL, network_printer_place])
def test_what_another_program_has_is_busy(places: Places) -> None:
    with places([Fault(What.BUSY)], 0) as place:
        assert refused(place).reason is Reason.BUSY
        place.line.cure()
        place.talk()


@pytest.mark.parametrize("places", SERIAL)
def test_what_nobody_may_open_has_no_permission(places: Places) -> None:
    ask = [sys.executable, "-c", _OPEN]
    if os.geteuid() == 0:
        if which("setpriv") is None:
            pytest.skip("root may open everything, and there is no setpriv to be less")
        ask = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *ask]
    with places([Fault(What.NO_PERMISSION)], 0) as place:
        told = subprocess.run([*ask, str(place.address)], capture_output=True, text=True, check=True)
        assert told.stdout.startswith("NO_PERMISSION sudo usermod")
        place.line.cure()
        place.talk()


_OPEN = """
import sys
from drivers.address import parse
from drivers.errors import DeviceUnavailableError
from drivers.protocols import Category
from drivers.registry import drivers
address = parse(sys.argv[1])
driver = next(found[address.scheme] for found in map(drivers, Category) if address.scheme in found)
try:
    driver.load(address).open(address)
except DeviceUnavailableError as error:
    print(error.reason.name, error.hint)
"""
