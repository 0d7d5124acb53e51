"""Finds and masks what looks like a card number in text, in the forms in which software writes one.

Looked for are 12 to 19 digits with a right check digit that do not begin with zero:

    4761739001010119                     plain, and inside a longer run of digits
    4761 7390 0101 0119, 47-61-73-...    in groups of one size, or as printed (4-6-5, 4-6-4)
    4761  7390, one a line               with tabs and any number of blanks between the groups
    5A 08 47 61 ..., 5A084761...D2212    as BCD in a dump, with what follows in track 2
    5A084761 73900101 0119D251           in words of two or four bytes
    00000010  73 90 01 01 ...            in rows of a dump, over the end of one
    34 37 36 31 ..., \\x34\\x37            as ASCII in a dump
    b'Gas\\x90\\x01\\x01\\x01\\x19'          bytes as Python writes them
    [71, 97, 115, 144, 1, 1, 1, 25]      and lists of them, in decimal and hexadecimal, one a line too

One in ten random numbers of that length has a right check digit and is masked with them. That is the
price; times and dates are left alone.

Spec: ISO/IEC 7812-1, annex B.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable

MASK = "[masked]"

_SEPARATOR = r"""(?:\\x|["']?,\s{0,8}+["']?(?:0x)?|[:._/+-])"""
_BLANKS = r"\s{1,9}+"
_RUN = r"\d{12,}"
# Groups of one size with one separator, or with blanks of any number; the last may be shorter.
_GROUPS = "|".join(
    rf"\d{{{size}}}(?:"
    rf"(?P<s{size}>{_SEPARATOR})(?:\d{{{size}}}(?P=s{size})){{{-(-12 // size) - 2},}}\d{{1,{size}}}"
    rf"|{_BLANKS}(?:\d{{{size}}}{_BLANKS}){{{-(-12 // size) - 2},}}\d{{1,{size}}})"
    for size in (1, 2, 3, 4, 5, 6)
)
# Words of two or four bytes, in which a number may begin and end in the middle.
_WORDS = (
    rf"\d{{1,3}}{_BLANKS}(?:\d{{4}}{_BLANKS}){{3,}}\d{{1,4}}"
    rf"|\d{{2,8}}{_BLANKS}\d{{8}}(?:{_BLANKS}\d{{2,8}})+|\d{{4,8}}{_BLANKS}\d{{8}}|\d{{8}}{_BLANKS}\d{{4,8}}"
)
_PRINTED = r"\d{4}(?P<printed>[ .-])\d{6}(?P=printed)\d{4,6}"
_TRACK_END = r"(?:\s?[D=d]\s?[\d ]{7,}[Ff]?)?"
# Told apart at once: no letters but the x of "0x" and "\\x" are in a number.
_MAY_BE = r"(?<!\d)(?=[^A-WYZa-wyz]{12})"
_DIGITS = re.compile(rf"{_MAY_BE}(?:{_PRINTED}|{_GROUPS}|{_WORDS}|{_RUN})(?!\d){_TRACK_END}", re.ASCII)
_ASCII = re.compile(rf"(?:3\d(?:{_SEPARATOR}|{_BLANKS})?){{12,}}")
_LITERAL = re.compile(r"""b'(?:[^'\\\n]|\\.)*'|b"(?:[^"\\\n]|\\.)*\"""")
_HEX_LIST = re.compile(r"""(?:["']?0x[0-9A-Fa-f]{1,2}["']?,\s{0,8}){5,}["']?0x[0-9A-Fa-f]{1,2}["']?""")
# In brackets with commas or without, or with commas alone.
_LIST = re.compile(r"[\[(]\s{0,8}\d{1,3}(?:(?:,\s{0,8}|\s{1,8})\d{1,3}){5,},?\s{0,8}[\])]", re.ASCII)
_COMMAS = re.compile(r"(?<![\d.])\d{1,3}(?:,\s{0,8}\d{1,3}){5,}(?![\d.])", re.ASCII)
# Rows as hexdump and xxd write them: the offset, up to 16 bytes, and maybe the bytes as text.
_ROW = (
    r"[ \t]*[0-9A-Fa-f]{4,8}:?[ \t]{1,3}"
    r"([0-9A-Fa-f]{2,8}(?:[ \t]{1,2}[0-9A-Fa-f]{2,8}){0,15}+)(?:[ \t|].*)?"
)
_DUMP = re.compile(rf"^{_ROW}(?:\n{_ROW})+$", re.MULTILINE)
# A time as software writes it without separators: 20261122024330, perhaps with parts of a second.
_TIME = re.compile(
    r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}(?:\d{3}|\d{6})?"
)
_LENGTHS = range(12, 20)


def mask(text: str) -> str:
    """Return *text* with everything that looks like a card number masked."""
    for sign, least, pattern, runs in _FORMS:
        if text.count(sign) < least:
            continue

        def masked(found: re.Match[str], runs: Callable[[str], Iterable[str]] = runs) -> str:
            return MASK if any(map(_holds_number, runs(found[0]))) else found[0]

        text = pattern.sub(masked, text)
    return text


def looks_free(text: str) -> bool:
    """Tell whether nothing in *text* would be masked."""
    return mask(text) == text


def _holds_number(digits: str) -> bool:
    """Tell whether a run of digits has a number with a right check digit somewhere in it."""
    if _TIME.fullmatch(digits):
        return False
    return any(
        digits[start] != "0" and _luhn(digits[start : start + length])
        for length in _LENGTHS
        for start in range(len(digits) - length + 1)
    )


def _luhn(digits: str) -> bool:
    """Tell whether the check digit is right."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _written(found: str) -> tuple[str]:
    """Return the digits of a run or of groups, without what follows in track 2."""
    number = re.split(r"\s?[D=d]", found)[0]
    return (re.sub(r"\D", "", number.replace("0x", "")),)


def _ascii(found: str) -> tuple[str]:
    return (re.sub(r"\D", "", found.replace("0x", ""))[1::2],)


def _literal(found: str) -> Iterable[str]:
    try:
        value: bytes = ast.literal_eval(found)
    except (SyntaxError, ValueError):
        return ()
    return _in_bytes(value)


def _list(found: str) -> Iterable[str]:
    # What is no byte is no digit either, and neither is 255.
    return _in_bytes(bytes(min(int(number), 255) for number in re.findall(r"\d+", found)))


def _dump(found: str) -> Iterable[str]:
    rows = (re.sub(r"\s", "", row)[:32] for row in re.findall(rf"^{_ROW}$", found, re.MULTILINE))
    dumped = "".join(rows)
    return _in_bytes(bytes.fromhex(dumped[: len(dumped) // 2 * 2]))


def _hex_list(found: str) -> Iterable[str]:
    return _in_bytes(bytes(int(number, 16) for number in re.findall(r"0x([0-9A-Fa-f]+)", found)))


def _in_bytes(value: bytes) -> Iterable[str]:
    """Return the digits in bytes, as BCD and as ASCII."""
    return *re.findall(_RUN, value.hex()), *re.findall(_RUN, value.decode("latin-1"), re.ASCII)


_FORMS: tuple[tuple[str, int, re.Pattern[str], Callable[[str], Iterable[str]]], ...] = (
    ("b", 1, _LITERAL, _literal),
    ("\n", 1, _DUMP, _dump),
    ("", 12, _LIST, _list),
    (",", 5, _COMMAS, _list),
    ("0x", 6, _HEX_LIST, _hex_list),
    ("3", 12, _ASCII, _ascii),
    ("", 12, _DIGITS, _written),
)
"""How a number may be written, and what gives its digits. Bytes come first: their escapes have digits too.

Where a text does not have the sign so many times it is not looked through for that form.
"""
