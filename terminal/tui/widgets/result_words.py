"""The words of a result, as large as the space allows.

They are composed in one go for the size that there is, so that the first frame is right already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import headline_lines, tight_headline_lines
from terminal.tui.widgets.pixel_font import solid
from terminal.tui.widgets.result_style import result_style
from terminal.view import Outcome, ResultView

Draw = Callable[[str, int, int], list[str]]
_ANY = 99


def _plain(text: str, width: int, height: int) -> list[str]:
    return [text]


_SIZES: tuple[tuple[Draw, Draw, int], ...] = (
    (headline_lines, headline_lines, 1),
    (headline_lines, _plain, 1),
    (headline_lines, _plain, 0),
    (tight_headline_lines, _plain, 0),
    (_plain, _plain, 0),
)
"""How headline and amount are drawn and how many blank rows part the groups, the roomiest first."""


def result_words(result: ResultView, locale: str, width: int, height: int) -> Content:
    """Return title, headline, amount, reason and origin, every word readable.

    In little space first the amount becomes small, then the blank rows go, then the headline does.
    """
    style = result_style(result)
    texts = (Content(f"{style.sign} {style.words}"), _detail(result), Content(_origin(result)))
    title, detail, origin = (text.wrap(width) for text in texts)
    groups: list[list[Content]] = []
    for headline, amount, gap in _SIZES:
        groups = [
            [line.stylize("bold") for line in title],
            _drawn(headline(result.headline, width, _ANY)),
            _drawn(amount(amount_text(result.amount, locale), width, _ANY)),
            [*detail, *origin],
        ]
        if sum(map(len, groups)) + gap * (len(groups) - 1) <= height:
            break
    return Content("\n" * (gap + 1)).join(Content("\n").join(group) for group in groups)


def _drawn(lines: Sequence[str]) -> list[Content]:
    return [solid([line]).stylize("bold") for line in lines]


def _detail(result: ResultView) -> Content:
    """Return the reason; what must not be missed stands out of it."""
    text = Content(result.detail)
    start = result.detail.find(result.emphasis)
    return text.stylize("bold reverse", start, start + len(result.emphasis)) if result.emphasis else text


def _origin(result: ResultView) -> str:
    """Return where the result comes from and which keys go on."""
    again = "a: try again · " if result.outcome is Outcome.DECLINED else ""
    return f"{result.channel} · order {result.order} · {again}Enter or a digit: next customer"


class ResultWords(Widget):
    """All words of one result."""

    shown: reactive[tuple[ResultView, str] | None] = reactive(None)
    """The result, and the locale of its amount."""

    def render(self) -> Content:
        """Draw them in the space that there is."""
        return Content("") if self.shown is None else result_words(*self.shown, *self.size)
