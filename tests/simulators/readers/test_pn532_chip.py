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
from simulators.readers.pn532_chip import FIRMWARE, Pn532Chip, Trouble
from simulators.readers.pn532_frames import ACK, SYNTAX_ERROR, Parser, Signal, answer
from simulators.readers.radio import TypeBCard

LIST_TYPE_A = bytes.fromhex("4A0100")
LIST_TYPE_B = bytes.fromhex("4A010300")
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


class TestTypeB:
    def test_is_found_and_attached_with_the_targets_number(self, host: Host, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        found = host.ask(LIST_TYPE_B)
        assert found.hex() == "0101" + "505000000100000000008171" + "0101"
        assert host.ask(bytes.fromhex("42CA01")) == bytes.fromhex("00CA01")
        assert host.ask(bytes.fromhex("42050008")) == b"\x00" + found[2:14]

    def test_a_second_one_is_found_when_the_first_is_halted(self, host: Host, field: Field) -> None:
        for _ in range(2):
            field.add(TypeBCard(profile.load("visa-approve")))
        first = host.ask(LIST_TYPE_B)
        assert host.ask(bytes.fromhex("42CA01"))[0] == 0
        second = host.ask(LIST_TYPE_B)
        assert second[:1] == b"\x01"
        assert first[3:7] != second[3:7]
        assert host.ask(bytes.fromhex("42CA01"))[0] == 0
        assert host.ask(bytes.fromhex("42050008")) == b"\x02", "both answer: a checksum error"


class TestSeveral:
    def test_two_are_listed_at_once(self, host: Host, field: Field) -> None:
        for _ in range(3):
            field.add(profile.load("visa-approve"))
        found = host.ask(bytes.fromhex("4A0200"))
        assert found[0] == 2
        assert (found[1], found[10]) == (1, 2)
        assert found[6:10] != found[15:19]

    @pytest.mark.parametrize("count", [1, 2, 5, 9])
    def test_one_is_selected_of_however_many(self, host: Host, field: Field, count: int) -> None:
        for _ in range(count):
            field.add(profile.load("visa-approve"))
        seen = set()
        for _ in range(count):
            seen.add(host.ask(LIST_TYPE_A))
            assert host.ask(bytes.fromhex("425000")) == b"\x01"
        assert len(seen) == count
        assert host.ask(LIST_TYPE_A) == b"\x00"


class TestAnalogSettings:
    def test_are_loaded_by_a_look(self, host: Host) -> None:
        assert host.ask(bytes.fromhex("320A 0102030405060708090A0B")) == b""
        assert host.ask(bytes.fromhex("320C 111213")) == b""
        assert host.ask(LIST_TYPE_A) == b"\x00"
        assert host.ask(bytes.fromhex("06 6316 6317 6309 6313 6315")) == bytes.fromhex("010205080B")
        assert host.ask(LIST_TYPE_B) == b"\x00"
        assert host.ask(bytes.fromhex("06 6316 6317 6319 6308")) == bytes.fromhex("01111213")

    def test_of_a_wrong_size_are_a_syntax_error(self, host: Host) -> None:
        assert host.ask(bytes.fromhex("320A 0102")) == SYNTAX_ERROR


class TestTrouble:
    def test_is_given_to_one_command_after_the_other(self, host: Host, chip: Pn532Chip) -> None:
        chip.trouble(Trouble.ERROR_FRAME)
        chip.trouble(Trouble.WRONG_CHECKSUM)
        chip.trouble(Trouble.NO_ACK)
        assert host.ask(b"\x02") == SYNTAX_ERROR
        host.write(command(b"\x02"))
        assert host.read(6) == ACK
        assert sum(host.read(13)[5:-1]) & 0xFF == 1
        host.write(command(b"\x02"))
        assert host.read(13) == answer(0x02, FIRMWARE)
        assert host.ask(b"\x02") == FIRMWARE

    @pytest.mark.parametrize("trouble", [Trouble.SILENT, Trouble.NO_ANSWER])
    def test_silence_ends_with_the_command(self, host: Host, chip: Pn532Chip, trouble: Trouble) -> None:
        chip.trouble(trouble)
        host.write(command(b"\x02") + command(b"\x02"))
        expected = (ACK if trouble is Trouble.NO_ANSWER else b"") + ACK + answer(0x02, FIRMWARE)
        assert host.read(len(expected)) == expected

    def test_a_slow_start_misses_the_first_commands(self, host: Host, chip: Pn532Chip) -> None:
        chip.start_slowly(2)
        host.write(command(b"\x02") * 3)
        assert host.read(19) == ACK + answer(0x02, FIRMWARE)


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
