"""Kernel 7: whole taps and every decision at their end."""

from dataclasses import replace
from typing import Any

import pytest

from emv import tlv
from emv.background import Background
from emv.c7_options import C7Options
from emv.capk import NO_CA_KEYS, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.fields import Ttq, Tvr
from emv.kernel import Activation, Begin, Transaction
from emv.kernel_c7 import KernelC7
from emv.oda import OdaResult
from emv.outcome import CvmResult, MessageId, Outcome, OutcomeKind, Start
from emv.preprocessing import preprocess
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag
from tests.emv import visa_card as visa
from tests.emv.genuine_card import GenuineCard, ca_keys
from tests.emv.scripted_card import ScriptedCard, Tap
from tests.emv.visa_card import one

AID = "A000000333010101"
NUMBER = "6250947000000014"
IAD = "07010103A0000001"
PIN, SIGNATURE, CDCVM = Ttq.ONLINE_PIN, Ttq.SIGNATURE, Ttq.CONSUMER_DEVICE_CVM
READER = Ttq.EMV_MODE | PIN | SIGNATURE | CDCVM
ROOMY = 10**9


@pytest.fixture
def payment(purchase: Transaction) -> Transaction:
    """A purchase of 1200.00 in CNY, above the limit for small amounts."""
    return replace(purchase, amount_minor=120_000, currency="156")


def config(
    *,
    ttq: Ttq = READER,
    floor_limit: int = 0,
    cvm_limit: int | None = None,
    country: str = "156",
    keys: CaKeys = NO_CA_KEYS,
    **more: Any,
) -> EmvConfig:
    row = CombinationConfig(
        aid=bytes.fromhex(AID),
        kernel_id=7,
        ttq=ttq,
        floor_limit=floor_limit,
        cvm_limit=cvm_limit,
        options=C7Options(**more),
    )
    return EmvConfig(country=country, currency="156", combinations=(row,), ca_keys=keys)


def card(**more: Any) -> GenuineCard:
    return GenuineCard(**({"scheme": "unionpay", "number": NUMBER, "iad": IAD} | more))


def online(**changed: str | None) -> str:
    """Return an answer to GET PROCESSING OPTIONS: an online request without records."""
    values: dict[str, str | None] = {"t57": f"{NUMBER}D27122011234567F", "t9F10": IAD}
    return visa.options(**(values | changed))


class AnyOptions(ScriptedCard):
    """Takes any GET PROCESSING OPTIONS."""

    def transmit(self, capdu: bytes) -> bytes | None:
        return super().transmit(bytes.fromhex("80A8") if capdu[:2] == b"\x80\xa8" else capdu)


def run(
    payment: Transaction,
    answer: str,
    *records: tuple[str, str],
    pdol: str = visa.PDOL,
    exceptions: frozenset[Pan] = frozenset(),
    **settings: Any,
) -> Outcome:
    """Return what the kernel itself comes to: the scheme's verdict, before our own checks."""
    terminal = config(**settings)
    row = terminal.combinations[0]
    fci = one("6F", one("84", AID), one("A5", one("50", b"UNIONPAY".hex()), one("9F38", pdol)))
    kernel = KernelC7(
        Activation(
            config=terminal,
            combination=row,
            indicators=preprocess(terminal, row, payment),
            aid=row.aid,
            fci=SensitiveBytes(bytes.fromhex(fci)),
            background=Background(exceptions=exceptions),
        )
    )
    return Tap(kernel, AnyOptions([("80A8", answer), *records])).send(Begin(payment))


def told(outcome: Outcome) -> str:
    """Return the TTQ that the card was sent."""
    assert outcome.evidence is not None
    return outcome.evidence.terminal[Tag.TTQ].hex().upper()


def run_genuine(
    payment: Transaction, genuine: GenuineCard, changed: dict[str, str | None] | None = None, **settings: Any
) -> Outcome:
    answer = genuine.options(payment, **(changed or {}))
    return run(payment, answer, *genuine.records, **({"keys": ca_keys("unionpay")} | settings))


def test_an_online_tap(payment: Transaction) -> None:
    product = "0123456789ABCDEF0123456789ABCDEF"
    outcome = run(payment, online(t9F63=product, t9F6C="8000"))
    assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, CvmResult.ONLINE_PIN)
    assert outcome.label == "UNIONPAY"
    assert outcome.pan is not None
    assert outcome.pan.reveal() == NUMBER
    assert outcome.data_record is not None
    sent = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
    assert sent[0x9F63].hex().upper() == product
    assert sent[Tag.ISSUER_APPLICATION_DATA].hex().upper() == IAD


@pytest.mark.parametrize(
    ("ttq", "settings", "expected"),
    [
        (READER, {}, "26804080"),
        (READER | Ttq(0xC0008000), {}, "26804080"),
        (READER | Ttq.ODA_FOR_ONLINE, {}, "26804080"),
        (READER | Ttq.ODA_FOR_ONLINE, {"keys": ca_keys("unionpay"), "online_needs_oda": False}, "27804080"),
        (READER | Ttq(0xC1008000), {"ttq_as_configured": True, "online_needs_oda": False}, "E780C000"),
        (READER, {"cvm_limit": 0}, "26C04080"),
    ],
)
def test_the_reader_announces_what_it_can_do(
    payment: Transaction, ttq: Ttq, settings: dict[str, Any], expected: str
) -> None:
    assert told(run(payment, online(), ttq=ttq, **settings)) == expected


