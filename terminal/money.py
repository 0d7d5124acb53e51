"""Money: integer minor units and an ISO 4217 currency. Never a float."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from babel.numbers import NumberPattern
from iso4217 import Currency

_AMOUNT = re.compile(r"(\d{1,12})(?:[.,](\d+))?")


class MoneyError(ValueError):
    """A text that is no amount, or a code that is no currency; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of its currency: ``Money(1250, "EUR")`` is EUR 12.50.

    The exponent is that of ISO 4217, which differs from what locales show for some currencies.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise MoneyError(f"can't add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def decimal(self) -> Decimal:
        """Return the amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def plain(self) -> str:
        """Return the amount in major units with all its decimals and no symbol, such as ``12.50``."""
        return f"{self.decimal():.{exponent(self.currency)}f}"

    def format(self, locale: str) -> str:
        """Return the amount as people of *locale* write it, such as ``€12.50`` or ``¥12.50``."""
        where = Locale.parse(locale)
        pattern: NumberPattern = copy.copy(where.currency_formats["standard"])
        digits = exponent(self.currency)
        pattern.frac_prec = (digits, digits)
        text: str = pattern.apply(self.decimal(), where, currency=self.currency, currency_digits=False)
        return text


def exponent(currency: str) -> int:
    """Return how many decimals a currency has, such as 2 for EUR and 0 for JPY. Source: ISO 4217."""
    return _currency(currency).exponent or 0


def numeric_code(currency: str) -> str:
    """Return the three-digit code of a currency, such as ``978``. Source: ISO 4217."""
    return f"{_currency(currency).number:03d}"


def parse(text: str, currency: str) -> Money:
    """Return the amount that a person typed in major units: ``12``, ``12.5`` or ``12,50``."""
    digits = exponent(currency)
    match = _AMOUNT.fullmatch(text.strip())
    decimals = (match[2] or "") if match else ""
    # More zeros than the currency has decimals say nothing: a limit of 50.00 is one of 50 yen, too.
    decimals = decimals[:digits] + decimals[digits:].rstrip("0")
    if match is None or len(decimals) > digits:
        raise MoneyError(f"{text!r} is no amount in {currency}: digits with at most {digits} decimals")
    return Money(int(match[1] + decimals.ljust(digits, "0")), currency)


def _currency(code: str) -> Currency:
    try:
        return Currency(code)
    except ValueError:
        raise MoneyError(f"{code!r} is no ISO 4217 currency code, such as EUR or CNY") from None
