"""Unpredictable numbers that can be foretold are not given out."""

import itertools
import secrets
from collections.abc import Callable

import pytest

from terminal.payment.unpredictable import LENGTH, EntropyError, UnpredictableNumbers


def test_numbers_differ_from_each_other() -> None:
    numbers = UnpredictableNumbers()
    taken = [numbers.take() for _ in range(1000)]
    assert len(set(taken)) == 1000
    assert {len(number) for number in taken} == {LENGTH}


def counter() -> Callable[[int], bytes]:
    # Steps of a large odd number set every bit often enough: only the steps give it away.
    values = itertools.count(0, 0x9E3779B1)
    return lambda length: (next(values) % 2**32).to_bytes(length, "big")


@pytest.mark.parametrize("bit", [0, 7, 31])
@pytest.mark.parametrize("value", [0, 1])
def test_a_fixed_bit_is_found(bit: int, value: int) -> None:
    def draw(length: int) -> bytes:
        drawn = int.from_bytes(secrets.token_bytes(length), "big") & ~(1 << bit)
        return (drawn | value << bit).to_bytes(length, "big")

    with pytest.raises(EntropyError, match="fixed bit"):
        UnpredictableNumbers(draw)


def test_counting_is_found() -> None:
    with pytest.raises(EntropyError, match="counts"):
        UnpredictableNumbers(counter())


def test_a_used_number_is_drawn_again_and_a_generator_that_is_stuck_is_refused() -> None:
    given = [secrets.token_bytes(LENGTH) for _ in range(256)]
    script = iter([*given, b"\1\2\3\4", b"\1\2\3\4", b"\5\6\7\x08", *[b"\1\2\3\4"] * 3])
    numbers = UnpredictableNumbers(lambda length: next(script))
    assert [numbers.take(), numbers.take()] == [b"\1\2\3\4", b"\5\6\7\x08"]
    with pytest.raises(EntropyError, match="repeats"):
        numbers.take()
