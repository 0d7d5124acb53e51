"""The card's side of the block protocol, block by block. Rule numbers: ISO/IEC 14443-4, 7.5.4 and 7.5.5.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.readers.iso_dep import IsoDepCard, State

ATS = bytes.fromhex("0572807000")
RATS_256 = bytes.fromhex("E080")
RATS_32 = bytes.fromhex("E020")


class Card:
    """Answers each command with what it is told, and remembers it."""

    def __init__(
        self, answer: bytes | None = b"\x90\x00", rats: bytes = RATS_256, extensions: int = 0
    ) -> None:
        self.commands: list[bytes] = []
        self.answer = answer
        self.protocol = IsoDepCard(ATS, self._transmit, lambda capdu: extensions)
        assert self.protocol.receive(rats) == ATS

    def _transmit(self, capdu: bytes) -> bytes | None:
        self.commands.append(capdu)
        return self.answer

    def receive(self, block: str) -> str | None:
        answer = self.protocol.receive(bytes.fromhex(block))
        return None if answer is None else answer.hex().upper()


def test_only_a_request_to_select_is_answered_first() -> None:
    card = IsoDepCard(ATS, lambda capdu: None)
    assert card.receive(b"\x02\x00\xa4") is None
    assert card.receive(b"\xe0") is None
    assert card.receive(RATS_256) == ATS
    assert card.state is State.PROTOCOL


def test_block_numbers_take_turns() -> None:
    card = Card()
    assert card.receive("0200A4") == "029000"
    assert card.receive("0300A5") == "039000"
    assert card.receive("0200A6") == "029000"
    assert card.commands == [b"\x00\xa4", b"\x00\xa5", b"\x00\xa6"]


def test_a_command_comes_in_parts() -> None:
    card = Card()
    assert card.receive("1200A4") == "A2"
    assert card.receive("130400") == "A3"
    assert card.commands == []
    assert card.receive("0207") == "029000"
    assert card.commands == [bytes.fromhex("00A4040007")]


def test_an_answer_goes_in_parts() -> None:
    card = Card(bytes(range(60)) + b"\x90\x00", RATS_32)
    first = card.receive("0200A4")
    assert first == "12" + bytes(range(29)).hex().upper()
    second = card.receive("A3")
    assert second == "13" + bytes(range(29, 58)).hex().upper()
    assert card.receive("A2") == "023A3B9000"
    assert card.commands == [b"\x00\xa4"]


def test_what_was_sent_last_is_sent_again() -> None:
    card = Card()
    card.receive("0200A4")
    assert card.receive("B2") == "029000"  # Rule 11
    assert card.receive("A2") == "029000"
    assert card.commands == [b"\x00\xa4"]


def test_a_command_that_did_not_come_is_acknowledged_with_the_old_number() -> None:
    card = Card()
    card.receive("0200A4")
    assert card.receive("B3") == "A2"  # Rule 12
    assert card.receive("0300A5") == "039000"
    assert card.commands == [b"\x00\xa4", b"\x00\xa5"]


def test_asks_for_time_before_it_answers() -> None:
    card = Card(extensions=2)
    assert card.receive("0200A4") == "F201"
    assert card.receive("F201") == "F201"
    assert card.receive("F201") == "029000"
    assert card.receive("F201") is None
    assert card.commands == [b"\x00\xa4"]


def test_a_card_that_left_stays_silent() -> None:
    card = Card(answer=None)
    assert card.receive("0200A4") is None
    assert card.receive("B2") is None


def test_a_deselected_card_is_silent_until_it_loses_power() -> None:
    card = Card()
    assert card.receive("C2") == "C2"
    assert card.protocol.state is State.HALTED
    assert card.receive("0200A4") is None
    assert card.receive("E080") is None


@pytest.mark.parametrize(
    ("block", "answer"), [("D01100", "D0"), ("D001", "D0"), ("D01105", None), ("D0", None), ("D022", None)]
)
def test_stays_at_the_only_speed_it_has(block: str, answer: str | None) -> None:
    assert Card().receive(block) == answer


@pytest.mark.parametrize(
    "block", ["", "00", "0A0000A4", "0600A4", "A200", "F2", "F20100", "C200", "E200", "42", "02" + "00" * 31]
)
def test_what_breaks_the_protocol_is_not_answered(block: str) -> None:
    card = Card()
    assert card.receive(block) is None
    assert card.commands == []


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=20))
def test_noise_raises_nothing(blocks: list[bytes]) -> None:
    card = Card(bytes(100) + b"\x90\x00", RATS_32, extensions=1)
    for block in blocks:
        answer = card.protocol.receive(block)
        assert answer is None or len(answer) + 2 <= 32
