"""Kernel 2: whole taps, command by command."""

from dataclasses import replace
from typing import Any

import pytest

from emv.apdu import ResponseApdu
from emv.background import Background
from emv.capk import CaKeys
from emv.fields import Tvr
from emv.kernel import Begin, CardAnswered, Complete, Indicators, SendCommand, Transaction
from emv.oda import OdaMethod, OdaResult
from emv.outcome import CvmResult, Interface, MessageId, Outcome, OutcomeKind, Start, UiStatus
from emv.sensitive import Pan, SensitiveBytes
from tests.emv.genuine_card import ca_keys as visa_keys
from tests.emv.mastercard_card import (
    AAC,
    AID,
    ARQC,
    CDA,
    CRYPTOGRAM,
    CVM,
    EMV,
    GENERATE,
    GPO,
    NUMBER,
    ON_DEVICE,
    PLAIN,
    READ,
    RELAY,
    TC,
    C2Tap,
    MastercardCard,
    objects,
    one,
    tap,
    tvr,
)

PHONE = EMV | CVM | CDA | ON_DEVICE
ERROR, L2 = (
    0xDF8115,
    {"missing": "01", "cam": "02", "status": "03", "parsing": "04", "limit": "05", "data": "06"},
)


def error(outcome: Any) -> str:
    """Return the error indication of an outcome."""
    return objects(outcome.discretionary_data)[ERROR]


def expect(outcome: Any, kind: OutcomeKind, l2: str) -> None:
    assert outcome.kind is kind, outcome.reason
    assert error(outcome)[2:4] == L2[l2], outcome.reason
    assert outcome.data_record is None
    assert outcome.evidence is not None


def refuse(outcome: Any, l2: str) -> None:
    expect(outcome, OutcomeKind.END_APPLICATION, l2)
    shown = outcome.ui_on_outcome
    assert (shown.message, shown.status, shown.hold_ms) == (
        MessageId.TRY_ANOTHER_CARD,
        UiStatus.NOT_READY,
        1300,
    )
    assert error(outcome)[-2:] == "1C"


def test_a_tap_byte_for_byte(purchase: Transaction) -> None:
    card = MastercardCard(pdol="9F33039F1D089F3501")
    run = C2Tap(card)
    outcome = run.run(purchase)
    assert [capdu.hex().upper() for capdu in card.transmits] == [
        # The CVM part of 9F33 is not known yet, and there is no 9F1D.
        "80A800000E" + "830C" + "0000C8" + "00" * 8 + "22" + "00",
        "00B2011400",
        "00B2011C00",
        "00B2021C00",
        "80AE500042"
        + "000000001250"
        + "000000000000"
        + "0276"
        + "0000000001"
        + "0978"
        + "260509"
        + "00"
        + "01020304"
        + "22"
        + "0000"
        + "00" * 8
        + "1F0302"
        + "123015"
        + "00" * 20
        + "00",
    ]
    assert (outcome.kind, outcome.cvm, outcome.start) == (
        OutcomeKind.APPROVED,
        CvmResult.NONE,
        Start.NOT_APPLICABLE,
    )
    assert outcome.pan == Pan(NUMBER)
    assert outcome.evidence is not None
    assert (outcome.evidence.oda.method, outcome.evidence.oda.result) == (OdaMethod.CDA, OdaResult.SUCCEEDED)
    assert [(shown.message, shown.status, shown.language) for shown in run.shown] == [
        (MessageId.CLEAR_DISPLAY, UiStatus.CARD_READ_OK, "deen")
    ]
    assert outcome.ui_on_outcome is not None
    assert (outcome.ui_on_outcome.message, outcome.ui_on_outcome.hold_ms) == (MessageId.APPROVED, 1300)


