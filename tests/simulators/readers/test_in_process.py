"""The `sim:` driver: the shared field, and a card by name."""

from threading import Event

import pytest

from drivers.address import parse
from drivers.errors import CardLostError, DeviceUnavailableError, Reason, SeveralCardsError, TransmissionError
from simulators.cards import profile
from simulators.cards.misbehaving import ShoutingCard
from simulators.readers import in_process
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessReader
from simulators.readers.radio import TypeBCard

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


def test_without_a_name_every_reader_looks_at_the_shared_field() -> None:
    reader = in_process.open(parse("sim:"))
    assert reader.field is in_process.FIELD
    assert in_process.discover() == (parse("sim:"),)


def test_a_name_is_a_field_of_its_own_with_that_card() -> None:
    reader = in_process.open(parse("sim:visa-approve"))
    assert reader.field is not in_process.FIELD
    card = reader.wait_for_card(Event(), timeout_s=0)
    assert card
    assert card.transceive(SELECT_PPSE, timeout_s=1)[-2:] == b"\x90\x00"
    assert in_process.FIELD.card is None


def test_an_unknown_card_is_told_the_nearest_names() -> None:
    with pytest.raises(DeviceUnavailableError) as caught:
        in_process.open(parse("sim:visa-aprove"))
    assert caught.value.reason is Reason.WRONG_ADDRESS
    assert "sim:visa-approve" in caught.value.hint


def test_an_answer_without_a_status_word_is_a_broken_transmission(field: Field) -> None:
    field.place(ShoutingCard(profile.load("visa-approve"), answer=b"\x90", after=0))
    card = InProcessReader(parse("sim:"), field).wait_for_card(Event(), timeout_s=0)
    assert card
    with pytest.raises(TransmissionError):
        card.transceive(SELECT_PPSE, timeout_s=1)


def test_a_card_of_an_earlier_stay_is_lost(field: Field) -> None:
    reader = InProcessReader(parse("sim:"), field)
    field.place(profile.load("visa-approve"))
    card = reader.wait_for_card(Event(), timeout_s=0)
    assert card
    field.place(profile.load("visa-approve"))
    with pytest.raises(CardLostError):
        card.transceive(SELECT_PPSE, timeout_s=1)


def test_a_card_that_is_far_away_answers_later(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(in_process, "sleep", slept.append)
    for name, delays in (("visa-approve", []), ("malicious-relay", [0.12])):
        field.place(profile.load(name))
        card = InProcessReader(parse("sim:"), field).wait_for_card(Event(), timeout_s=0)
        assert card
        assert card.transceive(SELECT_PPSE, timeout_s=1)[-2:] == b"\x90\x00"
        assert slept == delays


def test_several_cards_are_told_and_listed(field: Field) -> None:
    reader = InProcessReader(parse("sim:"), field)
    field.place(profile.load("visa-approve"))
    field.add(TypeBCard(profile.load("visa-approve")))
    with pytest.raises(SeveralCardsError):
        reader.wait_for_card(Event(), timeout_s=0)
    assert [card.protocol[-1] for card in reader.cards_in_field()] == ["A", "B"]
