"""What stands on a simulated printer's paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

DOTS_A_COLUMN = 12
DOTS_A_LINE = 30
"""From one line of text to the next, in dots of an eighth of a millimetre."""
DOTS_A_CHARACTER = 24


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look. `width` and `height` are multiples of the normal size."""

    bold: bool = False
    underlined: bool = False
    inverse: bool = False
    width: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character on the paper."""

    char: str
    columns: int
    style: Style = Style()

    @property
    def dots(self) -> int:
        """How wide it is."""
        return self.columns * DOTS_A_COLUMN * self.style.width


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of characters; `align` is 0 left, 1 centre, 2 right."""

    glyphs: tuple[Glyph, ...] = ()
    align: int = 0
    pitch: int = DOTS_A_LINE

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(glyph.char for glyph in self.glyphs)

    @property
    def width(self) -> int:
        """In dots."""
        return sum(glyph.dots for glyph in self.glyphs)

    @property
    def height(self) -> int:
        """In dots."""
        tallest = max((glyph.style.height for glyph in self.glyphs), default=1)
        return max(self.pitch, DOTS_A_CHARACTER * tallest + (self.pitch - DOTS_A_CHARACTER) * (tallest > 1))


@dataclass(frozen=True, slots=True)
class Raster:
    """A picture of dots: rows of bytes, the highest bit at the left, one is black."""

    width_bytes: int
    height: int
    bits: bytes = field(repr=False)
    align: int = 0

    @property
    def width(self) -> int:
        """In dots."""
        return self.width_bytes * 8


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code that the printer made itself."""

    text: str
    module: int
    correction: str = "L"
    align: int = 0
    size: int = 0
    """Its width and height in dots."""

    @property
    def width(self) -> int:
        """In dots."""
        return self.size

    @property
    def height(self) -> int:
        """In dots."""
        return self.size


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty paper."""

    height: int
    align: int = 0
    width: int = 0


Item: TypeAlias = TextLine | Raster | Code | Feed


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """A piece of paper, from one cut to the next."""

    items: tuple[Item, ...]
    columns: int
    cut: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """Its lines of text, without spaces at their ends."""
        return tuple(item.text.rstrip() for item in self.items if isinstance(item, TextLine))

    @property
    def text(self) -> str:
        """All its text."""
        return "\n".join(self.lines)

    @property
    def codes(self) -> tuple[str, ...]:
        """What its QR codes say; codes that came as pictures are not among them."""
        return tuple(item.text for item in self.items if isinstance(item, Code))
