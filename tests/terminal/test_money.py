"""Money: exact minor units, and what people type and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.money import Money, MoneyError, exponent, numeric_code, parse

CURRENCIES = {"JPY": (0, "392"), "EUR": (2, "978"), "CNY": (2, "156"), "KWD": (3, "414"), "CLF": (4, "990")}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_exponent_and_number_are_those_of_the_standard(currency: str) -> None:
    assert (exponent(currency), numeric_code(currency)) == CURRENCIES[currency]


def test_a_number_keeps_its_zeroes() -> None:
    assert numeric_code("ALL") == "008"


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12", "EUR", 1200),
        ("12.5", "EUR", 1250),
        ("12,50", "EUR", 1250),
        (" 0.01 ", "EUR", 1),
        ("007", "EUR", 700),
        ("0", "EUR", 0),
        ("1250", "JPY", 1250),
        ("1.234", "KWD", 1234),
        ("1.2", "KWD", 1200),
        ("999999999999", "EUR", 99999999999900),
    ],
)
def test_what_is_typed_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *(
            (text, "EUR")
            for text in ("", " ", "-1", "+1", "1.", ".5", "1.234", "1,2,3", "1 000", "1e3", "€5")
        ),
        *((text, "EUR") for text in ("1234567890123", "12.5.0", "0x1", "nan", "²", "12\n.5")),
        ("12.5", "JPY"),
        ("1.2345", "KWD"),
    ],
)
def test_what_is_no_amount_is_refused_in_words(text: str, currency: str) -> None:
    with pytest.raises(
        MoneyError, match=f"no amount in {currency}: digits with at most {exponent(currency)}"
    ):
        parse(text, currency)


@pytest.mark.parametrize("code", ["eur", "EURO", "EU", "", "ZZZ"])
def test_what_is_no_currency_is_refused_everywhere(code: str) -> None:
    for use in (lambda: Money(1, code), lambda: parse("1", code), lambda: numeric_code(code)):
        with pytest.raises(MoneyError, match="ISO 4217"):
            use()


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(0, 10**12 - 1))
def test_plain_text_is_read_back_as_the_same_money(currency: str, minor: int) -> None:
    money = Money(minor, currency)
    assert parse(money.plain(), currency) == money
    assert parse(money.plain().replace(".", ","), currency) == money


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(1234567, "JPY"), "ja_JP", "￥1,234,567"),
        (Money(1234567, "JPY"), "en_GB", "JP¥1,234,567"),
        (Money(1234567, "EUR"), "de_DE", "12.345,67\xa0€"),
        (Money(1234567, "EUR"), "en_GB", "€12,345.67"),
        (Money(1234567, "CNY"), "zh_CN", "¥12,345.67"),
        (Money(1234567, "KWD"), "en_GB", "KWD1,234.567"),
        # The locale would show none; the standard has two, and they are owed.
        (Money(1234567, "HUF"), "hu_HU", "12\xa0345,67\xa0Ft"),
        (Money(5, "EUR"), "en_GB", "€0.05"),
        (Money(-5, "EUR"), "en_GB", "-€0.05"),
    ],
)
def test_people_read_it_as_their_locale_writes_it(money: Money, locale: str, text: str) -> None:
    assert money.format(locale) == text


def test_writing_one_currency_does_not_change_how_the_next_is_written() -> None:
    before = Money(5, "JPY").format("en_GB"), Money(5, "EUR").format("en_GB")
    Money(5, "KWD").format("en_GB")
    assert (Money(5, "JPY").format("en_GB"), Money(5, "EUR").format("en_GB")) == before


def test_sums_are_of_one_currency() -> None:
    assert Money(1, "EUR") + Money(2, "EUR") == Money(3, "EUR")
    with pytest.raises(MoneyError, match="can't add JPY to EUR"):
        Money(1, "EUR") + Money(1, "JPY")
