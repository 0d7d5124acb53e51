"""A few words in large letters, as high as they need."""

from __future__ import annotations

from textual.content import Content

from terminal.tui.widgets.big_text import tight_headline_lines
from terminal.tui.widgets.line import FittedLines
from terminal.tui.widgets.pixel_font import solid

_ROWS = 6
"""Two lines of letters."""


class Headline(FittedLines):
    """Large where the words fit, else plain capitals."""

    _text = ""

    def show(self, text: str) -> None:
        """Draw *text*."""
        self._text = text
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return the letters."""
        drawn = tight_headline_lines(self._text, width, _ROWS)
        return Content(self._text.upper()) if drawn == [self._text] else solid(drawn)
