"""Draws what a simulated printer has printed: white paper, torn off at both ends.

The fonts are DejaVu Sans Mono and WenQuanYi Zen Hei where they are installed. Without them Pillow's own
font is used, which has no Chinese; `missing_fonts` says so.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from simulators.printer_engine import qr_matrix
from simulators.printer_page import (
    DOTS_A_CHARACTER,
    DOTS_A_COLUMN,
    Code,
    Feed,
    Glyph,
    Item,
    PrintedPage,
    Raster,
    Style,
    TextLine,
)

_SCALE = 2
"""Pixels a dot: the dots of a real print head are finer than a screen shows."""
_HEAD_TO_KNIFE = 150
_MARGIN = 30
_EDGE = 14
_TOOTH = 12
_AROUND = 16
_INK, _PAPER = (38, 36, 40), (253, 252, 249)
_TABLE, _SHADOW = (214, 218, 222), (120, 124, 130)
_BASELINE = 19
_FONT_DOTS = 20
_CHINESE_DOTS = 23
_FONTS = Path("/usr/share/fonts/truetype")
_LATIN = ("dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSansMono-Bold.ttf")
_CHINESE = ("wqy/wqy-zenhei.ttc",)
# A character that a font has not is drawn as its box for missing ones, which tells.
_BOX = "\u25af"


def missing_fonts() -> tuple[str, ...]:
    """Return what installs each font that would be used and is not there."""
    commands = {
        _LATIN[0]: "sudo apt-get install fonts-dejavu-core",
        _CHINESE[0]: "sudo apt-get install fonts-wqy-zenhei",
    }
    return tuple(command for name, command in commands.items() if not (_FONTS / name).exists())


def draw(page: PrintedPage) -> Image.Image:
    """Return a picture of a page, about a quarter of a millimetre every four pixels."""
    width = page.columns * DOTS_A_COLUMN + 2 * _MARGIN
    height = sum(item.height for item in page.items) + 2 * (_MARGIN + _EDGE)
    if page.cut and page.items and isinstance(page.items[-1], Feed):
        # What is fed before a cut lies between the print head and the knife: it is the next page's head.
        height -= min(page.items[-1].height, _HEAD_TO_KNIFE)
    ink = Image.new("L", (width * _SCALE, height * _SCALE), 0)
    top = _MARGIN + _EDGE
    for item in page.items:
        _put(ink, item, _left(item, page.columns), top)
        top += item.height
    return _on_paper(ink, page.cut)


def png(page: PrintedPage) -> bytes:
    """Return the same as the bytes of a PNG file."""
    file = BytesIO()
    draw(page).save(file, "PNG", optimize=True)
    return file.getvalue()


def _left(item: Item, columns: int) -> int:
    room = max(0, columns * DOTS_A_COLUMN - item.width)
    return _MARGIN + (0, room // 2, room)[item.align]


def _put(ink: Image.Image, item: Item, left: int, top: int) -> None:
    match item:
        case TextLine():
            tallest = max((glyph.style.height for glyph in item.glyphs), default=1)
            for glyph in item.glyphs:
                # Characters of different heights stand on one line.
                down = top + (tallest - glyph.style.height) * DOTS_A_CHARACTER
                tile = _tile(glyph)
                ink.paste(255, (left * _SCALE, down * _SCALE), tile)
                left += glyph.dots
        case Raster():
            picture = Image.frombytes("1", (item.width, item.height), item.bits)
            _paste_dots(ink, picture, left, top)
        case Code():
            matrix = qr_matrix(item.text, item.correction)
            picture = Image.new("1", (len(matrix), len(matrix)))
            picture.putdata([dark for row in matrix for dark in row])
            _paste_dots(ink, picture.resize((item.size, item.size)), left, top)
        case Feed():
            pass


def _paste_dots(ink: Image.Image, picture: Image.Image, left: int, top: int) -> None:
    size = (picture.width * _SCALE, picture.height * _SCALE)
    ink.paste(picture.convert("L").resize(size, Image.Resampling.NEAREST), (left * _SCALE, top * _SCALE))


@lru_cache(maxsize=4096)
def _tile(glyph: Glyph) -> Image.Image:
    """Return the ink of one character: white is black, as a mask is."""
    style = glyph.style
    wide = glyph.columns == 2
    base = min(style.width, style.height)
    size = (glyph.columns * DOTS_A_COLUMN * base * _SCALE, DOTS_A_CHARACTER * base * _SCALE)
    tile = Image.new("L", size, 0)
    font = _font(wide, style.bold, (_CHINESE_DOTS if wide else _FONT_DOTS) * base * _SCALE)
    char = _BOX if glyph.char == "\ufffd" else glyph.char
    thicker = base * _SCALE // 2 if style.bold and wide else 0
    at = (size[0] / 2, _BASELINE * base * _SCALE)
    ImageDraw.Draw(tile).text(at, char, fill=255, font=font, anchor="ms", stroke_width=thicker)
    tile = tile.resize((glyph.dots * _SCALE, DOTS_A_CHARACTER * style.height * _SCALE))
    return _decorated(tile, style)


def _decorated(tile: Image.Image, style: Style) -> Image.Image:
    if style.underlined:
        thick = 2 * _SCALE
        ImageDraw.Draw(tile).rectangle((0, tile.height - thick, tile.width, tile.height), fill=255)
    return tile.point(lambda level: 255 - level) if style.inverse else tile


@lru_cache(maxsize=64)
def _font(chinese: bool, bold: bool, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    names = _CHINESE if chinese else _LATIN[:: -1 if bold else 1]
    for name in names:
        if (_FONTS / name).exists():
            return ImageFont.truetype(str(_FONTS / name), size)
    return ImageFont.load_default(size)


def _on_paper(ink: Image.Image, cut: bool) -> Image.Image:
    width, height = ink.size
    around = _AROUND * _SCALE
    shape = Image.new("L", ink.size, 0)
    edge = _EDGE * _SCALE
    # A cutter leaves a straight edge above; a hand tears at the teeth below.
    below = _teeth(width, height - edge, edge) if cut else [(width, height), (0, height)]
    ImageDraw.Draw(shape).polygon([(0, edge), (width, edge), *below], fill=255)
    picture = Image.new("RGB", (width + 2 * around, height + 2 * around), _TABLE)
    shadow = Image.new("L", picture.size, 0)
    shadow.paste(110, (around, around + _SCALE * 3), shape)
    picture.paste(_SHADOW, (0, 0), shadow.filter(ImageFilter.GaussianBlur(_SCALE * 3)))
    picture.paste(_PAPER, (around, around), shape)
    picture.paste(_INK, (around, around), ink)
    return picture


def _teeth(width: int, top: int, depth: int) -> list[tuple[int, int]]:
    tooth = _TOOTH * _SCALE
    steps = range(width, -tooth, -tooth // 2)
    return [(max(at, 0), top + (depth if count % 2 else 0)) for count, at in enumerate(steps)]
