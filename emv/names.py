"""Names of countries, currencies, languages and trades, which this package doesn't know by itself.

Whoever wants them in words hands a `Names` in; without it codes are shown as codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CurrencyName:
    """A currency: its letters, its English name, and how many decimals its amounts have."""

    code: str
    name: str
    exponent: int


def _unknown(code: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Names:
    """How codes get names. Each takes a code as text and returns None for one it doesn't know.

    Args:
        country: ISO 3166-1, three digits, two or three letters.
        currency: ISO 4217, three digits or three letters.
        language: ISO 639, two or three letters.
        merchant_category: ISO 18245, four digits.
    """

    country: Callable[[str], str | None] = _unknown
    currency: Callable[[str], CurrencyName | None] = _unknown
    language: Callable[[str], str | None] = _unknown
    merchant_category: Callable[[str], str | None] = _unknown


NO_NAMES = Names()
