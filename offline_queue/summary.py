"""The plain summary beside a seal, and the guard that keeps card numbers out of it.

Anything that looks like a full card number is refused, loudly: writing it would be our own bug, and the
file, the backup and the log would keep it for years.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from offline_queue.errors import CardDataError, RecordError

Value = str | int | bool | None
Summary = Mapping[str, Value]

# Amounts have at most 12 digits (EMV n12), so a longer number is no amount; a card number has 13 or more.
MAX_NUMBER = 10**12 - 1

_RUN = re.compile(r"\d+")
# The groups that card numbers are printed in. Other groups are dates, order numbers and references.
_GROUPS = re.compile(
    r"(?<!\d)(?:\d{4}([ .-])\d{4}\1\d{4}(?:\1\d{1,4}){1,2}|\d{4}([ .-])\d{6}\2\d{4,5})(?!\d)"
)
_CARD_NUMBER_DIGITS = range(13, 20)


def checked(summary: Summary) -> Summary:
    """Return an unchangeable copy of `summary`.

    Raises:
        CardDataError: A key or value looks like a card number (13 to 19 digits with a right check digit).
        RecordError: A key or value is not of the few types that a summary may hold.
    """
    for key, value in summary.items():
        if not isinstance(key, str):
            raise RecordError("a summary's keys are text")
        _check_text(key, "a key")
        if isinstance(value, str):
            _check_text(value, key)
        elif isinstance(value, int):
            if abs(value) > MAX_NUMBER:
                raise CardDataError(
                    f"summary: {key} has more digits than any amount; it may be a card number"
                )
        elif value is not None:
            raise RecordError(f"summary: {key} is neither text, number, yes or no, nor empty")
    return MappingProxyType(dict(summary))


def looks_like_card_number(text: str) -> bool:
    """Tell whether `text` holds a run of digits that could be a full card number.

    Runs that begin with 20 are dates: no card has been issued in that range for decades.
    """
    if len(text) < _CARD_NUMBER_DIGITS.start:
        return False
    candidates = [run.group() for run in _RUN.finditer(text)]
    candidates += [re.sub(r"\D", "", groups.group()) for groups in _GROUPS.finditer(text)]
    return any(
        len(digits) in _CARD_NUMBER_DIGITS and not digits.startswith("20") and _luhn(digits)
        for digits in candidates
    )


def _check_text(text: str, where: str) -> None:
    if looks_like_card_number(text):
        # `where` may itself be the digits, when it is the key: never repeat a bad key.
        raise CardDataError(f"summary: {where} looks like a full card number")


def _luhn(digits: str) -> bool:
    """Tell whether the check digit is right. Spec: ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
