"""What kernel 2 decides by itself: cardholder verification, restrictions, limits, data of the card."""

from dataclasses import replace

import pytest

from emv.c2_capabilities import Capabilities, capabilities
from emv.c2_cvm import select_cvm
from emv.c2_error import L1, L2, ErrorIndication
from emv.c2_limits import floor_limit
from emv.c2_options import C2Options
from emv.c2_restrictions import restrictions
from emv.card_data import CardData
from emv.config import CombinationConfig
from emv.fields import Aip, Tvr
from emv.kernel import Transaction
from emv.outcome import CvmResult, MessageId

TERMINAL = {0x9F33: bytes.fromhex("0068C8"), 0x9F35: b"\x22", 0x5F2A: b"\x09\x78", 0x9F1A: b"\x02\x76"} | {
    0x9F40: bytes.fromhex("F000F0A001")
}


def card(**values: str) -> CardData:
    """Return a card by tags: t8E="..."."""
    found = CardData()
    found.add((int(tag[1:], 16), bytes.fromhex(value)) for tag, value in values.items())
    return found


def verify(
    rules: str, purchase: Transaction, capability: str = "68", **more: str
) -> tuple[str, CvmResult, int]:
    terminal = TERMINAL | {0x9F33: bytes.fromhex(f"00{capability}C8")}
    decision = select_cvm(
        card(t8E="000000640000012C" + rules, **more),
        terminal,
        transaction=purchase,
        aip=Aip.CARDHOLDER_VERIFICATION,
        on_device=False,
        required=True,
    )
    return decision.results.hex().upper(), decision.cvm, int(decision.tvr)


FAILED, UNKNOWN, PIN = 0x800000, 0x400000, 0x040000


@pytest.mark.parametrize(
    ("rules", "capability", "results", "cvm", "tvr"),
    [
        ("0200", "68", "020000", CvmResult.ONLINE_PIN, PIN),
        ("1E00", "68", "1E0000", CvmResult.SIGNATURE, 0),
        ("1F00", "68", "1F0002", CvmResult.NONE, 0),
        ("42031E031F03", "28", "1E0300", CvmResult.SIGNATURE, 0),
        ("42031E031F03", "08", "1F0302", CvmResult.NONE, 0),
        ("42031E031F03", "00", "3F0001", CvmResult.NONE, FAILED),
        # A method that can't be used fails for good without bit 7, and goes on with it.
        ("02001F00", "08", "3F0001", CvmResult.NONE, FAILED),
        ("42001F00", "08", "1F0002", CvmResult.NONE, 0),
        ("4200", "08", "3F0001", CvmResult.NONE, FAILED),
        # The offline PIN is known, and never supported.
        ("41001F00", "F8", "1F0002", CvmResult.NONE, 0),
        ("0500", "F8", "3F0001", CvmResult.NONE, FAILED),
        # A method that nobody knows, a condition that nobody knows.
        ("68001F00", "08", "1F0002", CvmResult.NONE, UNKNOWN),
        ("2800", "08", "3F0001", CvmResult.NONE, UNKNOWN | FAILED),
        ("1F7F", "08", "3F0001", CvmResult.NONE, FAILED),
        # "Fail": the only failure that the results name.
        ("0000", "68", "000001", CvmResult.NONE, FAILED),
        ("40001F00", "08", "1F0002", CvmResult.NONE, 0),
        ("40001F7F", "08", "3F0001", CvmResult.NONE, FAILED),
        # Under 1.00 and over 3.00 in the card's currency.
        ("1F061E07", "68", "1E0700", CvmResult.SIGNATURE, 0),
        ("1F081E09", "68", "1E0900", CvmResult.SIGNATURE, 0),
    ],
)
def test_the_list_of_methods(
    rules: str, capability: str, results: str, cvm: CvmResult, tvr: int, purchase: Transaction
) -> None:
    assert verify(rules, purchase, capability, t9F42="0978") == (results, cvm, tvr)


def test_a_card_without_a_list(purchase: Transaction) -> None:
    for aip, tvr in ((Aip(0), 0), (Aip.CARDHOLDER_VERIFICATION, int(Tvr.ICC_DATA_MISSING))):
        decision = select_cvm(card(), TERMINAL, transaction=purchase, aip=aip, on_device=False, required=True)
        assert (decision.results.hex(), decision.cvm, decision.tvr) == ("3f0000", CvmResult.NONE, tvr)


# Restrictions


@pytest.mark.parametrize(
    ("usage", "country", "kind", "cashback", "allowed"),
    [
        ("2100", "0276", 0x00, 0, True),
        ("2100", "0276", 0x00, 100, False),
        ("2180", "0276", 0x00, 100, True),
        ("2180", "0276", 0x09, 100, True),
        ("0180", "0276", 0x09, 100, False),
        ("1140", "0840", 0x09, 100, True),
        ("1180", "0840", 0x09, 100, False),
        ("8100", "0276", 0x01, 0, True),
    ],
)
def test_cashback(
    usage: str, country: str, kind: int, cashback: int, allowed: bool, purchase: Transaction
) -> None:
    payment = replace(purchase, type=kind, amount_other_minor=cashback)
    found = restrictions(card(t9F07=usage, t5F28=country, t5F24="271231"), TERMINAL, payment)
    assert found == (Tvr(0) if allowed else Tvr.SERVICE_NOT_ALLOWED)


def test_a_card_that_says_nothing_about_its_use_may_be_used(purchase: Transaction) -> None:
    payment = replace(purchase, amount_other_minor=100)
    for found in (card(t5F24="271231"), card(t5F24="271231", t9F07="0100")):
        assert restrictions(found, TERMINAL, payment) == Tvr(0)


# Small data


def test_capabilities_of_another_length_are_none() -> None:
    assert capabilities(card(t9F5D="000700")) == Capabilities(0x000700)
    assert capabilities(card(t9F5D="0007")) == Capabilities(0)
    assert capabilities(card()) == Capabilities(0)


def test_the_floor_limit_of_a_row() -> None:
    aid = bytes.fromhex("A0000000041010")
    assert floor_limit(CombinationConfig(aid=aid, kernel_id=2, floor_limit=5, terminal_floor_limit=9)) == 5
    assert floor_limit(CombinationConfig(aid=aid, kernel_id=2, terminal_floor_limit=9)) == 9


def test_an_error_indication_has_six_bytes() -> None:
    error = ErrorIndication(l1=L1.PROTOCOL, l2=L2.STATUS_BYTES, sw=0x6985, message=MessageId.TRY_AGAIN)
    assert error.encode().hex() == "030300698521"


@pytest.mark.parametrize(
    "wrong",
    [
        {"transaction_limit": -1},
        {"device_cvm_transaction_limit": -1},
        {"cvm_capability_required": 256},
        {"cvm_capability_not_required": -1},
        {"merchant_custom_data": b"1"},
        {"application_version": b"1"},
        {"magstripe_version": b"1"},
        {"transaction_category": "RR"},
        {"transaction_category": "ä"},
        {"relay_min_grace_100us": -1},
        {"relay_answer_100us": 0x10000},
        {"relay_mismatch_percent": 101},
        {"torn_records": -1},
        {"message_hold_ms": -1},
    ],
)
def test_settings_that_can_not_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        C2Options(**wrong)  # type: ignore[arg-type]
