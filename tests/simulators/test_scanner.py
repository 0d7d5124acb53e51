"""The in-process scanner behind `sim:`."""

import threading
from collections.abc import Iterator
from threading import Event

import pytest

from drivers.address import parse
from drivers.errors import DeviceUnavailableError
from drivers.registry import open_scanner
from simulators import scanner as simulated
from simulators.scanner import VIEW, InProcessScanner, View


@pytest.fixture
def view() -> Iterator[View]:
    yield VIEW
    VIEW.clear()


@pytest.fixture
def scanner(view: View) -> Iterator[InProcessScanner]:
    scanner = simulated.open(parse("sim:"))
    yield scanner
    scanner.close()


def read(scanner: InProcessScanner, timeout_s: float = 10) -> str | None:
    code = scanner.next_code(Event(), timeout_s=timeout_s)
    return None if code is None else code.text


def test_reads_what_is_shown_once(scanner: InProcessScanner, view: View) -> None:
    view.show("281234567890123456")
    assert read(scanner) == "281234567890123456"
    assert view.text is None
    assert read(scanner, timeout_s=0) is None


def test_reads_what_is_shown_while_it_waits(scanner: InProcessScanner, view: View) -> None:
    codes: list[str | None] = []
    waiting = threading.Thread(target=lambda: codes.append(read(scanner)))
    waiting.start()
    view.show("later")
    assert view.wait_empty(timeout_s=10)
    waiting.join(10)
    assert codes == ["later"]


def test_what_is_taken_away_is_not_read(scanner: InProcessScanner, view: View) -> None:
    view.show("first")
    view.show("second")
    assert view.text == "second"
    view.clear()
    assert read(scanner, timeout_s=0) is None


def test_a_text_in_the_address_is_always_in_view() -> None:
    scanner = open_scanner(parse("sim:付款码 1"))
    codes = [scanner.next_code(Event(), timeout_s=10) for _ in range(2)]
    assert [code.text for code in codes if code] == ["付款码 1"] * 2
    assert str(scanner.address) == "sim:付款码 1"
    assert scanner.info().name == "simulated code scanner"


def test_stop_ends_the_wait(scanner: InProcessScanner) -> None:
    stop = Event()
    codes: list[object] = []
    waiting = threading.Thread(target=lambda: codes.append(scanner.next_code(stop, timeout_s=3600)))
    waiting.start()
    stop.set()
    waiting.join(10)
    assert codes == [None]


def test_once_closed_it_says_so(scanner: InProcessScanner) -> None:
    scanner.close()
    with pytest.raises(DeviceUnavailableError, match="open it again"):
        scanner.info()
    with pytest.raises(DeviceUnavailableError):
        scanner.next_code(Event(), timeout_s=3600)


def test_nothing_is_taken_after_stop(scanner: InProcessScanner, view: View) -> None:
    stop = Event()
    stop.set()
    view.show("not yet")
    assert scanner.next_code(stop, timeout_s=10) is None
    assert view.text == "not yet"


def test_wait_empty_gives_up(view: View) -> None:
    view.show("nobody looks")
    assert not view.wait_empty(timeout_s=0)


def test_discovery_gives_the_shared_scanner() -> None:
    assert simulated.discover() == (parse("sim:"),)
