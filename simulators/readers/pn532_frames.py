"""Frames of the PN532 between host and chip. Spec: NXP UM0701-02, 6.2.1."""

from __future__ import annotations

from enum import Enum

ACK = bytes.fromhex("0000FF00FF00")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")
_HOST_TO_CHIP = 0xD4
_CHIP_TO_HOST = 0xD5


class Signal(Enum):
    """What the parser finds that is no command."""

    ACK = "acknowledged, or cancel"
    BROKEN = "checksum or identifier wrong"


def answer(command: int, data: bytes) -> bytes:
    """Return the frame that answers a command; an extended one if the data needs it."""
    body = bytes([_CHIP_TO_HOST, command + 1]) + data
    if len(body) < 0xFF:
        head = bytes([len(body), -len(body) & 0xFF])
    else:
        size = len(body).to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes([-sum(size) & 0xFF])
    return b"\x00\x00\xff" + head + body + bytes([-sum(body) & 0xFF, 0x00])


class Parser:
    """Cuts the host's byte stream into commands (code and data) and signals."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes] | Signal]:
        """Take bytes in; return what is complete now."""
        self._buffer += data
        found: list[tuple[int, bytes] | Signal] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def clear(self) -> None:
        """Forget what came so far."""
        self._buffer = b""

    def _next(self) -> tuple[int, bytes] | Signal | None:
        start = self._buffer.find(b"\x00\xff")
        if start < 0:
            self._buffer = self._buffer[-1:]
            return None
        head = self._buffer[start + 2 : start + 7]
        if len(head) < 2 or (head[:2] == b"\xff\xff" and len(head) < 5):
            return None
        if head[:2] == b"\x00\xff":
            return self._take(start + 4, Signal.ACK)
        if head[:2] == b"\xff\xff":
            size, intact, begin = int.from_bytes(head[2:4], "big"), not sum(head[2:5]) & 0xFF, start + 7
        else:
            size, intact, begin = head[0], not sum(head[:2]) & 0xFF, start + 4
        if not intact:
            return self._take(start + 2, Signal.BROKEN)
        body = self._buffer[begin : begin + size + 1]
        if len(body) < size + 1:
            return None
        if size < 2 or sum(body) & 0xFF or body[0] != _HOST_TO_CHIP:
            return self._take(begin + size + 1, Signal.BROKEN)
        return self._take(begin + size + 1, (body[1], body[2:-1]))

    def _take(self, end: int, item: tuple[int, bytes] | Signal) -> tuple[int, bytes] | Signal:
        self._buffer = self._buffer[end:]
        return item
