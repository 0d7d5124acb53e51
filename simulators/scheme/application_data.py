"""Issuer application data (9F10): what a card tells its issuer beside the cryptogram, scheme by scheme.

==========  ====================================================================================
Visa 0/1/3  06, key index, version, CVR of four bytes that starts with its length 03
Visa 2      1F, version, key index, CVR of five bytes, and 24 bytes more (32 in all)
M/Chip      key index, version, CVR of six bytes, dynamic number, counters (18 in all)
UnionPay    07, key index, version, CVR as Visa's, algorithm 01
others      as Visa 0/1/3: public traces of American Express show it; assumed for JCB and Discover
==========  ====================================================================================

CVR: card verification results. Every format names the kind of cryptogram in it, and the cryptogram covers
it, which tag 9F27 is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CryptogramKind(Enum):
    """What a cryptogram says; the value is the upper half of tag 9F27."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


class Verified(Enum):
    """Who, in the card's own opinion, looked at its holder."""

    NOBODY = "nobody"
    DEVICE = "the holder's own device"


@dataclass(frozen=True, slots=True)
class ApplicationData:
    """What 9F10 says.

    Attributes:
        version: The cryptogram version number.
        results: The card verification results, with their length where they have one.
    """

    version: int
    results: bytes

    @property
    def kind(self) -> CryptogramKind | None:
        """Which cryptogram the card gave when first asked; None for a value without meaning."""
        at = 0 if len(self.results) == 6 else 1
        return _KINDS.get(self.results[at] & 0x30)


_KINDS = {0x00: CryptogramKind.AAC, 0x10: CryptogramKind.TC, 0x20: CryptogramKind.ARQC}
_FIRST = {CryptogramKind.AAC: 0x80, CryptogramKind.TC: 0x90, CryptogramKind.ARQC: 0xA0}
"""The CVR byte with the kinds; 10xx means that no second cryptogram was asked for."""


def read(iad: bytes) -> ApplicationData:
    """Take issuer application data apart. ValueError if it has none of the formats above."""
    if len(iad) >= 7 and iad[0] in (0x06, 0x07) and iad[3] == 0x03:
        return ApplicationData(iad[2], iad[3:7])
    if len(iad) == 32 and iad[0] == 0x1F:
        return ApplicationData(iad[1], iad[3:8])
    if len(iad) in (18, 20, 26, 28):
        return ApplicationData(iad[1], iad[2:8])
    raise ValueError("unknown issuer application data")


def card_verification_results(kind: CryptogramKind, verified: Verified = Verified.NOBODY) -> bytes:
    """Return the four-byte CVR of a card that was asked for one cryptogram and gave this one.

    Byte 1 is the length; byte 2 bit 3 says that the card saw its holder verified.
    """
    seen = 0x04 if verified is Verified.DEVICE else 0x00
    return bytes([0x03, _FIRST[kind] | seen, 0x00, 0x00])


def visa(version: int, kind: CryptogramKind, verified: Verified = Verified.NOBODY) -> bytes:
    """Return Visa's 9F10: format 2 for versions from 20 hex on, else format 0/1/3.

    In format 2 byte 1 of the CVR names who verified and how (82: the device's system, by finger), and
    byte 5 bit 2 says so once more.
    """
    if version < 0x20:
        return bytes([0x06, 0x01, version]) + card_verification_results(kind, verified)
    by_device = verified is Verified.DEVICE
    who, confirmed = (0x82, 0x02) if by_device else (0x00, 0x00)
    seen = 0x04 if by_device else 0x00
    return bytes([0x1F, version, 0x01, who, _FIRST[kind] | seen, 0, 0, confirmed]).ljust(32, b"\x00")


def unionpay(version: int, kind: CryptogramKind, verified: Verified = Verified.NOBODY) -> bytes:
    """Return UnionPay's 9F10; algorithm 01 is Triple DES."""
    return bytes([0x07, 0x01, version]) + card_verification_results(kind, verified) + b"\x01"


def mchip(
    version: int, kind: CryptogramKind, verified: Verified = Verified.NOBODY, *, combined: bool = False
) -> bytes:
    """Return Mastercard's 9F10.

    CVR byte 1 bits 3 and 1: verification by the card was done, and succeeded; byte 2 bit 7: signed with
    CDA; byte 4 bit 6: not done.
    """
    by_device = verified is Verified.DEVICE
    results = bytes(
        [
            _FIRST[kind] | (0x05 if by_device else 0x00),
            0x40 if combined else 0x00,
            0x03,
            0x00 if by_device else 0x20,
            0x00,
            0x00,
        ]
    )
    return bytes([0x01, version]) + results + bytes(9) + b"\xff"


def write(
    scheme: str,
    version: int,
    kind: CryptogramKind,
    verified: Verified = Verified.NOBODY,
    *,
    combined: bool = False,
) -> bytes:
    """Return 9F10 in a scheme's format; `combined` says that the cryptogram is inside a signature (CDA)."""
    if scheme == "mastercard":
        return mchip(version, kind, verified, combined=combined)
    return (unionpay if scheme == "unionpay" else visa)(version, kind, verified)
