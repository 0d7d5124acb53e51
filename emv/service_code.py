"""The service code of the tracks: where a card is good, who authorises, what it is good for.

Spec: ISO/IEC 7813; EMV 4.4 Book 3, Annex A, tag 5F30.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.errors import DecodeError
from emv.tags import Tag

_INTERCHANGE = {
    "1": "international",
    "2": "international, with chip",
    "5": "national",
    "6": "national, with chip",
    "7": "private",
    "9": "test card",
}
_AUTHORISATION = {
    "0": "normal authorisation",
    "2": "authorisation by the issuer online",
    "4": "authorisation by the issuer online, unless agreed otherwise",
}
_SERVICES = {
    "0": "no restrictions, PIN required",
    "1": "no restrictions",
    "2": "goods and services only",
    "3": "ATM only, PIN required",
    "4": "cash only",
    "5": "goods and services only, PIN required",
    "6": "no restrictions, PIN where there is a PIN pad",
    "7": "goods and services only, PIN where there is a PIN pad",
}


@dataclass(frozen=True, slots=True)
class ServiceCode:
    """Three digits."""

    digits: str

    def __post_init__(self) -> None:
        if len(self.digits) != 3 or not (self.digits.isascii() and self.digits.isdigit()):
            raise DecodeError("a service code has three digits", tag=Tag.SERVICE_CODE)

    @classmethod
    def decode(cls, value: bytes) -> ServiceCode:
        """Return the code in a value of tag 5F30: two bytes, the first digit zero."""
        digits = value.hex()
        if len(value) != 2 or not digits.isdecimal() or digits[0] != "0":
            raise DecodeError("a service code has two bytes: a zero and three digits", tag=Tag.SERVICE_CODE)
        return cls(digits[1:])

    def encode(self) -> bytes:
        """Return the value of tag 5F30."""
        return bytes.fromhex(f"0{self.digits}")

    @property
    def has_chip(self) -> bool:
        """Whether the card has a chip that is to be used."""
        return self.digits[0] in "26"

    def words(self) -> tuple[str, ...]:
        """Return what each digit says."""
        tables = (_INTERCHANGE, _AUTHORISATION, _SERVICES)
        return tuple(
            table.get(digit, f"digit {place}: {digit} is reserved")
            for place, (table, digit) in enumerate(zip(tables, self.digits, strict=True), 1)
        )
