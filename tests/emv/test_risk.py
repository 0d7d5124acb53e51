"""Terminal risk management: exception file, floor limit, chance, velocity."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.card_data import CardData
from emv.errors import DecodeError
from emv.fields import Tvr
from emv.risk import (
    Payment,
    RandomSelection,
    exception_file,
    floor_limit,
    manage_risk,
    random_selection,
    velocity,
)
from emv.sensitive import Pan
from tests.emv.emv_card import of

PAN, OTHER = Pan("374245455400126"), Pan("4761739001010119")
NONE, FLOOR, CHANCE = Tvr(0), Tvr.FLOOR_LIMIT_EXCEEDED, Tvr.RANDOMLY_SELECTED
LOWER, UPPER = Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED, Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED


def test_a_listed_card_number_is_for_the_issuer() -> None:
    assert exception_file(PAN, {PAN, OTHER}) == Tvr.ON_EXCEPTION_FILE
    assert exception_file(PAN, {OTHER}) == NONE
    assert exception_file(None, {OTHER}) == NONE


@pytest.mark.parametrize(
    ("amount", "limit", "tvr"), [(999, 1000, NONE), (1000, 1000, FLOOR), (0, 0, FLOOR), (10**9, None, NONE)]
)
def test_an_amount_equal_to_the_floor_limit_exceeds_it(amount: int, limit: int | None, tvr: Tvr) -> None:
    assert floor_limit(amount, limit) == tvr


@pytest.mark.parametrize(
    ("payments", "sequence", "tvr"),
    [
        ([Payment(PAN, "01", 400)], "01", NONE),
        ([Payment(PAN, "01", 500)], "01", FLOOR),
        ([Payment(PAN, "02", 500)], "01", NONE),
        ([Payment(PAN, "02", 500)], "", FLOOR),
        ([Payment(OTHER, "01", 500)], "01", NONE),
        # The last payment of the card counts, wherever it stands.
        ([Payment(PAN, "01", 1), Payment(PAN, "01", 500), Payment(OTHER, "01", 1)], "01", FLOOR),
        ([Payment(PAN, "01", 500), Payment(PAN, "01", 1)], "01", NONE),
        ([], "01", NONE),
    ],
)
def test_a_split_sale_counts_with_the_card_s_last_payment(
    payments: list[Payment], sequence: str, tvr: Tvr
) -> None:
    assert floor_limit(500, 1000, pan=PAN, sequence=sequence, payments=payments) == tvr


SOME = RandomSelection(target_percent=20, maximum_percent=60, threshold_minor=5000)


@pytest.mark.parametrize(
    ("amount", "drawn", "tvr"),
    [
        (100, 20, CHANCE),
        (100, 21, NONE),
        (4999, 21, NONE),
        (5000, 20, CHANCE),
        (5000, 21, NONE),
        (7500, 40, CHANCE),
        (7500, 41, NONE),
        (9999, 59, CHANCE),
        (9999, 60, NONE),
        (10000, 1, NONE),
    ],
)
def test_chance_rises_from_the_threshold_to_the_floor_limit(amount: int, drawn: int, tvr: Tvr) -> None:
    assert random_selection(amount, 10000, SOME, drawn) == tvr


def test_chance_without_percentages_or_limit() -> None:
    assert random_selection(100, 10000, RandomSelection(), 1) == NONE
    assert random_selection(10**6, None, SOME, 20) == CHANCE
    assert random_selection(10**6, None, SOME, 21) == NONE
    # A threshold that was never set does not turn the target into the maximum.
    assert random_selection(0, 10000, RandomSelection(target_percent=20), 21) == NONE


@pytest.mark.parametrize(
    ("atc", "last", "tvr"),
    [
        (b"\x01\x05", b"\x01\x00", NONE),
        (b"\x01\x06", b"\x01\x00", LOWER),
        (b"\x01\x09", b"\x01\x00", LOWER),
        (b"\x01\x0a", b"\x01\x00", LOWER | UPPER),
        (b"\x01\x00", b"\x01\x00", LOWER | UPPER),
        (b"\x00\xff", b"\x01\x00", LOWER | UPPER),
        (None, b"\x01\x00", LOWER | UPPER),
        (b"\x01\x05", None, LOWER | UPPER),
        (None, None, LOWER | UPPER),
        (b"\x00\x02", b"\x00\x00", Tvr.NEW_CARD),
        (b"\x00\x00", b"\x00\x00", Tvr.NEW_CARD | LOWER | UPPER),
        (None, b"\x00\x00", Tvr.NEW_CARD | LOWER | UPPER),
    ],
)
def test_velocity_by_the_counters(atc: bytes | None, last: bytes | None, tvr: Tvr) -> None:
    assert velocity(b"\x05", b"\x09", atc=atc, last_online_atc=last) == tvr


@pytest.mark.parametrize(("lower", "upper"), [(None, b"\x09"), (b"\x05", None), (None, None)])
def test_a_card_without_both_limits_may_go_on(lower: bytes | None, upper: bytes | None) -> None:
    assert velocity(lower, upper, atc=None, last_online_atc=None) == NONE


@pytest.mark.parametrize(
    "values", [(b"", b"\x09", b"\0\0"), (b"\x05", b"\x09\x09", b"\0\0"), (b"\5", b"\x09", b"\0")]
)
def test_limits_and_counters_of_another_length_are_refused(values: tuple[bytes, bytes, bytes]) -> None:
    lower, upper, counter = values
    with pytest.raises(DecodeError):
        velocity(lower, upper, atc=counter, last_online_atc=b"\0\0")
    with pytest.raises(DecodeError):
        velocity(lower, upper, atc=b"\0\0", last_online_atc=counter)


def test_all_checks_together() -> None:
    card = CardData()
    card.add(of((0x5A, "374245455400126F"), (0x5F34, "01"), (0x9F14, "05"), (0x9F23, "09")))
    tvr = manage_risk(
        card,
        amount_minor=600,
        limit_minor=1000,
        selection=RandomSelection(target_percent=50, maximum_percent=50),
        random_percent=50,
        exceptions={PAN},
        payments=[Payment(PAN, "01", 400)],
    )
    assert tvr == Tvr.ON_EXCEPTION_FILE | FLOOR | CHANCE | LOWER | UPPER
    without_number = manage_risk(
        CardData(), amount_minor=1, limit_minor=None, selection=RandomSelection(), random_percent=1
    )
    assert without_number == NONE


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 10**6),
    st.integers(1, 99),
)
@settings(max_examples=200)
def test_a_higher_amount_is_never_less_risky(
    amount: int, more: int, target: int, rise: int, threshold: int, drawn: int
) -> None:
    some = RandomSelection(
        target_percent=target, maximum_percent=max(target, rise), threshold_minor=threshold
    )

    def selected(minor: int) -> Tvr:
        return random_selection(minor, 10**6, some, drawn) | floor_limit(minor, 10**6)

    assert bool(selected(amount)) <= bool(selected(amount + more))
