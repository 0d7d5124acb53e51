"""Names of countries, currencies, languages and trades in English, from packages that are kept up to date.

Countries and languages are those of the CLDR, currencies those of ISO 4217, trades those of ISO 18245.
"""

from __future__ import annotations

from functools import cache

import iso18245
from babel import Locale
from babel.core import get_global
from iso4217 import Currency

from emv.names import CurrencyName, Names


@cache
def _english() -> Locale:
    return Locale("en")


def country(code: str) -> str | None:
    """Return the name of a country by its three digits, two or three letters (ISO 3166-1)."""
    letters = get_global("territory_aliases").get(code, [code])[0]
    return _english().territories.get(letters) if len(letters) == 2 else None


def currency(code: str) -> CurrencyName | None:
    """Return a currency by its three digits or letters (ISO 4217)."""
    for known in Currency:
        if code in (known.code, f"{known.number:03d}"):
            return CurrencyName(known.code, known.currency_name, known.exponent or 0)
    return None


def language(code: str) -> str | None:
    """Return the name of a language by its two or three letters (ISO 639)."""
    letters = get_global("language_aliases").get(code, code)
    return _english().languages.get(letters)


def merchant_category(code: str) -> str | None:
    """Return the trade that a merchant category code stands for (ISO 18245 and the schemes' own)."""
    try:
        found = iso18245.get_mcc(code)
    except iso18245.MCCNotFound:
        return None
    texts = (
        found.usda_description,
        found.iso_description,
        found.visa_description,
        found.mastercard_description,
    )
    return next((text for text in texts if text), None)


ENGLISH = Names(country, currency, language, merchant_category)
