"""Cardholder verification: the list, the results, and the way through the list."""

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import cvm
from emv.card_data import CardData
from emv.cvm import CvmDecision, CvmList, CvmMethods, CvmResults, CvmRule, select_cvm
from emv.errors import DecodeError
from emv.fields import Tsi, Tvr
from emv.kernel import Transaction
from emv.outcome import CvmResult
from tests.emv.emv_card import of

NO, SIGN, PIN = CvmMethods.NO_CVM, CvmMethods.SIGNATURE, CvmMethods.ONLINE_PIN
EVERY = NO | SIGN | PIN
AMOUNTS = "000003E8" + "00002710"
"""X is 10.00, Y is 100.00."""


def payment(amount: int = 2000, kind: int = 0x00) -> Transaction:
    return Transaction(
        type=kind,
        amount_minor=amount,
        currency="978",
        date=datetime.date(2026, 5, 9),
        time=datetime.time(12),
        unpredictable_number=bytes(4),
    )


def chosen(
    rules: str,
    *,
    supported: CvmMethods = EVERY,
    amount: int = 2000,
    kind: int = 0x00,
    terminal_type: int = 0x22,
    currency: str | None = "0978",
) -> CvmDecision:
    card = CardData()
    card.add(of((0x82, "1000"), (0x8E, AMOUNTS + rules)))
    if currency:
        card.add(of((0x9F42, currency)))
    terminal = {0x9F35: bytes((terminal_type,)), 0x5F2A: b"\x09\x78"}
    return select_cvm(card, terminal, transaction=payment(amount, kind), supported=supported)


def outline(decision: CvmDecision) -> tuple[str, CvmResult, Tvr]:
    return decision.results.hex().upper(), decision.cvm, decision.tvr


FAILED, UNKNOWN, NO_PAD = Tvr.CVM_FAILED, Tvr.CVM_UNRECOGNISED, Tvr.PIN_PAD_MISSING
NA = CvmResult.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("rules", "supported", "results", "method", "tvr"),
    [
        ("0200", EVERY, "020000", CvmResult.ONLINE_PIN, Tvr.ONLINE_PIN_ENTERED),
        ("1E00", EVERY, "1E0000", CvmResult.SIGNATURE, Tvr(0)),
        ("1F00", EVERY, "1F0002", CvmResult.NONE, Tvr(0)),
        ("5F00", EVERY, "5F0002", CvmResult.NONE, Tvr(0)),
        # Unsupported, and no next rule or none wanted.
        ("0200", NO, "020001", NA, FAILED | NO_PAD),
        ("02001F00", NO, "020001", NA, FAILED | NO_PAD),
        ("42001F00", NO, "1F0002", CvmResult.NONE, NO_PAD),
        ("1E001F00", NO, "1E0001", NA, FAILED),
        ("5E001F00", NO, "1F0002", CvmResult.NONE, Tvr(0)),
        ("1F00", SIGN, "1F0001", NA, FAILED),
        # If the terminal supports it: the rule does not apply otherwise.
        ("02031F00", NO, "1F0002", CvmResult.NONE, Tvr(0)),
        ("02031E03", EVERY, "020300", CvmResult.ONLINE_PIN, Tvr.ONLINE_PIN_ENTERED),
        ("02031E03", NO, "3F0001", NA, FAILED),
        # Offline PINs are never there.
        *((f"{code:02X}031F00", EVERY, "1F0002", CvmResult.NONE, Tvr(0)) for code in (1, 3, 4, 5)),
        *((f"{code:02X}00", EVERY, f"{code:02X}0001", NA, FAILED | NO_PAD) for code in (1, 3, 4, 5)),
        # Fail, and codes that nobody knows.
        ("0000", EVERY, "000001", NA, FAILED),
        ("40001F00", EVERY, "1F0002", CvmResult.NONE, Tvr(0)),
        ("06001F00", EVERY, "060001", NA, FAILED | UNKNOWN),
        ("46001F00", EVERY, "1F0002", CvmResult.NONE, UNKNOWN),
        ("3F00", EVERY, "3F0001", NA, FAILED | UNKNOWN),
        # Conditions that nobody knows are not met.
        ("1F0A1E00", EVERY, "1E0000", CvmResult.SIGNATURE, Tvr(0)),
        ("1F801E00", EVERY, "1E0000", CvmResult.SIGNATURE, Tvr(0)),
        ("1F0A", EVERY, "3F0001", NA, FAILED),
    ],
)
def test_the_first_rule_that_applies_and_works(
    rules: str, supported: CvmMethods, results: str, method: CvmResult, tvr: Tvr
) -> None:
    decision = chosen(rules, supported=supported)
    assert outline(decision) == (results, method, tvr)
    assert decision.tsi == Tsi.CARDHOLDER_VERIFICATION_PERFORMED


CASH, CASHBACK = 0x01, 0x09


