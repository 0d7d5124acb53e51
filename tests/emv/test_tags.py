"""The table of data objects."""

import pytest

from emv import tlv
from emv.formats import Format
from emv.tags import MEANINGS, Source, Tag, describe, is_sensitive


@pytest.mark.parametrize("tag", list(Tag), ids=lambda tag: f"{tag:02X}")
def test_each_row_is_possible(tag: Tag) -> None:
    info = tag.info
    assert tlv.read_tag(tlv.encode_tag(tag), 0)[0] == tag
    assert 0 <= info.shortest <= info.longest
    assert info.name == info.name.strip() != ""
    assert all(
        tlv.is_constructed(template) or template == Tag.RESPONSE_FORMAT_1 for template in info.templates
    )
    if info.format is Format.VAR and tag not in (Tag.RESPONSE_FORMAT_1, Tag.IBAN, Tag.BIC):
        assert tlv.is_constructed(tag)


def test_rows_are_not_merged() -> None:
    assert len(Tag.__members__) == len(list(Tag)) > 270


def test_a_row_reads_as_the_books_have_it() -> None:
    info = describe(0x9F26)
    assert info is not None
    assert (info.name, info.format, info.shortest, info.longest) == ("Application Cryptogram", Format.B, 8, 8)
    assert (info.source, info.sensitive) == (Source.CARD, False)


def test_a_kernel_may_mean_something_else() -> None:
    ours, theirs = describe(0x9F6E, 3), describe(0x9F6E, 2)
    assert ours is not None
    assert theirs is not None
    assert (ours.name, theirs.name) == ("Form Factor Indicator (FFI)", "Third Party Data")
    assert describe(0xDF77) is None
    assert all(2 <= kernel <= 7 for kernel, _ in MEANINGS)


@pytest.mark.parametrize("tag", [0x5A, 0x57, 0x56, 0x5F20, 0x9F1F, 0x9F20, 0x9F6B, 0x99, 0xDF77])
def test_cardholder_data_and_the_unknown_are_not_shown(tag: int) -> None:
    assert is_sensitive(tag)
