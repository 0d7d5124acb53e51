"""Kernel 3: a whole tap, command by command."""

from collections.abc import Mapping

import pytest

from emv import tlv
from emv.card_data import CardData
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import Transaction
from emv.kernel_c3 import KernelC3
from emv.oda import OdaResult
from emv.outcome import CvmResult, Interface, MessageId, OutcomeKind, Start, UiStatus
from emv.sensitive import SensitiveBytes
from tests.emv import visa_card as visa
from tests.emv.c3_tap import READER, config, run, with_oda
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
