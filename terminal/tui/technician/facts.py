"""Names and values in two columns."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.findings import wrap
from terminal.tui.widgets.line import FittedLines

_WIDEST = 18


class Facts(FittedLines):
    """Facts, one a line; long values go on below."""

    _facts: Mapping[str, str] = {}

    def show(self, facts: Mapping[str, str]) -> None:
        """Draw these."""
        self._facts = dict(facts)
        self.display = bool(facts)
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them, values in one column."""
        if not self._facts:
            return Content("")
        names = min(_WIDEST, max(map(len, self._facts)))
        lines = []
        for name, value in self._facts.items():
            for index, part in enumerate(wrap(value, max(10, width - names - 2))):
                lines.append(
                    Content.assemble((f"{name[:names] if not index else '':<{names}}  ", MUTED), part)
                )
        return Content("\n").join(lines)
