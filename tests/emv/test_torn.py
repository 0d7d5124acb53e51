"""Torn transactions of kernel 2: the log, and a card that comes back."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from emv.background import Background
from emv.kernel import Transaction
from emv.outcome import OutcomeKind, Start
from emv.sensitive import Pan, SensitiveBytes
from emv.torn import TornLog, TornRecord
from tests.emv.mastercard_card import (
    AAC,
    ARQC,
    CDA,
    DRDOL,
    GENERATE,
    NUMBER,
    ON_DEVICE,
    PLAIN,
    RECOVER,
    RELAY,
    MastercardCard,
    objects,
    tap,
    tvr,
)

PHONE = PLAIN | ON_DEVICE
NOON = datetime.datetime.combine(datetime.date(2026, 5, 9), datetime.time(12))


def record(number: str = NUMBER, sequence: bytes = b"\1", at: datetime.datetime = NOON) -> TornRecord:
    return TornRecord(pan=Pan(number), sequence=sequence, at=at, data=SensitiveBytes(b"\x9a\x00"))


def torn_card(**changed: Any) -> MastercardCard:
    """Return a card that leaves at its first GENERATE AC, after it has made the cryptogram."""

    class Leaving(MastercardCard):
        left = False

        def transmit(self, capdu: bytes) -> bytes | None:
            answer = super().transmit(capdu)
            if capdu[1] == GENERATE and not self.left:
                self.left = True
                return None
            return answer

    records = {0x9F51: DRDOL, **changed.pop("records", {})}
    return Leaving(records=records, **changed)


# The log


def test_the_latest_record_of_a_card_is_found() -> None:
    log = TornLog()
    first, second, other = record(), record(), record(sequence=b"\2")
    for found in (first, second, other):
        assert log.add(found, 5) is None
    assert log.find(Pan(NUMBER), b"\1") is second
    assert log.find(Pan(NUMBER), b"\2") is other
    assert log.find(Pan(NUMBER), b"") is None
    assert log.find(Pan("5204740000001002"), b"\1") is None
    log.remove(other)
    log.remove(other)
    assert list(log) == [first, second]


def test_of_too_many_records_the_oldest_goes() -> None:
    log = TornLog()
    records = [record(sequence=bytes((number,))) for number in range(4)]
    assert [log.add(found, 3) for found in records] == [None, None, None, records[0]]
    assert len(log) == 3


def test_old_records_and_those_of_the_future_go() -> None:
    log = TornLog()
    for seconds in (-301, -300, 0, 1):
        log.add(record(at=NOON + datetime.timedelta(seconds=seconds)), 5)
    log.expire(NOON, 300)
    assert [(found.at - NOON).total_seconds() for found in log] == [-300, 0]
    log.expire(NOON, 10**15)
    assert len(log) == 2


def test_a_record_prints_no_card_data() -> None:
    log = TornLog()
    log.add(record(), 5)
    assert NUMBER not in repr(log) + repr(list(log))


# A card that comes back


def test_a_card_that_comes_back_gives_its_cryptogram_again(purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=ARQC)
    lost = tap(card, purchase, background=background)
    assert (lost.kind, lost.start, lost.data_record) == (OutcomeKind.TRY_AGAIN, Start.B, None)
    assert objects(lost.discretionary_data)[0xDF8115] == "010000000021"
    assert len(background.torn) == 1
    later = replace(purchase, time=datetime.time(12, 31), unpredictable_number=b"\xaa\xbb\xcc\xdd")
    outcome = tap(card, later, background=background)
    # The DRDOL of this card: amount, unpredictable number, and its own counter, which it did not give yet.
    assert [capdu.hex() for capdu in card.sent(RECOVER)] == [
        "80d000000c" + "000000001250" + "01020304" + "0000" + "00"
    ]
    assert len(card.sent(GENERATE)) == 1
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    # The host gets what the card made its cryptogram of.
    sent = objects(outcome.data_record)
    assert (sent[0x9F37], sent[0x9F02], sent[0x95], sent[0x9F34]) == (
        "01020304",
        "000000001250",
        "0000000001",
        "1F0302",
    )
    assert outcome.evidence is not None
    assert outcome.evidence.oda.succeeded
    assert len(background.torn) == 0


def test_what_relay_resistance_found_before_counts(purchase: Transaction) -> None:
    background = Background()
    card = torn_card(aip=PLAIN | CDA | RELAY, gives=ARQC, relay_us=[6200, 7200])
    tap(card, purchase, background=background)
    signed = card._relay_data
    outcome = tap(card, replace(purchase, unpredictable_number=b"wxyz"), background=background)
    assert signed != card._relay_data
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert outcome.evidence is not None
    assert (outcome.evidence.relay_ms, tvr(outcome)) == (2.0, "0000000002")


def test_a_card_that_kept_nothing_is_asked_anew(purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=ARQC)
    tap(card, purchase, background=background)
    card.answers = {RECOVER: "6985"}
    outcome = tap(card, purchase, background=background)
    assert card.instructions[-2:] == [RECOVER, GENERATE]
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert len(background.torn) == 0


@pytest.mark.parametrize("recovered", ["", "8014" + "00" * 20 + "9000", "9000", "77009000"])
def test_a_recovery_that_fails(recovered: str, purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=ARQC)
    tap(card, purchase, background=background)
    card.answers = {RECOVER: recovered}
    outcome = tap(card, purchase, background=background)
    if not recovered:
        assert (outcome.kind, len(background.torn)) == (OutcomeKind.TRY_AGAIN, 1)
        return
    assert (outcome.kind, len(background.torn)) == (OutcomeKind.END_APPLICATION, 0)


def test_a_recovered_cryptogram_is_checked_like_any_other(purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=ARQC, forges=True)
    tap(card, purchase, background=background)
    outcome = tap(card, purchase, background=background)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    background, card = Background(), torn_card()
    tap(card, replace(purchase, amount_minor=20000), background=background)
    card._given = card._given.replace(bytes.fromhex("9F270180"), bytes.fromhex("9F270140"))
    outcome = tap(card, replace(purchase, amount_minor=20000), background=background)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert "another cryptogram" in outcome.reason


def test_a_card_put_on_the_exception_file_meanwhile_is_not_approved(purchase: Transaction) -> None:
    background, card = Background(), torn_card()
    tap(card, purchase, background=background)
    background.exceptions = frozenset({Pan(NUMBER)})
    outcome = tap(card, purchase, background=background)
    assert RECOVER not in card.instructions
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST


@pytest.mark.parametrize(
    ("now", "kind"),
    [(PHONE, OutcomeKind.DECLINED), (PHONE | CDA, OutcomeKind.ONLINE_REQUEST)],
)
def test_an_unsigned_cryptogram_is_not_recovered_for_a_phone(
    now: int, kind: OutcomeKind, purchase: Transaction
) -> None:
    """Else a card in between could say, by its profile alone, that a phone has verified its owner."""
    background, card = Background(), torn_card(aip=PLAIN, gives=ARQC)
    large = replace(purchase, amount_minor=5001)
    tap(card, large, background=background)
    card.aip, card.gives = now, None if now == PHONE else ARQC
    outcome = tap(card, large, background=background)
    assert RECOVER not in card.instructions
    assert outcome.kind is kind


def test_a_card_torn_again_is_remembered_once(purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=ARQC)
    tap(card, purchase, background=background)
    card.answers = {RECOVER: "6985", GENERATE: ""}
    tap(card, replace(purchase, unpredictable_number=b"wxyz"), background=background)
    assert len(background.torn) == 1
    (kept,) = background.torn
    assert b"wxyz" in kept.data.reveal()


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_minor": 1251},
        {"amount_minor": 1250, "amount_other_minor": 100},
        {"currency": "840"},
        {"type": 0x09},
    ],
)
def test_another_payment_is_not_paid_with_the_cryptogram_of_before(
    changed: dict[str, Any], purchase: Transaction
) -> None:
    background, card = Background(), torn_card(gives=ARQC)
    tap(card, purchase, background=background)
    outcome = tap(card, replace(purchase, **changed), background=background)
    assert RECOVER not in card.instructions
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert len(background.torn) == 1


@pytest.mark.parametrize(
    ("records", "settings"),
    [({0x9F51: None}, {}), ({0x9F51: ""}, {}), ({}, {"torn_records": 0})],
)
def test_without_recovery_on_both_sides_nothing_is_kept(
    records: dict[int, str | None], settings: dict[str, Any], purchase: Transaction
) -> None:
    background = Background()
    outcome = tap(torn_card(records=records), purchase, background=background, **settings)
    assert (outcome.kind, len(background.torn)) == (OutcomeKind.TRY_AGAIN, 0)


def test_a_record_that_is_too_old_is_not_used(purchase: Transaction) -> None:
    background, card = Background(), torn_card(gives=AAC)
    tap(card, purchase, background=background)
    late = replace(purchase, time=datetime.time(12, 35, 16))
    assert tap(card, late, background=background).kind is OutcomeKind.DECLINED
    assert RECOVER not in card.instructions
    assert len(background.torn) == 0


def test_a_record_that_had_to_go_is_handed_out(purchase: Transaction) -> None:
    background = Background()
    for number in ("5413330089020011", "5413330089020029"):
        card = torn_card(records={0x5A: number, 0x57: f"{number}D27122010123456789"})
        outcome = tap(card, purchase, background=background, torn_records=1)
    (kept,) = background.torn
    assert kept.pan == Pan("5413330089020029")
    dropped = objects(outcome.discretionary_data)[0xFF8101]
    assert "5A085413330089020011" in dropped
    assert "5413330089020011" not in repr(outcome)
