"""The result of an attempt, filling the screen: colour, shape and words of its own."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import BigText, headline_lines, plain_lines, tight_headline_lines
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.pixel_font import solid, wide_pixels
from terminal.tui.widgets.result_style import DEFERRED, RESULT_STYLES, result_style
from terminal.view import Outcome, ResultView

_TITLE, _ORIGIN = 1, 1
_MARGINS = 6
"""Rows of the title and of blanks when the words are not tight."""
_ANY = 99

_CLASSES = [style.css_class for style in (*RESULT_STYLES.values(), DEFERRED)]


class ResultPanel(Horizontal):
    """One of the four results."""

    result: reactive[ResultView | None] = reactive(None)

    def compose(self) -> ComposeResult:
        """Shape on the left, words on the right."""
        yield Line(id="result-shape")
        with Vertical(id="result-words"):
            yield Line(id="result-title")
            yield BigText(headline_lines, id="result-headline")
            yield BigText(headline_lines, id="result-amount")
            yield Line(id="result-detail")
            yield Line(id="result-origin")

    def watch_result(self, result: ResultView | None) -> None:
        """Draw another result."""
        if result is None:
            return
        style = result_style(result.outcome, result.deferred)
        for name in _CLASSES:
            self.set_class(name == style.css_class, name)
        self.query_one("#result-shape", Line).update(solid(wide_pixels(style.shape)))
        self.query_one("#result-title", Line).update(f"{style.sign} {style.words}")
        self.query_one("#result-headline", BigText).text = result.headline
        self.query_one("#result-amount", BigText).text = amount_text(result.amount)
        self.query_one("#result-detail", Line).update(result.detail)
        self.query_one("#result-origin", Line).update(_origin(result))
        self._arrange()

    def on_resize(self) -> None:
        """Fit the words to the space."""
        self._arrange()

    def _arrange(self) -> None:
        """Keep every word readable: in little space first the amount becomes small, then the headline."""
        if self.result is None:
            return
        width = self.query_one("#result-words").size.width
        # Words do not break evenly: count a little less than the width.
        detail = -(-len(self.result.detail) // max(1, width - 6))
        headline = len(headline_lines(self.result.headline, width, _ANY))
        amount = len(headline_lines(amount_text(self.result.amount), width, _ANY))
        space = self.outer_size.height - self.styles.border.spacing.height - detail - _ORIGIN
        roomy = space - _MARGINS >= headline + 1
        tight = len(tight_headline_lines(self.result.headline, width, _ANY))
        draw = (
            headline_lines if roomy else tight_headline_lines if space >= _TITLE + tight + 1 else plain_lines
        )
        self.query_one("#result-headline", BigText).draw = draw
        large = space - _MARGINS >= headline + amount
        self.query_one("#result-amount", BigText).draw = headline_lines if large else plain_lines
        self.set_class(not roomy, "-tight")


def _origin(result: ResultView) -> str:
    """Return where the result comes from and which keys go on."""
    again = "a: try again · " if result.outcome is Outcome.DECLINED else ""
    return f"{result.channel} · order {result.order} · {again}Enter or a digit: next customer"
