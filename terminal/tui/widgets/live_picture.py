"""A picture in half-block characters: two pixels a cell, one above the other."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from drivers.abilities import Picture

_UPPER_HALF = "▀"
_STEP = 0xF8
"""Colours are rounded to 32 steps of each: nobody sees it, and a terminal gets half the bytes."""


@lru_cache(maxsize=8192)
def _style(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))


class LivePicture(Widget):
    """Shows the newest picture, in the middle. It is drawn when `show` is called, not more often."""

    _picture: Picture | None = None

    @property
    def pixels(self) -> tuple[int, int]:
        """How many pixels there is room for."""
        return self.size.width, self.size.height * 2

    def show(self, picture: Picture | None) -> None:
        """Draw *picture*, or nothing."""
        if picture is not self._picture:
            self._picture = picture
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there is room."""
        return container.height

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        width, height = self.size
        picture = self._picture
        if picture is None:
            return Strip.blank(width, self.rich_style)
        left = max(0, (width - picture.width) // 2)
        top = 2 * (max(0, height - (picture.height + 1) // 2) // 2)
        row = 2 * y - top
        if row < 0 or row >= picture.height:
            return Strip.blank(width, self.rich_style)
        columns = min(picture.width, width)
        cells = [Segment(_UPPER_HALF, style) for style in _row(picture, row, columns)]
        right = width - left - columns
        blank = self.rich_style
        return Strip([Segment(" " * left, blank), *cells, Segment(" " * right, blank)], width)


def _row(picture: Picture, row: int, columns: int) -> list[Style]:
    """Return the styles of the cells that show pixel row *row* and the one below it."""

    def pixels(number: int) -> list[tuple[int, int, int]]:
        # An odd last row has nothing below it: it is as high as two.
        start = min(number, picture.height - 1) * picture.width * 3
        line = bytes(each & _STEP for each in picture.rgb[start : start + columns * 3])
        return list(zip(line[::3], line[1::3], line[2::3], strict=True))

    return [_style(upper, lower) for upper, lower in zip(pixels(row), pixels(row + 1), strict=True)]
