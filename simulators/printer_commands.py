"""Cuts a stream of bytes into ESC/POS commands. It knows their lengths and nothing else.

What it does not know becomes a command of two bytes (the mark and the letter), so that whoever carries
it out can tell, and what follows is read as if it were new, as printers do it.

Sources: the command references of Epson (TM-T88, TM-T85, TM-L60II) and Bixolon (SRP-350).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LF, DLE, ESC, FS, GS = 0x0A, 0x10, 0x1B, 0x1C, 0x1D
LONGEST_BYTES = 1 << 20
"""No command is longer: a length beyond it is a fault of whoever sent it."""

# How many bytes follow the letter.
_FIXED = {
    ESC: {
        **dict.fromkeys(map(ord, "@2imvSL"), 0),
        **dict.fromkeys(map(ord, "!-EGMadJtR3 {rVeK=uT%?U"), 1),
        **dict.fromkeys(map(ord, "$\\c"), 2),
        ord("p"): 3,
        ord("W"): 8,
    },
    FS: {**dict.fromkeys(map(ord, "&."), 0), **dict.fromkeys(map(ord, "!-WC"), 1), ord("S"): 2, ord("p"): 2},
    GS: {
        ord(":"): 0,
        **dict.fromkeys(map(ord, "!BhwfHarIb/ETj"), 1),
        **dict.fromkeys(map(ord, "LWP$\\"), 2),
        ord("^"): 3,
    },
}
# The same for what follows DLE and one more byte.
_REAL_TIME = {0x04: 1, 0x05: 1, 0x14: 3}
_LONG_CLEAR = 8


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or a run of text: all of its bytes."""

    data: bytes
    known: bool = True

    @property
    def is_text(self) -> bool:
        """Whether these are characters."""
        return self.data[0] >= 0x20

    @property
    def is_real_time(self) -> bool:
        """Whether it is carried out at once, even offline."""
        return self.known and self.data[0] == DLE

    @property
    def name(self) -> str:
        """What to call it, such as ``GS V``."""
        marks = {DLE: "DLE", ESC: "ESC", FS: "FS", GS: "GS"}
        mark = marks.get(self.data[0], f"0x{self.data[0]:02X}")
        if self.data[0] not in marks or len(self.data) < 2:
            return mark
        letter = self.data[1]
        name = f"{mark} {chr(letter)}" if 0x20 < letter < 0x7F else f"{mark} 0x{letter:02X}"
        return (
            f"{name} {chr(self.data[2])}" if name in ("GS (", "GS 8", "GS v") and len(self.data) > 2 else name
        )


class CommandReader:
    """Takes bytes as they come and gives commands as they are complete."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Command]:
        """Take bytes and return what they complete."""
        self._rest += data
        while self._rest:
            size, known = _size(self._rest)
            if size is None or size > len(self._rest):
                return
            yield Command(bytes(self._rest[:size]), known)
            del self._rest[:size]


def _size(data: bytearray) -> tuple[int | None, bool]:
    """Return the length of the command that *data* begins with (None: not known yet), and if it is one."""
    mark = data[0]
    if mark >= 0x20:
        end = next((at for at, byte in enumerate(data) if byte < 0x20), len(data))
        return end, True
    if mark not in (DLE, ESC, FS, GS):
        return 1, mark in (LF, 0x09, 0x0D, 0x0C, 0x18)
    if len(data) < 2:
        return None, True
    if mark == DLE:
        return _real_time_size(data)
    letter = data[1]
    fixed = _FIXED[mark].get(letter)
    if fixed is not None:
        return 2 + fixed, True
    size = _variable_size(mark, chr(letter), data)
    if size is not None and size > LONGEST_BYTES:
        return 2, False
    return (2, False) if size == 0 else (size, True)


def _real_time_size(data: bytearray) -> tuple[int | None, bool]:
    follow = _REAL_TIME.get(data[1])
    if follow is None:
        return 2, False
    if data[1] == 0x14 and len(data) > 2 and data[2] == _LONG_CLEAR:
        return 10, True
    return 2 + follow, True


def _variable_size(mark: int, letter: str, data: bytearray) -> int | None:
    """Return the length of a command that tells its own; None if that has not come yet, 0 if unknown."""

    def number(at: int, size: int = 2) -> int | None:
        return int.from_bytes(data[at : at + size], "little") if len(data) >= at + size else None

    match mark, letter:
        case 0x1B, "D":
            # Tab stops in rising order, ended by NUL.
            end = data.find(0, 2, 35)
            return end + 1 if end >= 0 else (None if len(data) < 35 else 35)
        case 0x1B, "*":
            columns = number(3)
            return None if columns is None else 5 + columns * (3 if data[2] in (32, 33) else 1)
        case 0x1D, "V":
            return None if len(data) < 3 else (4 if data[2] in (65, 66, 97, 98, 103, 104) else 3)
        case 0x1D, "(":
            size = number(3)
            return None if size is None else 5 + size
        case 0x1D, "8":
            size = number(3, 4)
            return None if size is None else 7 + size
        case 0x1D, "v":
            width, height = number(4), number(6)
            return None if width is None or height is None else 8 + width * height
        case 0x1D, "k":
            return _bar_code_size(data)
    return 0


def _bar_code_size(data: bytearray) -> int | None:
    if len(data) < 3:
        return None
    if data[2] >= 65:
        return None if len(data) < 4 else 4 + data[3]
    end = data.find(0, 3, 3 + 256)
    if end >= 0:
        return end + 1
    return None if len(data) < 3 + 256 else 3
