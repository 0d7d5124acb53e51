"""Letters, digits and symbols as pixels, and two ways of drawing pixels with characters.

A character cell is about twice as high as wide. So a pixel is either one row high and two columns
wide (`wide_pixels`), or half a row high and one column wide (`half_pixels`, with ``▀▄█``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from textual.content import Content

Pixels = tuple[str, ...]
"""Rows of equal length; ``#`` is set."""

FontTable = Mapping[str, Pixels]


def _font(height: int, *bands: str) -> FontTable:
    """Read a font from bands: a line of characters, then *height* lines of glyphs parted by blanks."""
    table: dict[str, Pixels] = {}
    for band in bands:
        names, *lines = band.split("\n")
        columns = [line.split() for line in lines[:height]]
        for index, name in enumerate(names.split()):
            table[name] = tuple(column[index] for column in columns)
    return table


SMALL_DIGITS: FontTable = _font(
    5,
    """0 1 2 3 4 5 6 7 8 9 .
### .#. ### ### #.# ### ### ### ### ### .
#.# ##. ..# ..# #.# #.. #.. ..# #.# #.# .
#.# .#. ### ### ### ### ### ..# ### ### .
#.# .#. #.. ..# ..# ..# #.# ..# #.# ..# .
### ### ### ### ..# ### ### ..# ### ### #""",
)

LARGE_DIGITS: FontTable = _font(
    7,
    """0 1 2 3 4 5 6 7 8 9 .
.###. ..#.. .###. .###. ...#. ##### .###. ##### .###. .###. .
#...# .##.. #...# #...# ..##. #.... #...# ....# #...# #...# .
#...# ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...# .
#...# ..#.. ..##. ..##. #..#. ....# ####. ..#.. .###. .#### .
#...# ..#.. .#... ....# ##### ....# #...# .#... #...# ....# .
#...# ..#.. #.... #...# ...#. #...# #...# .#... #...# #...# .
.###. .###. ##### .###. ...#. .###. .###. .#... .###. .###. #""",
)

LETTERS: FontTable = _font(
    5,
    """A B C D E F G H I J K L M
.##. ###. .### ###. #### #### .### #..# ### ..## #..# #... #...#
#..# #..# #... #..# #... #... #... #..# .#. ...# #.#. #... ##.##
#### ###. #... #..# ###. ###. #.## #### .#. ...# ##.. #... #.#.#
#..# #..# #... #..# #... #... #..# #..# .#. #..# #.#. #... #...#
#..# ###. .### ###. #### #... .### #..# ### .##. #..# #### #...#""",
    """N O P Q R S T U V W X Y Z
#..# .##. ###. .##. ###. .### ### #..# #...# #...# #..# #.# ####
##.# #..# #..# #..# #..# #... .#. #..# #...# #...# #..# #.# ...#
#.## #..# ###. #..# ###. .##. .#. #..# .#.#. #.#.# .##. .#. .##.
#..# #..# #... #.## #.#. ...# .#. #..# .#.#. ##.## #..# .#. #...
#..# .##. #... .### #..# ###. .#. .##. ..#.. #...# #..# .#. ####""",
    """0 1 2 3 4 5 6 7 8 9 . , ! ? ' -
.##. .#. ###. ###. #..# #### .##. #### .##. .##. . .. # ##. # ..
#..# ##. ...# ...# #..# #... #... ...# #..# #..# . .. # ..# # ..
#..# .#. .##. .##. #### ###. ###. ..#. .##. .### . .. # .#. . ##
#..# .#. #... ...# ...# ...# #..# .#.. #..# ...# . .# . ... . ..
.##. ### #### ###. ...# ###. .##. .#.. .##. .##. # #. # .#. . ..""",
    """€ £ ¥ $
..### ..##. #...# .####
.#... .#..# .#.#. #.#..
####. ###.. ##### .###.
.#... .#... ..#.. ..#.#
..### ##### ..#.. ####.""",
)

LETTERS_SPACE = 2
"""Width of a blank between words, in pixels."""


def text_pixels(text: str, font: FontTable, gap: int) -> Pixels | None:
    """Return *text* in one line of pixels, *gap* empty columns between characters.

    None when the font lacks a character: the caller then writes it as plain text.
    """
    blank = tuple("." * LETTERS_SPACE for _ in next(iter(font.values())))
    glyphs = [blank if character == " " else font.get(character) for character in text]
    rows: list[list[str]] = [[] for _ in blank]
    for glyph in glyphs:
        if glyph is None:
            return None
        for row, part in zip(rows, glyph, strict=True):
            row.append(part)
    return tuple(("." * gap).join(row) for row in rows)


def wide_pixels(pixels: Sequence[str]) -> list[str]:
    """Draw a pixel as two columns of one row."""
    return ["".join("██" if pixel == "#" else "  " for pixel in row) for row in pixels]


def solid(lines: Sequence[str]) -> Content:
    """Return drawn lines with full blocks as reversed blanks: no font leaves gaps between those."""
    parts = re.split("(█+)", "\n".join(lines))
    return Content.assemble(
        *((" " * len(part), "reverse") if part.startswith("█") else part for part in parts)
    )


def half_pixels(pixels: Sequence[str]) -> list[str]:
    """Draw a pixel as one column of half a row."""
    rows = list(pixels)
    if len(rows) % 2:
        # An odd row out goes to the top, so that the text still stands on its last line.
        rows.insert(0, "." * len(rows[0]))
    cells = {"..": " ", "#.": "▀", ".#": "▄", "##": "█"}
    return [
        "".join(cells[upper + lower] for upper, lower in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    ]
