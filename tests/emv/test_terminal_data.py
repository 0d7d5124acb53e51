"""What a card may ask the terminal for."""

from dataclasses import replace

import pytest

from emv.config import EmvConfig
from emv.kernel import Transaction
from emv.tags import Tag
from emv.terminal_data import terminal_data

AID = bytes.fromhex("A0000000031010")
CONFIG = EmvConfig(country="276", currency="978", combinations=())


def told(transaction: Transaction, config: EmvConfig = CONFIG) -> dict[int, str]:
    return {tag: value.hex().upper() for tag, value in terminal_data(config, transaction, aid=AID).items()}


def test_amounts_are_numeric_and_binary(purchase: Transaction) -> None:
    found = told(replace(purchase, amount_other_minor=250))
    assert (found[Tag.AMOUNT_AUTHORISED], found[Tag.AMOUNT_OTHER]) == ("000000001250", "000000000250")
    assert (found[Tag.AMOUNT_AUTHORISED_BINARY], found[Tag.AMOUNT_OTHER_BINARY]) == ("000004E2", "000000FA")


def test_an_amount_too_large_for_four_bytes_is_all_ones(purchase: Transaction) -> None:
    assert told(replace(purchase, amount_minor=2**32 - 2))[Tag.AMOUNT_AUTHORISED_BINARY] == "FFFFFFFE"
    assert told(replace(purchase, amount_minor=10**12 - 1))[Tag.AMOUNT_AUTHORISED_BINARY] == "FFFFFFFF"


def test_the_counter_starts_anew_behind_eight_digits(purchase: Transaction) -> None:
    assert told(replace(purchase, sequence_counter=10**8 + 7))[Tag.SEQUENCE_COUNTER] == "00000007"


@pytest.mark.parametrize(
    ("setting", "tag", "value"),
    [
        ({"acquirer_id": "12345678901"}, Tag.ACQUIRER_ID, "012345678901"),
        ({"merchant_id": "SHOP 1"}, Tag.MERCHANT_ID, "53484F502031"),
        ({"merchant_name": "茶"}, Tag.MERCHANT_NAME, "3F"),
        ({"extra": {0x9F33: b"\1\2\3"}}, Tag.TERMINAL_CAPABILITIES, "010203"),
    ],
)
def test_what_the_terminal_is(
    setting: dict[str, object], tag: Tag, value: str, purchase: Transaction
) -> None:
    assert told(purchase, replace(CONFIG, **setting))[tag] == value  # type: ignore[arg-type]


def test_what_is_not_set_is_not_told(purchase: Transaction) -> None:
    assert not {Tag.ACQUIRER_ID, Tag.MERCHANT_ID, Tag.TTQ} & set(told(purchase))
