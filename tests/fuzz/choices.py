"""Decisions out of a fuzzer's bytes, which can be changed, cut and joined and still mean something.

What is not there is zero, and zero always means the ordinary thing: empty input is the honest case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 19, 20, 32, 64, 127, 128, 240, 248, 252, 255, 256, 1024)
"""Lengths at which formats, fields and length bytes change."""


class Choices:
    """Reads decisions from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether there is anything left."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """Return a number from 0 to 255."""
        return self.take(1)[0]

    def number(self, length: int) -> int:
        """Return a number of so many bytes."""
        return int.from_bytes(self.take(length), "big")

    def take(self, length: int) -> bytes:
        """Return exactly so many bytes."""
        found = self._data[self._at : self._at + length]
        self._at += length
        return found.ljust(length, b"\0")

    def rest(self) -> bytes:
        """Return all that is left."""
        found = self._data[self._at :]
        self._at = len(self._data)
        return found

    def pick(self, among: Sequence[_T]) -> _T:
        """Return one of up to 256 things; zero is the first."""
        return among[self.byte() % len(among)]

    def value(self) -> bytes:
        """Return some bytes: as they come, or of a telling length filled with one byte."""
        kind = self.byte()
        if kind < 0x80:
            return self.take(kind & 0x1F)
        return (
            bytes((self.pick((0x00, 0xFF, 0x99, 0x80, 0x01, 0x7F, 0xD2, 0x3B)),))
            * LENGTHS[kind % len(LENGTHS)]
        )

    def tag(self) -> int:
        """Return a tag of one, two or three bytes, as two bytes tell it."""
        first, second = self.byte(), self.byte()
        if first in (0xDF, 0xFF) and second & 0x80:
            return first << 16 | second << 8 | self.byte() & 0x7F
        return first << 8 | second if first & 0x1F == 0x1F else first
