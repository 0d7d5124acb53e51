"""Kernel 3: a whole tap, command by command."""

from dataclasses import replace
from typing import Any

import pytest

from emv import tlv
from emv.c3_options import ReaderLimits
from emv.entry_point import EntryPoint
from emv.fields import Tsi, Ttq, Tvr
from emv.kernel import Transaction
from emv.oda import OdaMethod, OdaResult
from emv.outcome import CvmResult, Interface, MessageId, Outcome, OutcomeKind, Start, UiStatus
from emv.tags import Tag
from tests.emv import visa_card as visa
from tests.emv.c3_tap import READER, ROOMY, config, run, run_genuine
from tests.emv.genuine_card import GenuineCard, ca_keys
from tests.emv.scripted_card import ScriptedCard, Tap
from tests.emv.visa_card import one, options, record, start


def test_an_online_tap_byte_for_byte(purchase: Transaction) -> None:
    tap = Tap(EntryPoint(config()), ScriptedCard(start()))
    outcome = tap.run(purchase)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert (outcome.cvm, outcome.kernel_id, outcome.start) == (CvmResult.NONE, 3, Start.NOT_APPLICABLE)
    assert (outcome.aid.hex().upper(), outcome.label) == (visa.AID, "VISA")
    assert outcome.pan is not None
    assert outcome.pan.reveal() == visa.NUMBER
    assert [(request.message, request.status) for request in tap.shown] == [
        (MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK),
        (MessageId.AUTHORISING, UiStatus.NOT_READY),
    ]


def test_the_data_record_is_what_the_host_needs(purchase: Transaction) -> None:
    answer = options(t9F6E="20700001", t9F7C="0102", t9F5D="000000000100")
    outcome = run(purchase, answer)
    assert outcome.data_record is not None
    sent = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
    assert {f"{tag:02X}": value.hex().upper() for tag, value in sent.items()} == {
        "82": "0000",
        "84": visa.AID,
        "9F10": "06011203A00000",
        "9F26": "1122334455667788",
        "9F27": "80",
        "9F36": "004F",
        "9F6E": "20700000",
        "9F7C": "0102",
        "5F34": "01",
        "57": visa.TRACK,
        "5F2A": "0978",
        "95": "0000000000",
        "9A": "260509",
        "9C": "00",
        "9F02": "000000001250",
        "9F03": "000000000000",
        "9F1A": "0276",
        "9F33": "0068C8",
        "9F35": "22",
        "9F37": "01020304",
        "9F39": "07",
        "9F41": "00000007",
        "9F34": "1F0002",
    }
    assert visa.NUMBER not in repr(outcome)


def test_records_are_read_as_the_locator_says(purchase: Transaction) -> None:
    answer = options(t94="0801010110020301 58010101".replace(" ", ""))
    records = [
        ("00B2010C00", record(one("5A", visa.NUMBER))),
        ("00B2021400", record(one("5F24", "271231"))),
        ("00B2031400", record(one("9F07", "FF00"))),
        ("00B2015C00", "FFFF" + "9000"),
    ]
    tap = Tap(EntryPoint(config()), ScriptedCard([*start(answer), *records]))
    outcome = tap.run(purchase)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert outcome.data_record is not None
    assert tlv.flatten(tlv.decode(outcome.data_record.reveal()))[0x5A].hex() == visa.NUMBER


@pytest.mark.parametrize(
    ("sw", "kind", "message", "start_at"),
    [
        ("6984", OutcomeKind.TRY_ANOTHER_INTERFACE, MessageId.INSERT_CARD, Start.NOT_APPLICABLE),
        ("6986", OutcomeKind.TRY_AGAIN, MessageId.SEE_PHONE, Start.B),
        ("6A81", OutcomeKind.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, Start.NOT_APPLICABLE),
        ("6985", OutcomeKind.SELECT_NEXT, None, Start.C),
    ],
)
def test_a_refusal_of_the_options(
    purchase: Transaction, sw: str, kind: OutcomeKind, message: MessageId | None, start_at: Start
) -> None:
    outcome = run(purchase, sw)
    shown = outcome.ui_on_outcome
    assert (outcome.kind, shown and shown.message, outcome.start) == (kind, message, start_at)
    if kind is OutcomeKind.TRY_ANOTHER_INTERFACE:
        assert outcome.alternate_interface is Interface.CONTACT_CHIP
    if kind is OutcomeKind.TRY_AGAIN:
        assert shown is not None
        assert (outcome.field_off_ms, shown.hold_ms) == (1300, 1300)


@pytest.mark.parametrize("tag", ["t82", "t57", "t9F10", "t9F26", "t9F36"])
def test_what_must_be_there_must_be_there(purchase: Transaction, tag: str) -> None:
    outcome = run(purchase, options(**{tag: None}))
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert tag[1:] in outcome.reason


