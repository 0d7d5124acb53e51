"""The results: each its own words, sign, shape and style name, so that none rests on colour alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from terminal.tui.widgets.pixel_font import Pixels
from terminal.view import Outcome, ResultView


@dataclass(frozen=True, slots=True)
class ResultStyle:
    """How one result looks."""

    words: str
    sign: str
    """One character, for lists and titles."""
    css_class: str
    shape: Pixels
    """The same sign, large."""


_TICK: Pixels = (
    "........#",
    ".......##",
    "......##.",
    "#....##..",
    "##..##...",
    ".####....",
    "..##.....",
)
_HOURGLASS: Pixels = (
    "#########",
    ".#.....#.",
    "..#####..",
    "...###...",
    "..#.#.#..",
    ".#.###.#.",
    "#########",
)
_TICKED_CARD: Pixels = (
    ".......##",
    "#####.##.",
    "#....##.#",
    "#.#.##..#",
    "#.###...#",
    "#..#....#",
    "#########",
)
_CROSS: Pixels = (
    "##.....##",
    ".##...##.",
    "..##.##..",
    "...###...",
    "..##.##..",
    ".##...##.",
    "##.....##",
)
_QUESTION: Pixels = (
    ".#######.",
    "##.....##",
    "......##.",
    "....##...",
    "....#....",
    ".........",
    "....#....",
)

_STOP: Pixels = (
    ".#######.",
    ".#######.",
    ".##...##.",
    ".##...##.",
    ".##...##.",
    ".#######.",
    ".#######.",
)

RESULT_STYLES: dict[Outcome, ResultStyle] = {
    Outcome.APPROVED: ResultStyle("APPROVED", "✓", "-approved", _TICK),
    Outcome.APPROVED_OFFLINE: ResultStyle("APPROVED OFFLINE", "☑", "-approved-offline", _TICKED_CARD),
    Outcome.DECLINED: ResultStyle("DECLINED", "✗", "-declined", _CROSS),
    Outcome.UNKNOWN: ResultStyle("UNKNOWN – DO NOT CHARGE AGAIN", "?", "-unknown", _QUESTION),
}

DEFERRED = ResultStyle("TAKEN OFFLINE – NOT AUTHORISED YET", "↓", "-deferred", _HOURGLASS)
"""An offline result that no card and no host has approved: the merchant's risk."""

CANCELLED = ResultStyle("CANCELLED", "■", "-cancelled", _STOP)
"""What the cashier has ended: nobody has said no."""

ALL_STYLES = (*RESULT_STYLES.values(), DEFERRED, CANCELLED)


def result_style(result: ResultView) -> ResultStyle:
    """Return the look of a result; a deferred one never looks like an approval."""
    if result.deferred and result.outcome is Outcome.APPROVED_OFFLINE:
        return DEFERRED
    if result.outcome is Outcome.DECLINED:
        # DECLINED is what card, host or wallet said; what the terminal ended itself has other words.
        looks = CANCELLED if result.headline == CANCELLED.words else RESULT_STYLES[Outcome.DECLINED]
        return replace(looks, words=result.headline)
    return RESULT_STYLES[result.outcome]
