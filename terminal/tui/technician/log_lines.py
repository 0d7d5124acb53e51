"""Lines of the log, newest last."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from terminal.log import LogLine
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.findings import wrap
from terminal.tui.widgets.line import FittedLines

_STYLES = {"CRITICAL": "bold $error", "ERROR": "bold $error", "WARNING": "bold $warning"}
_WIDE = 70
"""From this width on the text stands beside time and level."""
_MOST_ROWS = 10
"""How many rows of one line are shown: a traceback's end says what happened."""


class LogLines(FittedLines):
    """Time, level, part, and the text below where it is long."""

    _lines: tuple[LogLine, ...] = ()

    def show(self, lines: Sequence[LogLine]) -> None:
        """Draw these, oldest first."""
        self._lines = tuple(lines)
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them."""
        if not self._lines:
            return Content.styled("nothing was logged", MUTED)
        return Content("\n").join(part for each in self._lines for part in _parts(each, width))


def _parts(line: LogLine, width: int) -> list[Content]:
    """Return one line: beside time and level where there is room, else below them."""
    head = Content.assemble(
        (f"{line.when.astimezone():%H:%M:%S} ", MUTED),
        (f"{line.level:<7} ", _STYLES.get(line.level, "" if line.level == "INFO" else MUTED)),
    )
    name = line.name.removeprefix("terminal.")
    style = "" if line.level in ("INFO", *_STYLES) else MUTED
    beside = width >= _WIDE
    indent = head.cell_length if beside else 2
    rows = wrap(f"{name}: {line.text}" if beside else line.text, max(10, width - indent))
    if len(rows) > _MOST_ROWS:
        rows = [*rows[:2], "…", *rows[3 - _MOST_ROWS :]]
    below = [Content.assemble(" " * indent, (row, style)) for row in rows]
    if beside:
        return [Content.assemble(head, (rows[0], style)), *below[1:]]
    return [Content.assemble(head, (name, MUTED)), *below]
