"""The result of an attempt, filling the screen: colour, shape and words of its own."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from terminal.tui.widgets.line import Line
from terminal.tui.widgets.pixel_font import solid, wide_pixels
from terminal.tui.widgets.result_style import ALL_STYLES, result_style
from terminal.tui.widgets.result_words import ResultWords
from terminal.view import ResultView


class ResultPanel(Horizontal):
    """One result."""

    def compose(self) -> ComposeResult:
        """Shape on the left, words on the right."""
        yield Line(id="result-shape")
        yield ResultWords(id="result-words")

    def show(self, result: ResultView | None, locale: str) -> None:
        """Draw a result, its amount as *locale* writes it."""
        if result is None:
            return
        style = result_style(result)
        for each in ALL_STYLES:
            self.set_class(each.css_class == style.css_class, each.css_class)
        self.query_one("#result-shape", Line).update(solid(wide_pixels(style.shape)))
        self.query_one(ResultWords).shown = (result, locale)
