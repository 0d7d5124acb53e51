"""What card and terminal have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.candidates import DirectoryEntry, candidate_list, directory, matches, printable, requested_kernel
from emv.config import CombinationConfig
from emv.errors import DecodeError
from emv.kernel import Indicators

VISA, MASTERCARD = bytes.fromhex("A0000000031010"), bytes.fromhex("A0000000041010")


def row(aid: bytes, kernel: int, *, partial: bool = True) -> CombinationConfig:
    return CombinationConfig(aid=aid, kernel_id=kernel, partial_selection=partial)


def ppse(*entries: bytes) -> bytes:
    inside = b"".join(tlv.encode_one(0x61, entry) for entry in entries)
    proprietary = tlv.encode_one(0xA5, tlv.encode_one(0xBF0C, inside))
    return tlv.encode_one(0x6F, tlv.encode_one(0x84, b"2PAY.SYS.DDF01") + proprietary)


def test_a_directory_is_read() -> None:
    raw = ppse(
        bytes.fromhex("4F07A0000000031010 500456495341 870181 9F2A0103 9F290101".replace(" ", "")),
        bytes.fromhex("5003414243"),
    )
    assert directory(raw) == (
        DirectoryEntry(VISA, "VISA", 1, b"\x03", b"\x01"),
        DirectoryEntry(b"", "ABC"),
    )


@given(st.binary(max_size=80))
def test_any_answer_is_a_directory_or_a_decode_error(raw: bytes) -> None:
    for answer in (raw, ppse(raw)):
        try:
            entries = directory(answer)
        except DecodeError:
            continue
        combinations = [(row(VISA, 3), Indicators()), (row(b"\0" * 5, 3), Indicators())]
        candidate_list(entries, combinations)


@pytest.mark.parametrize(
    ("identifier", "aid", "kernel"),
    [
        ("", "A0000000031010", 3),
        ("", "A0000000041010", 2),
        ("", "A0000000251010", 4),
        ("", "A0000000651010", 5),
        ("", "A0000001523010", 6),
        ("", "A0000003330101", 7),
        ("", "B0000000010101", 0),
        ("00", "A0000000031010", 0),
        ("03", "A0000000031010", 3),
        ("43", "A0000000031010", 0x43),
        ("21FFFF", "A0000000031010", 0x21),
        ("81", "A0000000031010", None),
        ("C101", "A0000000031010", None),
        ("810978", "A0000000031010", 0x810978),
        ("81097801", "A0000000031010", 0x810978),
        ("80097801", "A0000000031010", 0x80097801),
    ],
)
def test_which_kernel_is_asked_for(identifier: str, aid: str, kernel: int | None) -> None:
    entry = DirectoryEntry(bytes.fromhex(aid), kernel=bytes.fromhex(identifier))
    assert requested_kernel(entry, entry.name) == kernel


@pytest.mark.parametrize(
    ("name", "partial", "expected"),
    [
        ("A0000000031010", True, True),
        ("A000000003101001", True, True),
        ("A000000003101001", False, False),
        ("A0000000031010", False, True),
        ("A000000003", True, False),
        ("", True, False),
        ("A0000000031010" + "00" * 10, True, False),
    ],
)
def test_a_name_matches_as_a_whole_or_at_its_beginning(name: str, partial: bool, expected: bool) -> None:
    assert matches(DirectoryEntry(bytes.fromhex(name)), row(VISA, 3, partial=partial)) is expected


def test_the_shortest_name_is_five_bytes() -> None:
    assert matches(DirectoryEntry(VISA[:5]), row(VISA[:5], 3))


def test_priority_then_place_decides() -> None:
    entries = [
        DirectoryEntry(VISA, "none"),
        DirectoryEntry(VISA, "second", 2),
        DirectoryEntry(VISA, "second too", 2),
        DirectoryEntry(VISA, "first", 1),
    ]
    found = candidate_list(entries, [(row(VISA, 3), Indicators())])
    assert [candidate.entry.label for candidate in found] == ["first", "second", "second too", "none"]


def test_a_combination_that_is_not_allowed_is_no_candidate() -> None:
    entries = [DirectoryEntry(VISA), DirectoryEntry(MASTERCARD)]
    combinations = [(row(VISA, 3), Indicators(not_allowed=True)), (row(MASTERCARD, 2), Indicators())]
    assert [found.entry.name for found in candidate_list(entries, combinations)] == [MASTERCARD]


def test_names_are_shown_without_control_characters() -> None:
    assert printable(b"VI\x1b[2JSA \xe9 ") == "VI[2JSA é"
