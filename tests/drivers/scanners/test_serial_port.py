"""The serial scanner driver: real pyserial on a pty, and its line assembler with a clock in hand."""

import select
from collections.abc import Iterator
from itertools import pairwise
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.protocols import Category
from drivers.registry import drivers, open_scanner
from drivers.scanners import serial_port
from drivers.scanners.serial_port import HALF_LINE_AGE_S, MAX_LINE_BYTES, LineAssembler, SerialScanner
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


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"], ids=["CR", "LF", "CRLF"])
def test_reads_a_line_with_any_end(scanner: SerialScanner, wire: Wire, end: bytes) -> None:
    assert scan(scanner, wire, PAY_CODE.encode() + end) == PAY_CODE


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
        (b"\x02281234\x03\r", "control character 0x02"),
        (b"28\x7f1234\r", "control character 0x7F"),
        (b"\xff\xfe\x80\r", "no UTF-8"),
    ],
)
def test_what_no_scanner_sends_is_named_without_its_text(
    scanner: SerialScanner, wire: Wire, line: bytes, said: str
) -> None:
    with pytest.raises(TransmissionError, match=said) as raised:
        scan(scanner, wire, line)
    assert "1234" not in str(raised.value)
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


def test_info_names_port_and_baud_rate(wire: Wire) -> None:
    scanner = serial_port.open(parse(f"{wire.address}@115200"))
    info = scanner.info()
    scanner.close()
    assert (info.name, info.details["baud"]) == (wire.path, "115200")
    assert str(scanner.address) == f"{wire.address}@115200"


def test_a_port_in_use_is_busy(scanner: SerialScanner, wire: Wire) -> None:
    with pytest.raises(DeviceUnavailableError, match=f"fuser -v {wire.path}") as raised:
        serial_port.open(parse(wire.address))
    assert raised.value.reason is Reason.BUSY


def test_a_missing_port_is_not_found() -> None:
    with pytest.raises(DeviceUnavailableError, match="ls /dev/ttyACM") as raised:
        serial_port.open(parse("serial-scanner:/dev/ttyNONE7"))
    assert raised.value.reason is Reason.NOT_FOUND


def test_a_file_is_no_port() -> None:
    with pytest.raises(DeviceUnavailableError, match="no serial port") as raised:
        serial_port.open(parse(f"serial-scanner:{__file__}"))
    assert raised.value.reason is Reason.NOT_FOUND


def test_a_port_without_permission_names_the_group(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may open anything, so the answer of the operating system is given here.
    monkeypatch.setattr("os.access", lambda path, mode: path != wire.path)
    with pytest.raises(DeviceUnavailableError, match="usermod -aG dialout") as raised:
        serial_port.open(parse(wire.address))
    assert raised.value.reason is Reason.NO_PERMISSION


@pytest.mark.parametrize("target", ["", "ttyUSB0", "/dev/ttyUSB0@", "/dev/ttyUSB0@fast", "/dev/ttyUSB0@0"])
def test_a_bad_target_names_the_right_syntax(target: str) -> None:
    with pytest.raises(DeviceUnavailableError, match="write serial-scanner:/dev/ttyACM0"):
        serial_port.open(DeviceAddress("serial-scanner", target))


def test_the_registry_opens_it(wire: Wire) -> None:
    scanner = open_scanner(parse(wire.address))
    scanner.close()
    assert drivers(Category.CODE_SCANNER)["serial-scanner"].distribution == "tillside"
    assert serial_port.discover() == ()


def test_half_a_line_goes_after_a_silence() -> None:
    clock = Clock()
    lines = LineAssembler(clock)
    assert lines.feed(b"noise") == []
    clock.now_s += HALF_LINE_AGE_S + 0.1
    assert lines.feed(b"281\r") == [b"281"]
    assert lines.feed(b"28") == []
    clock.now_s += HALF_LINE_AGE_S
    assert lines.feed(b"1\r") == [b"281"]


def test_a_flood_fills_no_memory() -> None:
    lines = LineAssembler(Clock())
    for _ in range(20):
        lines.feed(b"7" * 1000)
    assert [len(line) for line in lines.feed(b"\r")] == [MAX_LINE_BYTES + 1]


@given(
    texts=st.lists(st.text("0123456789ABC", min_size=1, max_size=30), max_size=6),
    end=st.sampled_from(["\r", "\n", "\r\n"]),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_lines_come_out_whole_wherever_the_line_is_cut(texts: list[str], end: str, cuts: list[int]) -> None:
    raw = "".join(text + end for text in texts).encode()
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assembler = LineAssembler(Clock())
    lines = [line for a, b in pairwise(edges) for line in assembler.feed(raw[a:b])]
    assert lines == [text.encode() for text in texts]


@given(st.binary(max_size=400))
def test_any_bytes_make_lines_without_ends_or_nothing(raw: bytes) -> None:
    lines = LineAssembler(Clock()).feed(raw)
    assert all(line and not set(line) & set(b"\r\n") and len(line) <= MAX_LINE_BYTES for line in lines)
