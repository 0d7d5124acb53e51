"""BER-TLV: exact inverse, strict bounds, faults that name tag and place."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.errors import DecodeError

PRIMITIVE = [0x5A, 0x57, 0x9F26, 0x9F02, 0xDF8129, 0x82, 0x9F1F, 0xC1, 0x5F20]
CONSTRUCTED = [0x70, 0x77, 0x6F, 0xA5, 0xBF0C, 0xFF8105, 0xE1]

leaves = st.tuples(st.sampled_from(PRIMITIVE), st.binary(max_size=300))
trees: st.SearchStrategy[tuple[tlv.Tlv, ...]] = st.recursive(
    st.lists(leaves, max_size=4).map(tuple),
    lambda inner: st.lists(st.tuples(st.sampled_from(CONSTRUCTED), inner), max_size=3).map(tuple),
    max_leaves=12,
)


def depth(objects: tuple[tlv.Tlv, ...]) -> int:
    return max((1 + depth(value) for _, value in objects if isinstance(value, tuple)), default=1)


@given(trees)
def test_what_is_encoded_decodes_to_itself(tree: tuple[tlv.Tlv, ...]) -> None:
    raw = tlv.encode(tree)
    if depth(tree) > tlv.MAX_DEPTH:
        with pytest.raises(DecodeError):
            tlv.decode(raw)
    else:
        assert tlv.decode(raw) == tree
        assert tlv.encode(tlv.decode(raw)) == raw


@given(st.binary(max_size=64))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    for parse in (tlv.decode, tlv.split, tlv.tag_list):
        fault = raised(parse, raw)
        assert fault is None or 0 <= fault.offset <= len(raw)


def raised(parse: Callable[[bytes], object], raw: bytes) -> DecodeError | None:
    """Return what a parser raised. Another exception is not caught."""
    try:
        parse(raw)
    except DecodeError as error:
        return error
    return None


@given(st.binary(max_size=64))
def test_what_decodes_without_slack_encodes_to_itself(raw: bytes) -> None:
    try:
        tree = tlv.decode(raw)
    except DecodeError:
        return
    assert tlv.decode(tlv.encode(tree)) == tree
    assert len(tlv.encode(tree)) <= len(raw)


@given(trees.filter(bool), st.data())
def test_a_cut_anywhere_is_refused_or_ends_between_objects(
    tree: tuple[tlv.Tlv, ...], data: st.DataObject
) -> None:
    raw = tlv.encode(tree)
    cut = data.draw(st.integers(0, len(raw) - 1))
    ends, at = {0}, 0
    for tag, value in tree:
        at += len(tlv.encode_one(tag, value))
        ends.add(at)
    if cut in ends and depth(tree) <= tlv.MAX_DEPTH:
        assert tlv.decode(raw[:cut]) == tree[: sorted(ends).index(cut)]
    else:
        with pytest.raises(DecodeError):
            tlv.decode(raw[:cut])


@pytest.mark.parametrize(
    ("raw", "tag", "offset"),
    [
        ("9F", 0x9F, 0),
        ("9FF0", 0x9FF0, 0),
        ("5A", 0x5A, 1),
        ("5A80", 0x5A, 1),
        ("5A0112 5A80 0000", 0x5A, 4),
        ("5A85 0000000001FF", 0x5A, 1),
        ("5A8201", 0x5A, 2),
        ("5A02FF", 0x5A, 2),
        ("7003 5A02FF", 0x5A, 4),
        ("00 00 9F2608 01", 0x9F26, 5),
        ("9F81818181 01 00", 0x9F818181, 0),
        ("7005 9F81818181", 0x9F818181, 2),
    ],
)
def test_a_fault_names_tag_and_offset(raw: str, tag: int, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        tlv.decode(bytes.fromhex(raw))
    assert (caught.value.tag, caught.value.offset) == (tag, offset)


def test_nesting_is_bounded() -> None:
    raw = b"\x5a\x01\x11"
    for _ in range(tlv.MAX_DEPTH - 1):
        raw = tlv.encode_one(0x70, raw)
    tlv.decode(raw)
    with pytest.raises(DecodeError, match="too deep"):
        tlv.decode(b"\x5a\x00" + tlv.encode_one(0x70, raw))


def test_a_fault_at_the_deepest_level_is_named_as_what_it_is() -> None:
    raw = b"\x5a\x02\x11"
    for _ in range(tlv.MAX_DEPTH - 1):
        raw = tlv.encode_one(0x70, raw)
    with pytest.raises(DecodeError, match="value is cut off"):
        tlv.decode(raw)
    with pytest.raises(DecodeError, match="value is cut off"):
        tlv.decode(bytes.fromhex("7000 5A0211"))


def test_zero_bytes_between_objects_are_padding() -> None:
    raw = bytes.fromhex("0000 5A0112 000000 7006 00 5F340101 00 00")
    assert tlv.decode(raw) == ((0x5A, b"\x12"), (0x70, ((0x5F34, b"\x01"),)))


def test_a_length_may_be_longer_than_it_needs_to_be() -> None:
    assert tlv.decode(bytes.fromhex("5A8400000001FF")) == ((0x5A, b"\xff"),)


def test_split_leaves_templates_closed() -> None:
    assert tlv.split(bytes.fromhex("7103FFFFFF 5A0112")) == ((0x71, b"\xff\xff\xff"), (0x5A, b"\x12"))
    with pytest.raises(DecodeError, match="at byte 4"):
        tlv.split(bytes.fromhex("5A0112 5A"))


def test_flatten_follows_the_policy_for_repetitions() -> None:
    objects = ((0x82, b"1"), (0x70, ((0x82, b"2"), (0x94, b"3"))))
    with pytest.raises(DecodeError, match="twice"):
        tlv.flatten(objects)
    assert tlv.flatten(objects, tlv.Duplicates.FIRST) == {0x82: b"1", 0x94: b"3"}
    assert tlv.flatten(objects, tlv.Duplicates.LAST) == {0x82: b"2", 0x94: b"3"}


def test_find_follows_a_path() -> None:
    objects = tlv.decode(bytes.fromhex("6F0BA509BF0C0661044F02A000"))
    assert tlv.find_bytes(objects, 0x6F, 0xA5, 0xBF0C, 0x61, 0x4F) == b"\xa0\x00"
    assert tlv.find_template(objects, 0x6F, 0xA5, 0xBF0C, 0x61) == ((0x4F, b"\xa0\x00"),)
    assert tlv.find(objects, 0x6F, 0x4F) is None
    assert tlv.find_bytes(objects, 0x6F) is None
    assert tlv.find(objects, 0x6F, 0xA5, 0xBF0C, 0x61, 0x4F, 0x01) is None


@pytest.mark.parametrize("tag", [0, 0x9F, 0x5A5A, 0x9F8181, 0x1FFFFFFFFF, 0x82FF])
def test_what_is_no_tag_is_not_encoded(tag: int) -> None:
    with pytest.raises(ValueError, match="tag"):
        tlv.encode_one(tag, b"")


def test_a_length_has_four_bytes_at_most() -> None:
    assert tlv.encode_length(0xFFFFFFFF) == b"\x84\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="four length bytes"):
        tlv.encode_length(0x100000000)


def test_a_primitive_object_holds_no_others() -> None:
    with pytest.raises(ValueError, match="primitive"):
        tlv.encode_one(0x5A, ((0x82, b""),))


def test_reference_vectors(vectors: Callable[[str], Any]) -> None:
    seen = set()
    for case in vectors("tlv_decode.json")["cases"]:
        check = CHECKS.get(case["kind"])
        if check:
            check(case)
            seen.add(case["kind"])
    assert seen == set(CHECKS)


def _decoded(case: dict[str, Any]) -> tuple[tlv.Tlv, ...]:
    return tlv.decode(bytes.fromhex(case["input"]))


def _as_mapping(objects: tuple[tlv.Tlv, ...]) -> dict[str, Any]:
    return {
        f"{tag:02X}": _as_mapping(value) if isinstance(value, tuple) else value.hex().upper()
        for tag, value in objects
    }


def _as_list(objects: tuple[tlv.Tlv, ...]) -> list[Any]:
    return [
        [f"{tag:02X}", _as_list(value) if isinstance(value, tuple) else value.hex().upper()]
        for tag, value in objects
    ]


def _check_mapping(case: dict[str, Any]) -> None:
    assert _as_mapping(_decoded(case)) == case["expected"], case["id"]


def _check_tree(case: dict[str, Any]) -> None:
    assert _as_list(_decoded(case)) == case["expected"], case["id"]


def _check_fault(case: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        _decoded(case)
    expected = case["expected"]
    if "tag" in expected:
        assert (f"{caught.value.tag:02X}", caught.value.offset) == (expected["tag"], expected["offset"])


def _check_encoded(case: dict[str, Any]) -> None:
    objects = [(int(tag, 16), bytes.fromhex(value)) for tag, value in case["input"].items()]
    assert tlv.encode(objects).hex().upper() == case["expected"], case["id"]


def _check_tags(case: dict[str, Any]) -> None:
    tags = tlv.tag_list(bytes.fromhex(case["input"]))
    assert [f"{tag:02X}" for tag in tags] == case["expected"]


CHECKS = {
    "tlv_decode": _check_mapping,
    "tlv_decode_nested": _check_mapping,
    "tlv_tree": _check_tree,
    "tlv_malformed": _check_fault,
    "tlv_quirk": _check_fault,
    # One byte less than the length of its second object says: lenient tools take it, a card's data no.
    "tlv_padding": _check_fault,
    "tlv_encode": _check_encoded,
    "tag_list": _check_tags,
}
