"""EMV data formats."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import formats
from emv.errors import DecodeError


@given(st.integers(0, 10**12 - 1))
def test_numbers_come_back(number: int) -> None:
    assert formats.decode_n(formats.encode_n(number, 6)) == number


@given(st.text("0123456789", max_size=20))
def test_compressed_digits_come_back(digits: str) -> None:
    assert formats.decode_cn(formats.encode_cn(digits, 10)) == digits


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)))
def test_dates_come_back(date: datetime.date) -> None:
    assert formats.decode_date(formats.encode_date(date)) == date


@given(st.binary(max_size=24))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    decoders: list[Callable[[bytes], object]] = [
        *(formats.decode_n, formats.decode_cn, formats.decode_an, formats.decode_ans, formats.decode_date)
    ]
    for decode in decoders:
        try:
            decode(raw)
        except DecodeError:
            continue


@pytest.mark.parametrize(("raw", "year"), [("491231", 2049), ("500101", 1950)])
def test_the_century_turns_at_fifty(raw: str, year: int) -> None:
    assert formats.decode_date(bytes.fromhex(raw)).year == year


@pytest.mark.parametrize("raw", ["", "2502", "250230", "251301", "25A101"])
def test_what_is_no_date_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        formats.decode_date(bytes.fromhex(raw))


def test_text() -> None:
    assert formats.encode_ans("CAFE", 6) == b"CAFE  "
    assert formats.encode_ans("CAFE", 4) == b"CAFE"
    assert formats.decode_ans(b"Caf\xe9  ") == "Café"
    assert formats.decode_an(b"AB12\0") == "AB12"
    assert formats.encode_time(datetime.time(9, 5, 1)) == bytes.fromhex("090501")
    with pytest.raises(DecodeError):
        formats.decode_ans(b"\x1b[2J")
    with pytest.raises(DecodeError):
        formats.decode_an(b"A-1")


@pytest.mark.parametrize(
    "encode",
    [
        lambda: formats.encode_n(100, 1),
        lambda: formats.encode_n(-1, 2),
        lambda: formats.encode_cn("123", 1),
        lambda: formats.encode_cn("12x", 4),
        lambda: formats.encode_ans("toolong", 3),
    ],
)
def test_what_does_not_fit_is_not_encoded(encode: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"bytes"):
        encode()


def test_reference_vectors(vectors: Callable[[str], Any]) -> None:
    for case in vectors("tlv_decode.json")["cases"]:
        if case["kind"] != "format_encode":
            continue
        if case["format"] == "cn":
            value = formats.encode_cn(case["input"], case["length"])
        else:
            value = formats.encode_n(int(case["input"]), case["length"])
        assert value.hex().upper() == case["expected"]


@given(st.times().map(lambda time: time.replace(microsecond=0)))
def test_times_come_back(time: datetime.time) -> None:
    assert formats.decode_time(formats.encode_time(time)) == time


@pytest.mark.parametrize("raw", ["", "1230", "246000", "12AA00"])
def test_what_is_no_time_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        formats.decode_time(bytes.fromhex(raw))
