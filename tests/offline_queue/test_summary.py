"""The guard that keeps full card numbers out of the plain part of a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.errors import CardDataError, RecordError
from offline_queue.summary import MAX_NUMBER, checked


def check_digit(digits: str) -> str:
    """Work out the digit that makes the sum right, by trying: another way than the guard's."""

    def doubled(digit: int) -> int:
        return sum(map(int, str(digit * 2)))

    for last in "0123456789":
        number = digits + last
        if (sum(map(int, number[-1::-2])) + sum(doubled(int(d)) for d in number[-2::-2])) % 10 == 0:
            return last
    raise AssertionError("no check digit")


bodies = st.from_regex(r"[3-6][0-9]{11,17}", fullmatch=True)


@given(
    body=bodies,
    before=st.sampled_from(["", "pan ", "x=", "é"]),
    after=st.sampled_from(["", "D2512", ".", " 1"]),
)
def test_no_card_number_gets_through(body: str, before: str, after: str) -> None:
    number = body + check_digit(body)
    with pytest.raises(CardDataError) as caught:
        checked({"note": before + number + after})
    assert number not in str(caught.value)
    with pytest.raises(CardDataError) as caught:
        checked({number: ""})
    assert number not in str(caught.value)
    with pytest.raises(CardDataError):
        checked({"number": int(number)})


@given(bodies)
def test_the_same_digits_with_a_wrong_check_digit_do(body: str) -> None:
    wrong = str((int(check_digit(body)) + 1) % 10)
    assert checked({"reference": body + wrong})


@pytest.mark.parametrize(
    "text",
    ["4761 7390 0101 0119", "4761-7390-0101-0119", "3714 496353 98431", "track ;4761739001010119=2512"],
)
def test_card_numbers_in_groups_do_not_get_through(text: str) -> None:
    with pytest.raises(CardDataError):
        checked({"note": text})


@pytest.mark.parametrize(
    "text",
    [
        "476173******0119",
        "2026-11-21 20:28:49",
        "20261121202846",  # would pass the check digit, but is a time
        "20261121-000123",
        "2014112611001004680073956707",  # a wallet's trade number, 28 digits
        "T1-00000001",
    ],
)
def test_masked_numbers_times_and_references_do(text: str) -> None:
    assert checked({"note": text})["note"] == text


def test_amounts_do() -> None:
    assert checked({"amount": MAX_NUMBER, "cashier": None, "deferred": True})


@pytest.mark.parametrize("value", [1.5, b"bytes", [], {}])
def test_other_types_do_not(value: object) -> None:
    with pytest.raises(RecordError):
        checked({"note": value})  # type: ignore[dict-item]
