"""Magstripe mode of kernel 2: off unless it is switched on; the tracks digit by digit."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import c2_magstripe
from emv.c2_magstripe import Places
from emv.card_data import CardData
from emv.guard import guarded
from emv.kernel import Transaction
from emv.outcome import CvmResult, MessageId, OutcomeKind, Start
from tests.emv.mastercard_card import (
    AID,
    CHECKSUM,
    GPO,
    NUMBER,
    READ,
    STRIPE,
    C2Tap,
    MastercardCard,
    objects,
    one,
    stripe_answers,
    tap,
)

PHONE = "770A82020200940408010100"
CODE = one(0x9F61, "1234") + one(0x9F60, "ABCD") + one(0x9F36, "0102")


def stripe(changed: dict[int, str | None] | None = None, **answers: str) -> MastercardCard:
    return MastercardCard(answers=stripe_answers(changed, **answers))


def run(card: MastercardCard, purchase: Transaction, **settings: Any) -> Any:
    return tap(card, purchase, magstripe_mode=True, **settings)


def error(outcome: Any) -> str:
    return objects(outcome.discretionary_data)[0xDF8115]


def test_it_is_off(purchase: Transaction) -> None:
    outcome = tap(stripe(), purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert error(outcome) == "00070000001C"


def test_a_tap_byte_for_byte(purchase: Transaction) -> None:
    card = stripe()
    outcome = run(card, purchase)
    # 01020304 is 16909060; the card takes three digits of it.
    assert [capdu.hex().upper() for capdu in card.transmits] == [
        "80A8000002830000",
        "00B2010C00",
        "802A8E8004" + "00000060" + "00",
    ]
    assert (outcome.kind, outcome.cvm, outcome.ui_on_outcome) == (
        OutcomeKind.ONLINE_REQUEST,
        CvmResult.NOT_APPLICABLE,
        None,
    )
    sent = objects(outcome.data_record)
    # CVC3 1234 is 4660, ABCD is 43981; the counter 0102 is 258; three digits of the number.
    assert sent[0x9F6B] == f"{NUMBER}D2712201" + "000" + "258" + "060" + "660" + "3" + "F"
    track1 = f"B{NUMBER}^MADE UP/TEST^2712201" + "0" + "258" + "060" + "981" + "00" + "3"
    assert bytes.fromhex(sent[0x56]).decode() == track1
    found = objects(outcome.discretionary_data)
    assert bytes.fromhex(found[0xDF812A]).strip(b"0") == b""
    assert found[0xDF812B].rstrip("F").strip("0") == ""
    assert outcome.pan is not None
    assert outcome.pan.reveal() == NUMBER
    assert NUMBER not in repr(outcome)


def test_only_the_first_record_of_a_card_with_both_modes_is_read(purchase: Transaction) -> None:
    card = stripe(options="770E" + "82020000" + "94080801010010010101")
    assert run(card, purchase).kind is OutcomeKind.ONLINE_REQUEST
    assert len(card.sent(READ)) == 1
    other = stripe(options="770A" + "82020000" + "940410010100")
    assert run(other, purchase).kind is OutcomeKind.ONLINE_REQUEST
    assert other.sent(READ)[0].hex() == "00b2011400"


def test_a_card_without_track_1(purchase: Transaction) -> None:
    outcome = run(stripe({0x56: None}), purchase)
    assert 0x56 not in objects(outcome.data_record)
    assert 0xDF812A not in objects(outcome.discretionary_data)


def test_its_own_list_is_used(purchase: Transaction) -> None:
    card = stripe({0x9F69: "9F6A049F7E019F02065F2A029C01"})
    run(card, purchase)
    assert card.sent(CHECKSUM)[0][5:-1].hex() == "00000060" + "01" + "000000001250" + "0978" + "00"


@pytest.mark.parametrize(
    ("changed", "l2"),
    [
        ({0x9F65: None}, "01"),
        ({0x9F66: None}, "01"),
        ({0x9F67: None}, "01"),
        ({0x9F6B: None}, "01"),
        ({0x9F62: None}, "06"),
        ({0x9F64: None}, "06"),
        # Nine digits of a number, more counter than bits, another count on track 1.
        ({0x56: None, 0x9F66: "0FFF"}, "06"),
        ({0x56: None, 0x9F67: "07"}, "06"),
        ({0x9F64: "02"}, "06"),
        # Digits where the track has ended, and a track without discretionary data.
        ({0x9F65: "8000"}, "06"),
        ({0x56: b"B5413330089020011^X^2712201".hex()}, "06"),
        ({0x56: b"B5413330089020011^X".hex()}, "06"),
        ({0x56: b"B5413330089020011^X^271".hex()}, "06"),
        ({0x9F6B: NUMBER}, "04"),
        ({0x9F65: "0E"}, "04"),
    ],
)
def test_records_that_do_not_fit(changed: dict[int, str | None], l2: str, purchase: Transaction) -> None:
    card = stripe(changed)
    outcome = run(card, purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION, outcome.reason
    assert error(outcome)[2:4] == l2, outcome.reason
    assert CHECKSUM not in card.instructions


def test_the_limit_of_the_mode(purchase: Transaction) -> None:
    outcome = run(stripe(), purchase, transaction_limit=1249)
    assert (outcome.kind, error(outcome)[2:4]) == (OutcomeKind.SELECT_NEXT, "05")


@pytest.mark.parametrize(
    ("amount", "settings", "cvm", "receipt"),
    [
        (5000, {}, CvmResult.NOT_APPLICABLE, False),
        (5001, {}, CvmResult.NOT_APPLICABLE, True),
        (5001, {"magstripe_cvm_required": CvmResult.ONLINE_PIN}, CvmResult.ONLINE_PIN, True),
        (5000, {"magstripe_cvm_not_required": CvmResult.NONE}, CvmResult.NONE, False),
        (5000, {"magstripe_cvm_not_required": CvmResult.SIGNATURE}, CvmResult.SIGNATURE, True),
    ],
)
def test_who_verifies_the_cardholder(
    amount: int, settings: dict[str, CvmResult], cvm: CvmResult, receipt: bool, purchase: Transaction
) -> None:
    outcome = run(stripe(), replace(purchase, amount_minor=amount), **settings)
    assert (outcome.cvm, outcome.receipt) == (cvm, receipt)


# Phones


@pytest.mark.parametrize(
    ("amount", "information", "asked", "cvm"),
    [
        (5000, "000000", "01", CvmResult.NONE),
        (5000, "001000", "01", CvmResult.CONFIRMED_BY_DEVICE),
        (5001, "001000", "03", CvmResult.CONFIRMED_BY_DEVICE),
        (5001, "000000", "03", None),
    ],
)
def test_a_phone_is_asked_for_its_owner(
    amount: int, information: str, asked: str, cvm: CvmResult | None, purchase: Transaction
) -> None:
    code = one(0x77, CODE + one(0xDF4B, information)).hex()
    card = stripe({0x9F69: "9F7E01"}, options=PHONE, code=code)
    outcome = run(card, replace(purchase, amount_minor=amount))
    assert card.sent(CHECKSUM)[0][5:-1].hex() == asked
    if cvm is None:
        assert (outcome.kind, error(outcome)[2:4]) == (OutcomeKind.END_APPLICATION, "06")
        return
    assert (outcome.kind, outcome.cvm) == (OutcomeKind.ONLINE_REQUEST, cvm)
    last = objects(outcome.data_record)[0x9F6B].rstrip("F")[-1]
    assert last == ("8" if information == "001000" else "3")


@pytest.mark.parametrize(("amount", "stopped"), [(5000, False), (5001, True)])
def test_what_a_phone_says_unsigned_is_not_believed_above_the_limit(
    amount: int, stopped: bool, purchase: Transaction
) -> None:
    code = one(0x77, CODE + one(0xDF4B, "001000")).hex()
    present = C2Tap(stripe(options=PHONE, code=code), magstripe_mode=True)
    outcome = present.run(replace(purchase, amount_minor=amount))
    assert outcome.cvm is CvmResult.CONFIRMED_BY_DEVICE
    found = guarded(replace(outcome, kernel_id=2, aid=bytes.fromhex(AID)), present.config)
    assert [finding.check for finding in found.findings] == ["device_claim"] * stopped
    assert found.kind is (OutcomeKind.DECLINED if stopped else OutcomeKind.ONLINE_REQUEST)


def test_a_phone_that_waits_for_its_owner(purchase: Transaction) -> None:
    for options in (PHONE, "770A82020000940408010100"):
        code = one(0x77, one(0x9F36, "0102") + one(0xDF4B, "000100")).hex()
        present = C2Tap(stripe(options=options, code=code), magstripe_mode=True)
        outcome = present.run(purchase)
        assert (outcome.kind, outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
        assert [shown.message for shown in present.shown] == [MessageId.CLEAR_DISPLAY, MessageId.SEE_PHONE]


def test_a_phone_that_gives_nothing_and_wants_nothing_is_declined(purchase: Transaction) -> None:
    code = one(0x77, one(0x9F36, "0102") + one(0xDF4B, "000000")).hex()
    outcome = run(stripe(options=PHONE, code=code), purchase)
    assert outcome.kind is OutcomeKind.DECLINED
    assert outcome.ui_on_outcome is not None
    assert outcome.ui_on_outcome.message is MessageId.DECLINED


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (None, one(0x9F61, "1234") + one(0x9F60, "ABCD")),
        (None, one(0x9F36, "0102")),
        (None, one(0x9F61, "1234") + one(0x9F36, "0102")),
        (PHONE, CODE),
    ],
)
def test_an_answer_that_lacks_something(options: str | None, answer: bytes, purchase: Transaction) -> None:
    more: Any = {"options": options} if options else {}
    outcome = run(stripe(code=one(0x77, answer).hex(), **more), purchase)
    assert (outcome.kind, error(outcome)[2:4]) == (OutcomeKind.END_APPLICATION, "01")


def test_other_ends(purchase: Transaction) -> None:
    card = stripe()
    card.answers[CHECKSUM] = "6985"
    outcome = run(card, purchase)
    assert (outcome.kind, error(outcome)) == (OutcomeKind.END_APPLICATION, "00030069851C")
    card = stripe()
    card.answers[CHECKSUM] = ""
    assert run(card, purchase).kind is OutcomeKind.TRY_AGAIN
    card = stripe(code="8000")
    assert error(run(card, purchase))[2:4] == "04"
    card = stripe(code=one(0x77, one(0x9F61, "12") + one(0x9F60, "ABCD") + one(0x9F36, "0102")).hex())
    assert error(run(card, purchase))[2:4] == "04"


def test_nothing_of_a_track_prints(purchase: Transaction) -> None:
    present = C2Tap(stripe({0x9F6B: f"{NUMBER}D2712201987654321012"}), magstripe_mode=True)
    outcome = present.run(purchase)
    for text in (repr(outcome), repr(vars(present.kernel))):
        assert NUMBER not in text
        assert "98765" not in text
    assert "B5413" not in repr(vars(present.kernel))
    assert GPO in present.card.instructions


# Places of digits


bitmaps = st.integers(0, 0xFFFF).map(lambda bits: bits.to_bytes(2, "big"))


@given(bitmaps, bitmaps, st.integers(0, 16), st.integers(0, 0xFFFF), st.integers(0, 10**8 - 1))
def test_every_digit_lands_where_its_bit_is(
    pcvc3: bytes, punatc: bytes, natc: int, code: int, number: int
) -> None:
    try:
        places = Places.decode(pcvc3, punatc, bytes((natc,)))
    except c2_magstripe.InconsistentError:
        count = int.from_bytes(punatc, "big").bit_count()
        assert natc > count or count - natc > 8
        return
    filled = places.fill("x" * 16, code, number, 77, 3)
    assert len(filled) == 16
    assert filled[-1] == "3"
    kept = {at for at in range(16) if filled[-1 - at] == "x"}
    assert kept == set(range(1, 16)) - {*places.code, *places.number, *places.counter}
    if places.number and 0 not in places.number:
        digits = "".join(filled[-1 - at] for at in sorted(places.number, reverse=True))
        shown = set(places.number) & set(places.counter)
        assert shown or int(digits) == number % 10 ** len(places.number)


def test_a_number_has_as_many_digits_as_fit() -> None:
    assert c2_magstripe.unpredictable_number(b"\xff" * 4, 3).hex() == "00000295"
    assert c2_magstripe.unpredictable_number(b"\xff" * 4, 8).hex() == "94967295"
    assert c2_magstripe.unpredictable_number(b"\xff" * 4, 0).hex() == "00000000"


def test_a_track_that_is_no_digits_is_refused(purchase: Transaction) -> None:
    card = CardData()
    card.add([(tag, bytes.fromhex(value)) for tag, value in STRIPE.items()])
    stripe_of_card = c2_magstripe.read(card)
    assert stripe_of_card.digits == 3
    assert len(stripe_of_card.discretionary()) == 2
