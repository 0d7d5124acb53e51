"""The guard that keeps other people's cards out of the hardware tests."""

from collections.abc import Callable
from threading import Event

import pytest

from drivers.address import DeviceAddress
from drivers.protocols import Card
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessReader

# Nobody's number: it fails the Luhn check.
NO_TEST_CARD = "4999999999999999"


def held(field: Field, pan: str) -> Card:
    field.place(profile.make({"card": {"pan": pan}}))
    card = InProcessReader(DeviceAddress("sim", ""), field).wait_for_card(Event(), timeout_s=0)
    assert card
    return card


def test_a_published_test_number_passes(field: Field, guard: Callable[[Card], None]) -> None:
    guard(held(field, "4761739001010119"))


def test_another_number_ends_the_run_and_is_not_told(field: Field, guard: Callable[[Card], None]) -> None:
    with pytest.raises(pytest.exit.Exception) as caught:
        guard(held(field, NO_TEST_CARD))
    assert NO_TEST_CARD not in str(caught.value)


def test_a_card_that_can_not_be_read_ends_the_run(field: Field, guard: Callable[[Card], None]) -> None:
    field.place(profile.load("malicious-garbage"))
    card = InProcessReader(DeviceAddress("sim", ""), field).wait_for_card(Event(), timeout_s=0)
    assert card
    with pytest.raises(pytest.exit.Exception):
        guard(card)
