"""Which bytes of the marked records offline data authentication covers."""

from __future__ import annotations

import pytest

from emv.card_data import CardData
from emv.static_data import StaticData
from emv.tags import Tag

RECORD = bytes.fromhex("700A5A084761739001010119")
AIP = bytes.fromhex("3C00")


def card(**named: bytes) -> CardData:
    """A card with an AIP and perhaps a tag list."""
    found = CardData()
    found.add([(int(Tag.AIP), AIP), *((int(Tag.SDA_TAG_LIST), value) for value in named.values())])
    return found


def test_template_counts_only_behind_the_files_of_emv() -> None:
    data = StaticData()
    data.add(1, RECORD)
    data.add(10, b"\x70\x00")
    data.add(11, RECORD)
    data.add(30, b"\x70\x00")
    value = data.value(card())
    assert value is not None
    assert value.reveal() == RECORD[2:] + RECORD + b"\x70\x00"
    assert data.problem == ""


def test_profile_is_covered_if_the_card_says_so() -> None:
    data = StaticData()
    data.add(2, RECORD)
    for tags, end in ((b"\x82", AIP), (b"", b"")):
        value = data.value(card(tags=tags))
        assert value is not None
        assert value.reveal() == RECORD[2:] + end


def test_profile_that_is_not_there_adds_nothing() -> None:
    found = CardData()
    found.add([(int(Tag.SDA_TAG_LIST), b"\x82")])
    value = StaticData().value(found)
    assert value is not None
    assert value.reveal() == b""


@pytest.mark.parametrize("tags", [b"\x95", b"\x82\x82", b"\x82\x95", b"\x00"])
def test_no_other_tag_may_be_named(tags: bytes) -> None:
    data = StaticData()
    data.add(1, RECORD)
    assert data.value(card(tags=tags)) is None
    assert data.problem == "the tag list for static authentication names another tag than the AIP's"


@pytest.mark.parametrize("record", [b"", b"\x77\x00", RECORD + b"\x5f\x34\x01\x00", RECORD[:-1], b"\x70"])
@pytest.mark.parametrize("file", [1, 11])
def test_record_that_is_not_one_template_spoils_it(record: bytes, file: int) -> None:
    data = StaticData()
    data.add(file, RECORD)
    data.add(file, record)
    data.add(file, RECORD)
    assert data.value(card()) is None
    assert data.problem == f"a record of file {file} is not one template 70"


def test_nothing_marked_is_nothing_covered() -> None:
    value = StaticData().value(card())
    assert value is not None
    assert value.reveal() == b""
