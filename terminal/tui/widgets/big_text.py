"""Amounts and headlines in letters as large as the space allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from terminal.tui.widgets.pixel_font import (
    LARGE_DIGITS,
    LETTERS,
    SMALL_DIGITS,
    FontTable,
    half_pixels,
    solid,
    text_pixels,
    wide_pixels,
)

Drawing = Callable[[Sequence[str]], list[str]]

AMOUNT_SIZES: tuple[tuple[FontTable, Drawing, int], ...] = (
    (LARGE_DIGITS, wide_pixels, 1),
    (SMALL_DIGITS, wide_pixels, 1),
    (LARGE_DIGITS, half_pixels, 1),
    (SMALL_DIGITS, half_pixels, 1),
)
"""Font, way of drawing and gap of an amount, largest first."""


def amount_lines(text: str, width: int, height: int) -> list[str]:
    """Return the amount in the largest digits that fit, as plain text when none does."""
    for font, draw, gap in AMOUNT_SIZES:
        pixels = text_pixels(text, font, gap)
        if pixels is None:
            break
        lines = draw(pixels)
        if len(lines) <= height and len(lines[0]) <= width:
            return lines
    return [text]


def headline_lines(text: str, width: int, height: int) -> list[str]:
    """Return *text* in three-row letters, broken between words, as plain text when it does not fit."""
    lines: list[str] = []
    for words in _break(text.upper(), width):
        pixels = text_pixels(words, LETTERS, 1)
        if pixels is None or len(pixels[0]) > width:
            return [text]
        lines += [*([""] if lines else []), *half_pixels(pixels)]
    return lines if len(lines) <= height else [text]


def tight_headline_lines(text: str, width: int, height: int) -> list[str]:
    """Return `headline_lines` without blank rows between; half a row still parts the lines."""
    return [line for line in headline_lines(text, width, height + height // 3) if line]


def _break(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        pixels = text_pixels(longer, LETTERS, 1)
        if lines and pixels is not None and len(pixels[0]) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class BigText(Widget):
    """One text, drawn by a function of text, width and height."""

    text: reactive[str] = reactive("", layout=True)

    def __init__(self, draw: Callable[[str, int, int], list[str]], *, id: str) -> None:
        super().__init__(id=id)
        self._drawn_by = draw

    def render(self) -> Content:
        """Draw the text in the space that there is."""
        return solid(self._drawn_by(self.text, self.size.width, self.size.height))