def test_the_data_record_is_what_the_host_needs(purchase: Transaction) -> None:
    card = MastercardCard(gives=ARQC, fci={0x9F6E: "02760000303000"})
    outcome = tap(card, purchase, transaction_category="R", terminal={"serial_number": "12345678"})
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert objects(outcome.data_record) == {
        0x9F26: CRYPTOGRAM.hex(),
        0x5F24: "271231",
        0x82: "1180",
        0x50: b"MASTERCARD".hex().upper(),
        0x5A: NUMBER,
        0x5F34: "01",
        0x9F36: "0007",
        0x9F07: "FFC0",
        0x9F27: "80",
        0x84: AID,
        0x9F10: "0110A08003240000000000000000000000FF",
        0x57: NUMBER + "D27122010123456789",
        0x9F6E: "02760000303000",
        0x9F02: "000000001250",
        0x9F03: "000000000000",
        0x9F09: "0002",
        0x9F34: "1F0302",
        0x9F1E: b"12345678".hex(),
        0x9F33: "0008C8",
        0x9F1A: "0276",
        0x9F35: "22",
        0x95: "0000000001",
        0x9F53: "52",
        0x5F2A: "0978",
        0x9A: "260509",
        0x9C: "00",
        0x9F37: "01020304",
        0x9F39: "07",
        0x9F41: "00000007",
    }
    assert objects(outcome.discretionary_data) == {
        0x9F42: "0978",
        0xDF8115: "0000000000FF",
        0x9F6E: "02760000303000",
    }
    assert NUMBER not in repr(outcome)
    assert outcome.ui_on_outcome is not None
    assert (outcome.ui_on_outcome.message, outcome.ui_on_outcome.hold_ms) == (MessageId.AUTHORISING, 0)


def test_merchant_data_and_reader_version_are_what_the_settings_say(purchase: Transaction) -> None:
    card = MastercardCard(records={0x8C: "9F7C149F09029F53019F37049F7E01"})
    own = {"merchant_custom_data": b"shop" * 5, "application_version": b"\1\2", "transaction_category": "R"}
    tap(card, purchase, **own)
    data = card.sent(GENERATE)[0][5:-1]
    assert data == b"shop" * 5 + b"\1\2" + b"R" + purchase.unpredictable_number + b"\1"


def test_a_card_is_given_back_its_own_data_where_the_terminal_has_none(purchase: Transaction) -> None:
    card = MastercardCard(records={0x8C: "5F340195059F37049F4201"}, gives=ARQC)
    assert tap(card, purchase).kind is OutcomeKind.ONLINE_REQUEST
    assert card.sent(GENERATE)[0][5:-1].hex().startswith("01" + "0000000001")


# GET PROCESSING OPTIONS


@pytest.mark.parametrize("sw", ["6985", "6986", "6A81", "6283"])
def test_a_card_that_refuses_its_options_lets_the_next_application_try(
    sw: str, purchase: Transaction
) -> None:
    outcome = tap(MastercardCard(answers={GPO: sw}), purchase)
    expect(outcome, OutcomeKind.SELECT_NEXT, "status")
    assert (outcome.start, outcome.ui_on_outcome, error(outcome)) == (Start.C, None, f"000300{sw}FF")


def test_options_in_format_1(purchase: Transaction) -> None:
    card = MastercardCard(answers={GPO: "800A" + "1180" + "1001010118010200" + "9000"})
    assert tap(card, purchase).kind is OutcomeKind.APPROVED


@pytest.mark.parametrize(
    ("options", "l2"),
    [
        ("7704" + "82021180", "missing"),
        ("7706" + "940410010101", "missing"),
        ("7706" + "82021180" + "9400", "missing"),
        ("8002" + "1180", "missing"),
        ("8001" + "11", "parsing"),
        ("8005" + "1180100101", "parsing"),
        ("770B" + "8203118000" + "940410010101", "parsing"),
        ("7708" + "82021180" + "82021180", "parsing"),
        ("7709" + "82021180" + "9403100101", "parsing"),
        ("", "parsing"),
        ("7000", "parsing"),
    ],
)
def test_options_that_can_not_be_used(options: str, l2: str, purchase: Transaction) -> None:
    refuse(tap(MastercardCard(answers={GPO: options + "9000"}), purchase), l2)


