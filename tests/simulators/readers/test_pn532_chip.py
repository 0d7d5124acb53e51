"""The chip as the user manual describes it, over its own pty and without nfcpy."""

import os
import select
import termios
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip
from simulators.readers.pn532_frames import ACK, SYNTAX_ERROR, Parser, Signal, answer

LIST_TYPE_A = bytes.fromhex("4A0100")
FIELD_OFF = bytes.fromhex("320102")


def command(data: bytes) -> bytes:
    """Return a host's frame: what the chip's answer would be, with the other direction's identifier."""
    body = b"\xd4" + data
    if len(body) < 0xFF:
        head = bytes([len(body), -len(body) & 0xFF])
    else:
        size = len(body).to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes([-sum(size) & 0xFF])
    return b"\x00\x00\xff" + head + body + bytes([-sum(body) & 0xFF]) + b"\x00"


class Host:
    """A program at the serial port."""

    def __init__(self, path: str) -> None:
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.speed(termios.B115200)

    def speed(self, code: int) -> None:
        settings = termios.tcgetattr(self.port)
        settings[4] = settings[5] = code
        termios.tcsetattr(self.port, termios.TCSANOW, settings)

    def write(self, data: bytes) -> None:
        os.write(self.port, data)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            assert select.select([self.port], [], [], 10)[0], f"only {data.hex()} came"
            data += os.read(self.port, size - len(data))
        return data

    def ask(self, data: bytes) -> bytes:
        """Send a command; return the data of its answer, which is a short frame."""
        self.write(command(data))
        assert self.read(6) == ACK
        head = self.read(5)
        body = self.read(head[3] + 2)
        assert head[3:] == bytes([head[3], -head[3] & 0xFF])
        assert not sum(body[:-1]) & 0xFF
        if body[0] == 0x7F:
            return SYNTAX_ERROR
        assert body[:2] == bytes([0xD5, data[0] + 1])
        return body[2:-2]


@pytest.fixture
def chip(field: Field) -> Iterator[Pn532Chip]:
    with Pn532Chip(field) as chip:
        yield chip


@pytest.fixture
def host(chip: Pn532Chip) -> Iterator[Host]:
    host = Host(chip.path)
    yield host
    os.close(host.port)


def test_says_its_version(host: Host) -> None:
    assert host.ask(b"\x02").hex() == "32010607"


@pytest.mark.parametrize("data", ["FE", "88", "4A", "00", "0009"])
def test_what_it_does_not_know_is_a_syntax_error(host: Host, data: str) -> None:
    assert host.ask(bytes.fromhex(data)) == SYNTAX_ERROR


def test_echoes_a_long_frame(host: Host) -> None:
    data = b"\x00\x00" + bytes(i & 0xFF for i in range(260))
    host.write(command(data))
    assert host.read(6) == ACK
    expected = answer(0x00, data[1:])
    assert expected[3:5] == b"\xff\xff"
    assert host.read(len(expected)) == expected


def test_registers_keep_what_is_written(host: Host) -> None:
    assert host.ask(bytes.fromhex("08 6302 80 6303 81")) == b""
    assert host.ask(bytes.fromhex("06 6302 6303 6304")) == bytes.fromhex("808100")


def test_changes_speed_when_that_was_acknowledged(host: Host, chip: Pn532Chip) -> None:
    assert host.ask(b"\x10\x07") == b""
    assert chip.speed == 115200
    host.write(ACK)
    host.speed(termios.B460800)
    host.write(command(b"\x02"))
    host.speed(termios.B921600)
    assert host.ask(b"\x02").hex() == "32010607"
    assert chip.speed == 921600


class TestCards:
    def test_none_is_found_in_an_empty_field(self, host: Host) -> None:
        assert host.ask(LIST_TYPE_A) == b"\x00"
        assert host.ask(bytes.fromhex("066339")) == b"\x26"

    def test_no_card_is_of_another_type(self, host: Host, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        assert host.ask(bytes.fromhex("4A010300")) == b"\x00"

    def test_one_is_found_again_unless_it_was_halted_or_speaks(self, host: Host, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        found = host.ask(LIST_TYPE_A)
        assert found[:5].hex() == "0101000420"
        assert host.ask(LIST_TYPE_A) == found
        assert host.ask(bytes.fromhex("425000")) == b"\x01"
        assert host.ask(LIST_TYPE_A) == b"\x00"
        assert host.ask(FIELD_OFF) == b""
        assert host.ask(LIST_TYPE_A) == found
        assert host.ask(bytes.fromhex("42E080"))[:1] == b"\x00"
        assert host.ask(LIST_TYPE_A) == b"\x00"

    def test_one_is_spoken_to_in_frames(self, host: Host, field: Field) -> None:
        card = profile.load("visa-approve")
        field.place(card)
        host.ask(LIST_TYPE_A)
        assert host.ask(bytes.fromhex("42E080")) == b"\x00" + card.ats
        assert host.ask(bytes.fromhex("420200A4040000")) == bytes.fromhex("00026A82")

    def test_one_that_left_or_has_no_power_is_silent(self, host: Host, field: Field) -> None:
        assert host.ask(bytes.fromhex("42E080")) == b"\x01"
        field.place(profile.load("visa-approve"))
        host.ask(LIST_TYPE_A)
        field.take_away()
        assert host.ask(bytes.fromhex("42E080")) == b"\x01"
        field.place(profile.load("visa-approve"))
        host.ask(LIST_TYPE_A)
        host.ask(FIELD_OFF)
        assert host.ask(bytes.fromhex("42E080")) == b"\x01"


class TestFrames:
    @given(st.lists(st.binary(min_size=1, max_size=264), max_size=4), st.integers(1, 50))
    def test_commands_are_found_however_they_are_cut(self, commands: list[bytes], size: int) -> None:
        stream = b"".join(bytes(10) + command(data) + ACK for data in commands)
        parser = Parser()
        found = [item for i in range(0, len(stream), size) for item in parser.feed(stream[i : i + size])]
        expected = [item for data in commands for item in ((data[0], data[1:]), Signal.ACK)]
        assert found == expected

    @given(st.binary(max_size=80))
    def test_noise_raises_nothing(self, data: bytes) -> None:
        Parser().feed(data)

    @pytest.mark.parametrize(
        "frame",
        ["0000FF02FFD4022A00", "0000FF02FED4022B00", "0000FF02FED5022900", "0000FFFFFF0002FFD4022A00"],
    )
    def test_a_wrong_checksum_or_direction_is_broken_and_the_next_is_whole(self, frame: str) -> None:
        parser = Parser()
        found = parser.feed(bytes.fromhex(frame) + bytes(10) + command(b"\x02"))
        assert found[0] is Signal.BROKEN
        assert found[-1] == (0x02, b"")
