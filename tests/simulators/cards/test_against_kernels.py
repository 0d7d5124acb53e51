"""Cards and the terminal's kernels, which share no code, in whole taps: where both read the books alike."""

import datetime

import pytest

from emv.apdu import ResponseApdu
from emv.c2_options import C2Options
from emv.c3_options import C3Options
from emv.c6_options import C6Options
from emv.c7_options import C7Options
from emv.capk import parse_ca_keys
from emv.config import CombinationConfig, EmvConfig
from emv.emv_options import EmvOptions
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import Begin, CardAnswered, CardLost, Complete, SendCommand, Transaction
from emv.outcome import Outcome
from simulators.cards import profile
from simulators.cards.card import AnswersLate, SimulatedCard
from simulators.scheme import ca_keys_json

TTQ = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM | Ttq.ODA_FOR_ONLINE
ROWS = (
    ("A0000000031010", 3, C3Options(), TTQ),
    ("A0000000041010", 2, C2Options(), None),
    ("A0000000043060", 2, C2Options(), None),
    ("A00000002501", 4, EmvOptions(), None),
    ("A0000000651010", 5, EmvOptions(), None),
    ("A0000001523010", 6, C6Options(), TTQ),
    ("A000000333010101", 7, C7Options(), TTQ),
    ("A000000333010102", 7, C7Options(), TTQ),
)
CONFIG = EmvConfig(
    country="276",
    currency="978",
    ca_keys=parse_ca_keys(ca_keys_json()),
    combinations=tuple(
        CombinationConfig(
            aid=bytes.fromhex(aid),
            kernel_id=kernel,
            ttq=ttq,
            floor_limit=10_000,
            cvm_limit=5_000,
            options=options,
        )
        for aid, kernel, options, ttq in ROWS
    ),
)
SALE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12, 30),
    unpredictable_number=bytes.fromhex("0BADCAFE"),
    sequence_counter=1,
    spare_unpredictable_numbers=(b"\x01\x01\x01\x01", b"\x02\x02\x02\x02"),
)


def outcome_of(card: SimulatedCard) -> Outcome:
    """Play a tap; a card far away takes so much longer than the 3 ms of a near one."""
    entry_point = EntryPoint(CONFIG)
    card.power_on()
    delay_us = card.delay_us(b"") if isinstance(card, AnswersLate) else 0
    actions = entry_point.handle(Begin(SALE))
    while not isinstance(actions[-1], Complete):
        asked = actions[-1]
        assert isinstance(asked, SendCommand)
        rapdu = card.transmit(asked.command.encode())
        answer = CardLost() if rapdu is None else CardAnswered(ResponseApdu.decode(rapdu), 3000 + delay_us)
        actions = entry_point.handle(answer)
    return actions[-1].outcome


@pytest.mark.parametrize(
    ("name", "ends", "authentication"),
    [
        ("visa-approve", "ONLINE_REQUEST", "not performed"),
        ("visa-offline", "APPROVED", "succeeded"),
        ("visa-offline-long-key", "APPROVED", "succeeded"),
        ("visa-offline-exponent", "APPROVED", "succeeded"),
        ("visa-offline-small-keys", "APPROVED", "succeeded"),
        ("visa-online-signed", "ONLINE_REQUEST", "succeeded"),
        ("visa-online-signed-05", "ONLINE_REQUEST", "succeeded"),
        ("visa-wallet", "ONLINE_REQUEST", "succeeded"),
        ("visa-decline", "DECLINED", "not performed"),
        ("visa-revoked", "DECLINED", "failed"),
        ("visa-unknown-ca", "DECLINED", "failed"),
        ("visa-expired-ca", "DECLINED", "failed"),
        ("visa-issuer-expired", "DECLINED", "failed"),
        ("visa-certificate-expired", "DECLINED", "failed"),
        ("visa-bad-issuer-hash", "DECLINED", "failed"),
        ("visa-bad-issuer-signer", "DECLINED", "failed"),
        ("visa-bad-issuer-number", "DECLINED", "failed"),
        ("visa-bad-icc-hash", "DECLINED", "failed"),
        ("visa-bad-icc-number", "DECLINED", "failed"),
        ("visa-bad-signature-hash", "DECLINED", "failed"),
        ("visa-bad-signature-key", "DECLINED", "failed"),
        ("mastercard-approve", "APPROVED", "succeeded"),
        ("mastercard-debit", "APPROVED", "succeeded"),
        ("mastercard-online", "ONLINE_REQUEST", "succeeded"),
        ("mastercard-decline", "DECLINED", "not performed"),
        ("mastercard-relay-resistance", "APPROVED", "succeeded"),
        ("mastercard-balance", "APPROVED", "succeeded"),
        ("mastercard-bad-signature-hash", "END_APPLICATION", "failed"),
        ("unionpay-approve", "APPROVED", "succeeded"),
        ("unionpay-wallet", "ONLINE_REQUEST", "succeeded"),
        ("unionpay-bad-icc-hash", "DECLINED", "failed"),
        ("amex-approve", "APPROVED", "succeeded"),
        ("amex-online", "ONLINE_REQUEST", "succeeded"),
        ("jcb-approve", "APPROVED", "succeeded"),
        ("discover-approve", "APPROVED", "succeeded"),
        ("discover-online", "ONLINE_REQUEST", "succeeded"),
        ("discover-decline", "DECLINED", "not performed"),
        ("discover-bad-signature-hash", "DECLINED", "failed"),
        ("malicious-forged", "DECLINED", "failed"),
        ("malicious-forged-unsigned", "DECLINED", "not performed"),
        ("malicious-currency", "DECLINED", "failed"),
        ("malicious-pre-play", "END_APPLICATION", "failed"),
        ("malicious-relay-hidden", "END_APPLICATION", "failed"),
        ("malicious-cvm-list", "END_APPLICATION", "failed"),
    ],
)
def test_a_tap_ends_as_the_profile_says(name: str, ends: str, authentication: str) -> None:
    outcome = outcome_of(profile.load(name))
    assert outcome.kind.name == ends, outcome.reason
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result.value == authentication


@pytest.mark.parametrize("name", profile.profiles())
def test_no_card_breaks_the_terminal(name: str) -> None:
    card = profile.load(name)
    outcome_of(card)
    outcome_of(card)


def test_a_relayed_card_does_not_pass_for_a_near_one() -> None:
    near = outcome_of(profile.load("mastercard-relay-resistance"))
    far = outcome_of(profile.load("malicious-relay"))
    assert near.kind.name == "APPROVED"
    assert far.kind.name != "APPROVED"
