"""What an app shows, cell by cell: as text, and as pixels that a code reader can read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.strip import Strip

CELL_WIDTH_PX, CELL_HEIGHT_PX = 6, 12

Image = NDArray[np.uint8]


def strips_of(app: App[None]) -> list[Strip]:
    """Return the rows of the uppermost screen as they go to the terminal."""
    return app.screen._compositor.render_strips()


def text_of(app: App[None]) -> str:
    """Return the characters of the uppermost screen, a line a row."""
    return "\n".join(strip.text for strip in strips_of(app))


def words_of(app: App[None]) -> str:
    """Return the screen's text with every run of blanks as one, so that line breaks don't matter."""
    return " ".join(text_of(app).split())


def cells_of(app: App[None]) -> list[list[tuple[str, Style]]]:
    """Return every cell of the uppermost screen with its colours: large shapes are coloured blanks."""
    return [
        [(character, segment.style or Style.null()) for segment in strip for character in segment.text]
        for strip in strips_of(app)
    ]


def pixels_of(strips: Sequence[Strip]) -> Image:
    """Draw the rows in grey, half blocks as a terminal draws them and all other characters as background."""
    width = max(strip.cell_length for strip in strips)
    image = np.zeros((len(strips) * CELL_HEIGHT_PX, width * CELL_WIDTH_PX), np.uint8)
    for row, strip in enumerate(strips):
        column = 0
        for segment in strip:
            upper_half, lower_half = _greys(segment.style or Style.null())
            for character in segment.text:
                top = row * CELL_HEIGHT_PX
                middle = top + CELL_HEIGHT_PX // 2
                cells = slice(column * CELL_WIDTH_PX, (column + 1) * CELL_WIDTH_PX)
                image[top:middle, cells] = upper_half
                image[middle : top + CELL_HEIGHT_PX, cells] = lower_half if character == "▄" else upper_half
                column += 1
    return image


def _greys(style: Style) -> tuple[int, int]:
    """Return the greys of background and foreground."""
    pair = [_grey(style.bgcolor, 0), _grey(style.color, 255)]
    return (pair[1], pair[0]) if style.reverse else (pair[0], pair[1])


def _grey(color: Color | None, default: int) -> int:
    return default if color is None else sum(color.get_truecolor()) // 3
