"""Nothing that looks like a card number survives, however it is written; what is none stays as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from terminal.card_numbers import MASK, looks_free, mask

PAN = "4761739001010119"
BCD = bytes.fromhex(PAN)
GROUPS = " -.:/_+\t\n"


def with_check_digit(digits: str) -> str:
    """Return digits and the one that makes them a card number. Written apart from the code under test."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    total = sum(value // 10 + value % 10 for value in doubled)
    return f"{digits}{-total % 10}"


numbers = st.builds(
    lambda first, rest: with_check_digit(first + rest),
    st.sampled_from("123456789"),
    st.text("0123456789", min_size=10, max_size=17),
).filter(lambda number: not number.startswith("20"))
quiet = st.text(st.characters(blacklist_categories=["Nd", "Cs"]), max_size=20)
"""Text without digits around a number."""


def grouped(number: str, size: int, separator: str) -> str:
    return separator.join(number[at : at + size] for at in range(0, len(number), size))


def dense(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).lower()


@given(numbers, quiet, quiet)
@example("378282246310005", "", "")
@example("6200000000000005", "pan=", ";")
def test_no_plain_number_survives(number: str, before: str, after: str) -> None:
    text = mask(f"{before}{number}{after}")
    assert number not in text
    assert looks_free(text)


@given(numbers, st.integers(1, 6), st.sampled_from([*GROUPS, "  ", "\t\t", ", ", ",\n "]))
def test_no_grouped_number_survives(number: str, size: int, separator: str) -> None:
    assert number not in dense(mask(grouped(number, size, separator)))


@given(numbers, st.text("0123456789", max_size=6), st.text("0123456789", max_size=6))
def test_no_number_survives_in_a_longer_run(number: str, before: str, after: str) -> None:
    if not f"{before}{number}{after}".startswith("20"):
        assert number not in mask(f"{before}{number}{after}")


@given(numbers, st.sampled_from(["", " ", ":", ", ", "\\x", ", 0x"]))
def test_no_number_survives_in_a_dump(number: str, separator: str) -> None:
    padded = number + "F" * (len(number) % 2)
    bcd = separator.join(padded[at : at + 2] for at in range(0, len(padded), 2))
    text = separator.join(f"{byte:02x}" for byte in number.encode())
    assert number not in dense(mask(f"5A08{separator}{bcd}"))
    assert number.encode().hex() not in mask(text).replace(separator, "")


@given(numbers)
def test_no_number_survives_as_python_writes_bytes(number: str) -> None:
    for value in (number.encode(), bytes.fromhex(number if len(number) % 2 == 0 else f"0{number}")):
        for text in (
            repr(value),
            str(list(value)),
            str(tuple(value)),
            str(list(value)).replace(",", ""),
            json.dumps(list(value), indent=1),
            json.dumps([hex(byte) for byte in value], indent=1),
            str([hex(byte) for byte in value]),
        ):
            assert mask(f"data {text} end") == f"data {MASK} end" or "0x" in text
            assert text not in mask(text)
        cut = ",\n   ".join(map(str, value))
        assert mask(f"...,\n   {cut},\n") == f"...,\n   {MASK},\n"


@given(st.integers(0, 20), st.integers(8, 12), st.booleans())
def test_no_number_survives_in_the_rows_of_a_dump(before: int, after: int, upper: bool) -> None:
    dumped = bytes(range(0xA0, 0xA0 + before)) + b"\x5a\x08" + BCD + bytes(range(0xC0, 0xC0 + after))
    for text in (hexdump(dumped), xxd(dumped)):
        masked = mask(f"the frame:\n{text.upper() if upper else text}\nand so on")
        assert "739001" not in dense(masked)
        assert "73 90" not in masked
        assert masked.startswith("the frame:\n")
        assert masked.endswith("and so on")


def hexdump(data: bytes) -> str:
    """Return bytes as `hexdump -C` writes them."""
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        rows.append(f"{at:08x}  {row[:8].hex(' '):23}  {row[8:].hex(' '):23}  |{shown}|")
    return "\n".join(rows)


def xxd(data: bytes) -> str:
    """Return bytes as `xxd` writes them."""
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        words = " ".join(row[word : word + 2].hex() for word in range(0, len(row), 2))
        rows.append(f"{at:08x}: {words:39}  {shown}")
    return "\n".join(rows)


@given(st.integers(0, 3), st.sampled_from([2, 4]))
def test_no_number_survives_in_words(before: int, size: int) -> None:
    dumped = bytes(range(0xA0, 0xA0 + before)) + BCD + b"\xd2\x51\xff\xff"
    text = " ".join(dumped[at : at + size].hex() for at in range(0, len(dumped), size))
    assert PAN not in dense(mask(text))


@pytest.mark.parametrize(
    "text",
    [
        "3782 822463 10005",
        f"{PAN}=25122011143804400000",
        f"{PAN}D25122011143804400000F",
        f"<57 {BCD.hex(' ')} d2 51 22 01 11 43 80 44 00 00 0f>",
        f"ValueError: bad card {PAN}!",
        f'{{"name": "reader {PAN}"}}',
        f"%B{PAN}^DOE/JANE^25122011143804400000?",
    ],
)
def test_forms_that_are_met(text: str) -> None:
    assert PAN not in dense(mask(text))
    assert "1143804400000" not in dense(mask(text)) or "^" in text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 02:43:30,123 INFO terminal: host online",
        "20261122024330",
        "20261122024330123",
        "9F02 06 000000000000 00000000000000000000",
        "0.1234 ms, 3.11.7, 127.0.0.1:50443",
        "72 readers, 1000000 bytes, 12345678901",
        "A0000000031010 / A000000333010101",
        "1234567890123",  # the check digit is wrong
    ],
)
def test_what_is_no_card_number_stays(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=60))
def test_masking_again_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(st.text("0123456789 -.:,x\\b'\"[]()=D\n\t", max_size=80))
def test_masked_text_is_free(text: str) -> None:
    assert looks_free(mask(text))