def test_a_card_without_emv_mode_is_refused(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(aip=CVM), purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert error(outcome) == "00070000001C"


@pytest.mark.parametrize("fci", ["6F00", "6F0A8407A0000000041010A5", "6F058403A00000", "85020000"])
def test_a_selection_that_can_not_be_used_goes_on_with_the_next(fci: str, purchase: Transaction) -> None:
    class Odd(MastercardCard):
        @property
        def selected(self) -> SensitiveBytes:
            return SensitiveBytes(bytes.fromhex(fci))

    outcome = tap(Odd(answers={GPO: "6985"}), purchase)
    assert outcome.kind is OutcomeKind.SELECT_NEXT


# Records


def test_a_record_that_is_not_there_ends_the_application(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(answers={READ: "6A83"}), purchase)
    refuse(outcome, "status")
    assert outcome.reason == "READ RECORD, record 1 of file 2: 6A83"
    assert error(outcome) == "0003006A831C"


@pytest.mark.parametrize("tag", [0x5A, 0x5F24, 0x8C])
def test_mandatory_data(tag: int, purchase: Transaction) -> None:
    outcome = tap(MastercardCard(records={tag: None}), purchase)
    refuse(outcome, "missing")
    assert f"{tag:02X}" in outcome.reason
    refuse(tap(MastercardCard(records={tag: ""}), purchase), "missing")


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x5F24, "2712"),
        (0x5F24, "271331"),
        (0x5A, "54"),
        (0x9F07, "FF"),
        (0x9F0F, "00"),
        (0x8C, "9F02"),
        (0x8E, "0000000000"),
        (0x57, "5413330089020011"),
        (0x57, "5413330089020029D27122010123456789"),
        (0x9F4A, "8284"),
        (0x9F4A, None),
        (0x9F42, "09"),
    ],
)
def test_data_that_is_impossible(tag: int, value: str | None, purchase: Transaction) -> None:
    refuse(tap(MastercardCard(records={tag: value}), purchase), "parsing")


def test_data_that_comes_twice(purchase: Transaction) -> None:
    refuse(tap(MastercardCard(more_records={0x8F: "E1"}), purchase), "parsing")


def test_a_card_may_leave_out_track_2(purchase: Transaction) -> None:
    assert tap(MastercardCard(records={0x57: None}), purchase).kind is OutcomeKind.APPROVED


def test_the_record_of_the_other_mode_is_read_only_without_that_mode(purchase: Transaction) -> None:
    for magstripe, first in ((False, "00b2010c00"), (True, "00b2011400")):
        card = MastercardCard(more_records={0x9F6C: "0001"})
        assert tap(card, purchase, magstripe_mode=magstripe).kind is OutcomeKind.APPROVED
        assert card.sent(READ)[0].hex() == first
    only = MastercardCard(answers={GPO: "770A" + "82021180" + "940408010100" + "9000"})
    refuse(tap(only, purchase, magstripe_mode=True), "data")


# Limits: "greater than", in minor units


@pytest.mark.parametrize(
    ("aip", "amount", "taken"),
    [(PLAIN | CDA, 2000, True), (PLAIN | CDA, 2001, False), (PHONE, 9000, True), (PHONE, 9001, False)],
)
def test_the_transaction_limits(aip: int, amount: int, taken: bool, purchase: Transaction) -> None:
    payment = replace(purchase, amount_minor=amount)
    card = MastercardCard(aip=aip)
    outcome = tap(card, payment, transaction_limit=2000, device_cvm_transaction_limit=9000)
    if taken:
        assert outcome.kind is OutcomeKind.APPROVED
        return
    expect(outcome, OutcomeKind.SELECT_NEXT, "limit")
    assert outcome.start is Start.C
    assert GENERATE not in card.instructions


def test_the_kernel_may_not_trust_devices(purchase: Transaction) -> None:
    payment = replace(purchase, amount_minor=2001)
    outcome = tap(MastercardCard(aip=PHONE), payment, transaction_limit=2000, device_cvm=False)
    expect(outcome, OutcomeKind.SELECT_NEXT, "limit")


@pytest.mark.parametrize(("amount", "byte", "receipt"), [(5000, "08", False), (5001, "60", True)])
def test_the_cvm_limit_sets_the_terminal_capabilities(
    amount: int, byte: str, receipt: bool, purchase: Transaction
) -> None:
    card = MastercardCard(records={0x8C: "9F33039F3704"})
    outcome = tap(card, replace(purchase, amount_minor=amount))
    assert card.sent(GENERATE)[0][5:8].hex().upper() == f"00{byte}C8"
    assert outcome.receipt is receipt
    assert outcome.cvm is (CvmResult.ONLINE_PIN if receipt else CvmResult.NONE)


