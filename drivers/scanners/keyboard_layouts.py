"""Which character a key types, by the layout that a scanner was told to type for.

Each row is the keys of one row of the keyboard, from the left, by their key codes (input-event-codes.h).
A space where a key types no character of its own, such as an accent that waits for a letter.
"""

from __future__ import annotations

from dataclasses import dataclass

_ROWS = ((41, *range(2, 14)), range(16, 28), (*range(30, 42), 43), (86, *range(44, 54)))
_SPACE = 57


@dataclass(frozen=True, slots=True)
class Layout:
    """What each key types alone, with Shift and with AltGr."""

    plain: dict[int, str]
    shifted: dict[int, str]
    alt_gr: dict[int, str]


def _layout(plain: list[str], shifted: list[str], alt_gr: dict[int, str]) -> Layout:
    def by_key(rows: list[str]) -> dict[int, str]:
        pairs = [pair for keys, row in zip(_ROWS, rows, strict=True) for pair in zip(keys, row, strict=True)]
        return {_SPACE: " "} | {key: letter for key, letter in pairs if letter != " "}

    return Layout(by_key(plain), by_key(shifted), alt_gr)


# The third row ends with the key between apostrophe and Enter; 41 is left of 1 and repeated there as a gap.
_US = _layout(
    ["`1234567890-=", "qwertyuiop[]", "asdfghjkl;' \\", "<zxcvbnm,./"],
    ["~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:" |', ">ZXCVBNM<>?"],
    {},
)
_DE = _layout(
    [" 1234567890ß ", "qwertzuiopü+", "asdfghjklöä #", "<yxcvbnm,.-"],
    ['°!"§$%&/()=? ', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ '", ">YXCVBNM;:_"],
    {3: "²", 4: "³", 8: "{", 9: "[", 10: "]", 11: "}", 12: "\\", 16: "@", 18: "€", 27: "~", 50: "µ", 86: "|"},
)
_FR = _layout(
    ["²&é\"'(-è_çà)=", "azertyuiop $", "qsdfghjklmù *", "<wxcvbn,;:!"],
    [" 1234567890°+", "AZERTYUIOP £", "QSDFGHJKLM% µ", ">WXCVBN?./§"],
    {4: "#", 5: "{", 6: "[", 7: "|", 9: "\\", 11: "@", 12: "]", 13: "}", 18: "€"},
)
LAYOUTS = {"us": _US, "de": _DE, "fr": _FR}
