"""A list of names, each with a word behind it; one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.message import Message

from terminal.tui.technician.colours import MUTED
from terminal.tui.widgets.line import FittedLines


class PickList(FittedLines):
    """One row each. A click chooses, too."""

    class Picked(Message):
        """Somebody clicked on the row with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    _rows: tuple[tuple[str, str], ...] = ()
    _chosen = 0

    def show(self, rows: Sequence[tuple[str, str]], chosen: int) -> None:
        """Draw these."""
        self._rows, self._chosen = tuple(rows), chosen
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them, the words at the right edge."""
        return Content("\n").join(self._row(number, width) for number in range(len(self._rows)))

    def _row(self, number: int, width: int) -> Content:
        name, word = self._rows[number]
        chosen = number == self._chosen
        bar = "▌" if chosen else " "
        left = Content(name).truncate(max(1, width - len(word) - 3), ellipsis=True)
        gap = " " * max(1, width - left.cell_length - len(word) - 2)
        line = Content.assemble((bar, "$primary"), left, gap, (word, "bold" if chosen else MUTED), " ")
        return line.stylize("on $panel") if chosen else line

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        if event.y < len(self._rows):
            self.post_message(self.Picked(event.y))
