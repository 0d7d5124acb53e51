"""Reading an application: the answer to GET PROCESSING OPTIONS, and the records of the file locator.

Spec: EMV 4.4 Book 3, 6.5.8.4 and 10.2.
"""

from __future__ import annotations

from emv import commands, tlv
from emv.apdu import CommandApdu
from emv.card_data import CardData
from emv.errors import DecodeError
from emv.fields import Afl
from emv.static_data import StaticData
from emv.tags import Tag

LAST_EMV_FILE = 10
"""Files 1 to 10 are EMV's and hold templates; 11 to 30 are the scheme's or the issuer's own."""


def processing_options(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in the answer to GET PROCESSING OPTIONS, format 1 or 2.

    Format 1 without a file locator, as some cards send it, has none.

    Spec: EMV 4.4 Book 3, 6.5.8.4.
    """
    objects = tlv.decode(data)
    if len(objects) != 1:
        raise DecodeError("processing options are not one template")
    tag, value = objects[0]
    if tag == Tag.RESPONSE_FORMAT_2 and isinstance(value, tuple):
        return value
    if tag != Tag.RESPONSE_FORMAT_1 or not isinstance(value, bytes) or len(value) < 2:
        raise DecodeError("processing options in an unknown format", tag=tag)
    return (int(Tag.AIP), value[:2]), (int(Tag.AFL), value[2:])


class RecordReader:
    """Reads what a file locator names, one READ RECORD at a time.

    Args:
        afl: The locator's value; empty reads nothing.
        card: Takes the data objects of files 1 to 10.

    Raises:
        DecodeError: the locator is impossible.
    """

    def __init__(self, afl: bytes, card: CardData) -> None:
        self._records = list(Afl.decode(afl).records())[::-1]
        self._card = card
        self.static = StaticData()
        """What offline data authentication covers of it."""

    def command(self) -> CommandApdu | None:
        """Return the next READ RECORD, or None when all records are read."""
        if not self._records:
            return None
        record = self._records[-1]
        return commands.read_record(record.sfi, record.record)

    @property
    def position(self) -> str:
        """The record that `command` asks for, in words for a reason."""
        record = self._records[-1]
        return f"record {record.record} of file {record.sfi}"

    def answered(self, data: bytes) -> None:
        """Take the data of the answer with status word 9000 to the last `command`.

        Raises:
            DecodeError: a record of files 1 to 10 is not one template 70, or repeats a data object.
        """
        record = self._records.pop()
        if record.sfi <= LAST_EMV_FILE:
            objects = tlv.decode(data)
            if len(objects) != 1 or objects[0][0] != Tag.RECORD_TEMPLATE:
                raise DecodeError("a record is not one template 70")
            self._card.add(objects)
        if record.signed:
            self.static.add(record.sfi, data)
