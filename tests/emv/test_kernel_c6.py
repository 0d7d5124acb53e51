"""Kernel 6: whole taps of cards that sign their processing options, and every decision at their end."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from emv.background import Background
from emv.c6_options import C6Options
from emv.fields import Ttq, Tvr
from emv.guard import guarded
from emv.guard_policy import GuardPolicy
from emv.kernel import Transaction
from emv.kernel_c6 import KernelC6
from emv.oda import OdaMethod, OdaResult
from emv.outcome import CvmResult, Outcome, OutcomeKind
from emv.sensitive import Pan
from emv.tags import Tag
from tests.emv.dpas_card import FAILED, VERIFIED, DpasCard
from tests.emv.emv_card import AAC, ARQC, CRYPTOGRAM, PANS, TC, activation, found, sent, tap

APPROVED, DECLINED, ONLINE = OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST
ENDED, SWITCHED, NEXT = (
    OutcomeKind.END_APPLICATION,
    OutcomeKind.TRY_ANOTHER_INTERFACE,
    OutcomeKind.SELECT_NEXT,
)
READER = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM | Ttq.ODA_FOR_ONLINE
NO_CVM, NO_MORE = "0028C8", "0020C8"
"""Terminal capabilities with and without "no verification"."""


def run(
    card: DpasCard, payment: Transaction, *, ttq: Ttq = READER, keys_of: str | None = "discover", **more: Any
) -> Outcome:
    """Return what the kernel itself comes to: the scheme's verdict, before our own checks."""
    given = activation(card, payment, scheme="discover", keys_of=keys_of, ttq=ttq, **more)
    return tap(KernelC6(given), card, payment)


def tvr(outcome: Outcome) -> Tvr:
    assert outcome.evidence is not None
    return Tvr.from_bytes(outcome.evidence.terminal.get(Tag.TVR, b""), "big")


def test_an_approval_is_signed_with_its_cryptogram(purchase: Transaction) -> None:
    outcome = run(DpasCard(), purchase)
    assert (outcome.kind, outcome.cvm) == (APPROVED, CvmResult.NONE)
    assert outcome.evidence is not None
    assert (outcome.evidence.oda.method, outcome.evidence.oda.result) == (OdaMethod.CDA, OdaResult.SUCCEEDED)
    record = sent(outcome)
    assert record[Tag.CRYPTOGRAM] == CRYPTOGRAM
    assert record[Tag.CID] == b"\x40"
    assert record[Tag.TVR] == bytes(5)
    assert found(outcome) == ("0000000000", "E000", "1F0002")


def test_a_request_in_clear_needs_no_authentication(purchase: Transaction) -> None:
    outcome = run(DpasCard(kind=ARQC, signs=False), purchase)
    assert outcome.kind is ONLINE
    assert sent(outcome)[Tag.CRYPTOGRAM] == CRYPTOGRAM
    assert tvr(outcome) == Tvr.ODA_NOT_PERFORMED


def test_a_request_may_be_signed(purchase: Transaction) -> None:
    outcome = run(DpasCard(kind=ARQC), purchase)
    assert outcome.kind is ONLINE
    assert sent(outcome)[Tag.CRYPTOGRAM] == CRYPTOGRAM
    assert tvr(outcome) == 0


def test_a_decline_of_the_card_is_one_even_for_a_loyalty_programme(purchase: Transaction) -> None:
    for requirements in ("0000", "2000"):
        assert run(DpasCard(kind=AAC, requirements=requirements), purchase).kind is DECLINED


def test_a_kind_that_is_none_is_declined(purchase: Transaction) -> None:
    assert run(DpasCard(kind=0xC0), purchase).kind is DECLINED


@pytest.mark.parametrize(
    "tag", [Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CID, 0x9F71, Tag.AFL, Tag.TRACK_2]
)
def test_what_a_card_must_give(tag: int, purchase: Transaction) -> None:
    card = DpasCard(given={tag: None})
    if tag == Tag.TRACK_2:
        card._records[1, 1] = b"\x70\x00"
    outcome = run(card, purchase)
    assert outcome.kind is ENDED
    assert f"{tag:02X}" in outcome.reason


def test_a_request_without_records_is_taken(purchase: Transaction) -> None:
    track = f"{PANS['discover']}D27122011234567F"
    outcome = run(DpasCard(kind=ARQC, signs=False, given={0x94: None, 0x57: track}), purchase)
    assert outcome.kind is ONLINE
    assert not tvr(outcome) & Tvr.EXPIRED


def test_no_cryptogram_anywhere_ends(purchase: Transaction) -> None:
    outcome = run(DpasCard(signs=False, given={0x9F26: None}), purchase)
    assert outcome.kind is ENDED
    assert "9F26" in outcome.reason


def test_a_signed_cryptogram_that_is_in_clear_too_ends(purchase: Transaction) -> None:
    assert run(DpasCard(given={0x9F26: CRYPTOGRAM.hex()}), purchase).kind is ENDED


