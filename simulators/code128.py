"""Draws Code 128: the bar code that a wallet shows above its QR code.

Digits in pairs are written in code set C, everything else in code set B, which is what wallets'
18-digit customer codes and printable text need. Control characters are refused.

Spec: ISO/IEC 15417:2007, 4.3 (characters), annex A (check character).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_START_B, _START_C, _CODE_B, _CODE_C = 104, 105, 100, 99
_QUIET_MODULES = 10
# The widths of three bars and three spaces for each symbol value 0 to 105; a symbol is 11 modules.
_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 "
    "122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 "
    "322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 "
    "112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 "
    "331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 "
    "112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 "
    "411311 113141 114131 311141 411131 211412 211214 211232"
).split()
_STOP = "2331112"


def _values(text: str) -> list[int]:
    if not text or not all(32 <= ord(letter) < 127 for letter in text):
        raise ValueError("Code 128 draws printable ASCII only")
    if text.isdigit() and len(text) % 2 == 0:
        return [_START_C, *(int(text[at : at + 2]) for at in range(0, len(text), 2))]
    values = [_START_B]
    head, digits = text, ""
    while head and head[-1].isdigit():
        head, digits = head[:-1], head[-1] + digits
    if len(digits) < 6:
        head, digits = text, ""
    elif len(digits) % 2:
        head, digits = head + digits[0], digits[1:]
    values += [ord(letter) - 32 for letter in head]
    if digits:
        values += [_CODE_C, *(int(digits[at : at + 2]) for at in range(0, len(digits), 2))]
    return values


def draw(text: str, *, module_px: int = 2, height_px: int = 90) -> NDArray[np.uint8]:
    """Return a grey picture of the bar code, quiet zones included; black is 0."""
    values = _values(text)
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[value] for value in [*values, check]) + _STOP
    modules = [255] * _QUIET_MODULES
    for at, width in enumerate(widths):
        modules += [255 if at % 2 else 0] * int(width)
    modules += [255] * _QUIET_MODULES
    row = np.repeat(np.array(modules, dtype=np.uint8), module_px)
    return np.tile(row, (height_px, 1))