def test_capabilities_may_be_set(purchase: Transaction) -> None:
    card = MastercardCard(records={0x8C: "9F33039F3704"})
    outcome = tap(
        card,
        replace(purchase, amount_minor=5001),
        cvm_capability_required=0x20,
        cvm_capability_not_required=0x00,
    )
    assert card.sent(GENERATE)[0][5:8].hex().upper() == "0020C8"
    assert outcome.cvm is CvmResult.SIGNATURE
    assert outcome.receipt
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.APPROVED_SIGN


@pytest.mark.parametrize(
    ("amount", "kind"), [(10000, OutcomeKind.APPROVED), (10001, OutcomeKind.ONLINE_REQUEST)]
)
def test_the_floor_limit(amount: int, kind: OutcomeKind, purchase: Transaction) -> None:
    outcome = tap(MastercardCard(), replace(purchase, amount_minor=amount), cvm_limit=None)
    assert outcome.kind is kind
    assert tvr(outcome) == ("0000000001" if kind is OutcomeKind.APPROVED else "0000008001")


def test_another_currency_is_above_every_limit(purchase: Transaction) -> None:
    foreign = replace(purchase, currency="840")
    outcome = tap(MastercardCard(gives=ARQC), foreign)
    assert (outcome.kind, tvr(outcome)[6:8]) == (OutcomeKind.ONLINE_REQUEST, "80")
    assert outcome.receipt
    expect(tap(MastercardCard(), foreign, transaction_limit=10**9), OutcomeKind.SELECT_NEXT, "limit")


# What is asked for, and what may be answered


def test_action_codes_decide(purchase: Transaction) -> None:
    late = {0x5F24: "260508"}
    for settings, p1 in (
        ({}, "90"),
        ({"tac_denial": Tvr.EXPIRED}, "00"),
        ({"tac_online": Tvr(0)}, "50"),
        ({"tac_online": Tvr(0), "terminal": {"terminal_type": 0x23}}, "00"),
        ({"tac_default": Tvr(0), "terminal": {"terminal_type": 0x23}}, "50"),
        ({"tac_online": Tvr(0), "terminal": {"terminal_type": 0x21}}, "90"),
    ):
        card = MastercardCard(records={**late, 0x9F0F: "0000000000", 0x9F0D: "0000000000"})
        tap(card, purchase, **settings)
        assert card.sent(GENERATE)[0][2] == int(p1, 16), settings
    for records, p1 in (({0x9F0E: "0040000000"}, "00"), ({0x9F0F: "0040000000"}, "90")):
        card = MastercardCard(records={**late, **records})
        tap(card, purchase, tac_online=Tvr(0))
        assert card.sent(GENERATE)[0][2] == int(p1, 16), records


def test_a_card_without_action_codes_is_not_sent_online_for_relay_resistance(purchase: Transaction) -> None:
    none = {0x9F0D: None, 0x9F0E: None, 0x9F0F: None}
    assert tap(MastercardCard(records=none), purchase).kind is OutcomeKind.APPROVED
    assert tap(MastercardCard(records={**none, 0x9F08: "0001"}), purchase).kind is OutcomeKind.ONLINE_REQUEST
    offline = {"terminal_type": 0x23}
    assert tap(MastercardCard(records=none), purchase, terminal=offline).kind is OutcomeKind.APPROVED


def test_the_signature_is_asked_for_with_a_refusal_only_where_the_card_can(purchase: Transaction) -> None:
    for capabilities, p1, signs in (("000000", 0x00, False), ("000100", 0x10, True)):
        card = MastercardCard(fci={0x9F5D: capabilities})
        outcome = tap(card, purchase, tac_denial=Tvr(0x01))
        assert card.sent(GENERATE)[0][2] == p1
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.evidence is not None
        assert outcome.evidence.oda.succeeded is signs
    silent = MastercardCard(fci={0x9F5D: "000100"}, signs=False)
    refuse(tap(silent, purchase, tac_denial=Tvr(0x01)), "data")
    odd = MastercardCard(fci={0x9F5D: "01"})
    tap(odd, purchase, tac_denial=Tvr(0x01))
    assert odd.sent(GENERATE)[0][2] == 0x00