@pytest.mark.parametrize("given", [{0x9F71: "00"}, {0x9F27: "4040"}, {0x82: "00"}])
def test_impossible_lengths_end(given: Mapping[int, str | None], purchase: Transaction) -> None:
    assert run(DpasCard(signs=False, given=given), purchase).kind is ENDED


def test_an_application_that_does_not_ask_for_the_ttq_is_left(purchase: Transaction) -> None:
    assert run(DpasCard(pdol="9F3704"), purchase).kind is NEXT


# Authentication


@pytest.mark.parametrize(
    ("requirements", "ttq", "kind"),
    [
        ("0000", READER, DECLINED),
        ("0020", READER, DECLINED),
        ("0020", READER | Ttq.CONTACT_CHIP, SWITCHED),
        ("0060", READER | Ttq.CONTACT_CHIP, SWITCHED),
        ("0040", READER, ONLINE),
        ("0040", READER | Ttq.OFFLINE_ONLY, DECLINED),
        ("00C0", READER | Ttq.OFFLINE_ONLY, DECLINED),
        ("00C0", READER | Ttq.OFFLINE_ONLY | Ttq.CONTACT_CHIP, SWITCHED),
    ],
)
def test_an_approval_without_signature_goes_where_the_card_says(
    requirements: str, ttq: Ttq, kind: OutcomeKind, purchase: Transaction
) -> None:
    outcome = run(DpasCard(signs=False, requirements=requirements), purchase, ttq=ttq)
    assert outcome.kind is kind
    assert tvr(outcome) == Tvr.CDA_FAILED | Tvr.ICC_DATA_MISSING


@pytest.mark.parametrize("card", [DpasCard(forges=True), DpasCard(forges=True, requirements="0040")])
def test_a_cryptogram_that_stays_in_its_signature_goes_nowhere(card: DpasCard, purchase: Transaction) -> None:
    outcome = run(card, purchase)
    assert outcome.kind is DECLINED
    assert tvr(outcome) == Tvr.CDA_FAILED


def test_a_request_whose_signature_is_wrong_is_declined(purchase: Transaction) -> None:
    assert run(DpasCard(kind=ARQC, forges=True), purchase).kind is DECLINED


def test_a_signature_in_a_record_is_none(purchase: Transaction) -> None:
    outcome = run(DpasCard(signed_apart=True), purchase)
    assert outcome.kind is ENDED
    assert "9F26" in outcome.reason
    outcome = run(DpasCard(signed_apart=True, given={0x9F26: CRYPTOGRAM.hex()}), purchase)
    assert outcome.kind is DECLINED


def test_another_payment_does_not_pass_for_the_one_that_was_signed(purchase: Transaction) -> None:
    another = replace(purchase, unpredictable_number=b"\5\5\5\5")
    assert run(DpasCard(), another).kind is DECLINED


def test_without_scheme_keys_the_reader_asks_for_the_issuer(purchase: Transaction) -> None:
    card = DpasCard(kind=ARQC, signs=False)
    assert run(card, purchase, keys_of=None).kind is ONLINE
    assert Ttq.from_bytes(card.told, "big") & (Ttq.ODA_FOR_ONLINE | Ttq.ONLINE_CRYPTOGRAM_REQUIRED) == (
        Ttq.ONLINE_CRYPTOGRAM_REQUIRED
    )
    assert run(DpasCard(), purchase, keys_of=None).kind is DECLINED
    outcome = run(DpasCard(kind=ARQC), purchase, keys_of=None)
    assert outcome.kind is DECLINED
    assert "no scheme keys" in outcome.reason


def test_the_ttq_names_nothing_that_is_not_there(purchase: Transaction) -> None:
    ttq = READER | Ttq.MAGSTRIPE_MODE | Ttq.ISSUER_UPDATE
    for options, told in ((None, READER), (C6Options(ttq_as_configured=True), ttq)):
        card = DpasCard()
        run(card, purchase, ttq=ttq, options=options)
        assert card.told == told.to_bytes(4, "big")


# Restrictions


def test_an_approval_where_the_issuer_was_asked_for_is_declined(purchase: Transaction) -> None:
    outcome = run(DpasCard(), purchase, floor_limit=0)
    assert outcome.kind is DECLINED
    assert tvr(outcome) & Tvr.FLOOR_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("requirements", "kind", "ends"),
    [
        ("0000", TC, DECLINED),
        ("0004", TC, DECLINED),
        ("000C", TC, DECLINED),
        ("0008", TC, ONLINE),
        ("0000", ARQC, ONLINE),
        ("0004", ARQC, DECLINED),
        ("0008", ARQC, ONLINE),
    ],
)
def test_an_expired_card(requirements: str, kind: int, ends: OutcomeKind, purchase: Transaction) -> None:
    card = DpasCard(kind=kind, requirements=requirements, records={0x5F24: "260508"})
    outcome = run(card, purchase)
    assert outcome.kind is ends
    assert tvr(outcome) & Tvr.EXPIRED


def test_an_approval_without_a_last_day_is_declined(purchase: Transaction) -> None:
    assert run(DpasCard(records={0x5F24: None}), purchase).kind is DECLINED


