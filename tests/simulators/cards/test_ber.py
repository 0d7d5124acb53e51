"""The card's own codec, against the terminal's: two people wrote them, and they must agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv as terminal
from emv.errors import DecodeError
from simulators.cards import ber

tags = st.sampled_from(["57", "5A", "82", "95", "9F02", "9F26", "9F6C", "DF8129"])


@given(st.lists(st.tuples(tags, st.binary(max_size=300)), max_size=8))
def test_the_terminal_reads_what_a_card_writes(objects: list[tuple[str, bytes]]) -> None:
    data = ber.tlv("70", *(ber.tlv(tag, value) for tag, value in objects))
    assert terminal.decode(data) == ((0x70, tuple((int(tag, 16), value) for tag, value in objects)),)
    assert list(ber.objects(data))[1:] == objects


@given(st.binary(max_size=80))
def test_what_both_read_they_read_alike(data: bytes) -> None:
    try:
        card = list(ber.objects(data))
        found = terminal.decode(data)
    except (ValueError, DecodeError):
        return
    flat: list[tuple[str, bytes]] = []

    def walk(objects: tuple[terminal.Tlv, ...]) -> None:
        for tag, value in objects:
            if isinstance(value, bytes):
                flat.append((f"{tag:X}".zfill(2), value))
            else:
                walk(value)

    walk(found)
    primitive = [(tag, value) for tag, value in card if not bytes.fromhex(tag)[0] & 0x20]
    if b"\x00" not in data:  # Padding between objects is read by the terminal only.
        assert [(tag.lstrip("0").zfill(2), value) for tag, value in primitive] == flat


@pytest.mark.parametrize("data", ["9F", "9F26", "5A08", "5A80", "5A81", "5A820001", "700357028A"])
def test_what_is_cut_off_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"cut off|bad length"):
        list(ber.objects(bytes.fromhex(data)))


def test_a_list_splits_what_it_asked_for() -> None:
    split = ber.split_by_dol(bytes.fromhex("9F02069A03"), bytes.fromhex("000000001250260131"))
    assert {tag: value.hex() for tag, value in split.items()} == {"9F02": "000000001250", "9A": "260131"}


@pytest.mark.parametrize("data", ["", "00", "0000000012502601", "00000000125026013100"])
def test_a_list_refuses_more_or_less(data: str) -> None:
    with pytest.raises(ValueError, match="asks for 9 bytes"):
        ber.split_by_dol(bytes.fromhex("9F02069A03"), bytes.fromhex(data))
