"""The CCID messages of the simulated reader, without the daemon."""

import os
import tty
from collections.abc import Iterator

import pytest

from simulators.cards import profile
from simulators.readers.acs_ccid import CcidReader
from simulators.readers.acs_firmware import Acr122Firmware
from simulators.readers.field import Field

POWER_ON, SLOT_STATUS, EXCHANGE, ESCAPE = 0x62, 0x65, 0x6F, 0x6B
ACTIVE, INACTIVE, ABSENT = 0, 1, 2


class Line:
    """The daemon's end of the wire."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def send(self, kind: int, data: bytes = b"") -> tuple[int, int, bytes]:
        """Return the answer's type, its status and its data."""
        message = bytes([kind]) + len(data).to_bytes(4, "little") + b"\0\x07\0\0\0" + data
        frame = self.framed(message)
        os.write(self._descriptor, frame)
        assert self.read(len(frame)) == frame, "no echo"
        head = self.read(12)
        assert head[:2] == b"\x03\x06"
        body = self.read(int.from_bytes(head[3:7], "little") + 1)
        assert self.framed((head + body[:-1])[2:]) == head + body
        assert head[8] == 7, "another sequence number"
        return head[2], head[9], body[:-1]

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self._descriptor, size - len(data))
        return data

    @staticmethod
    def framed(message: bytes) -> bytes:
        check = 0x03 ^ 0x06
        for byte in message:
            check ^= byte
        return b"\x03\x06" + message + bytes([check])


@pytest.fixture
def line(field: Field) -> Iterator[Line]:
    with CcidReader(field, Acr122Firmware()) as reader:
        line = Line(reader.path)
        yield line
        line.close()


def test_a_card_is_powered_and_talked_to(line: Line, field: Field) -> None:
    card = profile.load("visa-approve")
    assert line.send(SLOT_STATUS) == (0x81, ABSENT, b"")
    field.place(card)
    assert line.send(SLOT_STATUS) == (0x81, INACTIVE, b"")
    assert line.send(POWER_ON) == (0x80, ACTIVE, card.atr)
    kind, status, answer = line.send(EXCHANGE, bytes.fromhex("00A404000E325041592E5359532E444446303100"))
    assert (kind, status) == (0x80, ACTIVE)
    assert answer.endswith(b"\x90\x00")
    assert line.send(EXCHANGE, bytes.fromhex("FF00480000")) == (0x80, ACTIVE, b"ACR122U203")


def test_an_absent_card_is_told(line: Line) -> None:
    assert line.send(POWER_ON) == (0x80, 0x40 | ABSENT, b"")
    assert line.send(EXCHANGE, b"\x00\xa4\x04\x00\x00") == (0x80, 0x40 | ABSENT, b"")
    assert line.send(0x99)[1] == 0x40 | ABSENT


def test_escapes_reach_the_firmware_and_the_twin_is_recognised(line: Line) -> None:
    assert line.send(ESCAPE, b"\x02")[2].startswith(b"GemTwin")
    assert line.send(ESCAPE, bytes.fromhex("FF00500000")) == (0x83, ABSENT, b"\x90\xff")


def test_a_card_that_was_swapped_is_away_for_two_looks(line: Line, field: Field) -> None:
    field.place(profile.load("visa-approve"))
    line.send(POWER_ON)
    field.place(profile.load("amex-approve"))
    assert [line.send(SLOT_STATUS)[1] for _ in range(3)] == [ABSENT, ABSENT, INACTIVE]
