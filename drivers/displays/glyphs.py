"""Text as the bytes of a display's character table: cut to its columns, nothing in it that is a command.

A display shows one code page of a few hundred characters. What it lacks is replaced by what people
read the same way: an accent is left out, a sign becomes its name. Only then is the line cut, so that
a cut never takes half a replacement for a whole word.
"""

from __future__ import annotations

import unicodedata

CODE_PAGES = ("cp437", "cp850", "cp852", "cp858", "cp860", "cp863", "cp865", "cp866", "cp1252", "gb2312")
"""Tables that displays are sold with. In gb2312 a Chinese character takes two columns, as on the glass."""

_NAMES = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "￥": "CNY",
    "元": "CNY",
    "₹": "INR",
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "·": "-",
    "•": "*",
    "×": "x",
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",
    "✓": "OK",
}
_UNKNOWN = b"?"


def fitted(text: str, columns: int, code_page: str) -> bytes:
    """Return *text* as exactly *columns* bytes of a code page: cut off, or filled with spaces.

    No byte of it is a control character. A character of two bytes is never cut in two. Where a sign's
    name needs more room than the sign, spaces that only fill the line give way: an amount at its end
    stays whole.
    """
    glyphs = [_glyph(character, code_page) for character in unicodedata.normalize("NFC", text)]
    _squeeze(glyphs, sum(map(len, glyphs)) - max(columns, len(text)))
    line = b""
    for glyph in glyphs:
        if len(line) + len(glyph) > columns:
            # Of a sign's name a part is better than nothing: it is plain ASCII.
            line += glyph[: columns - len(line)] if glyph.isascii() else b""
            break
        line += glyph
    return line.ljust(columns)


def _squeeze(glyphs: list[bytes], excess: int) -> None:
    """Take as many spaces as are too many out of the longest gap; one space stays."""
    gaps = "".join(" " if glyph == b" " else "x" for glyph in glyphs)
    longest = max((len(gap) for gap in gaps.split("x")), default=0)
    taken = min(excess, longest - 1)
    if taken > 0:
        at = gaps.index(" " * longest)
        del glyphs[at : at + taken]


def _glyph(character: str, code_page: str) -> bytes:
    if unicodedata.category(character).startswith(("C", "Z")):
        # Spaces of all kinds and line ends; what has no width at all is left out.
        return b"" if unicodedata.category(character) == "Cf" else b" "
    found = _encoded(character, code_page)
    if not found and character in _NAMES:
        return _NAMES[character].encode("ascii")
    if not found:
        plain = unicodedata.normalize("NFKD", character)
        found = b"".join(_encoded(part, code_page) for part in plain if not unicodedata.combining(part))
    return found or _UNKNOWN


def _encoded(character: str, code_page: str) -> bytes:
    try:
        return character.encode(code_page)
    except UnicodeEncodeError:
        return b""