@pytest.mark.parametrize(
    ("floor_limit", "gives", "allowed"),
    [
        *((10000, TC, True), (10000, ARQC, True), (10000, AAC, True), (10000, 0xC0, False)),
        *((0, TC, False), (0, ARQC, True), (0, AAC, True)),
    ],
)
def test_a_card_may_give_what_it_is_asked_for_or_less(
    floor_limit: int, gives: int, allowed: bool, purchase: Transaction
) -> None:
    outcome = tap(MastercardCard(gives=gives), purchase, floor_limit=floor_limit)
    if not allowed:
        refuse(outcome, "data")
        return
    kinds = {TC: OutcomeKind.APPROVED, ARQC: OutcomeKind.ONLINE_REQUEST, AAC: OutcomeKind.DECLINED}
    assert outcome.kind is kinds[gives]


def test_a_card_asked_to_refuse_may_not_approve(purchase: Transaction) -> None:
    for gives in (TC, ARQC):
        refuse(tap(MastercardCard(gives=gives), purchase, tac_denial=Tvr(0x01)), "data")


@pytest.mark.parametrize(
    ("answer", "l2"),
    [
        ({0x9F36: None}, "missing"),
        ({0x9F27: None}, "missing"),
        ({0x9F36: "01"}, "parsing"),
        ({0x9F10: "00" * 33}, "parsing"),
        ({0x9F27: "4000"}, "parsing"),
        ({0x5A: NUMBER}, "parsing"),
    ],
)
def test_an_answer_that_lacks_something(
    answer: dict[int, str | None], l2: str, purchase: Transaction
) -> None:
    refuse(tap(MastercardCard(generated=answer), purchase), l2)


def test_status_words_of_generate_ac_end_the_application(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(answers={GENERATE: "6985"}), purchase)
    refuse(outcome, "status")
    assert error(outcome) == "00030069851C"


def test_a_card_that_was_asked_to_sign_must(purchase: Transaction) -> None:
    for gives in (TC, ARQC):
        refuse(tap(MastercardCard(gives=gives, signs=False), purchase), "data")
    assert tap(MastercardCard(gives=AAC, signs=False), purchase).kind is OutcomeKind.DECLINED
    refuse(tap(MastercardCard(gives=AAC, signs=False, generated={0x9F26: None}), purchase), "missing")


# Authentication


def test_a_forged_signature_ends_the_application(purchase: Transaction) -> None:
    for gives in (TC, ARQC):
        outcome = tap(MastercardCard(gives=gives, forges=True), purchase)
        refuse(outcome, "cam")
        assert tvr(outcome) == "0400000001"
        assert outcome.evidence is not None
        assert outcome.evidence.oda.result is OdaResult.FAILED


def test_the_signed_cryptogram_is_the_one_that_counts(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(gives=ARQC, generated={0x9F26: CRYPTOGRAM.hex()}), purchase)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    refuse(tap(MastercardCard(gives=ARQC, generated={0x9F26: "00" * 8}), purchase), "cam")


def test_a_card_that_does_not_want_the_unpredictable_number_is_not_authenticated(
    purchase: Transaction,
) -> None:
    outcome = tap(MastercardCard(records={0x8C: "9F02069505"}), purchase)
    refuse(outcome, "cam")
    assert "unpredictable number" in outcome.reason


def test_without_the_schemes_key_nothing_is_approved_offline(purchase: Transaction) -> None:
    for records in ({}, {0x9F0F: "0000000000", 0x9F0D: "0000000000"}):
        card = MastercardCard(records=records, gives=None)
        outcome = tap(card, purchase, ca_keys=CaKeys(), tac_online=Tvr(0), tac_default=Tvr(0))
        assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "8000000001")
        assert card.sent(GENERATE)[0][2] == ARQC
    offline = {"terminal_type": 0x23}
    card = MastercardCard(records={0x9F0D: "0000000000"})
    outcome = tap(card, purchase, ca_keys=CaKeys(), tac_default=Tvr(0), terminal=offline)
    assert outcome.kind is OutcomeKind.DECLINED


def test_a_card_without_cda_goes_online(purchase: Transaction) -> None:
    card = MastercardCard(aip=PLAIN)
    outcome = tap(card, purchase)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "8000000001")
    assert card.sent(GENERATE)[0][2] == ARQC
    assert objects(outcome.data_record)[0x9F26] == CRYPTOGRAM.hex()


def test_another_schemes_key_is_known_before_the_card_is_asked(purchase: Transaction) -> None:
    card = MastercardCard()
    outcome = tap(card, purchase, ca_keys=visa_keys())
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "0400000001")
    assert card.sent(GENERATE)[0][2] == ARQC
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result is OdaResult.FAILED


