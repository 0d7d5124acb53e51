"""Draws a pole display as people see it: green dots behind smoked glass, on a pole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_CELL = (22, 34)
_FRAME = 26
_POLE = (70, 60)
_CASE, _GLASS, _GHOST = (38, 40, 44), (6, 22, 18), (10, 32, 27)
_BRIGHTEST = (110, 255, 214)
_ROOM = (228, 230, 232)
_FONT_PX = 24
_OVERLAID = {"¥": "Y=", "€": "C="}
"""Signs that the built-in font lacks, out of what lies one over the other."""


def draw(lines: Sequence[str], brightness: int = 4) -> Image.Image:
    """Return the picture of a display with these rows, at a brightness of 1 to 4."""
    columns = max((len(line) for line in lines), default=0)
    width = columns * _CELL[0] + 4 * _FRAME
    glass = (_FRAME, _FRAME, width - _FRAME, 3 * _FRAME + len(lines) * _CELL[1])
    case = (0, 0, width - 1, glass[3] + _FRAME)
    picture = Image.new("RGB", (width, case[3] + _POLE[1]), _ROOM)
    pen = ImageDraw.Draw(picture)
    middle = width // 2
    pen.rectangle((middle - _POLE[0] // 2, case[3], middle + _POLE[0] // 2, picture.height), _CASE)
    pen.rounded_rectangle(case, 12, _CASE)
    pen.rounded_rectangle(glass, 6, _GLASS)
    light = tuple(g + (b - g) * brightness // 4 for g, b in zip(_GLASS, _BRIGHTEST, strict=True))
    font = ImageFont.load_default(_FONT_PX)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            left, top = 2 * _FRAME + column * _CELL[0], 2 * _FRAME + row * _CELL[1]
            pen.rectangle((left + 1, top + 2, left + _CELL[0] - 2, top + _CELL[1] - 3), _GHOST)
            centre = (left + _CELL[0] // 2, top + _CELL[1] // 2)
            for part in _OVERLAID.get(character, character):
                pen.text(centre, part, light, font, anchor="mm")
    return picture


def save(path: Path, lines: Sequence[str], brightness: int = 4) -> None:
    """Write the picture as a PNG."""
    draw(lines, brightness).save(path, "PNG")
