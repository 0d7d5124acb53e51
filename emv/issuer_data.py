"""Issuer Application Data (tag 9F10): what a card tells its issuer, in the forms that are public.

The data belongs to issuer and scheme; a terminal only passes it on. Its beginning is written down for
the common forms: which key derivation (DKI), which cryptogram (CVN) and what the card found (CVR). What fits
no form is kept whole, as `IadFormat.UNKNOWN`. `encode` is the exact inverse of `decode`.

| form | layout |
|---|---|
| CCD | 0F, CCI, DKI, CVR (5), counters (8), 0F, discretionary (15) |
| M/Chip | DKI, CVN 1x, CVR (6), DAC or dynamic number (2), counters |
| Visa 0, 1, 3; American Express | 06, DKI, CVN, 03, CVR (3), rest |
| Visa 2, 4 | 1F, CVN, DKI, CVR (5), rest (24) |
| UnionPay | 07, DKI, CVN, 03, CVR (3), algorithm, rest |

Spec: EMV 4.4 Book 3, Annex C9 (CCD). The other forms: public host and terminal programs; unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emv.errors import DecodeError
from emv.tags import Tag

MAX_BYTES = 32
_CCD, _VISA, _VISA_LONG, _UNIONPAY = 0x0F, 0x06, 0x1F, 0x07
_MCHIP_ADVANCE_BYTES = (20, 26, 28)
_MCHIP_4_BYTES = 18
_AMEX = bytes.fromhex("A000000025")


class IadFormat(Enum):
    """The forms; the value is the name for people."""

    CCD = "Common Core Definitions (CCD), version 4.1"
    MCHIP_4 = "M/Chip 4"
    MCHIP_ADVANCE = "M/Chip Advance"
    VISA_0 = "Visa Smart Debit/Credit (VSDC), IAD format 0"
    VISA_1 = "Visa Smart Debit/Credit (VSDC), IAD format 1"
    VISA_2 = "Visa Smart Debit/Credit (VSDC), IAD format 2"
    VISA_3 = "Visa Smart Debit/Credit (VSDC), IAD format 3"
    VISA_4 = "Visa Smart Debit/Credit (VSDC), IAD format 4"
    AMEX = "American Express"
    UNIONPAY = "UnionPay"
    UNKNOWN = "a form that is not public"


VISA_SHORT = {0: IadFormat.VISA_0, 1: IadFormat.VISA_1, 3: IadFormat.VISA_3}
VISA_LONG = {2: IadFormat.VISA_2, 4: IadFormat.VISA_4}


@dataclass(frozen=True, slots=True)
class IssuerData:
    """The parts of a value. Of an unknown form only `rest` is filled.

    Args:
        format: Which form it is.
        dki: Derivation key index.
        cvn: Cryptogram version number; of CCD the common core identifier.
        cvr: Card verification results, without their length.
        rest: What follows, as it came.
    """

    format: IadFormat
    dki: int
    cvn: int
    cvr: bytes
    rest: bytes

    @classmethod
    def decode(cls, value: bytes, rid: bytes = b"") -> IssuerData:
        """Return the parts of a value; `rid` is the provider in the application's name, if known."""
        if len(value) > MAX_BYTES:
            raise DecodeError(
                "issuer application data has 32 bytes at most",
                tag=Tag.ISSUER_APPLICATION_DATA,
                offset=MAX_BYTES,
            )
        return (
            _ccd(value)
            or _short(value, rid)
            or _long(value)
            or _unionpay(value)
            or _mchip(value)
            or cls(IadFormat.UNKNOWN, 0, 0, b"", value)
        )

    def encode(self) -> bytes:
        """Return the value."""
        match self.format:
            case IadFormat.UNKNOWN:
                return self.rest
            case IadFormat.CCD:
                return bytes((_CCD, self.cvn, self.dki)) + self.cvr + self.rest
            case IadFormat.VISA_2 | IadFormat.VISA_4:
                return bytes((_VISA_LONG, self.cvn, self.dki)) + self.cvr + self.rest
            case IadFormat.MCHIP_4 | IadFormat.MCHIP_ADVANCE:
                return bytes((self.dki, self.cvn)) + self.cvr + self.rest
            case _:
                first = _UNIONPAY if self.format is IadFormat.UNIONPAY else _VISA
                return bytes((first, self.dki, self.cvn, len(self.cvr))) + self.cvr + self.rest


def _ccd(value: bytes) -> IssuerData | None:
    if len(value) != MAX_BYTES or value[0] != _CCD or value[16] != _CCD or value[1] not in (0xA5, 0xA6):
        return None
    return IssuerData(IadFormat.CCD, value[2], value[1], value[3:8], value[8:])


def _short(value: bytes, rid: bytes) -> IssuerData | None:
    if len(value) < 7 or value[0] != _VISA or value[3] != 3:
        return None
    form = IadFormat.AMEX if rid == _AMEX else VISA_SHORT.get(value[2] >> 4)
    return None if form is None else IssuerData(form, value[1], value[2], value[4:7], value[7:])


def _long(value: bytes) -> IssuerData | None:
    if len(value) != MAX_BYTES or value[0] != _VISA_LONG:
        return None
    form = VISA_LONG.get(value[1] >> 4)
    return None if form is None else IssuerData(form, value[2], value[1], value[3:8], value[8:])


def _unionpay(value: bytes) -> IssuerData | None:
    if len(value) < 8 or value[0] != _UNIONPAY or value[3] != 3:
        return None
    return IssuerData(IadFormat.UNIONPAY, value[1], value[2], value[4:7], value[7:])


def _mchip(value: bytes) -> IssuerData | None:
    # The CVN is 1x with bits 4 and 2 unused. Nothing else tells the form, so the length must fit, too.
    if len(value) not in (_MCHIP_4_BYTES, *_MCHIP_ADVANCE_BYTES) or value[1] & 0xFA != 0x10:
        return None
    form = IadFormat.MCHIP_4 if len(value) == _MCHIP_4_BYTES else IadFormat.MCHIP_ADVANCE
    return IssuerData(form, value[0], value[1], value[2:8], value[8:])
