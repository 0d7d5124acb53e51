"""Kernel 3: a whole tap, command by command, and every decision at the end of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from emv import tlv
from emv.c3_decision import OdaResult
from emv.card_data import CardData
from emv.config import C3Options, CombinationConfig, EmvConfig
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import Activation, Kernel, Transaction
from emv.kernel_c3 import KernelC3
from emv.outcome import CvmResult, Interface, MessageId, Outcome, OutcomeKind, Start, UiStatus
from emv.sensitive import SensitiveBytes
from tests.emv import visa_card as visa
from tests.emv.scripted_card import ScriptedCard, Tap
from tests.emv.visa_card import one, options, record, start

READER = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM


def config(
    *, ttq: Ttq = READER, cvm_limit: int | None = None, floor_limit: int = 0, **more: bool
) -> EmvConfig:
    row = CombinationConfig(
        aid=bytes.fromhex(visa.AID),
        kernel_id=3,
        ttq=ttq,
        cvm_limit=cvm_limit,
        floor_limit=floor_limit,
        options=C3Options(**more),
    )
    return EmvConfig(country="276", currency="978", combinations=(row,))


def with_oda(result: OdaResult) -> Any:
    """Return kernels whose offline data authentication comes to this."""

    def authenticate(
        card: CardData, static: SensitiveBytes | None, terminal: Mapping[int, bytes]
    ) -> OdaResult:
        return result

    def make(activation: Activation) -> Kernel:
        return KernelC3(activation, authenticate)

    return {3: make}


def run(
    transaction: Transaction, answer: str, *records: tuple[str, str], kernels: Any = None, **settings: Any
) -> Outcome:
    """Tap a card that answers GET PROCESSING OPTIONS so; its command is not looked at here."""
    script = visa.start(answer)
    machine = EntryPoint(config(**settings), kernels) if kernels else EntryPoint(config(**settings))
    return Tap(machine, AnyOptions([*script, *records])).run(transaction)


class AnyOptions(ScriptedCard):
    """A scripted card that takes any GET PROCESSING OPTIONS."""

    def transmit(self, capdu: bytes) -> bytes | None:
        if capdu[:2] == b"\x80\xa8":
            capdu = bytes.fromhex(visa.GPO)
        return super().transmit(capdu)


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


def test_what_the_locator_marks_is_kept_for_authentication(purchase: Transaction) -> None:
    kept: list[SensitiveBytes | None] = []

    def authenticate(
        card: CardData, static: SensitiveBytes | None, terminal: Mapping[int, bytes]
    ) -> OdaResult:
        kept.append(static)
        return OdaResult.SUCCEEDED

    answer = options(t94="08010201 58010101".replace(" ", ""), t9F27="40")
    first = one("5F24", "271231") + one("90", "AA" * 130)
    records = [
        ("00B2010C00", record(first)),
        ("00B2020C00", record(one("9F07", "FF00"))),
        ("00B2015C00", "7003010203" + "9000"),
    ]
    kernels = {3: lambda activation: KernelC3(activation, authenticate)}
    outcome = run(purchase, answer, *records, kernels=kernels, floor_limit=10**6)
    assert outcome.kind is OutcomeKind.APPROVED
    assert kept == [SensitiveBytes(bytes.fromhex(first + "7003010203"))]

    kept.clear()
    records[2] = ("00B2015C00", "01029000")
    run(purchase, answer, *records, kernels=kernels, floor_limit=10**6)
    assert kept == [None]


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
    ("sw", "kind", "message", "start_at"),
    [
        ("6984", OutcomeKind.TRY_ANOTHER_INTERFACE, MessageId.INSERT_CARD, Start.NOT_APPLICABLE),
        ("6986", OutcomeKind.TRY_AGAIN, MessageId.SEE_PHONE, Start.B),
        ("6A81", OutcomeKind.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, Start.NOT_APPLICABLE),
        ("6985", OutcomeKind.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, Start.NOT_APPLICABLE),
    ],
)
def test_a_refusal_of_the_options(
    purchase: Transaction, sw: str, kind: OutcomeKind, message: MessageId, start_at: Start
) -> None:
    outcome = run(purchase, sw)
    assert outcome.ui_on_outcome is not None
    assert (outcome.kind, outcome.ui_on_outcome.message, outcome.start) == (kind, message, start_at)
    if kind is OutcomeKind.TRY_ANOTHER_INTERFACE:
        assert outcome.alternate_interface is Interface.CONTACT_CHIP
    if kind is OutcomeKind.TRY_AGAIN:
        assert (outcome.field_off_ms, outcome.ui_on_outcome.hold_ms) == (1300, 1300)


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


def test_files_up_to_ten_are_read_as_templates_and_signed_without_them(purchase: Transaction) -> None:
    kept: list[SensitiveBytes | None] = []

    def authenticate(
        card: CardData, static: SensitiveBytes | None, terminal: Mapping[int, bytes]
    ) -> OdaResult:
        kept.append(static)
        return OdaResult.SUCCEEDED

    inside = one("5F24", "271231")
    for sfi, expected in ((10, inside), (11, record(inside)[:-4])):
        answer = options(t94=f"{sfi << 3:02X}010101", t9F27="40", t5F24=None if sfi == 10 else "271231")
        line = (f"00B201{sfi << 3 | 4:02X}00", record(inside))
        kernels = {3: lambda activation: KernelC3(activation, authenticate)}
        outcome = run(purchase, answer, line, kernels=kernels, floor_limit=10**6)
        assert outcome.kind is OutcomeKind.APPROVED
        assert kept.pop() == SensitiveBytes(bytes.fromhex(expected))


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
    machine = EntryPoint(config(ttq=ttq), with_oda(OdaResult.NOT_PERFORMED))
    Tap(machine, ScriptedCard(script)).run(purchase)


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
