"""The serial scanner driver: real pyserial on a pty, and its line assembler with a clock in hand."""

import select
import termios
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.protocols import Category
from drivers.registry import drivers, open_scanner
from drivers.scanners import serial_port
from drivers.scanners.line_assembler import LINE_GAP_S, MAX_LINE_BYTES, PAUSE_S, LineAssembler
from drivers.scanners.serial_port import SerialScanner
from simulators.serial_scanner import SerialScanner as Wire

PAY_CODE = "281234567890123456"


class Clock:
    """Seconds that pass when the test says so, and each time the driver has waited."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def scanner(wire: Wire) -> Iterator[SerialScanner]:
    scanner = serial_port.open(parse(wire.address))
    yield scanner
    scanner.close()


class Scanning:
    """Sends something as soon as the driver has begun to wait: what came before counts as old."""

    def __init__(self, scanner: SerialScanner, *bursts: bytes) -> None:
        self._bursts = list(bursts)
        self._read = scanner._port.read
        scanner._port.read = self  # type: ignore[method-assign]

    def send_through(self, wire: Wire) -> None:
        self._wire = wire

    def __call__(self, size: int = 1) -> bytes:
        if size == 1 and self._bursts:
            self._wire.send(self._bursts.pop(0))
        return self._read(size)


def scan(scanner: SerialScanner, wire: Wire, *bursts: bytes, timeout_s: float = 10) -> str | None:
    Scanning(scanner, *bursts).send_through(wire)
    code = scanner.next_code(Event(), timeout_s=timeout_s)
    return None if code is None else code.text


FRAMES = {
    "CR": (b"", b"\r"),
    "LF": (b"", b"\n"),
    "CRLF": (b"", b"\r\n"),
    "STX ETX": (b"\x02", b"\x03"),
    "STX ETX CR": (b"\x02", b"\x03\r"),
    "STX CR": (b"\x02", b"\r"),
    "STX CRLF ETX": (b"\x02", b"\r\n\x03"),
    "ETX CR": (b"", b"\x03\r"),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_reads_lines_in_any_frame(scanner: SerialScanner, wire: Wire, frame: tuple[bytes, bytes]) -> None:
    before, after = frame
    for text in (PAY_CODE, "next"):
        assert scan(scanner, wire, before + text.encode() + after) == text


def test_a_scanner_that_sends_no_end_is_read_by_its_pause(wire: Wire) -> None:
    with closing(serial_port.open(parse(f"{wire.address}#end=pause"))) as scanner:
        assert scan(scanner, wire, b"2812345678", b"90123456") == PAY_CODE
        assert scan(scanner, wire, b"next") == "next"


def test_prefix_and_suffix_come_off_and_a_line_without_them_is_refused(wire: Wire) -> None:
    with closing(serial_port.open(parse(f"{wire.address}#prefix=<,suffix=/>"))) as scanner:
        assert scan(scanner, wire, b"<281234/>\r") == "281234"
        with pytest.raises(TransmissionError, match="without its prefix or suffix"):
            scan(scanner, wire, b"1234/>\r")


def test_the_identifier_names_the_symbology(scanner: SerialScanner, wire: Wire) -> None:
    Scanning(scanner, b"]Q1281234\r").send_through(wire)
    code = scanner.next_code(Event(), timeout_s=10)
    assert code is not None
    assert (code.text, code.symbology) == ("281234", "QR Code")


def test_reads_the_encoding_of_chinese_scanners(scanner: SerialScanner, wire: Wire) -> None:
    assert scan(scanner, wire, "付款码\r".encode("gb18030")) == "付款码"


def test_a_line_in_pieces_is_one_code(scanner: SerialScanner, wire: Wire) -> None:
    assert scan(scanner, wire, b"2812345678", b"90123456\r") == PAY_CODE


def test_half_a_line_is_kept_over_a_time_out_and_never_delivered_half(
    scanner: SerialScanner, wire: Wire
) -> None:
    assert scan(scanner, wire, b"2812345678", timeout_s=0) is None
    assert scan(scanner, wire, b"90123456\r") == PAY_CODE


def test_half_a_line_that_ends_between_two_calls_is_old(scanner: SerialScanner, wire: Wire) -> None:
    assert scan(scanner, wire, b"28123", timeout_s=0) is None
    wire.send(b"45\r")
    select.select([scanner._port.fileno()], [], [], 10)  # the kernel takes its time to bring it over
    assert scan(scanner, wire, b"fresh\r") == "fresh"


def test_what_came_before_the_call_is_dropped(scanner: SerialScanner, wire: Wire) -> None:
    wire.scan("yesterday's code")
    select.select([scanner._port.fileno()], [], [], 10)  # the kernel takes its time to bring it over
    assert scan(scanner, wire, b"today's code\r") == "today's code"


def test_reads_utf_8(scanner: SerialScanner, wire: Wire) -> None:
    assert scan(scanner, wire, "付款码\r".encode()) == "付款码"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"28\x021234\r", "control character 0x02"),
        (b"28\x031234\r", "control character 0x03"),
        (b"28\x7f1234\r", "control character 0x7F"),
        (b"\xff\xfe\x80\r", "neither UTF-8 nor GB18030"),
    ],
)
def test_what_no_scanner_sends_is_named_without_its_text(
    scanner: SerialScanner, wire: Wire, line: bytes, said: str
) -> None:
    with pytest.raises(TransmissionError, match=said) as raised:
        scan(scanner, wire, line)
    assert "1234" not in str(raised.value)
    assert scan(scanner, wire, b"next\r") == "next"


def test_noise_is_no_code_and_the_next_line_is_read(scanner: SerialScanner, wire: Wire) -> None:
    wire.noise()
    select.select([scanner._port.fileno()], [], [], 10)
    with pytest.raises(TransmissionError, match="baud rate"):
        scan(scanner, wire, b"28\r")
    assert scan(scanner, wire, b"next\r") == "next"


def test_the_separator_of_gs1_codes_is_no_noise(scanner: SerialScanner, wire: Wire) -> None:
    assert scan(scanner, wire, b"0112345\x1d21abc\r") == "0112345\x1d21abc"


def test_a_flood_without_an_end_is_named_once_and_then_over(scanner: SerialScanner, wire: Wire) -> None:
    flood = [b"7" * 1000] * 9
    with pytest.raises(TransmissionError, match="more than 7089 bytes"):
        scan(scanner, wire, *flood, b"\r")
    assert scan(scanner, wire, b"next\r") == "next"


def test_stop_ends_the_wait(scanner: SerialScanner) -> None:
    stop = Event()
    stop.set()
    assert scanner.next_code(stop, timeout_s=3600) is None


def test_a_scanner_that_is_pulled_out_is_not_found(scanner: SerialScanner, wire: Wire) -> None:
    wire.stop()
    with pytest.raises(DeviceUnavailableError, match="plug the scanner in") as raised:
        scanner.next_code(Event(), timeout_s=10)
    assert raised.value.reason is Reason.NOT_FOUND
    with pytest.raises(DeviceUnavailableError):
        scanner.info()
    scanner.close()


def test_closing_twice_is_allowed_and_a_closed_port_says_so(scanner: SerialScanner) -> None:
    scanner.close()
    scanner.close()
    with pytest.raises(DeviceUnavailableError):
        scanner.next_code(Event(), timeout_s=10)


def test_a_port_that_is_closed_as_it_is_read_is_kept_until_then(scanner: SerialScanner, wire: Wire) -> None:
    """Its descriptor may be another file's a moment after it was closed."""
    read = scanner._port.read

    def closed_meanwhile(size: int = 1) -> bytes:
        if size == 1:
            scanner.close()
            wire.send(b"281\r")
        return read(size)

    scanner._port.read = closed_meanwhile  # type: ignore[method-assign]
    code = scanner.next_code(Event(), timeout_s=10)
    assert code is not None
    assert code.text == "281"
    assert not scanner._port.is_open


