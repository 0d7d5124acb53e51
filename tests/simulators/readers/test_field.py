"""The field: who is there, who was there, and who is told."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.cards.misbehaving import TornCard, Wrapper
from simulators.readers.field import Field

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


@pytest.fixture
def card() -> SimulatedCard:
    return profile.load("visa-approve")


def test_starts_empty_or_with_a_card(card: SimulatedCard) -> None:
    assert Field().card is None
    assert Field(card).card is card


def test_a_card_comes_and_goes(field: Field, card: SimulatedCard) -> None:
    field.place(card)
    assert field.card is card
    field.take_away()
    assert field.card is None
    field.take_away()
    assert field.version == 2


def test_the_same_card_twice_is_two_stays(field: Field, card: SimulatedCard) -> None:
    field.place(card)
    first = field.placement
    field.place(card)
    assert first
    assert field.placement != first
    assert field.transmit(first, SELECT_PPSE) is None
    field.take_away(first)
    assert field.card is card


def test_a_card_that_leaves_by_itself_is_gone(field: Field, card: SimulatedCard) -> None:
    field.place(TornCard(card, after=0))
    placement = field.placement
    assert placement
    assert field.transmit(placement, SELECT_PPSE) is None
    assert field.placement is None


def test_an_answer_of_a_card_pulled_away_meanwhile_is_lost(field: Field, card: SimulatedCard) -> None:
    class Pulled(Wrapper):
        def transmit(self, capdu: bytes) -> bytes | None:
            field.take_away()
            return super().transmit(capdu)

    field.place(Pulled(card))
    placement = field.placement
    assert placement
    assert field.transmit(placement, SELECT_PPSE) is None


def test_waiting_ends_with_a_change_or_with_time(field: Field, card: SimulatedCard) -> None:
    assert field.wait_for(True, timeout_s=0) is None
    assert field.wait_changed(field.version, timeout_s=0) == 0
    with ThreadPoolExecutor(2) as pool:
        seen = pool.submit(field.wait_for, True, timeout_s=15)
        changed = pool.submit(field.wait_changed, 0, timeout_s=15)
        field.place(card)
        placement = seen.result()
        assert placement
        assert placement.card is card
        assert changed.result() == 1


def test_listeners_hear_each_change_until_they_end(field: Field, card: SimulatedCard) -> None:
    heard: list[SimulatedCard | None] = []
    end = field.listen(lambda: heard.append(field.card))
    field.place(card)
    field.take_away()
    end()
    end()
    field.place(card)
    assert heard == [card, None]


def test_several_cards_come_and_go_one_by_one(field: Field, card: SimulatedCard) -> None:
    field.place(card)
    first = field.placement
    second = field.add(card)
    assert first
    assert field.placements == (first, second)
    assert field.placement == first
    assert field.transmit(second, SELECT_PPSE)
    field.take_away(first)
    assert field.transmit(first, SELECT_PPSE) is None
    assert field.placement == second
    field.add(card)
    field.place(card)
    assert len(field.placements) == 1
    field.add(card)
    field.take_away()
    assert field.placements == ()