@pytest.mark.parametrize(
    "answer",
    [
        "9000",
        "77009000",
        "77058202FF009000",
        options(t82="00"),
        options(t9F36="004F01"),
        options(t9F26="11"),
        options(t57=visa.NUMBER),
        options(t5A="4761739001010010"),
        options(t9F6C="00"),
        options(t94="080101"),
        options(t9F27="8000"),
        options()[:-4] + options(),
        "8001829000",
        "83028200" + "9000",
        one("80", "0000", "08010101100102") + "9000",
    ],
)
def test_bad_data_ends_the_application(purchase: Transaction, answer: str) -> None:
    outcome = run(purchase, answer)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert visa.NUMBER not in outcome.reason


@pytest.mark.parametrize(
    "answer", ["6A83", "9000", record()[:-4] + record(), "71009000", record(one("57", visa.TRACK))]
)
def test_a_bad_record_ends_the_application(purchase: Transaction, answer: str) -> None:
    outcome = run(purchase, options(t94="08010100"), ("00B2010C00", answer))
    assert outcome.kind is OutcomeKind.END_APPLICATION


def test_the_shortest_format_1_has_no_locator(purchase: Transaction) -> None:
    outcome = run(purchase, one("80", "0000") + "9000")
    assert outcome.reason.startswith("the card did not give")


def test_the_first_of_two_counts_in_the_answer_to_select(purchase: Transaction) -> None:
    script = [start()[0], (visa.SELECT, visa.fci(one("50", b"OTHER".hex()))), start()[2]]
    assert Tap(EntryPoint(config()), ScriptedCard(script)).run(purchase).label == "VISA"


def test_format_1_gives_profile_and_locator(purchase: Transaction) -> None:
    everything = options()[4:-4]
    rest = everything.replace(one("82", "0000"), "")
    answer = one("80", "0000", "08010100") + "9000"
    outcome = run(purchase, answer, ("00B2010C00", record(rest)))
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST


def test_the_offline_balance_is_shown_where_that_is_wanted(purchase: Transaction) -> None:
    answer = options(t9F5D="000000004711")
    for wanted, balance in ((True, 4711), (False, None)):
        shown = run(purchase, answer, show_offline_balance=wanted).ui_on_outcome
        assert shown is not None
        assert shown.balance_minor == balance


def test_the_reader_does_not_announce_what_it_can_not_do(purchase: Transaction) -> None:
    ttq = READER | Ttq.ISSUER_UPDATE | Ttq.MAGSTRIPE_MODE | Ttq.ODA_FOR_ONLINE
    Tap(EntryPoint(config(ttq=ttq)), ScriptedCard(start())).run(purchase)
    with_authentication = visa.GPO.replace(visa.TTQ, "23804000")
    script = [*start()[:2], (with_authentication, options())]
    Tap(EntryPoint(config(ttq=ttq, keys=ca_keys())), ScriptedCard(script)).run(purchase)
    everything = visa.GPO.replace(visa.TTQ, "A380C000")
    script = [*start()[:2], (everything, options())]
    Tap(EntryPoint(config(ttq=ttq, ttq_as_configured=True)), ScriptedCard(script)).run(purchase)


def test_limits_hold_where_no_qualifiers_are_configured(purchase: Transaction) -> None:
    outcome = run(purchase, options(), ttq=None, floor_limit=0, cvm_limit=0)
    assert outcome.evidence is not None
    announced = Ttq.from_bytes(outcome.evidence.terminal[Tag.TTQ], "big")
    assert announced == Ttq.EMV_MODE | Ttq.ONLINE_CRYPTOGRAM_REQUIRED | Ttq.CVM_REQUIRED


def test_names_and_language_come_from_the_card(purchase: Transaction) -> None:
    more = one("5F2D", b"deen".hex()), one("9F12", "4361666520C9"), one("9F11", "01")
    script = [*start()[:1], (visa.SELECT, visa.fci(*more)), start()[2]]
    tap = Tap(EntryPoint(config()), ScriptedCard(script))
    assert tap.run(purchase).label == "Cafe É"
    assert {request.language for request in tap.shown} == {"deen"}
    script[1] = (visa.SELECT, visa.fci(one("9F12", "4361"), one("9F11", "02"), one("5F2D", "1B5B")))
    tap = Tap(EntryPoint(config()), ScriptedCard(script))
    assert tap.run(purchase).label == "VISA"
    assert {request.language for request in tap.shown} == {""}


ONLINE_ODA = READER | Ttq.ODA_FOR_ONLINE


