"""Kernel 2 and the simulated Mastercard cards: whole taps through Entry Point."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from emv.apdu import Exchange
from emv.background import Background
from emv.c2_options import C2Options
from emv.capk import parse_ca_keys
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import EntryPoint
from emv.kernel import Begin, CardAnswered, CardLost, Complete, Event, SendCommand, Transaction
from emv.oda import OdaResult
from emv.outcome import CvmResult, Outcome, OutcomeKind
from simulators.cards import profile
from simulators.scheme import ca_keys_json
from tests.emv.mastercard_card import AID, GENERATE, RECOVER, objects

APPROVED, DECLINED, ONLINE = OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST
END, AGAIN = OutcomeKind.END_APPLICATION, OutcomeKind.TRY_AGAIN
PAYMENT = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12, 30, 15),
    unpredictable_number=bytes.fromhex("01020304"),
    spare_unpredictable_numbers=(b"wxyz", b"abcd"),
)


def present(
    card: Any, payment: Transaction, background: Background | None = None, **options: Any
) -> tuple[Outcome, list[int]]:
    """Present a card once; return the outcome and the instructions it got."""
    row = CombinationConfig(
        aid=bytes.fromhex(AID),
        kernel_id=2,
        cvm_limit=5000,
        floor_limit=100000,
        options=C2Options(**options),
    )
    config = EmvConfig(
        country="276", currency="978", combinations=(row,), ca_keys=parse_ca_keys(ca_keys_json())
    )
    machine = EntryPoint(config, background=background)
    event: Event = Begin(payment)
    instructions: list[int] = []
    while True:
        last = machine.handle(event)[-1]
        if isinstance(last, Complete):
            return last.outcome, instructions
        assert isinstance(last, SendCommand)
        instructions.append(last.command.ins)
        event = transmit(card, last)


def transmit(card: Any, send: SendCommand) -> Event:
    exchange = Exchange(send.command)
    raw: bytes | None = exchange.first()
    while raw is not None:
        answer = card.transmit(raw)
        if answer is None:
            return CardLost()
        raw = exchange.next(answer)
    return CardAnswered(exchange.response, 6000)


@pytest.mark.parametrize(
    ("name", "kind", "tvr", "oda"),
    [
        ("approve", APPROVED, "0000000001", OdaResult.SUCCEEDED),
        ("decline", DECLINED, "0000000001", OdaResult.NOT_PERFORMED),
        ("online", ONLINE, "0000000001", OdaResult.SUCCEEDED),
        ("expired", ONLINE, "0040000001", OdaResult.SUCCEEDED),
        ("not-yet-effective", ONLINE, "0020000001", OdaResult.SUCCEEDED),
        ("no-oda", ONLINE, "8000000001", OdaResult.NOT_PERFORMED),
        ("unknown-ca", ONLINE, "0400000001", OdaResult.FAILED),
        ("revoked", END, "0400000001", OdaResult.FAILED),
        ("expired-ca", END, "0400000001", OdaResult.FAILED),
        ("issuer-expired", END, "0400000001", OdaResult.FAILED),
        ("certificate-expired", END, "0400000001", OdaResult.FAILED),
        ("bad-issuer-hash", END, "0400000001", OdaResult.FAILED),
        ("bad-issuer-number", END, "0400000001", OdaResult.FAILED),
        ("bad-issuer-signer", END, "0400000001", OdaResult.FAILED),
        ("bad-icc-hash", END, "0400000001", OdaResult.FAILED),
        ("bad-icc-number", END, "0400000001", OdaResult.FAILED),
        ("bad-signature-hash", END, "0400000001", OdaResult.FAILED),
        ("bad-signature-key", END, "0400000001", OdaResult.FAILED),
        ("get-response", APPROVED, "0000000001", OdaResult.SUCCEEDED),
        ("wrong-length", APPROVED, "0000000001", OdaResult.SUCCEEDED),
        ("relay-resistance", APPROVED, "0000000002", OdaResult.SUCCEEDED),
    ],
)
def test_a_card_of_each_kind(name: str, kind: OutcomeKind, tvr: str, oda: OdaResult) -> None:
    outcome, _ = present(profile.load(f"mastercard-{name}"), PAYMENT)
    assert outcome.kind is kind, outcome.reason
    evidence = outcome.evidence
    assert evidence is not None
    assert (evidence.terminal[0x95].hex(), evidence.oda.result) == (tvr, oda)
    assert (evidence.relay_ms is not None) == (name == "relay-resistance")


def test_nothing_to_pay_is_approved_by_nobody_but_the_issuer() -> None:
    outcome, _ = present(profile.load("mastercard-approve"), replace(PAYMENT, amount_minor=0))
    assert outcome.kind is ONLINE


def test_a_balance() -> None:
    card = profile.load("mastercard-balance")
    outcome, _ = present(card, PAYMENT, read_balance_before=True, read_balance_after=True)
    assert outcome.kind is APPROVED
    assert {0xDF8104, 0xDF8105} <= set(objects(outcome.discretionary_data))
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.balance_minor is not None


def test_a_card_that_was_torn_gives_its_cryptogram_again() -> None:
    card, background = profile.load("mastercard-recoverable"), Background()
    first, asked = present(card, PAYMENT, background)
    assert (first.kind, asked[-1], len(background.torn)) == (AGAIN, GENERATE, 1)
    second, asked = present(card, replace(PAYMENT, unpredictable_number=b"next"), background)
    assert (second.kind, asked[-1]) == (APPROVED, RECOVER)
    assert objects(second.data_record)[0x9F37] == "01020304"
    assert len(background.torn) == 0


def test_a_card_without_recovery_starts_again() -> None:
    card, background = profile.load("mastercard-torn"), Background()
    first, _ = present(card, PAYMENT, background)
    assert (first.kind, len(background.torn)) == (AGAIN, 0)
    second, asked = present(card, PAYMENT, background)
    assert second.kind is APPROVED
    assert RECOVER not in asked


def test_a_wallet_verifies_its_owner() -> None:
    card = profile.load("mastercard-wallet")
    outcome, _ = present(card, replace(PAYMENT, amount_minor=9000))
    assert (outcome.kind, outcome.cvm) == (APPROVED, CvmResult.CONFIRMED_BY_DEVICE), outcome.reason


def test_a_wallet_that_is_locked() -> None:
    outcome, _ = present(profile.load("mastercard-wallet-locked"), PAYMENT)
    assert outcome.kind is AGAIN
    assert outcome.ui_on_restart is not None


def test_magstripe_mode() -> None:
    card = profile.load("mastercard-magstripe")
    assert present(card, PAYMENT)[0].kind is END
    outcome, _ = present(card, PAYMENT, magstripe_mode=True)
    assert outcome.kind is ONLINE
    assert 0x9F6B in objects(outcome.data_record)
