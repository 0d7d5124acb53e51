"""The shared EMV flow: a whole tap against cards with real signatures, and its table of transitions."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import kernel_emv
from emv.apdu import ResponseApdu, StatusWord
from emv.background import Background
from emv.commands import Cryptogram
from emv.config import EmvConfig
from emv.emv_options import EmvOptions, LimitSet
from emv.errors import KernelMisuseError
from emv.kernel import (
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
)
from emv.kernel_c4 import KernelC4
from emv.kernel_c5 import KernelC5
from emv.kernel_emv import EmvState, KernelEmv
from emv.oda import OdaMethod, OdaResult
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    Outcome,
    OutcomeKind,
    Start,
    UiStatus,
)
from emv.risk import Payment
from emv.sensitive import Pan
from tests.emv.emv_card import (
    AAC,
    ARQC,
    DDA,
    EMV_CARD,
    PANS,
    SDA,
    TC,
    EmvCard,
    activation,
    found,
    one,
    sent,
    tap,
)
from tests.emv.scripted_card import Tap

APPROVED, DECLINED, ONLINE = OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST
ENDED, AGAIN = OutcomeKind.END_APPLICATION, OutcomeKind.TRY_AGAIN
PURCHASE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12, 30, 15),
    unpredictable_number=bytes.fromhex("01020304"),
    sequence_counter=7,
)
OFFLINE_ONLY, ONLINE_ONLY = {"terminal_type": 0x23}, {"terminal_type": 0x21}


def run(card: EmvCard, transaction: Transaction = PURCHASE, **settings: Any) -> Outcome:
    """Run the flow itself, without the rules of a scheme."""
    outcome = tap(KernelEmv(activation(card, transaction, **settings)), card, transaction)
    assert outcome.evidence is not None
    return outcome


def test_a_signed_approval_byte_for_byte() -> None:
    card = EmvCard()
    walk = Tap(KernelEmv(activation(card, PURCHASE)), card)
    outcome = walk.run(PURCHASE)
    assert [command.hex().upper() for command in card.commands] == [
        "80A800000783052201020304" + "00",
        "00B2010C00",
        "00B2020C00",
        "00B2011400",
        "00B2021400",
        "00B2031400",
        "80AE500021000000001250000000000000027600000000000978260509000102030" + "41F00022200",
    ]
    assert (outcome.kind, outcome.cvm) == (APPROVED, CvmResult.NONE)
    assert found(outcome) == ("0000000000", "A800", "1F0002")
    assert outcome.evidence is not None
    assert outcome.evidence.oda.method is OdaMethod.CDA
    assert outcome.evidence.oda.succeeded
    assert outcome.pan == Pan(PANS["amex"])
    assert outcome.label == "TEST CARD"
    assert [(shown.message, shown.status, shown.language) for shown in walk.shown] == [
        (MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK, "deen")
    ]
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.APPROVED


def test_the_host_gets_the_cryptogram_out_of_the_signature() -> None:
    values = sent(run(EmvCard(answers=ARQC)))
    assert {f"{tag:02X}": value.hex().upper() for tag, value in values.items()} == {
        "57": "374245455400126D2712201123456789",
        "5A": "374245455400126F",
        "5F34": "01",
        "5F24": "271231",
        "82": "1980",
        "84": "A00000002501",
        "9F26": "1122334455667788",
        "9F27": "80",
        "9F36": "0007",
        "9F10": "06010103A00000",
        "9F08": "0001",
        "9F07": "FF00",
        "5F28": "0276",
        "95": "0000000000",
        "9B": "A800",
        "9F34": "1F0002",
        "9F02": "000000001250",
        "9F03": "000000000000",
        "5F2A": "0978",
        "9A": "260509",
        "9C": "00",
        "9F1A": "0276",
        "9F33": "0068C8",
        "9F35": "22",
        "9F37": "01020304",
        "9F39": "07",
        "9F41": "00000007",
        "9F09": "0001",
    }


# Offline data authentication


@pytest.mark.parametrize(
    ("card", "settings", "kind", "tvr", "asked"),
    [
        ({}, {}, APPROVED, "0000000000", 0x50),
        ({"forges": True}, {}, DECLINED, "0400000000", 0x50),
        ({"forges": True, "answers": ARQC}, {}, DECLINED, "0400000000", 0x50),
        ({"aip": EMV_CARD | DDA}, {}, ONLINE, "0000000000", 0x80),
        ({"aip": EMV_CARD | DDA, "forges": True}, {}, ONLINE, "0800000000", 0x80),
        ({"aip": EMV_CARD | SDA}, {}, ONLINE, "0200000000", 0x80),
        ({"aip": EMV_CARD | SDA, "answers": TC}, {}, DECLINED, "0200000000", 0x80),
        ({"aip": EMV_CARD}, {}, ONLINE, "8000000000", 0x80),
        ({}, {"keys_of": None}, ONLINE, "8000000000", 0x80),
        # The card's chain ends at a key that the terminal does not have, or has no certificate in it.
        ({}, {"keys_of": "jcb"}, ONLINE, "0400000000", 0x80),
        ({}, {"keys_of": "jcb", "terminal": OFFLINE_ONLY}, DECLINED, "0400000000", 0x00),
    ],
)
def test_nothing_is_approved_offline_that_is_not_genuine(
    card: dict[str, Any], settings: dict[str, Any], kind: OutcomeKind, tvr: str, asked: int
) -> None:
    # The terminal's own codes do not help: only the rule itself keeps the card from an approval.
    lax = EmvOptions(tac_denial=bytes(5), tac_online=bytes(5), tac_default=bytes(5))
    issuer = dict.fromkeys((0x9F0D, 0x9F0E, 0x9F0F), "0000000000")
    tapped = EmvCard(**card, records=issuer)
    outcome = run(tapped, options=lax, **settings)
    assert outcome.kind is kind, outcome.reason
    assert found(outcome)[0] == tvr
    assert tapped.generated[2] == asked


class Credulous(KernelEmv):
    """Asks for an approval whatever it found."""

    def analyse(self) -> Cryptogram:
        return Cryptogram.TC


def test_an_approval_of_a_card_that_is_not_genuine_is_declined_whatever_was_asked_for() -> None:
    for aip in (EMV_CARD, EMV_CARD | SDA, EMV_CARD | DDA):
        card = EmvCard(aip=aip)
        outcome = tap(Credulous(activation(card, PURCHASE)), card, PURCHASE)
        assert (card.generated[2], outcome.kind) == (0x40, DECLINED)


def test_the_card_is_told_what_authentication_found() -> None:
    card = EmvCard(aip=EMV_CARD | SDA, records={0x8C: "95059F45029B02"})
    run(card)
    assert card.generated[5:-1].hex().upper() == "0200000000" + "DAC5" + "8800"
    card = EmvCard(aip=EMV_CARD | DDA, records={0x8C: "95059F4C039B02"})
    run(card)
    assert card.generated[5:-1].hex().upper() == "0000000000" + "616263" + "8800"


def test_a_missing_certificate_is_missing_data() -> None:
    card = EmvCard()
    card._records[2, 2] = b"\x70\x00"
    outcome = run(card)
    assert (outcome.kind, found(outcome)[0]) == (ONLINE, "2400000000")


@pytest.mark.parametrize(
    ("ddol", "command"),
    [(None, "008800000401020304" + "00"), ("9F37049A03", "008800000701020304" + "260509" + "00")],
)
def test_the_card_signs_its_list_or_the_terminal_s(ddol: str | None, command: str) -> None:
    card = EmvCard(aip=EMV_CARD | DDA, records={0x9F49: ddol})
    outcome = run(card)
    assert next(sent for sent in card.commands if sent[1] == 0x88).hex() == command
    assert outcome.evidence is not None
    assert outcome.evidence.oda.succeeded
    assert outcome.kind is ONLINE


@pytest.mark.parametrize(
    "changed",
    [
        {"records": {0x9F49: "9A03"}},
        {"refuses": {0x88: "6985"}},
        {"refuses": {0x88: "9000"}},
        {"refuses": {0x88: "77009000"}},
        {"refuses": {0x88: "80029F4B9000"}},
        {"refuses": {0x88: "7000" + "9000"}},
    ],
)
def test_a_card_that_signs_nothing_goes_online(changed: dict[str, Any]) -> None:
    outcome = run(EmvCard(aip=EMV_CARD | DDA, **changed))
    assert (outcome.kind, found(outcome)[0]) == (ONLINE, "0800000000")


@pytest.mark.parametrize("answers", [TC, ARQC])
def test_a_cryptogram_without_the_signature_that_was_asked_for(answers: int) -> None:
    bare = f"80 0B {answers:02X} 0007 1122334455667788 9000".replace(" ", "")
    outcome = run(EmvCard(refuses={0xAE: bare}))
    assert (outcome.kind, found(outcome)[0]) == (DECLINED, "0400000000")
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result is OdaResult.FAILED


def test_a_second_cryptogram_beside_the_signed_one_is_refused() -> None:
    outcome = run(EmvCard(generated={0x9F26: "0000000000000000"}))
    assert outcome.kind is ENDED


# The decision


@pytest.mark.parametrize(
    ("card", "settings", "transaction", "kind", "asked"),
    [
        ({}, {"terminal": ONLINE_ONLY}, {}, ONLINE, 0x90),
        ({}, {"terminal": OFFLINE_ONLY}, {}, APPROVED, 0x50),
        ({"answers": ARQC}, {"terminal": OFFLINE_ONLY}, {}, DECLINED, 0x50),
        ({"answers": AAC}, {}, {}, DECLINED, 0x50),
        ({"answers": 0xC0}, {}, {}, DECLINED, 0x50),
        # More than was asked for.
        ({"answers": TC}, {"terminal": ONLINE_ONLY}, {}, DECLINED, 0x90),
        ({"answers": ARQC}, {}, {"date": datetime.date(2030, 1, 1)}, DECLINED, 0x00),
        # Denied, and reasons to ask the issuer.
        ({}, {}, {"date": datetime.date(2030, 1, 1)}, DECLINED, 0x00),
        ({}, {"floor_limit": 1250}, {}, ONLINE, 0x90),
        ({}, {"floor_limit": None}, {}, APPROVED, 0x50),
        ({}, {"floor_limit": None, "row": {"terminal_floor_limit": 1250}}, {}, ONLINE, 0x90),
        ({}, {}, {"currency": "840", "random_percent": 99}, ONLINE, 0x90),
        ({}, {}, {"amount_minor": 0}, ONLINE, 0x90),
        ({}, {"row": {"status_check": True}}, {"amount_minor": 100}, ONLINE, 0x90),
        ({}, {"options": EmvOptions(random_target_percent=99)}, {}, ONLINE, 0x90),
        ({}, {"background": Background(exceptions=frozenset({Pan(PANS["amex"])}))}, {}, ONLINE, 0x90),
        (
            {"records": {0x9F0D: "00" * 5, 0x9F0F: "00" * 5}},
            {
                "background": Background(exceptions=frozenset({Pan(PANS["amex"])})),
                "options": EmvOptions(tac_online=bytes(5), tac_default=bytes(5)),
            },
            {},
            *(ONLINE, 0x90),
        ),
        (
            {"records": {0x9F0D: "00" * 5, 0x9F0F: "00" * 5}},
            {
                "background": Background(exceptions=frozenset({Pan(PANS["amex"])})),
                "options": EmvOptions(tac_online=bytes(5), tac_default=bytes(5)),
                "terminal": OFFLINE_ONLY,
            },
            {},
            *(DECLINED, 0x00),
        ),
        ({}, {"background": Background(payments=[Payment(Pan(PANS["amex"]), "01", 9000)])}, {}, ONLINE, 0x90),
        ({"records": {0x9F08: "0002"}}, {}, {}, ONLINE, 0x90),
        ({"records": {0x9F07: "0000"}}, {}, {}, DECLINED, 0x00),
    ],
)
def test_what_is_asked_for_and_what_comes_of_it(
    card: dict[str, Any],
    settings: dict[str, Any],
    transaction: dict[str, Any],
    kind: OutcomeKind,
    asked: int,
) -> None:
    denial = {0x9F0E: "0040000000"}
    tapped = EmvCard(**{**card, "records": denial | card.get("records", {})})
    outcome = run(tapped, replace(PURCHASE, **transaction), **settings)
    assert (outcome.kind, tapped.generated[2]) == (kind, asked), outcome.reason
    assert (outcome.data_record is None) == (kind is DECLINED)


def test_a_foreign_amount_is_over_the_floor_limit() -> None:
    outcome = run(EmvCard(), replace(PURCHASE, currency="840"), cvm_limit=None)
    assert found(outcome)[0] == "0000048000"


LIMITS = {0x9F14: "05", 0x9F23: "09"}


@pytest.mark.parametrize(
    ("data", "tvr"),
    [
        ({0x9F36: "0105", 0x9F13: "0100"}, "0000000000"),
        ({0x9F36: "0106", 0x9F13: "0100"}, "0000004000"),
        ({0x9F36: "010A", 0x9F13: "0100"}, "0000006000"),
        ({0x9F13: "0000"}, "0008006000"),
        ({0x9F36: "0105"}, "0000006000"),
    ],
)
def test_counters_are_asked_for_if_the_card_has_limits(data: dict[int, str], tvr: str) -> None:
    card = EmvCard(records=LIMITS, data=data)
    outcome = run(card)
    gets = [command.hex().upper() for command in card.commands if command[1] == 0xCA]
    assert gets == ["80CA9F3600", "80CA9F1300"]
    assert found(outcome)[0] == tvr


@pytest.mark.parametrize("limits", [{0x9F14: "05"}, {0x9F23: "09"}])
def test_counters_are_not_asked_for_otherwise(limits: dict[int, str]) -> None:
    card = EmvCard(records=limits)
    assert run(card).kind is APPROVED
    assert 0xCA not in card.instructions


# Cardholder verification


@pytest.mark.parametrize(
    ("settings", "capabilities", "kind", "method", "results", "tvr"),
    [
        ({}, "0068C8", APPROVED, CvmResult.NONE, "1F0002", "0000000000"),
        ({"cvm_limit": 1250}, "0068C8", ONLINE, CvmResult.ONLINE_PIN, "420300", "0000040000"),
        ({"cvm_limit": 1250}, "0028C8", APPROVED, CvmResult.SIGNATURE, "1E0300", "0000000000"),
        ({"cvm_limit": 1250}, "0008C8", APPROVED, CvmResult.NONE, "1F0002", "0000000000"),
        ({"cvm_limit": 1250}, "0000C8", ONLINE, CvmResult.NOT_APPLICABLE, "1F0001", "0000800000"),
        ({"cvm_limit": None}, "0068C8", ONLINE, CvmResult.ONLINE_PIN, "420300", "0000040000"),
    ],
)
def test_the_list_is_gone_through_from_the_limit_on(
    settings: dict[str, Any],
    capabilities: str,
    kind: OutcomeKind,
    method: CvmResult,
    results: str,
    tvr: str,
) -> None:
    options = EmvOptions(capabilities=bytes.fromhex(capabilities))
    card = EmvCard()
    outcome = run(card, options=options, **settings)
    assert (outcome.kind, outcome.cvm) == (kind, method)
    assert (found(outcome)[2], found(outcome)[0]) == (results, tvr)
    assert outcome.receipt is (method is CvmResult.SIGNATURE)
    # The card is told before it decides.
    assert results in card.generated.hex().upper()


def test_an_approval_to_sign_says_so() -> None:
    options = EmvOptions(capabilities=bytes.fromhex("0028C8"))
    outcome = run(EmvCard(), options=options, cvm_limit=0)
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.APPROVED_SIGN


def test_a_pin_is_never_left_to_an_offline_approval() -> None:
    lax = EmvOptions(tac_online=bytes(5), tac_default=bytes(5))
    card = EmvCard(records=dict.fromkeys((0x9F0D, 0x9F0F), "0000000000"))
    outcome = run(card, options=lax, cvm_limit=0)
    assert (outcome.kind, outcome.cvm, card.generated[2]) == (ONLINE, CvmResult.ONLINE_PIN, 0x90)


# Refusals, missing data, lost cards


@pytest.mark.parametrize("instruction", [0xA8, 0xAE])
@pytest.mark.parametrize(
    ("sw", "kind", "start"),
    [
        ("6984", OutcomeKind.TRY_ANOTHER_INTERFACE, Start.NOT_APPLICABLE),
        ("6985", OutcomeKind.SELECT_NEXT, Start.C),
        ("6986", AGAIN, Start.B),
        ("6A81", ENDED, Start.NOT_APPLICABLE),
    ],
)
def test_refusals(instruction: int, sw: str, kind: OutcomeKind, start: Start) -> None:
    outcome = run(EmvCard(refuses={instruction: sw}))
    assert (outcome.kind, outcome.start) == (kind, start)
    assert sw in outcome.reason
    if kind is AGAIN:
        assert outcome.ui_on_outcome is not None
        assert outcome.ui_on_outcome.message is MessageId.SEE_PHONE
        assert outcome.field_off_ms == 1300
    if kind is OutcomeKind.TRY_ANOTHER_INTERFACE:
        assert outcome.alternate_interface is Interface.CONTACT_CHIP


def test_a_record_that_is_refused_ends_the_application() -> None:
    outcome = run(EmvCard(refuses={0xB2: "6A83"}))
    assert outcome.kind is ENDED
    assert "record 1 of file 1: 6A83" in outcome.reason


@pytest.mark.parametrize("tag", [0x5A, 0x5F24, 0x8C, 0x8D])
def test_mandatory_data(tag: int) -> None:
    outcome = run(EmvCard(records={tag: None}))
    assert outcome.kind is ENDED
    assert f"{tag:02X}" in outcome.reason


@pytest.mark.parametrize(
    "changed",
    [
        {"records": {0x5A: "37424545540012" + "AF"}},
        {"records": {0x5F24: "2712"}},
        {"records": {0x5F24: "271331"}},
        {"records": {0x8C: "9F02"}},
        {"records": {0x8E: "00"}},
        {"records": {0x9F0E: "00"}},
        {"records": LIMITS, "data": {0x9F36: "01", 0x9F13: "0100"}},
        {"records": LIMITS, "refuses": {0xCA: "9F36029000"}},
        {"options": {0x82: "1980"}},
        {"options": {0x5A: "374245455400126F"}},
        {"refuses": {0xA8: "800119" + "9000"}},
        {"refuses": {0xB2: "00" + "9000"}},
        {"generated": {0x9F27: None}},
        {"generated": {0x9F36: None}},
        {"generated": {0x9F36: "07"}},
        {"refuses": {0xAE: "9000"}},
        {"refuses": {0xAE: "80009000"}},
        {"refuses": {0xAE: "70009000"}},
        {"aip": EMV_CARD, "refuses": {0xAE: "77079F2701809F36009000"}},
        {"aip": EMV_CARD, "refuses": {0xAE: "77099F2701809F360200079000"}},
    ],
)
def test_data_in_error_ends_the_application(changed: dict[str, Any]) -> None:
    outcome = run(EmvCard(**changed), cvm_limit=0)
    assert outcome.kind is ENDED, outcome.reason
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.TRY_ANOTHER_CARD


def test_format_1_with_and_without_issuer_data() -> None:
    for issuer_data in ("", "06010103A00000"):
        answer = f"80{11 + len(issuer_data) // 2:02X}8000071122334455667788{issuer_data}9000"
        outcome = run(EmvCard(aip=EMV_CARD, refuses={0xAE: answer}))
        assert outcome.kind is ONLINE
        assert sent(outcome).get(0x9F10, b"").hex().upper() == issuer_data


@pytest.mark.parametrize(
    ("names", "label"),
    [({}, "TEST CARD"), ({0x9F12: b"Mine", 0x9F11: b"\1"}, "Mine"), ({0x9F12: b"Mine"}, "TEST CARD")],
)
def test_the_name_on_the_receipt(names: dict[int, bytes], label: str) -> None:
    card = EmvCard()
    more = {tag: value.hex() for tag, value in names.items()}
    card._records[1, 1] = one(0x70, b"".join(one(tag, value) for tag, value in more.items()))
    assert run(card).label == label


def test_a_language_that_is_none_is_not_passed_on() -> None:
    card = EmvCard()
    broken = replace(
        activation(card, PURCHASE), fci=type(card.fci)(card.fci.reveal().replace(b"deen", b"de1n"))
    )
    outcome = tap(KernelEmv(broken), card, PURCHASE)
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.language == ""


@pytest.mark.parametrize("kernel", [KernelEmv, KernelC4, KernelC5])
@pytest.mark.parametrize("instruction", [0xA8, 0xB2, 0xCA, 0x88, 0xAE])
def test_a_card_that_leaves_is_to_be_presented_again(kernel: type[KernelEmv], instruction: int) -> None:
    card = EmvCard(aip=EMV_CARD | DDA, records=LIMITS, lost_at=instruction)
    outcome = tap(kernel(activation(card, PURCHASE)), card, PURCHASE)
    assert card.instructions[-1] == instruction
    assert (outcome.kind, outcome.start) == (AGAIN, Start.B)
    assert outcome.data_record is None
    assert outcome.evidence is not None


def test_what_is_not_verified_says_so() -> None:
    for kernel in (KernelEmv, KernelC4, KernelC5):
        assert kernel.VERIFIED is False
        assert kernel.UNVERIFIED_BECAUSE
    assert [kernel.NUMBER for kernel in (KernelC4, KernelC5)] == [4, 5]


# The table


def answer(raw: bytes | None) -> Event:
    return CardLost() if raw is None else CardAnswered(ResponseApdu.decode(raw))


def events(card: EmvCard) -> list[Event]:
    """Return what a whole tap is made of."""
    kernel = KernelEmv(activation(card, PURCHASE))
    way: list[Event] = [Begin(PURCHASE)]
    actions = kernel.handle(way[0])
    while not isinstance(actions[-1], Complete):
        send = actions[-1]
        assert isinstance(send, SendCommand)
        way.append(answer(card.transmit(send.command.encode())))
        actions = kernel.handle(way[-1])
    return way


WAY = events(EmvCard(aip=EMV_CARD | DDA, records=LIMITS, data={0x9F36: "0105", 0x9F13: "0100"}))
EVERY: dict[type[Event], Event] = {
    Begin: Begin(PURCHASE),
    CardFound: CardFound(),
    Collision: Collision(),
    CardAnswered: CardAnswered(ResponseApdu.decode(b"\x90\x00")),
    CardLost: CardLost(),
    Restart: Restart(),
}


GIVEN = activation(EmvCard(), PURCHASE)


def walked(length: int) -> KernelEmv:
    kernel = KernelEmv(GIVEN)
    for event in WAY[:length]:
        actions = kernel.handle(event)
        assert all(isinstance(action, ShowMessage) for action in actions[:-1])
        assert isinstance(actions[-1], SendCommand | Complete)
    return kernel


def snapshot(kernel: KernelEmv) -> dict[str, Any]:
    return {name: (id(value), repr(value)) for name, value in vars(kernel).items()}


def test_every_transition_is_walked_and_every_other_pair_raises_and_changes_nothing() -> None:
    assert set(kernel_emv.TRANSITIONS) == set(EmvState)
    done: set[tuple[EmvState, type[Event]]] = set()
    for length in range(len(WAY) + 1):
        state = walked(length).state
        for kind, event in EVERY.items():
            kernel = walked(length)
            if kind in kernel_emv.TRANSITIONS[state]:
                kernel.handle(event)
                done.add((state, kind))
                continue
            before = snapshot(kernel)
            with pytest.raises(KernelMisuseError, match=f"{kind.__name__} in {state.name}"):
                kernel.handle(event)
            assert snapshot(kernel) == before
    assert done == {(state, kind) for state, events in kernel_emv.TRANSITIONS.items() for kind in events}


def test_an_answer_without_status_word_is_a_card_that_left() -> None:
    for length in range(1, len(WAY)):
        last = walked(length).handle(CardAnswered(ResponseApdu(b"", StatusWord.MISSING)))[-1]
        assert isinstance(last, Complete)
        assert last.outcome.kind is AGAIN


KERNELS = st.sampled_from([KernelEmv, KernelC4, KernelC5])


@given(KERNELS, st.integers(1, len(WAY)), st.binary(max_size=40), st.booleans())
@settings(max_examples=150)
def test_whatever_a_card_answers_there_is_a_next_step(
    kind: type[KernelEmv], right: int, raw: bytes, ok: bool
) -> None:
    kernel = kind(GIVEN)
    actions = kernel.handle(WAY[0])
    for event in (*WAY[1:right], *([answer(raw + b"\x90\x00" if ok else raw + b"\x6a\x82")] * 9)):
        if isinstance(actions[-1], Complete):
            assert actions[-1].outcome.evidence is not None
            return
        actions = kernel.handle(event)


@given(KERNELS, st.data())
@settings(max_examples=150)
def test_one_wrong_byte_comes_to_an_outcome_and_under_a_signature_to_no_approval(
    kind: type[KernelEmv], data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(WAY) - 1))
    right = WAY[at]
    assert isinstance(right, CardAnswered)
    raw = right.rapdu.data
    place, byte = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
    wrong = CardAnswered(ResponseApdu(raw[:place] + bytes((byte,)) + raw[place + 1 :], right.rapdu.sw))
    kernel = kind(GIVEN)
    actions = kernel.handle(WAY[0])
    for event in [*WAY[1:at], wrong, *WAY[at + 1 :], CardLost()]:
        if isinstance(actions[-1], Complete):
            break
        actions = kernel.handle(event)
    assert isinstance(actions[-1], Complete)
    if at in SIGNED and raw[place] != byte and kind is KernelEmv:
        assert actions[-1].outcome.kind is not APPROVED


SIGNED = (3, 4, 5, 9)
"""Where in the way what the certificates or the card sign is: the records, and the signature itself."""


def test_nothing_prints_the_card_at_any_moment() -> None:
    kernel = KernelEmv(activation(EmvCard(), PURCHASE))
    number = PANS["amex"]
    forbidden = [number, number[:8], repr(bytes.fromhex(number + "F"))[2:-1]]
    for event in WAY:
        actions = kernel.handle(event)
        text = f"{event!r} {actions!r} {vars(kernel)!r}"
        assert not [secret for secret in forbidden if secret in text]


def test_settings_that_cannot_be_are_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"application_version": b"\1"},
        {"capabilities": b"\1"},
        {"tac_denial": b"\1"},
        {"random_target_percent": 100},
        {"random_threshold": -1},
        {"random_target_percent": 50, "random_maximum_percent": 40},
        {"limit_sets": (LimitSet(number=1), LimitSet(number=1))},
    ]
    for settings_ in wrong:
        with pytest.raises(ValueError, match=r"."):
            EmvOptions(**settings_)
    for limits in ({"number": 8}, {"number": 1, "cvm_limit": -1}):
        with pytest.raises(ValueError, match=r"."):
            LimitSet(**limits)


def test_the_terminal_s_own_configuration_is_not_changed() -> None:
    card = EmvCard()
    given_ = activation(card, PURCHASE)
    before = repr(given_.config)
    tap(KernelC4(given_), card, PURCHASE)
    assert repr(given_.config) == before
    assert isinstance(given_.config, EmvConfig)
