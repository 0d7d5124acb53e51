"""Kernel 3: every decision at the end of a tap."""

from dataclasses import replace

import pytest

from emv.fields import Ttq
from emv.kernel import Transaction
from emv.outcome import CvmResult, MessageId, OutcomeKind
from emv.sensitive import Pan
from tests.emv import visa_card as visa
from tests.emv.c3_tap import READER, ROOMY, run, run_genuine
from tests.emv.genuine_card import GenuineCard
from tests.emv.visa_card import options


@pytest.mark.parametrize("cid", ["40", None])
def test_nothing_is_approved_offline_without_authentication(purchase: Transaction, cid: str | None) -> None:
    answer = options(t9F27=cid, t9F10="06011203900000", t5F24="271231")
    outcome = run(purchase, answer, floor_limit=ROOMY)
    assert outcome.kind is OutcomeKind.DECLINED
    assert outcome.reason.startswith("offline data authentication not performed")


FORGED: dict[str, str | None] = {"t9F4B": "AA" * 128}


@pytest.mark.parametrize(
    ("card", "changed", "ttq", "kind"),
    [
        (GenuineCard(), {}, READER, OutcomeKind.APPROVED),
        (GenuineCard(), FORGED, READER, OutcomeKind.DECLINED),
        (GenuineCard(ctq="2000"), FORGED, READER, OutcomeKind.ONLINE_REQUEST),
        (GenuineCard(ctq="2000"), FORGED, READER | Ttq.OFFLINE_ONLY, OutcomeKind.DECLINED),
        (GenuineCard(ctq="1000"), FORGED, READER, OutcomeKind.DECLINED),
        (GenuineCard(ctq="1000"), FORGED, READER | Ttq.CONTACT_CHIP, OutcomeKind.TRY_ANOTHER_INTERFACE),
        (GenuineCard(aip="0000", ctq="2000"), {}, READER, OutcomeKind.ONLINE_REQUEST),
        (GenuineCard(aip="4000"), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(version=0), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(version=None), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(signed_format=0x95), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(expiry="250101"), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(expiry=None), {}, READER, OutcomeKind.DECLINED),
        (GenuineCard(expiry="250101", ctq="0800"), {}, READER, OutcomeKind.ONLINE_REQUEST),
        (GenuineCard(expiry="250101", ctq="0800"), {}, READER | Ttq.OFFLINE_ONLY, OutcomeKind.DECLINED),
        (GenuineCard(expiry="260509"), {}, READER, OutcomeKind.APPROVED),
    ],
)
def test_a_card_that_approves(
    purchase: Transaction, card: GenuineCard, changed: dict[str, str | None], ttq: Ttq, kind: OutcomeKind
) -> None:
    outcome = run_genuine(purchase, card, changed=changed, ttq=ttq, floor_limit=ROOMY)
    assert outcome.kind is kind


def test_a_signature_for_another_payment_is_none(purchase: Transaction) -> None:
    card = GenuineCard()
    for other in (
        replace(purchase, amount_minor=1),
        replace(purchase, currency="840"),
        replace(purchase, unpredictable_number=bytes(4)),
    ):
        changed: dict[str, str | None] = {"t9F4B": card.signature(other)}
        assert run_genuine(purchase, card, changed=changed, floor_limit=ROOMY).kind is OutcomeKind.DECLINED


def test_a_card_on_the_exception_file_is_not_taken_offline(purchase: Transaction) -> None:
    stolen = frozenset({Pan(visa.NUMBER)})
    outcome = run_genuine(purchase, GenuineCard(), floor_limit=ROOMY, exceptions=stolen)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.DECLINED, "the card is on the exception file")
    outcome = run_genuine(purchase, GenuineCard(cid="80"), floor_limit=ROOMY, exceptions=stolen)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST


def test_the_reader_may_ask_for_the_issuer_where_the_card_does_not(purchase: Transaction) -> None:
    outcome = run_genuine(purchase, GenuineCard(), floor_limit=0)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert outcome.reason == "the reader asks for the issuer"


@pytest.mark.parametrize(
    ("cid", "issuer_data", "kind"),
    [
        ("80", "06011203A00000", OutcomeKind.ONLINE_REQUEST),
        ("00", "06011203A00000", OutcomeKind.DECLINED),
        ("C0", "06011203A00000", OutcomeKind.DECLINED),
        (None, "06011203A00000", OutcomeKind.ONLINE_REQUEST),
        (None, "06011203800000", OutcomeKind.DECLINED),
        (None, "06011203B00000", OutcomeKind.DECLINED),
        (None, "1F220120A0" + "00" * 27, OutcomeKind.DECLINED),
        (None, "0601", OutcomeKind.DECLINED),
    ],
)
def test_the_kind_of_cryptogram_decides(
    purchase: Transaction, cid: str | None, issuer_data: str, kind: OutcomeKind
) -> None:
    assert run(purchase, options(t9F27=cid, t9F10=issuer_data)).kind is kind


PIN = Ttq.ONLINE_PIN


