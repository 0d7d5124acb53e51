"""The two command sets that nearly every pole display understands, as bytes.

Both are of two lines of twenty characters, at 9600 baud, 8N1. Which one a display speaks is set by its
switches or its set-up program. Sources compared: the manuals of CD5220, Posiflex-like XP8200, P07303
and VFD-450, and the serial display driver of LCDproc. They agree on what is used here.

CD5220 has a command for a whole line, ``ESC Q A`` and ``ESC Q B``. After it a display takes nothing
but another line until CLR or CAN: brightness is therefore set behind a CLR, and what was shown is
lost. They disagree on how a character table is chosen (``ESC t``, ``ESC f``, ``ESC c``, or by switch
only): for CD5220 it is left as it is set on the display.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

CR, CLR, ESC, US = b"\r", b"\x0c", b"\x1b", b"\x1f"
LEVELS = (1, 2, 3, 4)
"""Brightness: a quarter of the light a step."""

CODE_TABLES = {
    "cp437": 0,
    "cp850": 2,
    "cp860": 3,
    "cp863": 4,
    "cp865": 5,
    "cp1252": 16,
    "cp866": 17,
    "cp852": 18,
    "cp858": 19,
}
"""Numbers of ``ESC t`` as Epson has them. Other makers keep to them up to 5 at most."""


class CommandSet(Protocol):
    """What is sent to a display."""

    max_rows: int

    def start(self, code_page: str) -> bytes:
        """Return what brings a display from any state to an empty screen without a cursor."""
        ...

    def show(self, rows: Sequence[bytes]) -> bytes:
        """Return what replaces every row. Each row is of as many bytes as there are columns."""
        ...

    def brightness(self, level: int) -> bytes:
        """Return what sets one of `LEVELS`. What is on the display may be lost."""
        ...


class Cd5220:
    """The set of CD5220, also called PTC, Partner or "CD5200" in displays' own lists."""

    max_rows = 2

    def start(self, code_page: str) -> bytes:
        """End a line that an earlier run left half sent, then initialise, and switch the cursor off."""
        return CR + CLR + ESC + b"@" + ESC + b"\x11" + ESC + b"_\x00"

    def show(self, rows: Sequence[bytes]) -> bytes:
        """Write each line whole, which does not flicker."""
        return b"".join(ESC + b"Q" + line + row + CR for line, row in zip((b"A", b"B"), rows, strict=False))

    def brightness(self, level: int) -> bytes:
        """Leave the line mode, in which the display would not listen."""
        return CLR + ESC + b"*" + bytes([level])


class EscPos:
    """The set of Epson's DM-D displays."""

    max_rows = 4

    def start(self, code_page: str) -> bytes:
        """End what an earlier run left half sent, initialise, overwrite mode, no cursor, the code table."""
        table = CODE_TABLES.get(code_page)
        choose = ESC + b"t" + bytes([table]) if table is not None else b""
        return CR + CLR + ESC + b"@" + US + b"\x01" + US + b"C\x00" + choose + CLR

    def show(self, rows: Sequence[bytes]) -> bytes:
        """Go to the first column of each row and write it whole."""
        return b"".join(US + b"$\x01" + bytes([number]) + row for number, row in enumerate(rows, 1))

    def brightness(self, level: int) -> bytes:
        return US + b"X" + bytes([level])


COMMAND_SETS: dict[str, CommandSet] = {"cd5220": Cd5220(), "escpos": EscPos()}
