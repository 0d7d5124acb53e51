"""Pre-processing: what an amount means for a combination."""

from dataclasses import replace

import pytest

from emv.config import CombinationConfig, EmvConfig, default_config
from emv.fields import Ttq
from emv.kernel import Indicators, Transaction
from emv.preprocessing import preprocess, without_preprocessing

AID = bytes.fromhex("A0000000031010")
ROW = CombinationConfig(aid=AID, kernel_id=3, ttq=Ttq.EMV_MODE | Ttq.CVM_REQUIRED)
ONLINE, VERIFIED = Ttq.EMV_MODE | Ttq.ONLINE_CRYPTOGRAM_REQUIRED, Ttq.EMV_MODE | Ttq.CVM_REQUIRED


def found(purchase: Transaction, row: CombinationConfig, amount: int) -> Indicators:
    config = EmvConfig(country="276", currency="978", combinations=(row,))
    return preprocess(config, row, replace(purchase, amount_minor=amount))


@pytest.mark.parametrize(
    ("settings", "amount", "expected"),
    [
        ({}, 1250, Indicators(ttq=Ttq.EMV_MODE)),
        ({"floor_limit": 1250}, 1250, Indicators(ttq=Ttq.EMV_MODE)),
        ({"floor_limit": 1249}, 1250, Indicators(ttq=ONLINE, floor_limit_exceeded=True)),
        ({"terminal_floor_limit": 1249}, 1250, Indicators(ttq=ONLINE, floor_limit_exceeded=True)),
        ({"terminal_floor_limit": 1, "floor_limit": 1250}, 1250, Indicators(ttq=Ttq.EMV_MODE)),
        ({"cvm_limit": 1251}, 1250, Indicators(ttq=Ttq.EMV_MODE)),
        ({"cvm_limit": 1250}, 1250, Indicators(ttq=VERIFIED, cvm_limit_exceeded=True)),
        ({"transaction_limit": 1251}, 1250, Indicators(ttq=Ttq.EMV_MODE)),
        ({"transaction_limit": 1250}, 1250, Indicators(ttq=Ttq.EMV_MODE, not_allowed=True)),
        ({"status_check": True}, 100, Indicators(ttq=ONLINE, status_check_requested=True)),
        ({"status_check": True}, 101, Indicators(ttq=Ttq.EMV_MODE)),
        ({"zero_amount_allowed": True}, 0, Indicators(ttq=ONLINE, zero_amount=True)),
        ({"zero_amount_allowed": False}, 0, Indicators(ttq=Ttq.EMV_MODE, not_allowed=True)),
        ({"ttq": None, "floor_limit": 0}, 1250, Indicators(floor_limit_exceeded=True)),
        (
            {"ttq": Ttq.OFFLINE_ONLY},
            0,
            Indicators(ttq=Ttq.OFFLINE_ONLY, zero_amount=True, not_allowed=True),
        ),
    ],
)
def test_limits_set_the_indicators(
    purchase: Transaction, settings: dict[str, int], amount: int, expected: Indicators
) -> None:
    assert found(purchase, replace(ROW, **settings), amount) == expected  # type: ignore[arg-type]


def test_bits_without_a_name_are_passed_on(purchase: Transaction) -> None:
    row = replace(ROW, ttq=Ttq(0xF7EA8A55), floor_limit=0)
    assert found(purchase, row, 1250).ttq == 0xF7AA8A55


def test_limits_hold_for_no_other_currency(purchase: Transaction) -> None:
    row = replace(ROW, floor_limit=10**6, cvm_limit=10**6)
    config = EmvConfig(country="276", currency="978", combinations=(row,))
    indicators = preprocess(config, row, replace(purchase, currency="392", amount_minor=1))
    assert (indicators.floor_limit_exceeded, indicators.cvm_limit_exceeded) == (True, True)
    indicators = preprocess(config, row, replace(purchase, currency="0978", amount_minor=1))
    assert (indicators.floor_limit_exceeded, indicators.cvm_limit_exceeded) == (False, False)


def test_without_preprocessing_the_ttq_stays_as_configured() -> None:
    assert without_preprocessing(ROW) == Indicators(ttq=ROW.ttq)


def test_the_default_counter_asks_for_an_online_cryptogram(purchase: Transaction) -> None:
    config = default_config("276", "978")
    rows = [row for row in config.combinations if row.ttq is not None]
    assert {row.kernel_id for row in rows} >= {3, 7}
    for row in rows:
        ttq = preprocess(config, row, purchase).ttq
        can = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM | Ttq.ODA_FOR_ONLINE
        assert ttq == can | Ttq.ONLINE_CRYPTOGRAM_REQUIRED


@pytest.mark.parametrize(
    "bad",
    [{"aid": b"\xa0"}, {"kernel_id": -1}, {"floor_limit": -1}],
)
def test_a_bad_row_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(ROW, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        *({"country": "DE"}, {"currency": "EUR"}, {"currency": "９７８"}, {"capabilities": b""}),
        *({"merchant_category": "599"}, {"merchant_category": "food"}, {"acquirer_id": "1" * 12}),
        *({"terminal_id": "123456789"}, {"terminal_type": 256}, {"pos_entry_mode": -1}),
    ],
)
def test_a_bad_terminal_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(default_config("276", "978"), **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        *({"amount_minor": -1}, {"amount_minor": 10**12}, {"amount_other_minor": 2000}),
        *({"currency": "EUR"}, {"unpredictable_number": b"\1"}, {"type": 256}, {"currency_exponent": 10}),
    ],
)
def test_a_bad_transaction_is_refused(purchase: Transaction, bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(purchase, **bad)  # type: ignore[arg-type]