@pytest.mark.parametrize("pdol", ["", "9F0206"])
def test_an_application_that_does_not_ask_for_the_ttq_is_left_out(payment: Transaction, pdol: str) -> None:
    outcome = run(payment, online(), pdol=pdol)
    assert (outcome.kind, outcome.start) == (OutcomeKind.SELECT_NEXT, Start.C)


def test_a_phone_that_wants_its_owner_is_to_be_presented_again(payment: Transaction) -> None:
    outcome = run(payment, "6986")
    assert (outcome.kind, outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.SEE_PHONE


@pytest.mark.parametrize("tag", ["t82", "t57", "t9F10", "t9F26", "t9F36"])
def test_what_must_be_there_must_be_there(payment: Transaction, tag: str) -> None:
    outcome = run(payment, online(**{tag: None}))
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert tag[1:] in outcome.reason


def test_a_card_that_approves_must_have_records(payment: Transaction) -> None:
    outcome = run(payment, online(t9F27="40"))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.END_APPLICATION, "the card did not give 94")


def test_a_card_that_approves_may_leave_out_track_2(payment: Transaction) -> None:
    outcome = run_genuine(payment, card(), {"t57": None}, floor_limit=ROOMY)
    assert outcome.kind is OutcomeKind.APPROVED
    assert outcome.pan is not None
    assert outcome.pan.reveal() == NUMBER


@pytest.mark.parametrize(
    ("cid", "iad", "kind"),
    [
        ("80", IAD, OutcomeKind.ONLINE_REQUEST),
        (None, IAD, OutcomeKind.ONLINE_REQUEST),
        ("00", IAD, OutcomeKind.DECLINED),
        (None, "0701010380000001", OutcomeKind.DECLINED),
        (None, "0701", OutcomeKind.DECLINED),
    ],
)
def test_the_kind_of_cryptogram_decides(
    payment: Transaction, cid: str | None, iad: str, kind: OutcomeKind
) -> None:
    assert run(payment, online(t9F27=cid, t9F10=iad)).kind is kind


FORGED: dict[str, str | None] = {"t9F4B": "AA" * 128}


@pytest.mark.parametrize(
    ("more", "changed", "ttq", "kind"),
    [
        ({}, {}, READER, OutcomeKind.APPROVED),
        ({}, FORGED, READER, OutcomeKind.DECLINED),
        ({"ctq": "2000"}, FORGED, READER, OutcomeKind.ONLINE_REQUEST),
        ({"ctq": "1000"}, FORGED, READER | Ttq.CONTACT_CHIP, OutcomeKind.TRY_ANOTHER_INTERFACE),
        ({"version": 0}, {}, READER, OutcomeKind.DECLINED),
        ({"aip": "4000"}, {}, READER, OutcomeKind.DECLINED),
        ({"expiry": "250101"}, {}, READER, OutcomeKind.DECLINED),
        ({"expiry": None}, {}, READER, OutcomeKind.DECLINED),
        ({"expiry": "250101", "ctq": "0800"}, {}, READER, OutcomeKind.ONLINE_REQUEST),
        ({"expiry": "250101", "ctq": "0800"}, {}, READER | Ttq.OFFLINE_ONLY, OutcomeKind.DECLINED),
        ({"expiry": "250101", "cid": "80"}, {}, READER, OutcomeKind.DECLINED),
        ({"cid": "80"}, {}, READER | Ttq.OFFLINE_ONLY, OutcomeKind.DECLINED),
        ({"ctq": "8000"}, {}, READER, OutcomeKind.ONLINE_REQUEST),
    ],
)
def test_a_card_that_approves(
    payment: Transaction,
    more: dict[str, Any],
    changed: dict[str, str | None],
    ttq: Ttq,
    kind: OutcomeKind,
) -> None:
    outcome = run_genuine(payment, card(**more), changed, ttq=ttq, floor_limit=ROOMY)
    assert outcome.kind is kind, outcome.reason


def test_nothing_is_approved_offline_without_scheme_keys(payment: Transaction) -> None:
    outcome = run_genuine(payment, card(), floor_limit=ROOMY, keys=NO_CA_KEYS)
    assert outcome.kind is OutcomeKind.DECLINED


def test_the_reader_may_ask_for_the_issuer_where_the_card_does_not(payment: Transaction) -> None:
    outcome = run_genuine(payment, card(), floor_limit=0)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.ONLINE_REQUEST, "the reader asks for the issuer")


