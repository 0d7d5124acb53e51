"""Reading an application: processing options, and the records of the file locator."""

import pytest

from emv.card_data import CardData
from emv.errors import DecodeError
from emv.records import RecordReader, processing_options
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from tests.emv.visa_card import one


def data(*objects: str) -> bytes:
    return bytes.fromhex(one("70", *objects))


def test_both_formats_give_profile_and_locator() -> None:
    expected = {int(Tag.AIP): b"\x20\x00", int(Tag.AFL): bytes.fromhex("08010100")}
    for answer in (one("80", "2000", "08010100"), one("77", one("82", "2000"), one("94", "08010100"))):
        assert dict(processing_options(bytes.fromhex(answer))) == expected
    assert dict(processing_options(bytes.fromhex("80022000")))[int(Tag.AFL)] == b""


@pytest.mark.parametrize("answer", ["", "8001FF", "77009F3600", "830200", "830282008302", "8002200077", "77"])
def test_other_formats_are_refused(answer: str) -> None:
    with pytest.raises(DecodeError):
        processing_options(bytes.fromhex(answer))


def test_records_are_asked_for_in_the_order_of_the_locator() -> None:
    card = CardData()
    reader = RecordReader(bytes.fromhex("0802030110010100"), card)
    asked = []
    while (command := reader.command()) is not None:
        asked.append((command.p2 >> 3, command.p1, reader.position))
        reader.answered(data(one(f"9F{len(asked):02X}", "00")))
    assert asked == [
        (1, 2, "record 2 of file 1"),
        (1, 3, "record 3 of file 1"),
        (2, 1, "record 1 of file 2"),
    ]
    assert len([tag for tag in (0x9F01, 0x9F02, 0x9F03) if tag in card]) == 3


def test_an_empty_locator_reads_nothing() -> None:
    reader = RecordReader(b"", CardData())
    assert reader.command() is None
    assert reader.static.value(CardData()) == SensitiveBytes(b"")


def test_an_impossible_locator_is_refused() -> None:
    with pytest.raises(DecodeError):
        RecordReader(bytes.fromhex("08020101"), CardData())


def test_what_the_locator_marks_is_authenticated() -> None:
    """Of files up to ten the content of the template counts, of others the whole record."""
    reader = RecordReader(bytes.fromhex("0801020158010101"), CardData())
    first = one("5F24", "271231") + one("90", "AA" * 130)
    reader.answered(data(first))
    reader.answered(data(one("9F07", "FF00")))
    reader.answered(bytes.fromhex("7003010203"))
    assert reader.static.value(CardData()) == SensitiveBytes(bytes.fromhex(first + "7003010203"))


def test_a_record_of_a_file_of_its_own_spoils_authentication_only() -> None:
    card = CardData()
    reader = RecordReader(bytes.fromhex("58010101"), card)
    reader.answered(b"\x01\x02")
    assert reader.command() is None
    assert reader.static.value(card) is None
    assert reader.static.problem


@pytest.mark.parametrize("record", [b"", b"\x71\x00", b"\x70\x00\x70\x00", b"\x70\x05\x5f"])
def test_a_record_of_emv_s_files_is_one_template(record: bytes) -> None:
    reader = RecordReader(bytes.fromhex("08010100"), CardData())
    with pytest.raises(DecodeError):
        reader.answered(record)


def test_a_data_object_does_not_come_twice() -> None:
    reader = RecordReader(bytes.fromhex("08010200"), CardData())
    reader.answered(data(one("5F24", "271231")))
    with pytest.raises(DecodeError):
        reader.answered(data(one("5F24", "271231")))