def test_info_names_port_and_baud_rate(wire: Wire) -> None:
    scanner = serial_port.open(parse(f"{wire.address}#baud=115200"))
    info = scanner.info()
    scanner.close()
    assert (info.name, info.details["baud"]) == (wire.path, "115200")
    assert str(scanner.address) == f"{wire.address}#baud=115200"


@pytest.mark.parametrize(("baud", "note"), [(12345, "12345 is no usual rate"), (19200, None)])
def test_an_unusual_baud_rate_is_noted(wire: Wire, baud: int, note: str | None) -> None:
    scanner = serial_port.open(parse(f"{wire.address}#baud={baud}"))
    details = scanner.info().details
    scanner.close()
    assert details.get("baud rate") == note


def test_a_port_in_use_is_busy(scanner: SerialScanner, wire: Wire) -> None:
    with pytest.raises(DeviceUnavailableError, match=f"has {wire.path} open") as raised:
        serial_port.open(parse(wire.address))
    assert raised.value.reason is Reason.BUSY


def test_a_missing_port_is_not_found() -> None:
    with pytest.raises(DeviceUnavailableError, match="ls -l /dev/serial/by-id") as raised:
        serial_port.open(parse("serial-scanner:/dev/ttyNONE7"))
    assert raised.value.reason is Reason.NOT_FOUND


def test_a_file_is_no_port() -> None:
    with pytest.raises(DeviceUnavailableError, match="no serial port") as raised:
        serial_port.open(parse(f"serial-scanner:{__file__}"))
    assert raised.value.reason is Reason.WRONG_DEVICE


