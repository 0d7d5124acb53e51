"""Third Party Data (tag 9F6E of kernel 2): the card's country, its form, and a product's extension.

    country (n3, 2 bytes) | unique identifier (2) | device type (an 2, if bit 8 of the identifier is 0) | data

Spec: EMV Contactless Book C-2, Annex A.1; M/Chip requirements for the product extensions.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv import code_words
from emv.errors import DecodeError

TAG = 0x9F6E
PRODUCT_EXTENSIONS = (0x0003, 0x8003)
FLEET, TRANSIT = 0x0001, 0x0002
PLAIN_CARD = "00"
"""The device type of a card of the usual form."""


@dataclass(frozen=True, slots=True)
class ThirdPartyData:
    """The parts of a value.

    Args:
        country: Three digits, ISO 3166-1, with a zero in front as it came.
        unique_identifier: Who defines `data`; 0 where there is none.
        device_type: Two characters, or None.
        data: The proprietary data.
    """

    country: str
    unique_identifier: int
    device_type: str | None
    data: bytes

    @classmethod
    def decode(cls, value: bytes) -> ThirdPartyData:
        """Return the parts of a value of 5 to 32 bytes."""
        if not 5 <= len(value) <= 32:
            raise DecodeError("third party data has 5 to 32 bytes", tag=TAG, offset=min(len(value), 32))
        identifier = int.from_bytes(value[2:4], "big")
        if identifier & 0x8000:
            return cls(value[:2].hex(), identifier, None, value[4:])
        if len(value) < 7:
            raise DecodeError(
                "third party data with a device type has 7 bytes at least", tag=TAG, offset=len(value)
            )
        return cls(value[:2].hex(), identifier, value[4:6].decode("latin-1"), value[6:])

    def encode(self) -> bytes:
        """Return the value."""
        device = b"" if self.device_type is None else self.device_type.encode("latin-1")
        return bytes.fromhex(self.country) + self.unique_identifier.to_bytes(2, "big") + device + self.data

    @property
    def is_device(self) -> bool:
        """Whether it is a phone, a watch or a fob: something that can't be put into a slot."""
        return self.device_type not in (None, PLAIN_CARD)

    def words(self, country: str | None) -> tuple[str, ...]:
        """Return what it says, in lines; `country` is the name of its country, if known."""
        lines = [f"Country: {country or self.country}"]
        if self.unique_identifier in PRODUCT_EXTENSIONS:
            lines.append("Unique identifier: Mastercard product extension")
        elif self.unique_identifier:
            lines.append(f"Unique identifier: {self.unique_identifier:04X}")
        else:
            lines.append("Unique identifier: proprietary data not used")
        if self.device_type is not None:
            known = code_words.DEVICE_TYPE.get(self.device_type)
            shown = (
                self.device_type
                if self.device_type.isprintable()
                else self.device_type.encode("latin-1").hex()
            )
            lines.append(f"Device type: {shown}{f' - {known}' if known else ''}")
        if self.unique_identifier in PRODUCT_EXTENSIONS:
            lines.extend(_product(self.data))
        elif self.unique_identifier and self.data:
            lines.append(f"Proprietary data: {self.data.hex().upper()}")
        return tuple(lines)


def _product(data: bytes) -> list[str]:
    product = int.from_bytes(data[:2], "big")
    if product == FLEET and len(data) == 8:
        return ["Product identifier: fleet card", *_fleet(data[2:])]
    if product == TRANSIT and len(data) == 5:
        return ["Product identifier: transit", *_transit(data[2:])]
    return [f"Product extension: {data.hex().upper()}"]


def _fleet(data: bytes) -> list[str]:
    restriction = {1: "good for fuel and other products", 2: "good for fuel only"}.get(data[0])
    card = {0x80: "driver card", 0x40: "vehicle card"}.get(data[2])
    prompts = ((0x08, "odometer"), (0x04, "driver number"), (0x02, "vehicle number"), (0x01, "ID number"))
    return [
        *([f"Product restriction code: {restriction or f'{data[0]:02X}'}"] if data[0] else []),
        *(f"Product type code: prompt for {name}" for bit, name in prompts if data[1] & bit),
        *([f"Card type: {card or f'{data[2]:02X}'}"] if data[2] else []),
    ]


def _transit(data: bytes) -> list[str]:
    concession = code_words.TRANSIT_CONCESSION.get(data[1])
    return [
        *(["Deferred authorisation not supported"] if data[0] & 0x80 else []),
        f"Concession code: {data[1]:02X}{f' - {concession}' if concession else ''}",
    ]
