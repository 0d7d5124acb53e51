"""Every malicious card meets the whole of Entry Point and its kernel, and something stops it or tells of it.

Each attack is named with what finds it: the scheme's own rules in the kernel, our guard beside them, or the
issuer behind the host. `tests/terminal/test_offline_approval.py` has the replays that the terminal's
memory stops.
"""

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from emv.apdu import Exchange
from emv.capk import parse_ca_keys
from emv.config import CombinationConfig, EmvConfig, default_config
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import Begin, CardAnswered, CardLost, Complete, Event, SendCommand, Transaction
from emv.outcome import Outcome, OutcomeKind
from simulators import scheme
from simulators.cards import profile
from simulators.cards.card import AnswersLate, SimulatedCard
from simulators.hosts.host_issuer import WatchfulIssuer, scheme_issuer

K = OutcomeKind
_KEYS = parse_ca_keys(scheme.ca_keys_json())
SMALL, LARGE = 1250, 9900
"""Below and above the limit from which on the holder is verified (50.00)."""


def config(*, floor_limit: int = 100_000, pin_pad: bool = False) -> EmvConfig:
    """Return the default counter with the test scheme's keys; offline approvals are allowed."""
    found = replace(default_config("276", "978", floor_limit=floor_limit), ca_keys=_KEYS)
    return replace(found, combinations=tuple(map(_with_pin, found.combinations))) if pin_pad else found


def _with_pin(row: CombinationConfig) -> CombinationConfig:
    return row if row.ttq is None else replace(row, ttq=row.ttq | Ttq.ONLINE_PIN)


def tap(card: SimulatedCard, terminal: EmvConfig, amount: int = SMALL) -> Outcome:
    """Tap once, as the terminal does."""
    card.power_on()
    machine = EntryPoint(terminal)
    event: Event = Begin(
        Transaction(
            amount_minor=amount,
            currency="978",
            date=datetime.date(2026, 5, 9),
            time=datetime.time(12, 30),
            unpredictable_number=secrets.token_bytes(4),
            spare_unpredictable_numbers=(secrets.token_bytes(4), secrets.token_bytes(4)),
        )
    )
    while True:
        actions = machine.handle(event)
        last = actions[-1]
        if isinstance(last, Complete):
            return last.outcome
        assert isinstance(last, SendCommand)
        event = _answer(card, Exchange(last.command))


def _answer(card: SimulatedCard, exchange: Exchange) -> Event:
    raw: bytes | None = exchange.first()
    late_us = card.delay_us(raw or b"") if isinstance(card, AnswersLate) else 0
    while raw is not None:
        answer = card.transmit(raw)
        if answer is None:
            return CardLost()
        raw = exchange.next(answer)
    return CardAnswered(exchange.response, 5_000 + late_us)


@dataclass(frozen=True)
class Attack:
    """What the terminal comes to, and in which words."""

    kind: OutcomeKind
    words: str = ""
    finding: str = ""
    amount: int = SMALL
    pin_pad: bool = False
    issuer: str = ""
    """What the issuer says of it, where the terminal can't see it."""


