"""EMV data formats: n, cn, an, ans and dates. Format b is `bytes` itself.

Decoders raise `DecodeError`; encoders raise `ValueError`, because a value that does not fit is ours.

Spec: EMV 4.4 Book 3, 4.3.
"""

from __future__ import annotations

import datetime
from enum import Enum

from emv.errors import DecodeError


class Format(Enum):
    """How the value of a data object is coded."""

    N = "n"
    """Decimal digits, two a byte, right justified, leading zeros."""
    CN = "cn"
    """Decimal digits, two a byte, left justified, trailing F."""
    AN = "an"
    """Letters a to z, A to Z and digits, one a byte."""
    ANS = "ans"
    """ISO/IEC 8859 common characters, one a byte."""
    A = "a"
    """Letters, one a byte."""
    B = "b"
    """Bits or an unsigned number."""
    VAR = "var."
    """Several fields one after another."""


def encode_n(number: int, length: int) -> bytes:
    """Return a decimal number as `length` bytes of format n: 1250 in 6 bytes is 000000001250."""
    digits = f"{number:0{2 * length}d}"
    if number < 0 or len(digits) > 2 * length:
        raise ValueError(f"a number of {len(digits)} digits in {length} bytes")
    return bytes.fromhex(digits)


def decode_n(value: bytes) -> int:
    """Return the number in a format n value; an empty value is refused."""
    digits = value.hex()
    if not digits.isdecimal():
        raise DecodeError("a numeric value holds something else than digits")
    return int(digits)


def encode_cn(digits: str, length: int) -> bytes:
    """Return digits as `length` bytes of format cn: "12345" in 3 bytes is 12345F."""
    if len(digits) > 2 * length or not (digits.isascii() and (digits.isdigit() or not digits)):
        raise ValueError(f"{len(digits)} characters as compressed numeric in {length} bytes")
    return bytes.fromhex(digits.ljust(2 * length, "F"))


def decode_cn(value: bytes) -> str:
    """Return the digits of a format cn value without the trailing F."""
    digits = value.hex().upper().rstrip("F")
    if digits and not digits.isdecimal():
        raise DecodeError("a compressed numeric value holds something else than digits")
    return digits


def encode_ans(text: str, length: int) -> bytes:
    """Return text as exactly `length` bytes, spaces at the end."""
    coded = text.encode("latin-1")
    if len(coded) > length:
        raise ValueError(f"{len(coded)} characters in {length} bytes")
    return coded.ljust(length, b" ")


def decode_an(value: bytes) -> str:
    """Return the text of a format an value; trailing spaces and zero bytes are padding."""
    text = _text(value)
    if text and not (text.isascii() and text.isalnum()):
        raise DecodeError("an alphanumeric value holds another character")
    return text


def decode_ans(value: bytes) -> str:
    """Return the text of a format ans value; trailing spaces and zero bytes are padding."""
    text = _text(value)
    if not text.isprintable():
        raise DecodeError("a text value holds a control character")
    return text


def _text(value: bytes) -> str:
    return value.decode("latin-1").rstrip(" \0")


def encode_date(date: datetime.date) -> bytes:
    """Return a date as YYMMDD, format n 6."""
    return bytes.fromhex(date.strftime("%y%m%d"))


def decode_date(value: bytes) -> datetime.date:
    """Return the date of a YYMMDD value. Years 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049.

    Spec: EMV 4.4 Book 4, 6.7.3.
    """
    if len(value) != 3:
        raise DecodeError("a date has three bytes")
    digits = value.hex()
    if not digits.isdecimal():
        raise DecodeError("a date holds something else than digits")
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    try:
        return datetime.date(year + (1900 if year >= 50 else 2000), month, day)
    except ValueError:
        raise DecodeError("no such day") from None


def encode_time(time: datetime.time) -> bytes:
    """Return a time of day as HHMMSS, format n 6."""
    return bytes.fromhex(time.strftime("%H%M%S"))


def decode_time(value: bytes) -> datetime.time:
    """Return the time of day of an HHMMSS value."""
    if len(value) != 3:
        raise DecodeError("a time has three bytes")
    digits = value.hex()
    if not digits.isdecimal():
        raise DecodeError("a time holds something else than digits")
    try:
        return datetime.time(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise DecodeError("no such time of day") from None