@pytest.mark.parametrize(
    ("condition", "setting", "applies"),
    [
        ("01", {"kind": CASH, "terminal_type": 0x14}, True),
        ("01", {"kind": CASH, "terminal_type": 0x22}, False),
        ("01", {"terminal_type": 0x14}, False),
        ("02", {}, True),
        ("02", {"kind": CASH}, False),
        ("02", {"kind": CASH, "terminal_type": 0x25}, False),
        ("02", {"kind": CASHBACK}, False),
        ("04", {"kind": CASH, "terminal_type": 0x22}, True),
        ("04", {"kind": CASH, "terminal_type": 0x26}, False),
        ("04", {}, False),
        ("05", {"kind": CASHBACK}, True),
        ("05", {}, False),
        ("06", {"amount": 999}, True),
        ("06", {"amount": 1000}, False),
        ("07", {"amount": 1001}, True),
        ("07", {"amount": 1000}, False),
        ("08", {"amount": 9999}, True),
        ("08", {"amount": 10000}, False),
        ("09", {"amount": 10001}, True),
        ("09", {"amount": 10000}, False),
        *(
            (code, {"amount": amount, "currency": "0840"}, False)
            for code, amount in (("06", 1), ("07", 5000))
        ),
        *((code, {"amount": amount, "currency": None}, False) for code, amount in (("08", 1), ("09", 50000))),
    ],
)
def test_conditions(condition: str, setting: dict[str, Any], applies: bool) -> None:
    decision = chosen(f"1E{condition}1F00", **setting)
    assert decision.cvm is (CvmResult.SIGNATURE if applies else CvmResult.NONE)


def test_a_card_that_does_not_verify_is_not_asked() -> None:
    card = CardData()
    card.add(of((0x82, "0000"), (0x8E, "FF")))
    decision = select_cvm(card, {}, transaction=payment(), supported=EVERY)
    assert outline(decision) == ("3F0000", CvmResult.NONE, Tvr(0))
    assert decision.tsi == Tsi(0)


@pytest.mark.parametrize("value", [None, AMOUNTS])
def test_a_list_that_is_announced_and_missing_is_missing_data(value: str | None) -> None:
    card = CardData()
    card.add(of((0x82, "1000"), *([(0x8E, value)] if value else [])))
    decision = select_cvm(card, {}, transaction=payment(), supported=EVERY)
    assert outline(decision) == ("3F0000", CvmResult.NONE, Tvr.ICC_DATA_MISSING)


def test_the_device_s_own_verification() -> None:
    decision = cvm.on_device()
    assert outline(decision) == ("010002", CvmResult.CONFIRMED_BY_DEVICE, Tvr(0))


@pytest.mark.parametrize(
    ("capabilities", "methods"),
    [("000000", CvmMethods(0)), ("E0F8C8", EVERY), ("004000", PIN), ("002000", SIGN), ("000800", NO)],
)
def test_methods_of_the_terminal_capabilities(capabilities: str, methods: CvmMethods) -> None:
    assert CvmMethods.of_capabilities(bytes.fromhex(capabilities)) == methods


def test_a_list_as_it_is_on_the_card() -> None:
    decoded = CvmList.decode(bytes.fromhex("000003E8000027104203DE001F06"))
    assert decoded == CvmList(
        1000,
        10000,
        (CvmRule(0x02, 0x03, True), CvmRule(0x1E, 0x00, True, reserved=True), CvmRule(0x1F, 0x06)),
    )


@pytest.mark.parametrize("length", [*range(10), 11, 13])
def test_a_list_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(DecodeError) as caught:
        CvmList.decode(bytes(length))
    assert caught.value.tag == 0x8E


@given(st.binary(min_size=10, max_size=40).filter(lambda raw: len(raw) % 2 == 0))
def test_a_list_encodes_to_what_it_was(raw: bytes) -> None:
    assert CvmList.decode(raw).encode() == raw


@given(st.binary(max_size=5))
def test_results_encode_to_what_they_were(raw: bytes) -> None:
    if len(raw) == 3:
        assert CvmResults.decode(raw).encode() == raw
        return
    with pytest.raises(DecodeError):
        CvmResults.decode(raw)


@given(
    st.binary(max_size=24),
    st.binary(max_size=3),
    st.binary(max_size=3),
    st.integers(0, 20000),
    st.sampled_from([0x00, 0x01, 0x09, 0x20]),
    st.integers(0, 7).map(CvmMethods),
)
@settings(max_examples=300)
def test_bad_lists_are_refused_and_the_rest_is_consistent(
    value: bytes, aip: bytes, currency: bytes, amount: int, kind: int, supported: CvmMethods
) -> None:
    card = CardData()
    card.add([(0x82, aip), (0x8E, value), (0x9F42, currency)])
    terminal = {0x9F35: b"\x22", 0x5F2A: b"\x09\x78"}
    try:
        decision = select_cvm(card, terminal, transaction=payment(amount, kind), supported=supported)
    except DecodeError:
        return
    failed = bool(decision.tvr & Tvr.CVM_FAILED)
    assert failed == (decision.cvm is NA)
    assert (decision.results[2] == 1) == failed
    needs = {CvmResult.ONLINE_PIN: PIN, CvmResult.SIGNATURE: SIGN}.get(decision.cvm)
    assert needs is None or supported & needs
