"""Fields made of bits: AIP, AFL, TVR, TSI, CID, TTQ, CTQ, CPR.

A bit field is an `IntFlag` over the whole field, most significant byte first; bits without a name are
kept. `Ttq.from_bytes(value, "big")` reads one, `ttq.to_bytes(4, "big")` writes it; `take` does the
first with the length checked.

Spec: EMV 4.4 Book 3, Annex C; EMV Contactless Book A, 5.7 (TTQ); Book C-3, Annex A (CTQ).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import KEEP, IntFlag
from typing import ClassVar, TypeVar

from emv.commands import Cryptogram
from emv.errors import DecodeError

_Field = TypeVar("_Field", bound=IntFlag)


def take(kind: type[_Field], value: bytes, length: int, tag: int) -> _Field:
    """Return the bit field in a card's value of exactly `length` bytes."""
    if len(value) != length:
        raise DecodeError(f"{len(value)} bytes where {length} are needed", tag=tag)
    return kind(int.from_bytes(value, "big"))


class Aip(IntFlag, boundary=KEEP):
    """Application Interchange Profile, tag 82, two bytes. Bits of byte 2 belong to kernels."""

    SDA = 0x4000
    DDA = 0x2000
    CARDHOLDER_VERIFICATION = 0x1000
    TERMINAL_RISK_MANAGEMENT = 0x0800
    ISSUER_AUTHENTICATION = 0x0400
    ON_DEVICE_VERIFICATION = 0x0200
    CDA = 0x0100
    EMV_MODE = 0x0080
    """Book C-2."""
    RELAY_RESISTANCE = 0x0001
    """Book C-2."""


class Ttq(IntFlag, boundary=KEEP):
    """Terminal Transaction Qualifiers, tag 9F66, four bytes."""

    MAGSTRIPE_MODE = 0x80000000
    EMV_MODE = 0x20000000
    CONTACT_CHIP = 0x10000000
    OFFLINE_ONLY = 0x08000000
    ONLINE_PIN = 0x04000000
    SIGNATURE = 0x02000000
    ODA_FOR_ONLINE = 0x01000000
    ONLINE_CRYPTOGRAM_REQUIRED = 0x00800000
    CVM_REQUIRED = 0x00400000
    OFFLINE_PIN = 0x00200000
    """For the contact chip."""
    ISSUER_UPDATE = 0x00008000
    CONSUMER_DEVICE_CVM = 0x00004000


class Ctq(IntFlag, boundary=KEEP):
    """Card Transaction Qualifiers, tag 9F6C, two bytes."""

    ONLINE_PIN_REQUIRED = 0x8000
    SIGNATURE_REQUIRED = 0x4000
    ONLINE_IF_ODA_FAILS = 0x2000
    """...and the reader is online capable."""
    SWITCH_INTERFACE_IF_ODA_FAILS = 0x1000
    """...and the reader has a contact chip interface."""
    ONLINE_IF_EXPIRED = 0x0800
    SWITCH_INTERFACE_FOR_CASH = 0x0400
    SWITCH_INTERFACE_FOR_CASHBACK = 0x0200
    NOT_FOR_ATM = 0x0100
    CONSUMER_DEVICE_CVM_PERFORMED = 0x0080
    ISSUER_UPDATE_SUPPORTED = 0x0040


class Cpr(IntFlag, boundary=KEEP):
    """Card Processing Requirements, tag 9F71 of Discover's cards, two bytes."""

    ONLINE_PIN_REQUIRED = 0x8000
    SIGNATURE_REQUIRED = 0x4000
    LOYALTY_APPROVED = 0x2000
    """A programme's limit is reached: a decline that counts as an approval."""
    CONSUMER_DEVICE_CVM_PERFORMED = 0x1000
    SWITCH_INTERFACE_IF_OFFLINE_ONLY = 0x0080
    """...and the transaction has to go online."""
    ONLINE_IF_CDA_FAILS = 0x0040
    SWITCH_INTERFACE_IF_CDA_FAILS = 0x0020
    """...or decline, where there is no other interface."""
    ISSUER_UPDATE_SUPPORTED = 0x0010
    ONLINE_IF_EXPIRED = 0x0008
    DECLINE_IF_EXPIRED = 0x0004
    SIGNATURE_INSTEAD = 0x0002
    """...of a verification that the terminal can't do."""
    NO_CVM_INSTEAD = 0x0001


class Auc(IntFlag, boundary=KEEP):
    """Application Usage Control, tag 9F07, two bytes."""

    DOMESTIC_CASH = 0x8000
    INTERNATIONAL_CASH = 0x4000
    DOMESTIC_GOODS = 0x2000
    INTERNATIONAL_GOODS = 0x1000
    DOMESTIC_SERVICES = 0x0800
    INTERNATIONAL_SERVICES = 0x0400
    AT_ATMS = 0x0200
    AT_OTHER_TERMINALS = 0x0100
    DOMESTIC_CASHBACK = 0x0080
    INTERNATIONAL_CASHBACK = 0x0040


