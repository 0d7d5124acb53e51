"""What a pole display makes of the bytes that it gets: its rows, its cursor, its brightness.

Pure: no wire, no clock, no drawing. It understands one command set at a time, as the switches of a
real display choose it, and is as strict: after ``ESC Q A`` a CD5220 takes nothing but another line
until CLR or CAN. A command that it does not know is kept in `unknown`; the bytes after it appear as
text, as they do on the glass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Protocol = Literal["cd5220", "escpos"]

_BS, _HT, _LF, _HOME, _CLR, _CR, _CAN, _ESC, _US = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x18, 0x1B, 0x1F
_LINE_ROWS = {ord("A"): 0, ord("B"): 1}
BRIGHTEST = 4


class DisplayMemory:
    """The memory of a display of some columns and rows.

    Attributes:
        brightness: 1 to 4.
        cursor_shown: Whether the cursor is to be seen.
        table: The character table that was chosen by ``ESC t``; None before.
        unknown: Bytes that were no command of this display, as it met them.
    """

    def __init__(
        self, protocol: Protocol, columns: int = 20, rows: int = 2, code_page: str = "cp437"
    ) -> None:
        self._protocol = protocol
        self._columns = columns
        self._rows = rows
        self._code_page = code_page
        self.unknown: list[bytes] = []
        self._start()
        self._pending = bytearray()

    def _start(self) -> None:
        self._cells = bytearray(b" " * (self._columns * self._rows))
        self._at = 0
        self._line_mode = False
        self.brightness = BRIGHTEST
        self.cursor_shown = True
        self.table: int | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands on the display, each row as long as there are columns."""
        cells = bytes(self._cells)
        rows = (cells[at : at + self._columns] for at in range(0, len(cells), self._columns))
        return tuple(row.decode(self._code_page, "replace") for row in rows)

    def feed(self, data: bytes) -> None:
        """Take the next bytes, however they are cut into pieces."""
        self._pending += data
        while self._pending:
            used = self._next(bytes(self._pending))
            if not used:
                return
            del self._pending[:used]

    def _next(self, data: bytes) -> int:
        """Do what *data* begins with; return how many bytes that took, 0 for a command that goes on."""
        first = data[0]
        if first == _ESC:
            return self._escape(data)
        if first == _US and self._protocol == "escpos":
            return self._unit_separator(data)
        if first < 0x20:
            self._control(first)
        elif not self._line_mode:
            self._put(first)
        return 1

    def _control(self, byte: int) -> None:
        if byte == _CLR:
            self._cells[:] = b" " * len(self._cells)
            self._at, self._line_mode = 0, False
        elif byte == _CAN:
            row = self._at - self._at % self._columns
            self._cells[row : row + self._columns] = b" " * self._columns
            self._at, self._line_mode = row, False
        elif self._line_mode:
            return
        elif byte == _CR:
            self._at -= self._at % self._columns
        elif byte == _HOME:
            self._at = 0
        elif byte in (_HT, _BS, _LF):
            step = {_HT: 1, _BS: -1, _LF: self._columns}[byte]
            self._at = (self._at + step) % len(self._cells)
        else:
            self.unknown.append(bytes([byte]))

    def _put(self, byte: int) -> None:
        self._cells[self._at] = byte
        self._at = (self._at + 1) % len(self._cells)

    def _escape(self, data: bytes) -> int:
        if len(data) < 2:
            return 0
        if data[1] == ord("Q") and self._protocol == "cd5220":
            return self._whole_line(data)
        arguments = self._ESCAPES.get((self._protocol, data[1]), self._ESCAPES.get(("", data[1])))
        if arguments is None:
            self.unknown.append(data[:2])
            return 2
        count, act = arguments
        if len(data) < 2 + count:
            return 0
        # In line mode a display is deaf to all but another line.
        if not self._line_mode or data[1] == ord("@"):
            act(self, data[2 : 2 + count])
        return 2 + count

    def _unit_separator(self, data: bytes) -> int:
        if len(data) < 2:
            return 0
        arguments = self._SEPARATED.get(data[1])
        if arguments is None:
            self.unknown.append(data[:2])
            return 2
        count, act = arguments
        if len(data) < 2 + count:
            return 0
        act(self, data[2 : 2 + count])
        return 2 + count

    def _whole_line(self, data: bytes) -> int:
        end = data.find(_CR, 3)
        if len(data) < 3 or (end < 0 and data[2] in _LINE_ROWS and len(data) <= 3 + self._columns):
            return 0
        row = _LINE_ROWS.get(data[2])
        text = data[3:end] if end >= 0 else data[3:]
        if row is None or end < 0 or len(text) > self._columns:
            self.unknown.append(data[:3])
            return 3
        self._line_mode = True
        at = row * self._columns
        self._cells[at : at + self._columns] = text.ljust(self._columns)
        return end + 1

    def _initialise(self, _: bytes) -> None:
        self._start()

    def _nothing(self, _: bytes) -> None:
        """Modes and character sets that change nothing of what is tested here."""

    def _go(self, where: bytes) -> None:
        column, row = where
        if 1 <= column <= self._columns and 1 <= row <= self._rows:
            self._at = (row - 1) * self._columns + column - 1
        else:
            self.unknown.append(where)

    def _light(self, level: bytes) -> None:
        if 1 <= level[0] <= BRIGHTEST:
            self.brightness = level[0]
        else:
            self.unknown.append(level)

    def _cursor(self, shown: bytes) -> None:
        self.cursor_shown = shown[0] in (1, ord("1"))

    def _choose_table(self, number: bytes) -> None:
        self.table = number[0]

    _Command = tuple[int, Callable[["DisplayMemory", bytes], None]]
    _ESCAPES: dict[tuple[str, int], _Command] = {  # noqa: RUF012  never changed
        ("", ord("@")): (0, _initialise),
        ("", ord("t")): (1, _choose_table),
        ("", ord("R")): (1, _nothing),
        ("cd5220", 0x11): (0, _nothing),
        ("cd5220", ord("l")): (2, _go),
        ("cd5220", ord("*")): (1, _light),
        ("cd5220", ord("_")): (1, _cursor),
        ("cd5220", ord("f")): (1, _nothing),
    }
    _SEPARATED: dict[int, _Command] = {  # noqa: RUF012  never changed
        0x01: (0, _nothing),
        ord("$"): (2, _go),
        ord("X"): (1, _light),
        ord("C"): (1, _cursor),
    }
