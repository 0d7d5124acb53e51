"""The static data that offline data authentication covers: marked records, and the AIP if the card says so.

Spec: EMV 4.4 Book 3, 10.3.
"""

from __future__ import annotations

from emv import tlv
from emv.card_data import CardData
from emv.errors import DecodeError
from emv.sensitive import SensitiveBytes
from emv.tags import Tag


class StaticData:
    """Collects the records that the file locator marks, in the order they are read."""

    __slots__ = ("_parts", "problem")

    def __init__(self) -> None:
        self._parts: list[SensitiveBytes] = []
        self.problem = ""
        """Why authentication can't succeed, in words; empty while it can."""

    def add(self, sfi: int, record: bytes) -> None:
        """Take one marked record as the card sent it, without status word.

        Of files 1 to 10 the content of the template counts, of files 11 to 30 the record with its tag
        and length. A record that is not one template 70 spoils authentication, not the transaction.
        """
        content = _content(record)
        if content is None:
            self.problem = f"a record of file {sfi} is not one template 70"
            return
        self._parts.append(SensitiveBytes(content if sfi <= 10 else record))

    def value(self, card: CardData) -> SensitiveBytes | None:
        """Return the data to be authenticated, or None if `problem` says why there is none.

        The only tag that the card's tag list (9F4A) may name is that of the AIP. An empty list names
        none, as if it was not there.
        """
        named = card.get(Tag.SDA_TAG_LIST)
        aip = b""
        if named:
            if named != bytes((Tag.AIP,)):
                self.problem = "the tag list for static authentication names another tag than the AIP's"
            aip = card.get(Tag.AIP) or b""
        if self.problem:
            return None
        return SensitiveBytes(b"".join(part.reveal() for part in self._parts) + aip)


def _content(record: bytes) -> bytes | None:
    try:
        objects = tlv.split(record)
    except DecodeError:
        return None
    if len(objects) != 1 or objects[0][0] != Tag.RECORD_TEMPLATE:
        return None
    return objects[0][1]
