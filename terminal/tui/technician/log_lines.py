"""Lines of the log, newest last."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from terminal.log import LogLine
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.findings import wrap
from terminal.tui.widgets.line import FittedLines

_STYLES = {"CRITICAL": "bold $error", "ERROR": "bold $error", "WARNING": "bold $warning"}
_MOST_ROWS = 12
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
    when = f"{line.when.astimezone():%H:%M:%S} "
    level = f"{line.level:<7} "
    style = _STYLES.get(line.level, "" if line.level == "INFO" else MUTED)
    name = line.name.removeprefix("terminal.")
    room = max(10, width - len(when) - len(level))
    rows = wrap(f"{name}: {line.text}", room)
    if len(rows) > _MOST_ROWS:
        rows = [*rows[:2], "…", *rows[3 - _MOST_ROWS :]]
    text_style = "" if line.level in ("INFO", *_STYLES) else MUTED
    head = Content.assemble((when, MUTED), (level, style), (rows[0], text_style))
    indent = " " * (len(when) + len(level))
    return [head, *(Content.assemble(indent, (row, text_style)) for row in rows[1:])]