UNUSABLE = Attack(K.END_APPLICATION)
HONEST = Attack(K.ONLINE_REQUEST, issuer="approved")
ATTACKS = {
    "malicious-amount": Attack(K.DECLINED, "signed dynamic data: hash differs"),
    "malicious-brand-mastercard-behind-visa": Attack(K.DECLINED, "issuer certificate"),
    "malicious-brand-online": Attack(K.DECLINED, "card number of Mastercard", "scheme_mix"),
    "malicious-brand-visa-behind-mastercard": Attack(K.END_APPLICATION, "issuer certificate"),
    "malicious-ctq-device-cvm": Attack(K.DECLINED, "verification is required", amount=LARGE),
    "malicious-ctq-device-cvm-unsigned": Attack(K.DECLINED, "did not prove it", "device_claim", amount=LARGE),
    "malicious-ctq-pin-bypass": Attack(K.DECLINED, "verification is required", amount=LARGE, pin_pad=True),
    "malicious-currency": Attack(K.DECLINED, "signed dynamic data: hash differs"),
    "malicious-currency-mastercard": Attack(K.END_APPLICATION, "transaction data differs"),
    "malicious-currency-online": Attack(K.ONLINE_REQUEST, issuer="wrong cryptogram"),
    "malicious-cvm-list": Attack(K.END_APPLICATION, "card certificate: hash differs"),
    "malicious-downgrade": Attack(K.END_APPLICATION, "magstripe mode only"),
    "malicious-expiry": Attack(K.END_APPLICATION, "card certificate: hash differs"),
    "malicious-forged": Attack(K.DECLINED, "another key signed it"),
    "malicious-forged-mastercard": Attack(K.END_APPLICATION, "another key signed it"),
    "malicious-forged-unionpay": Attack(K.DECLINED, "no dynamic data authentication"),
    "malicious-forged-unsigned": Attack(K.DECLINED, "no dynamic data authentication"),
    "malicious-garbage": UNUSABLE,
    "malicious-pin-wedge": Attack(K.DECLINED, "name no verification", "results_differ", amount=LARGE),
    "malicious-pin-wedge-visa": Attack(K.DECLINED, "data for the issuer says not", "device_contradiction"),
    "malicious-ppse-empty": UNUSABLE,
    "malicious-ppse-huge": HONEST,
    "malicious-ppse-kernel-id": UNUSABLE,
    "malicious-ppse-long-kernel-id": HONEST,
    "malicious-ppse-long-name": UNUSABLE,
    "malicious-ppse-no-priority": HONEST,
    "malicious-ppse-other-name": UNUSABLE,
    "malicious-ppse-short-name": UNUSABLE,
    "malicious-ppse-wrong-kernel": UNUSABLE,
    "malicious-pre-play": Attack(K.END_APPLICATION, "signed dynamic data: hash differs"),
    "malicious-pre-play-online": Attack(K.ONLINE_REQUEST, issuer="wrong cryptogram"),
    "malicious-profile": Attack(K.ONLINE_REQUEST, issuer="wrong cryptogram"),
    "malicious-relay": Attack(K.ONLINE_REQUEST, finding="relay", issuer="approved"),
    "malicious-relay-hidden": Attack(K.END_APPLICATION, "card certificate: hash differs"),
    "malicious-tlv-duplicate": UNUSABLE,
    "malicious-tlv-empty": UNUSABLE,
    "malicious-tlv-indefinite": UNUSABLE,
    "malicious-tlv-long-tag": UNUSABLE,
    "malicious-tlv-nested": UNUSABLE,
    "malicious-tlv-overlong": UNUSABLE,
    "malicious-tlv-status": UNUSABLE,
    "malicious-tlv-trailing": UNUSABLE,
    "malicious-transit-relay": Attack(K.ONLINE_REQUEST, finding="unverified_phone", issuer="approved"),
    "malicious-transit-relay-high": Attack(K.DECLINED, amount=LARGE),
    "malicious-weak-key": Attack(K.DECLINED, "ROCA", "weak_key"),
    "malicious-weak-key-visa": Attack(K.DECLINED, "ROCA", "weak_key"),
}
REPLAYS = {"malicious-replay", "malicious-replay-mastercard", "malicious-replay-unsigned"}


def test_every_malicious_card_is_here() -> None:
    malicious = {name for name in profile.profiles() if name.startswith("malicious-")}
    assert malicious == set(ATTACKS) | REPLAYS


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_is_stopped_or_told(name: str) -> None:
    expected = ATTACKS[name]
    outcome = tap(profile.load(name), config(pin_pad=expected.pin_pad), expected.amount)
    assert outcome.kind is expected.kind, outcome.reason
    assert expected.words in outcome.reason
    assert [finding.check for finding in outcome.findings] == [expected.finding] * bool(expected.finding)
    if expected.issuer:
        assert outcome.data_record is not None
        said = scheme_issuer(outcome.data_record.reveal(), expected.amount)
        assert (said.message or "approved") == expected.issuer


def test_the_scheme_itself_would_have_approved_a_pin_wedge() -> None:
    outcome = tap(profile.load("malicious-pin-wedge"), config(), LARGE)
    assert (outcome.kind, outcome.scheme_kind) == (K.DECLINED, K.APPROVED)


REPLAYED: dict[str, Callable[[Outcome], bool]] = {
    # The second terminal has another unpredictable number, and the old signature is not over it.
    "malicious-replay": lambda again: "hash differs" in again.reason,
    "malicious-replay-mastercard": lambda again: "hash differs" in again.reason,
    "malicious-replay-unsigned": lambda again: "no dynamic data authentication" in again.reason,
}


@pytest.mark.parametrize("name", sorted(REPLAYS))
def test_a_replayed_approval_is_worth_nothing_to_another_transaction(name: str) -> None:
    card = profile.load(name)
    tap(card, config())
    again = tap(card, config())
    assert again.kind in (K.DECLINED, K.END_APPLICATION)
    assert REPLAYED[name](again), again.reason


def test_the_issuer_takes_a_cryptogram_once() -> None:
    outcome = tap(profile.load("visa-approve"), config(floor_limit=0))
    assert outcome.data_record is not None
    issuer = WatchfulIssuer()
    assert issuer(outcome.data_record.reveal(), SMALL).approved
    assert not issuer(outcome.data_record.reveal(), SMALL).approved