def found(outcome: Outcome) -> tuple[Tvr, Tsi, str]:
    """Return what the evidence says: TVR, TSI and CVM results."""
    assert outcome.evidence is not None
    terminal = outcome.evidence.terminal
    tvr = Tvr(int.from_bytes(terminal[Tag.TVR], "big"))
    tsi = Tsi(int.from_bytes(terminal[Tag.TSI], "big"))
    return tvr, tsi, terminal.get(Tag.CVM_RESULTS, b"").hex().upper()


@pytest.mark.parametrize("signed_format", [0x05, 0x95])
def test_a_card_is_authenticated_for_online_where_the_reader_announces_it(
    purchase: Transaction, signed_format: int
) -> None:
    card = GenuineCard(cid="80", signed_format=signed_format)
    outcome = run_genuine(purchase, card, ttq=ONLINE_ODA)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result is OdaResult.SUCCEEDED
    assert outcome.evidence.terminal[Tag.ICC_DYNAMIC_NUMBER].hex().upper() == "12345678ABCDEF01"
    assert found(outcome)[0] == Tvr.FLOOR_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("card", "changed", "tvr"),
    [
        (GenuineCard(cid="80"), {"t9F4B": "AA" * 128}, Tvr.DDA_FAILED),
        (GenuineCard(cid="80"), {"t9F4B": None}, Tvr.DDA_FAILED | Tvr.ICC_DATA_MISSING),
        (GenuineCard(cid="80", aip="0000"), {}, Tvr.ODA_NOT_PERFORMED),
        (GenuineCard(cid="80", aip="4000"), {}, Tvr.SDA_FAILED | Tvr.SDA_SELECTED | Tvr.ICC_DATA_MISSING),
    ],
)
def test_failed_authentication_for_online_is_found_and_the_issuer_decides(
    purchase: Transaction, card: GenuineCard, changed: dict[str, str | None], tvr: Tvr
) -> None:
    outcome = run_genuine(purchase, card, changed=changed, ttq=ONLINE_ODA)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert found(outcome)[0] == tvr | Tvr.FLOOR_LIMIT_EXCEEDED
    assert outcome.data_record is not None
    # The issuer checks the cryptogram over the TVR that the card was told.
    assert tlv.flatten(tlv.decode(outcome.data_record.reveal()))[Tag.TVR] == bytes(5)
    strict = run_genuine(purchase, card, changed=changed, ttq=ONLINE_ODA, online_needs_oda=True)
    assert strict.kind is OutcomeKind.DECLINED
    assert "offline data authentication" in strict.reason


def test_static_data_authenticates_a_card_for_online_only(purchase: Transaction) -> None:
    card = GenuineCard(cid="80", aip="4000")
    outcome = run_genuine(purchase, card, changed={"t93": card.static_signature}, ttq=ONLINE_ODA)
    assert outcome.evidence is not None
    assert (outcome.evidence.oda.method, outcome.evidence.oda.succeeded) == (OdaMethod.SDA, True)
    assert outcome.evidence.terminal[Tag.DATA_AUTHENTICATION_CODE].hex() == "dac5"
    assert found(outcome)[:2] == (
        Tvr.SDA_SELECTED | Tvr.FLOOR_LIMIT_EXCEEDED,
        Tsi.ODA_PERFORMED | Tsi.CARDHOLDER_VERIFICATION_PERFORMED | Tsi.CARD_RISK_MANAGEMENT_PERFORMED,
    )
    approving = replace(card, cid="40")
    outcome = run_genuine(
        purchase, approving, changed={"t93": card.static_signature}, ttq=ONLINE_ODA, floor_limit=ROOMY
    )
    assert outcome.kind is OutcomeKind.DECLINED


def test_an_online_tap_is_not_authenticated_where_the_reader_does_not_announce_it(
    purchase: Transaction,
) -> None:
    outcome = run_genuine(purchase, GenuineCard(cid="80"))
    assert outcome.evidence is not None
    assert outcome.evidence.oda.method is OdaMethod.NONE
    assert found(outcome)[0] == Tvr.ODA_NOT_PERFORMED | Tvr.FLOOR_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("ctq", "tvr", "results"),
    [
        ("0000", Tvr(0), "1F0002"),
        ("4000", Tvr(0), "1E0000"),
        ("8000", Tvr.ONLINE_PIN_ENTERED, "020000"),
        ("0080", Tvr(0), ""),
    ],
)
def test_the_evidence_says_how_the_cardholder_is_verified(
    purchase: Transaction, ctq: str, tvr: Tvr, results: str
) -> None:
    answer = options(t9F6C=ctq)
    outcome = run(purchase, answer, ttq=READER | Ttq.ONLINE_PIN, floor_limit=ROOMY)
    assert found(outcome) == (
        tvr | Tvr.ODA_NOT_PERFORMED,
        Tsi.CARDHOLDER_VERIFICATION_PERFORMED | Tsi.CARD_RISK_MANAGEMENT_PERFORMED,
        results,
    )


