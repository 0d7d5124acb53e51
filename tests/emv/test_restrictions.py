"""Processing restrictions: version, usage control, dates."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.card_data import CardData
from emv.errors import DecodeError
from emv.fields import Tvr
from emv.kernel import Transaction
from emv.restrictions import check_restrictions
from tests.emv.emv_card import of

TODAY = datetime.date(2026, 5, 9)
SHOP = {0x9F35: b"\x22", 0x9F40: bytes.fromhex("F000F0A001"), 0x9F1A: b"\x02\x76", 0x9F09: b"\x00\x01"}
ATM = SHOP | {0x9F35: b"\x14"}
NONE = Tvr(0)


def payment(kind: int = 0x00, day: datetime.date = TODAY) -> Transaction:
    return Transaction(
        type=kind,
        amount_minor=100,
        currency="978",
        date=day,
        time=datetime.time(12),
        unpredictable_number=bytes(4),
    )


def card(**values: str) -> CardData:
    data = CardData()
    data.add(of((0x5F24, values.pop("t5F24", "271231")), *((int(t[1:], 16), v) for t, v in values.items())))
    return data


def test_a_card_without_restrictions_has_none() -> None:
    assert check_restrictions(card(), SHOP, payment()) == NONE


@pytest.mark.parametrize(
    ("ours", "theirs", "tvr"),
    [
        (b"\x00\x01", "0001", NONE),
        (b"\x00\x01", "0002", Tvr.VERSIONS_DIFFER),
        (None, "0002", NONE),
    ],
)
def test_versions_are_compared_if_there_are_two(ours: bytes | None, theirs: str, tvr: Tvr) -> None:
    terminal = {tag: value for tag, value in SHOP.items() if tag != 0x9F09}
    if ours:
        terminal[0x9F09] = ours
    assert check_restrictions(card(t9F08=theirs), terminal, payment()) == tvr


@pytest.mark.parametrize(
    ("day", "tvr"),
    [
        (datetime.date(2026, 1, 1), NONE),
        (datetime.date(2025, 12, 31), Tvr.NOT_YET_EFFECTIVE),
        (datetime.date(2027, 12, 31), NONE),
        (datetime.date(2028, 1, 1), Tvr.EXPIRED),
    ],
)
def test_the_first_and_the_last_day_belong_to_the_card(day: datetime.date, tvr: Tvr) -> None:
    assert check_restrictions(card(t5F25="260101"), SHOP, payment(day=day)) == tvr


def test_a_card_without_a_last_day_has_expired() -> None:
    assert check_restrictions(CardData(), SHOP, payment()) == Tvr.EXPIRED


@pytest.mark.parametrize(
    ("terminal", "usage", "allowed"),
    [
        (SHOP, "FD00", True),
        (SHOP, "FE00", False),
        (ATM, "FE00", True),
        (ATM, "FD00", False),
        (ATM | {0x9F40: bytes.fromhex("7000F0A001")}, "FD00", True),
        (ATM | {0x9F35: b"\x24"}, "FD00", True),
    ],
)
def test_the_place_is_an_atm_if_it_is_a_bank_s_and_has_cash(
    terminal: dict[int, bytes], usage: str, allowed: bool
) -> None:
    tvr = check_restrictions(card(t9F07=usage), terminal, payment())
    assert tvr == (NONE if allowed else Tvr.SERVICE_NOT_ALLOWED)


HOME, ABROAD = "0276", "0040"


@pytest.mark.parametrize(
    ("kind", "country", "bit"),
    [
        (0x01, HOME, "8100"),
        (0x01, ABROAD, "4100"),
        (0x00, HOME, "2100"),
        (0x00, ABROAD, "1100"),
        (0x00, HOME, "0900"),
        (0x00, ABROAD, "0500"),
        (0x09, HOME, "0180"),
        (0x09, ABROAD, "0140"),
    ],
)
def test_each_kind_of_payment_needs_its_bit_at_home_or_abroad(kind: int, country: str, bit: str) -> None:
    kinds = {0x00, 0x01, 0x09}
    assert check_restrictions(card(t9F07=bit, t5F28=country), SHOP, payment(kind)) == NONE
    elsewhere = ABROAD if country == HOME else HOME
    refused = Tvr.SERVICE_NOT_ALLOWED
    assert check_restrictions(card(t9F07=bit, t5F28=elsewhere), SHOP, payment(kind)) == refused
    for other in kinds - {kind}:
        assert check_restrictions(card(t9F07=bit, t5F28=country), SHOP, payment(other)) == refused
    assert check_restrictions(card(t9F07="0100", t5F28=country), SHOP, payment(kind)) == refused
    # Without the issuer's country only the place counts.
    assert check_restrictions(card(t9F07="0100"), SHOP, payment(kind)) == NONE


def test_a_refund_needs_no_bit() -> None:
    assert check_restrictions(card(t9F07="0100", t5F28=HOME), SHOP, payment(0x20)) == NONE


@given(
    st.dictionaries(
        st.sampled_from([0x9F07, 0x9F08, 0x5F24, 0x5F25, 0x5F28]), st.binary(max_size=4), max_size=5
    ),
    st.sampled_from([0x00, 0x01, 0x09, 0x20, 0x30]),
)
@settings(max_examples=200)
def test_bad_values_are_refused_and_nothing_else_happens(values: dict[int, bytes], kind: int) -> None:
    data = CardData()
    data.add(list(values.items()))
    possible = Tvr.VERSIONS_DIFFER | Tvr.EXPIRED | Tvr.NOT_YET_EFFECTIVE | Tvr.SERVICE_NOT_ALLOWED
    try:
        tvr = check_restrictions(data, SHOP, payment(kind))
    except DecodeError:
        return
    assert not tvr & ~possible
