"""The pole display driver: bytes on a real serial line, and what fails."""

import os
import tty
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from drivers.address import DeviceAddress, parse
from drivers.displays import serial_display
from drivers.displays.serial_display import SerialDisplay
from drivers.errors import DeviceUnavailableError, Reason
from simulators.display import PoleDisplay


class Line:
    """A pty, and what came over it."""

    def __init__(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.path = os.ttyname(self._far)

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += os.read(self._near, count - len(data))
        return data

    def close(self) -> None:
        for end in (self._near, self._far):
            os.close(end)


@pytest.fixture
def line() -> Iterator[Line]:
    with closing(Line()) as there:
        yield there


def opened(line: Line, options: str = "") -> SerialDisplay:
    return serial_display.open(DeviceAddress("serial-display", f"{line.path}{options}"))


def test_cd5220_writes_each_line_whole(line: Line) -> None:
    with closing(opened(line)) as display:
        assert line.read(9) == b"\r\x0c\x1b@\x1b\x11\x1b_\x00"
        display.show(["Total", "12.50"])
        assert line.read(48) == b"\x1bQATotal               \r\x1bQB12.50               \r"


def test_escpos_goes_to_each_row(line: Line) -> None:
    with closing(opened(line, "#protocol=escpos,columns=8,codepage=cp858")) as display:
        assert line.read(13) == b"\r\x0c\x1b@\x1f\x01\x1fC\x00\x1bt\x13\x0c"
        display.show(["Total", "€5"])
        assert line.read(24) == b"\x1f$\x01\x01Total   \x1f$\x01\x02\xd55      "


def test_brightness_is_set_outside_the_line_mode(line: Line) -> None:
    with closing(opened(line, "#columns=4,brightness=2")) as display:
        assert line.read(13)[9:] == b"\x0c\x1b*\x02"
        display.show(["Hi"])
        assert line.read(16) == b"\x1bQAHi  \r\x1bQB    \r"


def test_chinese_takes_two_columns_and_chooses_no_table(line: Line) -> None:
    with closing(opened(line, "#protocol=escpos,codepage=gb2312,columns=8,rows=1")) as display:
        assert line.read(10) == b"\r\x0c\x1b@\x1f\x01\x1fC\x00\x0c"
        display.show(["  街角"])
        assert line.read(12) == b"\x1f$\x01\x01  \xbd\xd6\xbd\xc7  "


def test_the_health_check_says_that_it_saw_the_port_alone(line: Line) -> None:
    with closing(opened(line, "#baud=19200")) as display:
        info = display.info()
        assert "does not answer" in info.details["health"]
        assert info.details["baud"] == "19200"
        assert display.size == (20, 2)


@pytest.mark.parametrize("wait_for", ["info", "show"])
def test_a_port_that_goes_away_is_reported_with_its_cure(wait_for: str) -> None:
    simulated = PoleDisplay()
    simulated.start()
    display = serial_display.open(parse(simulated.address))
    simulated.stop()
    with pytest.raises(DeviceUnavailableError) as caught:
        display.info() if wait_for == "info" else display.show(["Total"])
    assert caught.value.reason is Reason.NOT_FOUND
    assert "/dev/ttyUSB" in caught.value.hint
    assert not caught.value.started
    display.close()


def test_a_display_that_holds_up_what_is_sent_does_not_hold_up_the_till(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_display, "WRITE_S", 0.01)

    def fill_the_line(display: SerialDisplay) -> None:
        for _ in range(1000):  # nobody reads
            display.show(["Total", "12.50"])

    with closing(opened(line)) as display, pytest.raises(DeviceUnavailableError) as caught:
        fill_the_line(display)
    assert caught.value.reason is Reason.STUCK
    assert "flow control" in caught.value.hint


def test_a_closed_display_says_so_and_closes_again(line: Line) -> None:
    display = opened(line)
    display.close()
    display.close()
    with pytest.raises(DeviceUnavailableError):
        display.info()
    with pytest.raises(DeviceUnavailableError):
        display.show(["x"])


def test_closing_from_another_thread_is_allowed(line: Line) -> None:
    display = opened(line)
    thread = Thread(target=display.close)
    thread.start()
    thread.join()
    with pytest.raises(DeviceUnavailableError):
        display.show(["x"])


def test_a_display_that_is_closed_as_it_is_written_to_keeps_its_port_until_then(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its descriptor may be another file's a moment after it was closed."""
    display = opened(line)
    write = display._port.write

    def closed_meanwhile(data: bytes) -> int | None:
        display.close()
        return write(data)

    monkeypatch.setattr(display._port, "write", closed_meanwhile)
    line.read(9)
    display.show(["Total", "12.50"])
    assert line.read(48).startswith(b"\x1bQATotal")
    assert not display._port.is_open


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/dev/ttyUSB1#protocol=epson", "cd5220, escpos"),
        ("/dev/ttyUSB1#colour=green", "protocol"),
        ("/dev/ttyUSB1#rows=4", "1 to 2"),
        ("/dev/ttyUSB1#columns=0", "1 to 40"),
        ("/dev/ttyUSB1#baud=9601", "9600"),
        ("/dev/ttyUSB1#codepage=utf-8", "cp437"),
        ("/dev/ttyUSB1#brightness=5", "1 to 4"),
        ("COM1", "serial-display:/dev/ttyUSB1"),
        ("/dev/no-such-display", "plug the display in"),
        ("/dev/null", "no serial port"),
    ],
)
def test_a_wrong_address_names_what_is_right(target: str, words: str) -> None:
    with pytest.raises(DeviceUnavailableError) as caught:
        serial_display.open(DeviceAddress("serial-display", target))
    reasons = {
        "/dev/no-such-display": Reason.NOT_FOUND,
        "/dev/null": Reason.WRONG_DEVICE,
    }
    assert caught.value.reason is reasons.get(target, Reason.WRONG_ADDRESS)
    assert words in caught.value.hint


def test_a_port_in_use_is_said_to_be(line: Line) -> None:
    with closing(opened(line)), pytest.raises(DeviceUnavailableError) as caught:
        opened(line)
    assert caught.value.reason is Reason.BUSY
    assert "open" in caught.value.hint


def test_escpos_displays_may_have_four_rows(line: Line) -> None:
    with closing(opened(line, "#protocol=escpos,rows=4,columns=2")) as display:
        line.read(13)
        display.show(["a", "b"])
        assert line.read(24) == b"\x1f$\x01\x01a \x1f$\x01\x02b \x1f$\x01\x03  \x1f$\x01\x04  "
        assert display.size == (2, 4)


def test_no_display_is_claimed_to_be_found() -> None:
    assert serial_display.discover() == ()
