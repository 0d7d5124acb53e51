"""What cards are remembered by: fingerprints that tell payments and cards apart, and tell nobody a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emv import tlv
from emv.outcome import Outcome, OutcomeKind
from emv.sensitive import Pan, SensitiveBytes
from offline_queue.sightings import Recollection, Sighting
from terminal.payment.card_memory import CardMemory, finding

PAN = "4761739001010119"
MEMORY = CardMemory(bytes(range(32)))
GIVEN = {0x9F26: bytes.fromhex("0102030405060708"), 0x9F36: b"\x01\x02", 0x5F34: b"\x01"}


def outcome(pan: str = PAN, **given: bytes) -> Outcome:
    """Return an approval; data objects are named by tag, such as t9F36, and left out where they are empty."""
    values = GIVEN | {int(name[1:], 16): value for name, value in given.items()}
    record = SensitiveBytes(tlv.encode((tag, value) for tag, value in values.items() if value))
    return Outcome(kind=OutcomeKind.APPROVED, reason="", pan=Pan(pan), data_record=record)


def sighting(its: Outcome, memory: CardMemory = MEMORY) -> Sighting:
    found = memory.sighting(its)
    assert found is not None
    return found


def test_the_same_payment_has_the_same_fingerprint_and_a_counter() -> None:
    first = sighting(outcome())
    assert first == sighting(outcome())
    assert first.counter == 0x0102
    assert sighting(replace(outcome(), kind=OutcomeKind.ONLINE_REQUEST)) == first


@pytest.mark.parametrize(
    "other", [outcome("5413330089020011"), outcome(t9F26=bytes(8)), outcome(t9F36=b"\x01\x03")]
)
def test_another_card_counter_or_cryptogram_is_another_payment(other: Outcome) -> None:
    assert sighting(other).fingerprint != sighting(outcome()).fingerprint


def test_a_card_is_a_number_with_its_sequence_number() -> None:
    card = sighting(outcome()).source
    assert sighting(outcome(t9F26=bytes(8), t9F36=b"\xff\xff")).source == card
    others = [outcome("5413330089020011"), outcome(t5F34=b"\x02"), outcome(t5F34=b"")]
    assert card not in [sighting(other).source for other in others]


def test_nobody_without_the_key_can_make_the_fingerprints() -> None:
    ours, theirs = sighting(outcome()), sighting(outcome(), CardMemory(bytes(32)))
    assert not {ours.fingerprint, ours.source} & {theirs.fingerprint, theirs.source}


@pytest.mark.parametrize(
    "incomplete",
    [
        outcome(t9F26=b""),
        outcome(t9F36=b""),
        replace(outcome(), pan=None),
        replace(outcome(), data_record=None),
        replace(outcome(), data_record=SensitiveBytes(b"\x9f")),
    ],
)
def test_what_is_incomplete_can_t_be_remembered(incomplete: Outcome) -> None:
    assert MEMORY.sighting(incomplete) is None


@pytest.mark.parametrize(("highest", "found"), [(None, False), (0x101, False), (0x102, True), (0x103, True)])
def test_a_counter_that_does_not_grow_is_a_finding(highest: int | None, found: bool) -> None:
    words = finding(sighting(outcome()), Recollection(seen=False, highest=highest))
    assert bool(words) is found
    assert "258" in words or not found
