"""The block protocol: nfcpy's side, against the simulated card's side, over frames that get lost."""

from collections.abc import Iterable
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceTimeoutError, TransmissionError
from drivers.readers.card_parameters import CardParameters, parse_ats
from drivers.readers.iso_dep import IsoDep
from simulators.readers.iso_dep import IsoDepCard

SMALL_FRAMES = bytes.fromhex("0572807000")
"""FSCI 2: 32 bytes to the card, so that commands are chained."""

OK = b"\x90\x00"


class Air:
    """Stands between the two; loses frames by number, before or after the card."""

    def __init__(
        self, card: Any, lost_to_card: Iterable[int] = (), lost_from_card: Iterable[int] = ()
    ) -> None:
        self._card = card
        self._lost = set(lost_to_card), set(lost_from_card)
        self.count = 0

    def send_cmd_recv_rsp(self, target: object, data: bytes, timeout: float) -> bytearray:
        self.count += 1
        if self.count in self._lost[0]:
            raise nfc.clf.TimeoutError
        answer = self._card.receive(bytes(data))
        if answer is None or self.count in self._lost[1]:
            raise nfc.clf.TimeoutError
        return bytearray(answer)


class Counting:
    """A card that counts the commands that reach it, and answers with its length of bytes."""

    def __init__(self, answer_size: int = 300, ats: bytes = SMALL_FRAMES) -> None:
        self.commands: list[bytes] = []
        self.protocol = IsoDepCard(ats, self._transmit)
        self.answer = bytes(i & 0xFF for i in range(answer_size)) + OK

    def _transmit(self, capdu: bytes) -> bytes:
        self.commands.append(capdu)
        return self.answer


@given(
    st.binary(min_size=1, max_size=261),
    st.integers(0, 600),
    st.sets(st.integers(2, 12)),
    st.sets(st.integers(2, 12)),
)
def test_a_command_reaches_the_card_once_whatever_is_lost(
    capdu: bytes, answer_size: int, lost_to: set[int], lost_from: set[int]
) -> None:
    card = Counting(answer_size)
    air = Air(card.protocol, lost_to, lost_from)
    protocol = IsoDep(air, None)
    protocol.activate()
    try:
        answer = protocol.exchange(capdu, 5.0)
    except nfc.tag.TagCommandError:
        assert (lost_to | lost_from) & set(range(air.count + 1))
        assert len(card.commands) <= 1
    else:
        assert answer == card.answer
        assert card.commands == [capdu]


def test_a_lost_answer_is_asked_for_again_and_the_command_is_not() -> None:
    card = Counting(answer_size=4)
    air = Air(card.protocol, lost_from_card={2})
    protocol = IsoDep(air, None)
    protocol.activate()
    assert protocol.exchange(b"\x00\xa4", 5.0) == card.answer
    assert card.commands == [b"\x00\xa4"]
    assert air.count == 3


def test_a_card_that_acknowledges_without_end_is_given_up_at_the_limit() -> None:
    class Stubborn:
        def receive(self, block: bytes) -> bytes:
            return SMALL_FRAMES if block[0] == 0xE0 else b"\xa3"

    protocol = IsoDep(Air(Stubborn()), None)
    protocol.activate()
    with pytest.raises(DeviceTimeoutError):
        protocol.exchange(b"\x00\xa4", 0.05)


@pytest.mark.parametrize(
    ("ats", "expected"),
    [
        ("01", CardParameters(32)),
        ("0205", CardParameters(64)),
        ("0278", None),
        ("0578807002", CardParameters(256, 7, rates=0x80)),
        ("0328F0", CardParameters(256)),
        ("03288F", CardParameters(256, 8)),
        ("032884", CardParameters(256, 8, 4)),
        ("05788070", None),
        ("", None),
    ],
)
def test_an_ats_is_read_as_the_standard_says(ats: str, expected: CardParameters | None) -> None:
    if expected is None:
        with pytest.raises(TransmissionError):
            parse_ats(bytes.fromhex(ats))
    else:
        assert parse_ats(bytes.fromhex(ats)) == expected


@given(st.binary(max_size=20))
def test_any_ats_is_read_or_refused(ats: bytes) -> None:
    try:
        answer = parse_ats(ats)
    except TransmissionError:
        return
    assert 16 <= answer.frame_size <= 256
    assert answer.frame_waiting_s < 5