def test_a_port_without_permission_names_the_group(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may open anything, so the answer of the operating system is given here.
    monkeypatch.setattr("os.access", lambda path, mode: path != wire.path)
    with pytest.raises(DeviceUnavailableError, match="usermod -aG dialout") as raised:
        serial_port.open(parse(wire.address))
    assert raised.value.reason is Reason.NO_PERMISSION


@pytest.mark.parametrize("target", ["", "ttyUSB0", "#baud=9600"])
def test_a_bad_target_names_the_right_syntax(target: str) -> None:
    with pytest.raises(DeviceUnavailableError, match="write serial-scanner:/dev/ttyACM0"):
        serial_port.open(DeviceAddress("serial-scanner", target))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("speed=9600", "options are baud=9600"),
        ("baud=fast", "write it as 9600"),
        ("baud=0", "300 to 921600"),
        ("end=never", "one of line, pause"),
    ],
)
def test_a_bad_option_says_what_can_be(wire: Wire, options: str, said: str) -> None:
    with pytest.raises(DeviceUnavailableError, match=said):
        serial_port.open(parse(f"{wire.address}#{options}"))


@pytest.mark.parametrize("baud", [300, 9600, 19200, 38400, 57600, 115200, 921600])
def test_every_usual_baud_rate_is_set_on_the_line(wire: Wire, baud: int) -> None:
    with closing(serial_port.open(parse(f"{wire.address}#baud={baud}"))) as scanner:
        speed = termios.tcgetattr(scanner._port.fileno())[5]
        assert speed == getattr(termios, f"B{baud}")


def test_the_cure_names_scanners_by_names_that_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "usb-Newland_HR32-if00").touch()
    monkeypatch.setattr(serial_port, "_BY_ID", tmp_path)
    with pytest.raises(DeviceUnavailableError) as raised:
        serial_port.open(parse("serial-scanner:/dev/ttyNONE7"))
    assert raised.value.hint.endswith(f"attached now: serial-scanner:{tmp_path}/usb-Newland_HR32-if00")


def test_the_registry_opens_it(wire: Wire) -> None:
    scanner = open_scanner(parse(wire.address))
    scanner.close()
    assert drivers(Category.CODE_SCANNER)["serial-scanner"].distribution == "tillside"
    assert serial_port.discover() == ()


def test_half_a_line_goes_after_a_silence() -> None:
    clock = Clock()
    lines = LineAssembler(clock)
    assert lines.feed(b"noise") == []
    clock.now_s += LINE_GAP_S + 0.1
    assert lines.feed(b"281\r") == [b"281"]
    assert lines.feed(b"28") == []
    clock.now_s += LINE_GAP_S
    assert lines.feed(b"1\r") == [b"281"]


def test_a_line_that_began_while_nobody_listened_is_dropped_to_its_end() -> None:
    clock = Clock()
    lines = LineAssembler(clock)
    lines.feed(b"28")
    clock.now_s += LINE_GAP_S + 0.1
    lines.drop(b"1234")
    assert lines.feed(b"5678\r") == []
    assert lines.feed(b"next\r") == [b"next"]


def test_a_line_that_ended_while_nobody_listened_takes_nothing_with_it() -> None:
    clock = Clock()
    lines = LineAssembler(clock)
    for old in (b"", b"1234\r", b"\x021234\x03"):
        clock.now_s += LINE_GAP_S + 0.1
        lines.drop(old)
        assert lines.feed(b"next\r") == [b"next"]


def test_a_pause_ends_a_line_only_where_it_is_to() -> None:
    for pause_ends, lines_wanted in ((True, [b"281"]), (False, [])):
        clock = Clock()
        lines = LineAssembler(clock, pause_ends=pause_ends)
        assert lines.feed(b"281") == []
        clock.now_s += PAUSE_S / 2
        assert lines.feed(b"") == []
        clock.now_s += PAUSE_S
        assert lines.feed(b"") == lines_wanted


def test_a_flood_fills_no_memory() -> None:
    lines = LineAssembler(Clock())
    for _ in range(20):
        lines.feed(b"7" * 1000)
    assert [len(line) for line in lines.feed(b"\r")] == [MAX_LINE_BYTES + 1]


@given(
    texts=st.lists(st.text("0123456789ABC", min_size=1, max_size=30), max_size=6),
    frame=st.sampled_from(sorted(FRAMES.values())),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_lines_come_out_whole_wherever_the_line_is_cut(
    texts: list[str], frame: tuple[bytes, bytes], cuts: list[int]
) -> None:
    raw = b"".join(frame[0] + text.encode() + frame[1] for text in texts)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assembler = LineAssembler(Clock())
    lines = [line for a, b in pairwise(edges) for line in assembler.feed(raw[a:b])]
    assert lines == [text.encode() for text in texts]


@given(st.binary(max_size=400))
def test_any_bytes_make_lines_without_ends_or_nothing(raw: bytes) -> None:
    lines = LineAssembler(Clock()).feed(raw)
    assert all(line and not set(line) & set(b"\r\n") and len(line) <= MAX_LINE_BYTES for line in lines)