def test_missing_certificates_are_known_before_the_card_is_asked(purchase: Transaction) -> None:
    short = "770A" + "82021180" + "940410010101" + "9000"
    outcome = tap(MastercardCard(answers={GPO: short}), purchase)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "2400000001")


def test_a_signed_record_that_is_no_template_spoils_authentication(purchase: Transaction) -> None:
    options = "7712" + "82021180" + "940C" + "10010101" + "18010200" + "58010101"
    card = MastercardCard(answers={GPO: options + "9000", READ: ["usual", "usual", "usual", "00019000"]})
    outcome = tap(card, purchase)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "0400000001")


def test_an_answer_in_format_1(purchase: Transaction) -> None:
    right = "8014" + "80" + "0007" + CRYPTOGRAM.hex() + "0110A0800324000000" + "9000"
    outcome = tap(MastercardCard(aip=PLAIN, answers={GENERATE: right}), purchase)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert objects(outcome.data_record)[0x9F10] == "0110A0800324000000"
    bare = "800B" + "80" + "0007" + CRYPTOGRAM.hex() + "9000"
    assert tap(MastercardCard(aip=PLAIN, answers={GENERATE: bare}), purchase).kind is (
        OutcomeKind.ONLINE_REQUEST
    )
    refuse(tap(MastercardCard(answers={GENERATE: right}), purchase), "data")
    for wrong in ("800A" + "00" * 10, "802C" + "00" * 44, "7000", "", "9F27018077009F2700"):
        refuse(tap(MastercardCard(aip=PLAIN, answers={GENERATE: wrong + "9000"}), purchase), "parsing")


def test_a_number_on_the_exception_file_goes_online(purchase: Transaction) -> None:
    background = Background(exceptions=frozenset({Pan(NUMBER)}))
    outcome = tap(MastercardCard(), purchase, background=background)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "1000000001")


ONLY_THE_ISSUER: dict[str, dict[str, Any]] = {
    "nothing to pay": {"indicators": Indicators(zero_amount=True)},
    "status check": {"indicators": Indicators(status_check_requested=True)},
    "exception file": {"background": Background(exceptions=frozenset({Pan(NUMBER)}))},
}
NO_CODES = {"tac_online": Tvr(0), "tac_default": Tvr(0)}
INDIFFERENT = {0x9F0D: "0000000000", 0x9F0E: "0000000000", 0x9F0F: "0000000000"}


@pytest.mark.parametrize("why", ONLY_THE_ISSUER)
def test_what_only_the_issuer_may_approve_is_never_approved_offline(why: str, purchase: Transaction) -> None:
    """Whatever the action codes are."""
    card = MastercardCard(records=INDIFFERENT)
    assert tap(card, purchase, **NO_CODES).kind is OutcomeKind.APPROVED
    card = MastercardCard(records=INDIFFERENT)
    outcome = tap(card, purchase, **ONLY_THE_ISSUER[why], **NO_CODES)
    assert (outcome.kind, card.sent(GENERATE)[0][2]) == (OutcomeKind.ONLINE_REQUEST, 0x90)
    eager = MastercardCard(records=INDIFFERENT, gives=TC)
    assert tap(eager, purchase, **ONLY_THE_ISSUER[why], **NO_CODES).kind is OutcomeKind.END_APPLICATION
    offline = tap(
        MastercardCard(records=INDIFFERENT),
        purchase,
        terminal={"terminal_type": 0x23},
        **ONLY_THE_ISSUER[why],
        **NO_CODES,
    )
    assert offline.kind is OutcomeKind.DECLINED


# Phones


@pytest.mark.parametrize(
    ("amount", "cvm", "results"),
    [(5000, CvmResult.NONE, "3F0002"), (5001, CvmResult.CONFIRMED_BY_DEVICE, "010002")],
)
def test_a_phone_verifies_its_owner(amount: int, cvm: CvmResult, results: str, purchase: Transaction) -> None:
    outcome = tap(MastercardCard(aip=PHONE), replace(purchase, amount_minor=amount))
    assert (outcome.kind, outcome.cvm) == (OutcomeKind.APPROVED, cvm)
    assert objects(outcome.data_record)[0x9F34] == results


