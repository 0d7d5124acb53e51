"""A QR code drawn with characters, as large as the space allows.

A module is two blanks with a background where there is room, else half a cell: ``▄`` with the
foreground as its lower and the background as its upper module. Black on white whatever the theme:
a camera does not read the inverse reliably. Error correction L is the only level at which a
165-byte payload fits a window of 80x24.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import qrcode  # type: ignore[import-untyped]
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

Matrix = tuple[tuple[bool, ...], ...]

BORDERS = (4, 3, 2)
"""Widths of the white border in modules; two is the least that cameras need."""

_BLACK, _WHITE = "#000000", "#ffffff"
_CELL = {
    (upper, lower): Style(color=_BLACK if lower else _WHITE, bgcolor=_BLACK if upper else _WHITE)
    for upper in (False, True)
    for lower in (False, True)
}
_TEXT = Style(color=_BLACK, bgcolor=_WHITE)


@lru_cache(maxsize=4)
def qr_matrix(text: str) -> Matrix:
    """Return the code's modules without border, True for black."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=0)
    code.add_data(text)
    code.make(fit=True)
    return tuple(tuple(map(bool, row)) for row in code.get_matrix())


def bordered(matrix: Matrix, border: int) -> Matrix:
    """Return the modules with a white border."""
    width = len(matrix) + 2 * border
    blank = ((False,) * width,) * border
    side = (False,) * border
    return (*blank, *((*side, *row, *side) for row in matrix), *blank)


def wide_strips(modules: Matrix) -> list[Strip]:
    """Draw a module as two blanks on one row."""
    return [
        Strip([Segment("  " * len(list(run)), _CELL[black, black]) for black, run in groupby(row)])
        for row in modules
    ]


def half_strips(modules: Matrix) -> list[Strip]:
    """Draw a module as half a cell; an odd last row gets a white lower half."""
    rows = [*modules, *([(False,) * len(modules)] if len(modules) % 2 else [])]
    return [
        Strip(
            [
                # Equal halves are blanks: a glyph's soft edge can't show where there is no glyph.
                Segment((" " if pair[0] is pair[1] else "▄") * len(list(run)), _CELL[pair])
                for pair, run in groupby(zip(top, bottom, strict=True))
            ]
        )
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    ]


def qr_strips(text: str, width: int, height: int) -> list[Strip] | None:
    """Return the code as large as it fits into *width* columns and *height* rows, None when it does not."""
    matrix = qr_matrix(text)
    for draw in (wide_strips, half_strips):
        for border in BORDERS:
            strips = draw(bordered(matrix, border))
            if strips[0].cell_length <= width and len(strips) <= height:
                return strips
    return None


class QrCode(Widget):
    """Draws one code in the middle of its space, or says how large the window must be."""

    text: reactive[str] = reactive("")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: tuple[str, Size] | None = None
        self._strips: list[Strip] = []

    def render_line(self, y: int) -> Strip:
        """Return one row, computed once for a text and a size."""
        if self._drawn != (self.text, self.size):
            self._strips = self._compute()
            self._drawn = (self.text, self.size)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, _TEXT)

    def _compute(self) -> list[Strip]:
        width, height = self.size
        if not self.text or not width or not height:
            return []
        strips = qr_strips(self.text, width, height)
        if strips is None:
            strips = self._too_small()
        above = (height - len(strips)) // 2
        blank = [Strip.blank(width, _TEXT)]
        return [*(blank * above), *(_centred(strip, width) for strip in strips)]

    def _too_small(self) -> list[Strip]:
        modules = len(qr_matrix(self.text)) + 2 * BORDERS[-1]
        more_columns = max(0, modules - self.size.width)
        more_rows = max(0, (modules + 1) // 2 - self.size.height)
        lines = ("This window is too small", "for the code. Make it", f"{more_columns} columns wider and")
        return [Strip([Segment(line, _TEXT)]) for line in (*lines, f"{more_rows} rows higher.")]


def _centred(strip: Strip, width: int) -> Strip:
    left = max(0, width - strip.cell_length) // 2
    right = max(0, width - strip.cell_length - left)
    return Strip.join([Strip.blank(left, _TEXT), strip, Strip.blank(right, _TEXT)])