def test_authentication_for_online_is_needed_unless_the_issuer_may_decide(payment: Transaction) -> None:
    ttq = READER | Ttq.ODA_FOR_ONLINE
    good = card(cid="80", signed_format=0x95)
    outcome = run_genuine(payment, good, ttq=ttq)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result is OdaResult.SUCCEEDED
    assert run_genuine(payment, good, FORGED, ttq=ttq).kind is OutcomeKind.DECLINED
    asked = run_genuine(payment, good, FORGED, ttq=ttq, online_needs_oda=False)
    assert asked.kind is OutcomeKind.ONLINE_REQUEST
    assert asked.evidence is not None
    assert Tvr.DDA_FAILED in Tvr(int.from_bytes(asked.evidence.terminal[Tag.TVR], "big"))


def test_the_exception_file_stops_a_card_that_approves(payment: Transaction) -> None:
    stolen = frozenset({Pan(NUMBER)})
    outcome = run_genuine(payment, card(), floor_limit=ROOMY, exceptions=stolen)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.DECLINED, "the card is on the exception file")
    asked = run(payment, online(), exceptions=stolen)
    assert asked.kind is OutcomeKind.ONLINE_REQUEST
    assert asked.evidence is not None
    assert Tvr.ON_EXCEPTION_FILE in Tvr(int.from_bytes(asked.evidence.terminal[Tag.TVR], "big"))


@pytest.mark.parametrize(
    ("ctq", "signed", "ttq", "required", "cvm"),
    [
        (None, None, SIGNATURE | PIN, True, CvmResult.SIGNATURE),
        (None, None, PIN, True, CvmResult.ONLINE_PIN),
        (None, None, CDCVM, True, None),
        (None, None, Ttq(0), False, CvmResult.NONE),
        ("8000", None, PIN, False, CvmResult.ONLINE_PIN),
        ("8080", "01AABBCCDD808000", Ttq(0), True, CvmResult.CONFIRMED_BY_DEVICE),
        ("0080", "01AABBCCDD000000", PIN, True, None),
        ("0080", None, PIN, True, CvmResult.CONFIRMED_BY_DEVICE),
        ("4000", None, SIGNATURE, True, CvmResult.SIGNATURE),
        ("0000", None, SIGNATURE, True, None),
        ("0000", None, SIGNATURE, False, CvmResult.NONE),
    ],
)
def test_the_cardholder_is_verified_as_the_ctq_says(
    payment: Transaction,
    ctq: str | None,
    signed: str | None,
    ttq: Ttq,
    required: bool,
    cvm: CvmResult | None,
) -> None:
    answer = online(t9F6C=ctq, t9F69=signed)
    outcome = run(payment, answer, ttq=Ttq.EMV_MODE | ttq, cvm_limit=0 if required else None)
    if cvm is None:
        assert outcome.kind is OutcomeKind.DECLINED
        assert "verification" in outcome.reason
    else:
        assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, cvm)


@pytest.mark.parametrize(
    ("changed", "settings", "cvm"),
    [
        ({"amount_minor": 100_000}, {}, CvmResult.NONE),
        ({"amount_minor": 100_001}, {}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 100_000}, {"cvm_limit": 5000}, CvmResult.NONE),
        ({"amount_minor": 100_001}, {"cvm_limit": 5000}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 30_000}, {"small_amount_limit": 30_000}, CvmResult.NONE),
        ({"amount_minor": 30_001}, {"small_amount_limit": 30_000}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 1}, {"small_amount_limit": None}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 1, "currency": "344"}, {}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 1, "currency": "344"}, {"small_amount_currency": "344"}, CvmResult.NONE),
        ({"amount_minor": 1}, {"country": "702"}, CvmResult.ONLINE_PIN),
        ({"amount_minor": 1}, {"country": "702", "small_amount_country": "702"}, CvmResult.NONE),
        ({"amount_minor": 1, "type": 0x01}, {}, CvmResult.ONLINE_PIN),
    ],
)
def test_a_small_amount_needs_no_pin_and_no_signature(
    payment: Transaction, changed: dict[str, Any], settings: dict[str, Any], cvm: CvmResult
) -> None:
    outcome = run(replace(payment, **changed), online(t9F6C="8000"), **settings)
    assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, cvm)
    required = bool(settings.get("cvm_limit")) and cvm is not CvmResult.NONE
    assert told(outcome) == ("26C04080" if required else "26804080")


def test_a_small_amount_keeps_what_a_phone_has_verified(payment: Transaction) -> None:
    small = replace(payment, amount_minor=500)
    assert run(small, online(t9F6C="4000")).cvm is CvmResult.NONE
    assert run(small, online(t9F6C="0080")).cvm is CvmResult.CONFIRMED_BY_DEVICE
    changed = online(t9F6C="0080", t9F69="01AABBCCDD000000")
    assert run(small, changed).kind is OutcomeKind.DECLINED


def test_the_offline_balance_is_shown_where_that_is_wanted(payment: Transaction) -> None:
    for wanted, balance in ((True, 4711), (False, None)):
        shown = run(payment, online(t9F5D="000000004711"), show_offline_balance=wanted).ui_on_outcome
        assert shown is not None
        assert shown.balance_minor == balance


@pytest.mark.parametrize(
    "wrong", [{"small_amount_limit": -1}, {"small_amount_currency": "CNY"}, {"small_amount_country": "1"}]
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        C7Options(**wrong)