@pytest.mark.parametrize(
    ("ctq", "signed", "ttq", "required", "cvm"),
    [
        (None, None, Ttq(0), False, CvmResult.NONE),
        (None, None, Ttq.SIGNATURE, True, CvmResult.SIGNATURE),
        (None, None, PIN | Ttq.CONSUMER_DEVICE_CVM, True, CvmResult.ONLINE_PIN),
        (None, None, Ttq.CONSUMER_DEVICE_CVM, True, None),
        (None, None, PIN, True, None),
        ("0000", None, Ttq.SIGNATURE, False, CvmResult.NONE),
        ("0000", None, Ttq.SIGNATURE, True, None),
        ("8000", None, PIN, True, CvmResult.ONLINE_PIN),
        ("8000", None, Ttq.SIGNATURE, True, None),
        ("C000", None, Ttq.SIGNATURE, True, CvmResult.SIGNATURE),
        ("8080", None, PIN, True, CvmResult.ONLINE_PIN),
        ("4000", None, PIN | Ttq.SIGNATURE, True, CvmResult.SIGNATURE),
        ("0080", None, PIN, True, CvmResult.CONFIRMED_BY_DEVICE),
        ("0080", None, Ttq(0), True, CvmResult.CONFIRMED_BY_DEVICE),
        ("0080", "01AABBCCDD0080", Ttq(0), True, CvmResult.CONFIRMED_BY_DEVICE),
        ("0080", "01AABBCCDD0000", Ttq(0), True, None),
        ("0080", "01AABBCCDD", Ttq(0), True, None),
        ("4000", None, Ttq.SIGNATURE, True, CvmResult.SIGNATURE),
        ("4000", None, Ttq(0), False, CvmResult.NONE),
    ],
)
def test_the_cardholder_is_verified_as_the_ctq_says(
    purchase: Transaction,
    ctq: str | None,
    signed: str | None,
    ttq: Ttq,
    required: bool,
    cvm: CvmResult | None,
) -> None:
    answer = options(t9F6C=ctq, t9F69=signed)
    outcome = run(purchase, answer, ttq=Ttq.EMV_MODE | ttq, cvm_limit=1250 if required else None)
    if cvm is None:
        assert outcome.kind is OutcomeKind.DECLINED
        assert "verification" in outcome.reason
    else:
        assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, cvm)


def test_a_device_that_approved_offline_needs_the_signed_copy(purchase: Transaction) -> None:
    for card, kind in (
        (GenuineCard(ctq="0080"), OutcomeKind.APPROVED),
        (GenuineCard(ctq="0080", signed_ctq="0000"), OutcomeKind.DECLINED),
    ):
        assert run_genuine(purchase, card, floor_limit=ROOMY).kind is kind


def test_a_device_that_approved_is_not_believed_without_a_signed_copy(purchase: Transaction) -> None:
    """Without 9F69 it is not authenticated, goes online by its CTQ, and its claim counts for nothing."""
    outcome = run_genuine(purchase, GenuineCard(ctq="2080", version=None), floor_limit=ROOMY)
    assert outcome.kind is OutcomeKind.DECLINED
    assert "verification" in outcome.reason


def test_a_signature_is_asked_for_on_screen_and_receipt(purchase: Transaction) -> None:
    outcome = run_genuine(purchase, GenuineCard(ctq="4000"), floor_limit=ROOMY)
    assert outcome.ui_on_outcome is not None
    assert (outcome.ui_on_outcome.message, outcome.receipt) == (MessageId.APPROVED_SIGN, True)


def test_a_card_that_approves_can_leave_the_pin_to_the_issuer(purchase: Transaction) -> None:
    outcome = run_genuine(purchase, GenuineCard(ctq="8000"), ttq=READER | Ttq.ONLINE_PIN, floor_limit=ROOMY)
    assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, CvmResult.ONLINE_PIN)
    assert outcome.reason == "the PIN is verified by the issuer"


@pytest.mark.parametrize(
    ("kind", "usage", "issuer", "ctq", "expected"),
    [
        (0x01, "8000", "0276", "0000", OutcomeKind.ONLINE_REQUEST),
        (0x01, "4000", "0276", "0000", OutcomeKind.DECLINED),
        (0x01, "4000", "0840", "0000", OutcomeKind.ONLINE_REQUEST),
        (0x01, None, "0276", "0000", OutcomeKind.DECLINED),
        (0x01, "8000", None, "0400", OutcomeKind.TRY_ANOTHER_INTERFACE),
        (0x09, "0080", "0276", "0000", OutcomeKind.ONLINE_REQUEST),
        (0x09, "0040", "0276", "0200", OutcomeKind.TRY_ANOTHER_INTERFACE),
        (0x00, None, None, "0000", OutcomeKind.ONLINE_REQUEST),
    ],
)
def test_cash_and_cashback_look_at_the_usage_control(
    purchase: Transaction,
    kind: int,
    usage: str | None,
    issuer: str | None,
    ctq: str,
    expected: OutcomeKind,
) -> None:
    answer = options(t9F07=usage, t5F28=issuer, t9F6C=ctq)
    outcome = run(replace(purchase, type=kind), answer, check_cash=True, check_cashback=True)
    assert outcome.kind is expected