def test_a_card_that_is_not_valid_yet_goes_online(purchase: Transaction) -> None:
    outcome = run(DpasCard(records={0x5F25: "260510"}), purchase)
    assert outcome.kind is ONLINE
    assert tvr(outcome) == Tvr.NOT_YET_EFFECTIVE


def test_a_card_that_is_not_for_this_is_declined(purchase: Transaction) -> None:
    outcome = run(DpasCard(kind=ARQC, records={0x9F07: "0000"}), purchase)
    assert outcome.kind is DECLINED
    assert tvr(outcome) & Tvr.SERVICE_NOT_ALLOWED


@pytest.mark.parametrize("kind", [TC, ARQC])
def test_a_card_on_the_exception_file_is_declined(kind: int, purchase: Transaction) -> None:
    background = Background(exceptions=frozenset({Pan(PANS["discover"])}))
    outcome = run(DpasCard(kind=kind), purchase, background=background)
    assert outcome.kind is DECLINED
    assert tvr(outcome) & Tvr.ON_EXCEPTION_FILE


# Verification


PIN = READER | Ttq.ONLINE_PIN
PLAIN = Ttq.EMV_MODE | Ttq.ODA_FOR_ONLINE


@pytest.mark.parametrize(
    ("requirements", "issuer_data", "ttq", "capabilities", "cvm"),
    [
        ("8000", None, PIN, NO_CVM, CvmResult.ONLINE_PIN),
        ("8002", None, READER, NO_CVM, CvmResult.SIGNATURE),
        ("8000", None, READER, NO_CVM, None),
        ("8001", None, READER, NO_CVM, CvmResult.NONE),
        ("8001", None, READER, NO_MORE, None),
        ("8003", None, PLAIN, NO_CVM, CvmResult.NONE),
        ("4000", None, READER, NO_CVM, CvmResult.SIGNATURE),
        ("4000", None, PLAIN, NO_CVM, None),
        ("0000", None, READER, NO_CVM, None),
        ("1000", VERIFIED, READER, NO_CVM, CvmResult.CONFIRMED_BY_DEVICE),
        ("9000", VERIFIED, READER, NO_CVM, CvmResult.CONFIRMED_BY_DEVICE),
        ("1000", VERIFIED, PLAIN, NO_CVM, None),
        ("1000", FAILED, READER, NO_CVM, None),
        ("1000", None, READER, NO_CVM, None),
        ("1002", FAILED, READER, NO_CVM, CvmResult.SIGNATURE),
        ("1003", FAILED, PLAIN | Ttq.CONSUMER_DEVICE_CVM, NO_CVM, CvmResult.NONE),
    ],
)
def test_how_the_cardholder_is_verified(
    requirements: str,
    issuer_data: str | None,
    ttq: Ttq,
    capabilities: str,
    cvm: CvmResult | None,
    purchase: Transaction,
) -> None:
    given = {} if issuer_data is None else {0x9F10: issuer_data}
    terminal = {"capabilities": bytes.fromhex(capabilities)}
    for chip in (False, True):
        card = DpasCard(kind=ARQC, requirements=requirements, given=given)
        reader = ttq | Ttq.CONTACT_CHIP if chip else ttq
        outcome = run(card, purchase, ttq=reader, cvm_limit=0, terminal=terminal)
        if cvm is None:
            assert outcome.kind is (SWITCHED if chip else DECLINED)
            assert tvr(outcome) & Tvr.CVM_FAILED
        else:
            assert (outcome.kind, outcome.cvm) == (ONLINE, cvm)


@pytest.mark.parametrize(
    ("requirements", "cvm"),
    [("0000", CvmResult.NONE), ("1000", CvmResult.NONE), ("4000", CvmResult.SIGNATURE)],
)
def test_verification_below_the_limit(requirements: str, cvm: CvmResult, purchase: Transaction) -> None:
    outcome = run(DpasCard(requirements=requirements, given={0x9F10: VERIFIED}), purchase)
    assert (outcome.kind, outcome.cvm) == (APPROVED, cvm)


def test_an_approval_with_a_pin_goes_online(purchase: Transaction) -> None:
    outcome = run(DpasCard(requirements="8000"), purchase, ttq=PIN)
    assert (outcome.kind, outcome.cvm) == (ONLINE, CvmResult.ONLINE_PIN)


@pytest.mark.parametrize(("signs", "kind"), [(True, ONLINE), (False, DECLINED)])
def test_our_own_check_takes_a_device_at_its_word_only_if_it_signed(
    signs: bool, kind: OutcomeKind, purchase: Transaction
) -> None:
    card = DpasCard(kind=ARQC, signs=signs, requirements="1000", given={0x9F10: VERIFIED})
    given = activation(card, purchase, scheme="discover", keys_of="discover", ttq=READER, cvm_limit=0)
    outcome = replace(tap(KernelC6(given), card, purchase), aid=given.aid, kernel_id=6)
    assert outcome.cvm is CvmResult.CONFIRMED_BY_DEVICE
    assert guarded(outcome, replace(given.config, guard=GuardPolicy())).kind is kind
