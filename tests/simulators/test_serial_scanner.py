"""The simulated serial scanner, met by plain pyserial."""

import pytest
import serial

from drivers.address import parse
from simulators.serial_scanner import SerialScanner


def test_what_it_scans_arrives_on_the_line() -> None:
    with SerialScanner() as scanner, serial.Serial(scanner.path, 9600, timeout=10) as line:
        scanner.scan("281234567890123456")
        assert line.read(19) == b"281234567890123456\r"
        scanner.scan("付款码", end="\r\n")
        assert line.read(11) == "付款码\r\n".encode()
        scanner.send(b"\x00\x11\x13half")
        assert line.read(7) == b"\x00\x11\x13half"


def test_its_address_is_a_device_address() -> None:
    with SerialScanner() as scanner:
        assert parse(scanner.address).target == scanner.path


def test_pulling_the_plug_is_seen_at_the_other_end() -> None:
    scanner = SerialScanner()
    scanner.start()
    with serial.Serial(scanner.path, 9600, timeout=10) as line:
        scanner.stop()
        scanner.stop()
        with pytest.raises(serial.SerialException):
            line.read(1)


def test_an_unplugged_scanner_says_so() -> None:
    with pytest.raises(RuntimeError, match="start"):
        SerialScanner().scan("281")


def test_a_full_line_is_an_error_not_a_hang() -> None:
    with SerialScanner() as scanner, pytest.raises(BlockingIOError):
        scanner.send(b"7" * 1_000_000)
