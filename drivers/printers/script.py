"""How text is told to a printer: one byte a character in some code page, two or four in Chinese.

`FS &` and `FS .` switch the Chinese characters on and off: while they are on, a byte from 0x81 begins
a character of GB18030, so a code page's upper half can be printed only while they are off. The
library's own chooser writes Chinese without that switch and loses the code page of what stands beside
it; so its tables are used here, and its chooser is not.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from drivers.printers.library import Encoder, get_profile

CHINESE = -1
"""Stands for the Chinese characters where a code page's number is meant."""

_COMMON = ("CP437", "CP1252", "CP858", "CP850", "CP852", "CP866")
"""What nearly every printer has; the rest is on Epson's and few others."""
_SUBSTITUTE = b"?"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character as it is sent. `page` is None where any will do; `columns` are in normal size."""

    page: int | None
    data: bytes
    columns: int

    @property
    def is_space(self) -> bool:
        """Whether a line may be broken here."""
        return self.data == b" "


def printable(text: str) -> str:
    """Return a text without anything that a printer could take for a command.

    Whatever Unicode counts as a control, a format, a surrogate, private or not given out is left out;
    every kind of space and line end becomes a space.
    """
    return "".join(_printable(char) for char in unicodedata.normalize("NFC", text))


def _printable(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "Z" or char in "\t\n\r\v\f\x85":
        return " "
    return "" if category[0] == "C" else char


def is_wide(char: str) -> bool:
    """Tell whether a character takes two columns wherever it is shown (Unicode annex 11)."""
    return unicodedata.east_asian_width(char) in ("W", "F")


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return Encoder(get_profile("default").get_code_pages())


@lru_cache(maxsize=1)
def code_pages() -> dict[str, int]:
    """Return the code pages that the library has a table for, the common ones first.

    Each has the number that `ESC t` knows it by.
    """
    encoder = _encoder()
    pages = {name: int(encoder.get_sequence(name)) for name in encoder.codepages}
    known = {name: number for name, number in pages.items() if _has_table(encoder, name)}
    return {name: known[name] for name in (*_COMMON, *sorted(known, key=lambda name: known[name]))}


def _has_table(encoder: Encoder, name: str) -> bool:
    try:
        encoder._get_codepage_char_map(name)
    except LookupError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Script:
    """What one printer can write.

    Args:
        code_page: The only code page that it has, such as ``CP858``; empty if it has the usual ones.
        chinese: Whether it has Chinese characters.
    """

    code_page: str = ""
    chinese: bool = True

    def cells(self, text: str) -> tuple[Cell, ...]:
        """Return the characters of a text; what the printer can't write becomes a question mark."""
        text = printable(text)
        beside_chinese = any(is_wide(char) for char in text)
        cells: list[Cell] = []
        page = ""
        for char in text:
            if char.isascii():
                cells.append(Cell(None, char.encode(), 1))
                continue
            if unicodedata.combining(char):
                continue
            # Punctuation that is in both goes with the text around it; letters and ¥ stay narrow.
            as_chinese = is_wide(char) or (beside_chinese and unicodedata.category(char)[0] == "P")
            chinese = self._chinese(char) if as_chinese else None
            if chinese is None:
                page = self._page(char, page) or page
                cells.append(self._in_page(char, page))
            else:
                cells.append(chinese)
        return tuple(cells)

    def _chinese(self, char: str) -> Cell | None:
        data = char.encode("gb18030") if self.chinese and ord(char) <= 0xFFFF else b""
        # Of the four-byte characters, printers have rare Chinese ones at most.
        if len(data) == 2 or (len(data) == 4 and is_wide(char)):
            return Cell(CHINESE, data, 2)
        return None

    def _page(self, char: str, last: str) -> str | None:
        names = (self.code_page,) if self.code_page else (last, *code_pages())
        encoder = _encoder()
        return next((name for name in names if name and encoder.can_encode(name, char)), None)

    def _in_page(self, char: str, page: str) -> Cell:
        if not page or not _encoder().can_encode(page, char):
            return Cell(None, _plain(char), 1)
        return Cell(code_pages()[page], _encoder().encode(char, page), 1)


def _plain(char: str) -> bytes:
    """Return the letter below an accent, where that is left of a character that can't be written."""
    letter = unicodedata.normalize("NFKD", char)[0]
    return letter.encode() if letter.isascii() and letter.isprintable() else _SUBSTITUTE
