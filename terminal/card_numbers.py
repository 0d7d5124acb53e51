"""Finds and masks what looks like a card number in text, in the forms in which software writes one.

Looked for are 12 to 19 digits with a right check digit that do not begin with zero:

    4761739001010119                     plain, and inside a longer run of digits
    4761 7390 0101 0119, 47-61-73-...    in groups of one size, or as printed (4-6-5, 4-6-4)
    5A 08 47 61 ..., 5A084761...D2212    as BCD in a dump, with what follows in track 2
    34 37 36 31 ..., \\x34\\x37            as ASCII in a dump
    b'Gas\\x90\\x01\\x01\\x01\\x19'          bytes as Python writes them
    [71, 97, 115, 144, 1, 1, 1, 25]      and lists of them, in decimal and hexadecimal

One in ten random numbers of that length has a right check digit and is masked with them. That is the
price; times and dates are left alone.

Spec: ISO/IEC 7812-1, annex B.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable

MASK = "[masked]"

_SEPARATOR = r"(?:\\x|, ?0x|, ?|[ :._/-])"
_RUN = r"\d{12,}"
# Groups of one size with one separator; the last may be shorter.
_GROUPS = "|".join(
    rf"(?:\d{{{size}}}(?P<s{size}>{_SEPARATOR})"
    rf"(?:\d{{{size}}}(?P=s{size})){{{-(-12 // size) - 2},}}\d{{1,{size}}})"
    for size in (1, 2, 3, 4, 5, 6)
)
_PRINTED = r"(?:\d{4}(?P<printed>[ .-])\d{6}(?P=printed)\d{4,5})"
_TRACK_END = r"(?:\s?[D=d]\s?[\d ]{7,}[Ff]?)?"
_DIGITS = re.compile(rf"(?<!\d)(?:{_PRINTED}|{_GROUPS}|{_RUN})(?!\d){_TRACK_END}", re.ASCII)
_ASCII = re.compile(rf"(?:3\d{_SEPARATOR}?){{12,}}")
_LITERAL = re.compile(r"""b'(?:[^'\\\n]|\\.)*'|b"(?:[^"\\\n]|\\.)*\"""")
_HEX_LIST = re.compile(r"(?:'?0x[0-9A-Fa-f]{1,2}'?, ?){5,}'?0x[0-9A-Fa-f]{1,2}'?")
_LIST = re.compile(r"\[(?:\d{1,3}, ?){5,}\d{1,3}\]")
# A time as software writes it without separators: 20261122024330, perhaps with parts of a second.
_TIME = re.compile(
    r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}(?:\d{3}|\d{6})?"
)
_LENGTHS = range(12, 20)


def mask(text: str) -> str:
    """Return *text* with everything that looks like a card number masked."""
    for pattern, runs in _FORMS:

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
    return (re.sub(_SEPARATOR, "", found)[1::2],)


def _literal(found: str) -> Iterable[str]:
    try:
        value: bytes = ast.literal_eval(found)
    except (SyntaxError, ValueError):
        return ()
    return _in_bytes(value)


def _list(found: str) -> Iterable[str]:
    numbers = [int(number) for number in re.findall(r"\d+", found)]
    return _in_bytes(bytes(numbers)) if max(numbers) < 256 else ()


def _hex_list(found: str) -> Iterable[str]:
    return _in_bytes(bytes(int(number, 16) for number in re.findall(r"0x([0-9A-Fa-f]+)", found)))


def _in_bytes(value: bytes) -> Iterable[str]:
    """Return the digits in bytes, as BCD and as ASCII."""
    return *re.findall(_RUN, value.hex()), *re.findall(_RUN, value.decode("latin-1"), re.ASCII)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], Iterable[str]]], ...] = (
    (_LITERAL, _literal),
    (_LIST, _list),
    (_HEX_LIST, _hex_list),
    (_ASCII, _ascii),
    (_DIGITS, _written),
)
"""How a number may be written, and what gives its digits. Bytes come first: their escapes have digits too."""
