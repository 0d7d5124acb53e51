"""Data object lists."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import dol
from emv.dol import DolEntry
from emv.errors import DecodeError

entries = st.lists(
    st.builds(DolEntry, st.sampled_from([0x9F66, 0x9F02, 0x9A, 0x5A, 0x9F1C, 0x70]), st.integers(0, 32)),
    max_size=8,
).map(tuple)


@given(entries)
def test_a_list_comes_back(value: tuple[DolEntry, ...]) -> None:
    assert dol.decode(dol.encode(value)) == value


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    try:
        found = dol.decode(raw)
    except DecodeError:
        return
    assert len(dol.fill(found, {0x9F02: b"\1" * 6})) == dol.length(found) <= dol.MAX_DATA_BYTES


@given(
    entries, st.dictionaries(st.sampled_from([0x9F66, 0x9F02, 0x9A, 0x5A, 0x9F1C]), st.binary(max_size=40))
)
def test_the_data_is_always_as_long_as_asked(value: tuple[DolEntry, ...], values: dict[int, bytes]) -> None:
    assert len(dol.fill(value, values)) == dol.length(value)


@pytest.mark.parametrize(
    ("tag", "length", "value", "sent"),
    [
        (0x9F02, 6, "000000001250", "000000001250"),
        (0x9F02, 4, "000000001250", "00001250"),
        (0x9F02, 8, "000000001250", "0000000000001250"),
        (0x9F02, 0, "000000001250", ""),
        (0x5A, 4, "476173", "476173FF"),
        (0x5A, 2, "476173", "4761"),
        (0x9F37, 5, "01020304", "0102030400"),
        (0x9F37, 2, "01020304", "0102"),
        (0x9F16, 5, "4142", "4142000000"),
        (0xDF01, 2, "010203", "0102"),
        (0x70, 2, "0102", "0000"),
    ],
)
def test_a_value_is_fitted_by_its_format(tag: int, length: int, value: str, sent: str) -> None:
    assert dol.fit(DolEntry(tag, length), bytes.fromhex(value)).hex().upper() == sent


def test_what_is_unknown_is_sent_as_zeros() -> None:
    assert dol.fill((DolEntry(0xDF77, 3),), {}) == bytes(3)


@pytest.mark.parametrize("raw", ["9F", "9F66", "9F66049F", "0001", "9F02FF9F02FF9F02FF9F02FF9F02FF"])
def test_a_broken_list_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        dol.decode(bytes.fromhex(raw))


def test_reference_vectors(vectors: Callable[[str], Any]) -> None:
    for case in vectors("tlv_decode.json")["cases"]:
        if case["kind"] == "dol_parse":
            found = dol.decode(bytes.fromhex(case["input"]))
            expected = case["expected"]
            assert dol.length(found) == expected.get("total_length", dol.length(found))
            count = sum(entry.tag == 0x9A for entry in found)
            assert count == expected.get("entries_with_tag_9A", count)