class Tvr(IntFlag, boundary=KEEP):
    """Terminal Verification Results, tag 95, five bytes."""

    ODA_NOT_PERFORMED = 0x8000000000
    SDA_FAILED = 0x4000000000
    ICC_DATA_MISSING = 0x2000000000
    ON_EXCEPTION_FILE = 0x1000000000
    DDA_FAILED = 0x0800000000
    CDA_FAILED = 0x0400000000
    SDA_SELECTED = 0x0200000000
    VERSIONS_DIFFER = 0x0080000000
    EXPIRED = 0x0040000000
    NOT_YET_EFFECTIVE = 0x0020000000
    SERVICE_NOT_ALLOWED = 0x0010000000
    NEW_CARD = 0x0008000000
    CVM_FAILED = 0x0000800000
    CVM_UNRECOGNISED = 0x0000400000
    PIN_TRY_LIMIT_EXCEEDED = 0x0000200000
    PIN_PAD_MISSING = 0x0000100000
    PIN_NOT_ENTERED = 0x0000080000
    ONLINE_PIN_ENTERED = 0x0000040000
    FLOOR_LIMIT_EXCEEDED = 0x0000008000
    LOWER_OFFLINE_LIMIT_EXCEEDED = 0x0000004000
    UPPER_OFFLINE_LIMIT_EXCEEDED = 0x0000002000
    RANDOMLY_SELECTED = 0x0000001000
    MERCHANT_FORCED_ONLINE = 0x0000000800
    DEFAULT_TDOL_USED = 0x0000000080
    ISSUER_AUTHENTICATION_FAILED = 0x0000000040
    SCRIPT_FAILED_BEFORE_AC = 0x0000000020
    SCRIPT_FAILED_AFTER_AC = 0x0000000010
    RELAY_THRESHOLD_EXCEEDED = 0x0000000008
    RELAY_TIME_LIMITS_EXCEEDED = 0x0000000004


class Tsi(IntFlag, boundary=KEEP):
    """Transaction Status Information, tag 9B, two bytes."""

    ODA_PERFORMED = 0x8000
    CARDHOLDER_VERIFICATION_PERFORMED = 0x4000
    CARD_RISK_MANAGEMENT_PERFORMED = 0x2000
    ISSUER_AUTHENTICATION_PERFORMED = 0x1000
    TERMINAL_RISK_MANAGEMENT_PERFORMED = 0x0800
    SCRIPT_PERFORMED = 0x0400


@dataclass(frozen=True, slots=True)
class Cid:
    """Cryptogram Information Data, tag 9F27, one byte.

    Args:
        cryptogram: What the card returned; None for the value that is reserved.
        advice: Whether the card asks for an advice.
        reason: Bits 3 to 1, the card's reason.
        scheme: Bits 6 and 5, which belong to the payment system.
    """

    cryptogram: Cryptogram | None
    advice: bool = False
    reason: int = 0
    scheme: int = 0

    @classmethod
    def decode(cls, value: bytes) -> Cid:
        """Return the CID in a value of one byte."""
        if len(value) != 1:
            raise DecodeError("cryptogram information data has one byte", tag=0x9F27)
        kind = value[0] & 0xC0
        return cls(
            None if kind == 0xC0 else Cryptogram(kind),
            bool(value[0] & 0x08),
            value[0] & 0x07,
            value[0] & 0x30,
        )

    def encode(self) -> bytes:
        """Return the value of tag 9F27."""
        kind = 0xC0 if self.cryptogram is None else self.cryptogram
        return bytes((kind | self.scheme | (0x08 if self.advice else 0) | self.reason,))


@dataclass(frozen=True, slots=True)
class AflEntry:
    """One line of an AFL: records `first` to `last` of the file `sfi`; the first `signed` are for ODA."""

    sfi: int
    first: int
    last: int
    signed: int


@dataclass(frozen=True, slots=True)
class AflRecord:
    """One record to read, and whether offline data authentication covers it."""

    sfi: int
    record: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Afl:
    """Application File Locator, tag 94.

    Spec: EMV 4.4 Book 3, 10.2.
    """

    entries: tuple[AflEntry, ...]

    MAX_RECORDS: ClassVar[int] = 64
    """More than any card holds; a locator that asks for more is a card's mistake or an attack."""

    @classmethod
    def decode(cls, value: bytes) -> Afl:
        """Return the locator in a value of four bytes an entry. An empty value has no entries."""
        if len(value) % 4:
            raise DecodeError("the file locator is not made of four bytes an entry", tag=0x94)
        entries = []
        for at in range(0, len(value), 4):
            sfi, first, last, signed = value[at] >> 3, *value[at + 1 : at + 4]
            if value[at] & 0x07 or not 1 <= sfi <= 30:
                raise DecodeError("the file locator names no file", tag=0x94, offset=at)
            if not 1 <= first <= last or signed > last - first + 1:
                raise DecodeError("the file locator has impossible records", tag=0x94, offset=at + 1)
            entries.append(AflEntry(sfi, first, last, signed))
        if sum(entry.last - entry.first + 1 for entry in entries) > cls.MAX_RECORDS:
            raise DecodeError("the file locator has too many records", tag=0x94)
        return cls(tuple(entries))

    def encode(self) -> bytes:
        """Return the value of tag 94."""
        return b"".join(
            bytes((entry.sfi << 3, entry.first, entry.last, entry.signed)) for entry in self.entries
        )

    def records(self) -> Iterator[AflRecord]:
        """Yield the records in the order they are read."""
        for entry in self.entries:
            for record in range(entry.first, entry.last + 1):
                yield AflRecord(entry.sfi, record, record - entry.first < entry.signed)
