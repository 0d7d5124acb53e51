"""What a card says of itself beyond the AIP: Application Capabilities Information and Third Party Data.

Spec: EMV Contactless Book C-2, Annex A (9F5D, 9F6E).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import KEEP, IntFlag

from emv.card_data import CardData
from emv.errors import DecodeError
from emv.tags import Tag

CARD_DEVICE = b"00"
"""The device type of a plain card."""


class Capabilities(IntFlag, boundary=KEEP):
    """Application Capabilities Information, tag 9F5D of kernel 2, three bytes."""

    FIELD_OFF_DETECTION = 0x000400
    BALANCE_READING = 0x000200
    CDA_FOR_EVERY_CRYPTOGRAM = 0x000100
    """Over AAC too; else over TC and ARQC only."""


def capabilities(card: CardData) -> Capabilities:
    """Return the card's capabilities; none if it does not say, or says it in another length."""
    value = card.get(Tag.AVAILABLE_OFFLINE_SPENDING) or b""
    return Capabilities.from_bytes(value, "big") if len(value) == 3 else Capabilities(0)


@dataclass(frozen=True, slots=True)
class ThirdPartyData:
    """Tag 9F6E of kernel 2.

    Args:
        country: Two bytes, ISO 3166 numeric.
        identifier: The unique identifier, two bytes.
        device: The device type, two characters, or empty if the identifier says that there is none.
        proprietary: The rest.
    """

    country: bytes
    identifier: bytes
    device: bytes
    proprietary: bytes

    @classmethod
    def decode(cls, value: bytes) -> ThirdPartyData:
        """Return the data in a value of 5 to 32 bytes."""
        has_device = len(value) > 2 and not value[2] & 0x80
        start = 6 if has_device else 4
        if not max(5, start) <= len(value) <= 32:
            raise DecodeError("third party data is too short or too long", tag=Tag.FORM_FACTOR)
        return cls(value[:2], value[2:4], value[4:start], value[start:])

    @property
    def is_device(self) -> bool:
        """Whether it is a phone, a watch or a fob: something that can't be put into a slot."""
        return self.device not in (b"", CARD_DEVICE)
