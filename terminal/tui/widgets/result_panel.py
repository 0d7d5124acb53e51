"""The result of an attempt, filling the screen: colour, shape and words of its own."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widgets import Static

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import BigText, headline_lines
from terminal.tui.widgets.pixel_font import solid, wide_pixels
from terminal.tui.widgets.result_style import DEFERRED, RESULT_STYLES, result_style
from terminal.view import ResultView

_CLASSES = [style.css_class for style in (*RESULT_STYLES.values(), DEFERRED)]


class ResultPanel(Horizontal):
    """One of the four results."""

    result: reactive[ResultView | None] = reactive(None)

    def compose(self) -> ComposeResult:
        """Shape on the left, words on the right."""
        yield Static(id="result-shape", markup=False)
        with Vertical(id="result-words"):
            yield Static(id="result-title", markup=False)
            yield BigText(headline_lines, id="result-headline")
            yield BigText(headline_lines, id="result-amount")
            yield Static(id="result-detail", markup=False)
            yield Static(id="result-origin", markup=False)

    def watch_result(self, result: ResultView | None) -> None:
        """Draw another result."""
        if result is None:
            return
        style = result_style(result.outcome, result.deferred)
        for name in _CLASSES:
            self.set_class(name == style.css_class, name)
        self.query_one("#result-shape", Static).update(solid(wide_pixels(style.shape)))
        self.query_one("#result-title", Static).update(f"{style.sign} {style.words}")
        self.query_one("#result-headline", BigText).text = result.headline
        self.query_one("#result-amount", BigText).text = amount_text(result.amount)
        self.query_one("#result-detail", Static).update(result.detail)
        self.query_one("#result-origin", Static).update(f"{result.channel} · order {result.order}")
