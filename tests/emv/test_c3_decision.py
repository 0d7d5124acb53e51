"""Kernel 3: every decision at the end of a tap."""

from dataclasses import replace

import pytest

from emv.fields import Ttq
from emv.kernel import Transaction
from emv.oda import OdaResult
from emv.outcome import CvmResult, MessageId, OutcomeKind
from tests.emv.c3_tap import READER, run, with_oda
from tests.emv.visa_card import options


@pytest.mark.parametrize("cid", ["40", None])
def test_nothing_is_approved_offline_without_authentication(purchase: Transaction, cid: str | None) -> None:
    answer = options(t9F27=cid, t9F10="06011203900000", t5F24="271231")
    outcome = run(purchase, answer, floor_limit=10**6)
    assert outcome.kind is OutcomeKind.DECLINED
    assert outcome.reason == "offline data authentication not performed"


ODA = {"t9F27": "40", "t5F24": "271231"}


@pytest.mark.parametrize(
    ("changed", "result", "ttq", "kind"),
    [
        ({}, OdaResult.SUCCEEDED, READER, OutcomeKind.APPROVED),
        ({}, OdaResult.FAILED, READER, OutcomeKind.DECLINED),
        ({"t9F6C": "2000"}, OdaResult.FAILED, READER, OutcomeKind.ONLINE_REQUEST),
        ({"t9F6C": "2000"}, OdaResult.NOT_PERFORMED, READER, OutcomeKind.ONLINE_REQUEST),
        ({"t9F6C": "2000"}, OdaResult.FAILED, READER | Ttq.OFFLINE_ONLY, OutcomeKind.DECLINED),
        ({"t9F6C": "1000"}, OdaResult.FAILED, READER, OutcomeKind.DECLINED),
        ({"t9F6C": "1000"}, OdaResult.FAILED, READER | Ttq.CONTACT_CHIP, OutcomeKind.TRY_ANOTHER_INTERFACE),
        ({"t5F24": "250101"}, OdaResult.SUCCEEDED, READER, OutcomeKind.DECLINED),
        ({"t5F24": None}, OdaResult.SUCCEEDED, READER, OutcomeKind.DECLINED),
        ({"t5F24": "250101", "t9F6C": "0800"}, OdaResult.FAILED, READER, OutcomeKind.ONLINE_REQUEST),
        ({"t5F24": "260509"}, OdaResult.SUCCEEDED, READER, OutcomeKind.APPROVED),
    ],
)
def test_a_card_that_approves(
    purchase: Transaction, changed: dict[str, str | None], result: OdaResult, ttq: Ttq, kind: OutcomeKind
) -> None:
    answer = options(**(ODA | changed))
    outcome = run(purchase, answer, kernels=with_oda(result), ttq=ttq, floor_limit=10**6)
    assert outcome.kind is kind


def test_the_reader_may_ask_for_the_issuer_where_the_card_does_not(purchase: Transaction) -> None:
    outcome = run(purchase, options(**ODA), kernels=with_oda(OdaResult.SUCCEEDED), floor_limit=0)
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
    kernels = with_oda(OdaResult.SUCCEEDED)
    bare = options(**ODA, t9F6C="0080")
    assert run(purchase, bare, kernels=kernels, floor_limit=10**6).kind is OutcomeKind.DECLINED
    signed = options(**ODA, t9F6C="0080", t9F69="01AABBCCDD0080")
    assert run(purchase, signed, kernels=kernels, floor_limit=10**6).kind is OutcomeKind.APPROVED


def test_a_signature_is_asked_for_on_screen_and_receipt(purchase: Transaction) -> None:
    kernels = with_oda(OdaResult.SUCCEEDED)
    outcome = run(purchase, options(**ODA, t9F6C="4000"), kernels=kernels, floor_limit=10**6)
    assert outcome.ui_on_outcome is not None
    assert (outcome.ui_on_outcome.message, outcome.receipt) == (MessageId.APPROVED_SIGN, True)


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