def test_failed_verification_is_found(purchase: Transaction) -> None:
    outcome = run(purchase, options(), cvm_limit=0, ttq=Ttq.EMV_MODE)
    assert outcome.kind is OutcomeKind.DECLINED
    tvr, tsi, results = found(outcome)
    assert tvr == Tvr.ODA_NOT_PERFORMED | Tvr.FLOOR_LIMIT_EXCEEDED | Tvr.CVM_FAILED
    assert (Tsi.CARDHOLDER_VERIFICATION_PERFORMED in tsi, results) == (True, "3F0001")


@pytest.mark.parametrize(
    "answer", ["6985", "6984", "6986", "6A81", "9000", options(t57=None), options(t9F27="00")]
)
def test_there_is_evidence_at_every_end(purchase: Transaction, answer: str) -> None:
    outcome = run(purchase, answer)
    assert outcome.evidence is not None
    assert outcome.evidence.terminal[Tag.TTQ].hex().upper() == visa.TTQ
    assert Tag.PDOL in outcome.evidence.card


PROGRAM = "4000360036"


def limits(program: str, **more: Any) -> ReaderLimits:
    return ReaderLimits(program_id=bytes.fromhex(program), **more)


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ([], "22804000"),
        ([limits("4000360036", floor_limit=ROOMY)], "22004000"),
        ([limits("40003600", floor_limit=ROOMY)], "22004000"),
        ([limits("400036003600", floor_limit=ROOMY)], "22804000"),
        ([limits("4000", floor_limit=0), limits("400036", floor_limit=ROOMY)], "22004000"),
        ([limits("4000", floor_limit=ROOMY), limits("400036", floor_limit=0)], "22804000"),
        ([limits("4000", cvm_limit=1250)], "22404000"),
        ([limits("4000", cvm_limit=1251)], "22004000"),
        ([limits("4000", floor_limit=1250)], "22004000"),
        ([limits("4000", floor_limit=1249)], "22804000"),
        ([limits("4000", transaction_limit=1251)], "22004000"),
        ([limits("4000", transaction_limit=1250)], None),
    ],
)
def test_a_programme_of_cards_can_have_limits_of_its_own(
    purchase: Transaction, sets: list[ReaderLimits], told: str | None
) -> None:
    selected = visa.fci(one("BF0C", one("9F5A", PROGRAM)))
    outcome = run(purchase, options(), selected=selected, reader_limits=tuple(sets))
    if told is None:
        assert (outcome.kind, outcome.start) == (OutcomeKind.SELECT_NEXT, Start.C)
    else:
        assert outcome.evidence is not None
        assert outcome.evidence.terminal[Tag.TTQ].hex().upper() == told


@pytest.mark.parametrize(
    ("amount", "ttq", "more", "told"),
    [
        (100, READER, {"status_check": True}, "22804000"),
        (101, READER, {"status_check": True}, "22004000"),
        (0, READER, {}, "22804000"),
        (0, READER, {"zero_amount_allowed": False}, None),
        (0, READER | Ttq.OFFLINE_ONLY, {}, None),
    ],
)
def test_a_programme_of_cards_can_have_checks_of_its_own(
    purchase: Transaction, amount: int, ttq: Ttq, more: dict[str, Any], told: str | None
) -> None:
    payment, sets = replace(purchase, amount_minor=amount), (limits(PROGRAM, **more),)
    selected = visa.fci(one("BF0C", one("9F5A", PROGRAM)))
    outcome = run(payment, options(), selected=selected, reader_limits=sets, ttq=ttq)
    assert outcome.evidence is not None
    sent = outcome.evidence.terminal.get(Tag.TTQ)
    assert (sent.hex().upper() if sent else None) == told


def test_the_row_s_limits_hold_for_other_cards_and_without_pre_processing(purchase: Transaction) -> None:
    sets = (limits(PROGRAM, floor_limit=ROOMY),)
    outcome = run(purchase, options(), reader_limits=sets)
    assert outcome.evidence is not None
    assert outcome.evidence.terminal[Tag.TTQ].hex().upper() == "22804000"
    selected = visa.fci(one("BF0C", one("9F5A", PROGRAM)))
    outcome = run(purchase, options(), selected=selected, reader_limits=sets, preprocess=False)
    assert outcome.evidence is not None
    assert outcome.evidence.terminal[Tag.TTQ].hex().upper() == "22804000"


@pytest.mark.parametrize("wrong", [{"program_id": b""}, {"program_id": bytes(17)}, {"cvm_limit": -1}])
def test_impossible_limits_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ReaderLimits(**({"program_id": b"\x40"} | wrong))