def test_a_phone_that_is_not_authenticated_is_declined(purchase: Transaction) -> None:
    card = MastercardCard(aip=PHONE & ~CDA)
    assert tap(card, purchase).kind is OutcomeKind.DECLINED
    assert card.sent(GENERATE)[0][2] == AAC


@pytest.mark.parametrize(
    ("information", "message"),
    [
        ("000100", MessageId.SEE_PHONE),
        ("000200", MessageId.SEE_PHONE),
        ("000900", MessageId.SEE_PHONE),
        ("000001", MessageId.DECLINED),
    ],
)
def test_a_phone_that_needs_its_owner_first(
    information: str, message: MessageId, purchase: Transaction
) -> None:
    run = C2Tap(MastercardCard(aip=PHONE, gives=ARQC, generated={0xDF4B: information}))
    outcome = run.run(purchase)
    assert (outcome.kind, outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
    assert [(shown.message, shown.status, shown.hold_ms) for shown in run.shown] == [
        (MessageId.CLEAR_DISPLAY, UiStatus.CARD_READ_OK, 0),
        (message, UiStatus.NOT_READY, 1300),
    ]
    assert outcome.ui_on_outcome is None
    assert outcome.ui_on_restart is not None
    then = outcome.ui_on_restart
    assert (then.message, then.status, then.hold_ms) == (message, UiStatus.READY_TO_READ, 0)


def test_a_phone_that_has_nothing_to_say(purchase: Transaction) -> None:
    for information in ("001000", "000800", "010000"):
        card = MastercardCard(aip=PHONE, generated={0xDF4B: information})
        assert tap(card, purchase).kind is OutcomeKind.APPROVED
    refuse(tap(MastercardCard(generated={0xDF4B: "00"}), purchase), "parsing")
    card = MastercardCard(generated={0xDF4B: "000100"})
    outcome = tap(card, purchase, phone_messages=())
    assert outcome.ui_on_restart is not None
    assert outcome.ui_on_restart.message is MessageId.DECLINED


def test_a_device_may_ask_for_a_field_that_is_off(purchase: Transaction) -> None:
    assert tap(MastercardCard(fci={0x9F5D: "000400"}), purchase).field_off_ms == 1300
    assert tap(MastercardCard(), purchase).field_off_ms is None
    limited = tap(MastercardCard(fci={0x9F5D: "000400"}), purchase, transaction_limit=1)
    assert limited.field_off_ms is None


# Declined


def test_a_refusal_sends_a_card_to_the_slot_and_no_phone(purchase: Transaction) -> None:
    slot = {"capabilities": bytes.fromhex("2068C8")}
    for data, there in (
        (None, True),
        ("02760000303000", True),
        ("0276000032310000", False),
        ("0276800041", True),
    ):
        fci = {0x9F6E: data} if data else {}
        with_slot = tap(MastercardCard(gives=AAC, fci=fci), purchase, terminal=slot)
        without = tap(MastercardCard(gives=AAC, fci=fci), purchase)
        assert without.kind is OutcomeKind.DECLINED
        assert without.ui_on_outcome is not None
        assert (without.ui_on_outcome.message, without.ui_on_outcome.hold_ms) == (MessageId.DECLINED, 1300)
        if there:
            assert (with_slot.kind, with_slot.alternate_interface) == (
                OutcomeKind.TRY_ANOTHER_INTERFACE,
                Interface.CONTACT_CHIP,
            )
        else:
            assert with_slot.kind is OutcomeKind.DECLINED
    refuse(
        tap(MastercardCard(gives=AAC, more_records={0x9F6E: "02760000"}), purchase, terminal=slot), "parsing"
    )


def test_a_refund_that_the_card_refuses_just_ends(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(gives=AAC), replace(purchase, type=0x20))
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert outcome.data_record is not None
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.CLEAR_DISPLAY


# Balance


def test_the_balance_is_read_before_and_after(purchase: Transaction) -> None:
    card = MastercardCard(fci={0x9F5D: "000200"}, data={0x9F50: "000000012345"})
    outcome = tap(card, purchase, read_balance_before=True, read_balance_after=True)
    assert [f"{capdu.hex()}"[:8] for capdu in card.transmits[-3:]] == ["80ca9f50", "80ae5000", "80ca9f50"]
    found = objects(outcome.discretionary_data)
    assert (found[0xDF8104], found[0xDF8105], found[0x9F5D]) == ("000000012345", "000000012345", "000200")
    shown = outcome.ui_on_outcome
    assert shown is not None
    assert (shown.balance_minor, shown.currency) == (12345, "978")


@pytest.mark.parametrize(
    "answer", ["6A88", "9F50050000000123459000", "9F500600000001234A9000", "9F5006000000012345009000", ""]
)
def test_a_balance_that_does_not_come_spoils_nothing(answer: str, purchase: Transaction) -> None:
    card = MastercardCard(fci={0x9F5D: "000200"}, answers={0xCA: answer})
    outcome = tap(card, purchase, read_balance_after=True)
    assert outcome.kind is OutcomeKind.APPROVED
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.balance_minor is None


def test_a_balance_is_not_asked_for_where_one_side_does_not_want_it(purchase: Transaction) -> None:
    for settings, fci in (({}, {0x9F5D: "000200"}), ({"read_balance_before": True}, {})):
        card = MastercardCard(fci=fci, data={0x9F50: "000000012345"})
        tap(card, purchase, **settings)
        assert 0xCA not in card.instructions


def test_a_balance_without_currency_is_not_shown(purchase: Transaction) -> None:
    card = MastercardCard(fci={0x9F5D: "000200"}, data={0x9F50: "000000012345"}, records={0x9F42: None})
    outcome = tap(card, purchase, read_balance_after=True)
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.balance_minor is None


def test_a_card_lost_before_the_balance_is_to_be_presented_again(purchase: Transaction) -> None:
    card = MastercardCard(fci={0x9F5D: "000200"}, answers={0xCA: ""})
    outcome = tap(card, purchase, read_balance_before=True)
    assert (outcome.kind, outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
    assert error(outcome) == "010000000021"


# Words of the card


def test_names_and_languages(purchase: Transaction) -> None:
    assert tap(MastercardCard(), purchase).label == "MASTERCARD"
    preferred = MastercardCard(fci={0x9F12: b"Karte".hex(), 0x9F11: "01"})
    assert tap(preferred, purchase).label == "Karte"
    other = MastercardCard(fci={0x9F12: b"Karte".hex(), 0x9F11: "05"})
    assert tap(other, purchase).label == "MASTERCARD"


def test_recordings_of_older_kernels_have_no_bits_for_relay_resistance(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(), purchase, relay_bits=False)
    assert tvr(outcome) == "0000000000"


def test_a_number_that_is_none_is_in_no_outcome(purchase: Transaction) -> None:
    outcome = tap(MastercardCard(records={0x5A: "54"}), purchase)
    assert outcome.pan is None
    assert outcome.label == "MASTERCARD"


def test_the_card_data_never_prints(purchase: Transaction) -> None:
    run = C2Tap(MastercardCard())
    outcome = run.run(purchase)
    for text in (repr(outcome), repr(vars(run.kernel)), str(outcome.evidence)):
        assert NUMBER not in text
    assert one(0x5A, NUMBER).hex() not in repr(vars(run.kernel))


def test_one_wrong_bit_on_the_way_makes_no_approval(purchase: Transaction) -> None:
    """All that this card says is signed, or signed again by what follows from it."""
    card = MastercardCard(aip=PLAIN | CDA | RELAY, relay_us=[6000])
    assert tap(card, purchase).kind is OutcomeKind.APPROVED
    right = [bytes.fromhex(answer) for answer in card.answered]
    for number, answer in enumerate(right):
        for at in range(len(answer) - 2):
            wrong = answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]
            outcome = answered(card, purchase, [*right[:number], wrong, *right[number + 1 :]])
            assert outcome is None or outcome.kind is not OutcomeKind.APPROVED, (number, at)


def answered(card: MastercardCard, purchase: Transaction, answers: list[bytes]) -> Outcome | None:
    """Give a new kernel these answers in order; None if it wants more."""
    machine = C2Tap(card).kernel
    actions = machine.handle(Begin(purchase))
    for answer in answers:
        if not isinstance(actions[-1], SendCommand):
            break
        actions = machine.handle(CardAnswered(ResponseApdu.decode(answer), 6000))
    last = actions[-1]
    return last.outcome if isinstance(last, Complete) else None
