"""Reads a printer's characters: one byte in a code page, or GB18030 while Chinese characters are on.

The table of numbers is Epson's (`ESC t`), with Python's own codecs: made without a look at the driver's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

_PAGES = {
    **{0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 13: "cp857", 14: "cp737"},
    **{15: "iso8859-7", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858", 21: "cp874"},
    **{32: "cp720", 33: "cp775", 34: "cp855", 35: "cp861", 36: "cp862", 37: "cp864", 38: "cp869"},
    **{39: "iso8859-2", 40: "iso8859-15", 44: "cp1125", 45: "cp1250", 46: "cp1251", 47: "cp1253"},
    **{48: "cp1254", 49: "cp1255", 50: "cp1256", 51: "cp1257", 52: "cp1258", 53: "kz1048"},
}
_KATAKANA = 1
_UNREADABLE = "\ufffd"


class TextDecoder:
    """Knows the code page, and the first bytes of a Chinese character."""

    def __init__(self, *, chinese: bool = False) -> None:
        self.chinese = chinese
        self._page = 0
        self._begun = b""

    def copy(self) -> Self:
        """Return one that goes on from here."""
        other = type(self)(chinese=self.chinese)
        other._page, other._begun = self._page, self._begun
        return other

    def select(self, page: int) -> bool:
        """Take another code page; False if there is none of that number."""
        known = page in _PAGES or page == _KATAKANA
        if known:
            self._page = page
        return known

    def decode(self, byte: int) -> Iterator[tuple[str, int]]:
        """Take a byte and return the characters that it completes, each with its columns."""
        if not self.chinese and self._begun:
            yield _UNREADABLE, 1
            self._begun = b""
        if self._begun or (self.chinese and byte >= 0x81):
            yield from self._chinese(byte)
        elif byte < 0x80:
            yield (chr(byte) if 0x20 <= byte < 0x7F else _UNREADABLE), 1
        else:
            yield self._in_page(byte), 1

    def _chinese(self, byte: int) -> Iterator[tuple[str, int]]:
        self._begun += bytes([byte])
        try:
            char = self._begun.decode("gb18030")
        except UnicodeDecodeError as error:
            # Half a character waits for its other half.
            if error.reason == "incomplete multibyte sequence" and len(self._begun) < 4:
                return
            char = _UNREADABLE
        self._begun = b""
        yield char, 2

    def _in_page(self, byte: int) -> str:
        if self._page == _KATAKANA:
            return chr(0xFF61 + byte - 0xA1) if 0xA1 <= byte <= 0xDF else _UNREADABLE
        return bytes([byte]).decode(_PAGES[self._page], "replace")
