"""ATRs of contactless readers, taken apart."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readers import atr

# Examples of ACS's manuals.
MIFARE_1K = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
FELICA = bytes.fromhex("3B8F8001804F0CA00000030611003B0000000042")
FELICA_ACS = bytes.fromhex("3B8F8001804F0CA00000030603F011000000008A")
DESFIRE_ACS = bytes.fromhex("3B86800106757781028000")
ST19_ACS = bytes.fromhex("3B8C800150122345561253544E3381C355")


def made_up(historical: bytes) -> bytes:
    """Return what a reader makes of historical bytes."""
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


@pytest.mark.parametrize(
    ("answer", "protocol", "name"),
    [
        (MIFARE_1K, "ISO/IEC 14443 type A, part 3", "MIFARE Classic 1K"),
        (FELICA, "FeliCa", "FeliCa"),
        (FELICA_ACS, "ISO/IEC 14443 type A, part 3", "FeliCa 212K"),
        (
            made_up(bytes.fromhex("804F0CA000000306 03FF28 00000000")),
            "ISO/IEC 14443 type A, part 3",
            "unknown, SAK 28",
        ),
        (made_up(bytes.fromhex("804F0CA000000306 0B0000 00000000")), "ISO/IEC 15693, part 3", "not given"),
    ],
)
def test_a_storage_card_tells_its_standard_and_name(answer: bytes, protocol: str, name: str) -> None:
    found, details = atr.describe(answer)
    assert found == protocol
    assert details["card name"] == name
    assert details["ATR"] == answer.hex(" ").upper()


def test_type_a_gives_its_historical_bytes() -> None:
    protocol, details = atr.describe(made_up(b"TSC"))
    assert protocol == "ISO/IEC 14443-4 type A"
    assert details["historical bytes"] == "54 53 43"


def test_type_b_gives_application_data_and_protocol_information() -> None:
    answer = made_up(bytes.fromhex("11223344 008171 30"))
    protocol, details = atr.describe(answer)
    assert protocol == "ISO/IEC 14443-4 type A or B"
    assert details["if type B: application data"] == "11 22 33 44"
    assert details["if type B: protocol information"] == "00 81 71"
    assert details["if type B: frame size index"] == "8"
    assert details["if type B: frame waiting integer"] == "7"
    assert details["if type B: MBLI"] == "3"


def test_an_ats_settles_that_it_is_type_a() -> None:
    protocol, details = atr.describe(made_up(bytes.fromhex("1122334400817130")), ats=bytes.fromhex("0278"))
    assert protocol == "ISO/IEC 14443-4 type A"
    assert details["ATS"] == "02 78"


def test_readers_that_put_the_whole_answer_there_are_understood() -> None:
    assert atr.describe(DESFIRE_ACS) == (
        "ISO/IEC 14443-4 type A",
        {"ATR": "3B 86 80 01 06 75 77 81 02 80 00", "ATS": "06 75 77 81 02 80"},
    )
    protocol, details = atr.describe(ST19_ACS)
    assert protocol == "ISO/IEC 14443-4 type B"
    assert details["PUPI"] == "12 23 45 56"
    assert details["application data"] == "12 53 54 4E"


def test_a_contact_card_is_told_apart() -> None:
    protocol, details = atr.describe(bytes.fromhex("3B6800000073C84013009000"))
    assert protocol == "ISO/IEC 7816 contact"
    assert details["protocols"] == "T=0"
    assert details["historical bytes"] == "00 73 C8 40 13 00 90 00"


@pytest.mark.parametrize("size", range(len(MIFARE_1K)))
def test_an_atr_that_is_cut_off_is_none(size: int) -> None:
    with pytest.raises(atr.AtrError):
        atr.parse(MIFARE_1K[:size])


def test_a_wrong_check_byte_is_told() -> None:
    protocol, details = atr.describe(MIFARE_1K[:-1] + b"\x00")
    assert protocol == "unknown"
    assert "check byte" in details["fault"]


@given(st.binary(max_size=15))
def test_what_a_reader_makes_up_is_taken_apart_again(historical: bytes) -> None:
    parts = atr.parse(made_up(historical))
    assert parts.historical == historical
    assert parts.contactless
    assert parts.protocols == (0, 1)


@given(st.binary(max_size=40), st.binary(max_size=8))
def test_any_bytes_are_described(answer: bytes, ats: bytes) -> None:
    protocol, _ = atr.describe(answer, ats=ats)
    assert protocol
    with contextlib.suppress(atr.AtrError):
        atr.parse(answer)
    atr.describe(made_up(answer[:15]), ats=ats)
