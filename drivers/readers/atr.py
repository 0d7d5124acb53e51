"""What an ATR tells of a card, above all the ATR that a reader makes up for a contactless card.

Theory of operation: a contactless card has no ATR. PC/SC has the reader build one, ``3B 8n 80 01``, n
historical bytes and a check byte. For a card that speaks ISO/IEC 14443-4 these are the historical
bytes of its ATS (type A), or eight bytes with the application data and the protocol information of
its ATQB (type B). For a card that stores only, they are an object with the RID of the PC/SC
workgroup, the standard that the card keeps and its name in two bytes.

Some ACS readers put the whole ATS or ATQB there instead; both are recognised by their own length.

Spec: PC/SC 2.01.09 part 3, 3.1.3.2.3; its supplemental document for the standards and the names;
ISO/IEC 7816-3, 8.2; ISO/IEC 14443-4, 5.2; ISO/IEC 14443-3, 7.9. The names were compared with the
list of pcsc-tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_CONTACTLESS = bytes.fromhex("8001")
_STORAGE = bytes.fromhex("804F0CA000000306")

# The byte SS.
_STANDARDS = {
    0x00: "no standard given",
    0x01: "ISO/IEC 14443 type A, part 1",
    0x02: "ISO/IEC 14443 type A, part 2",
    0x03: "ISO/IEC 14443 type A, part 3",
    0x05: "ISO/IEC 14443 type B, part 1",
    0x06: "ISO/IEC 14443 type B, part 2",
    0x07: "ISO/IEC 14443 type B, part 3",
    0x09: "ISO/IEC 15693, part 1",
    0x0A: "ISO/IEC 15693, part 2",
    0x0B: "ISO/IEC 15693, part 3",
    0x0C: "ISO/IEC 15693, part 4",
    0x0D: "contact, I2C",
    0x0E: "contact, extended I2C",
    0x0F: "contact, 2WBP",
    0x10: "contact, 3WBP",
    0x11: "FeliCa",
    0x40: "low frequency",
}
# The bytes C0 C1. Those from F000 on are of ACS (ACR122U API 2.04, 3.1.1).
_NAMES = {
    0x0001: "MIFARE Classic 1K",
    0x0002: "MIFARE Classic 4K",
    0x0003: "MIFARE Ultralight",
    0x0006: "SR176",
    0x0007: "SRI X4K",
    0x0012: "Tag-it",
    0x0013: "LRI512",
    0x0014: "I-CODE SLI",
    0x0016: "I-CODE 1",
    0x0017: "PicoPass 2K",
    0x0018: "PicoPass 2KS",
    0x0019: "PicoPass 16K",
    0x001A: "PicoPass 16KS",
    0x0021: "LRI64",
    0x0026: "MIFARE Mini",
    0x002F: "Jewel",
    0x0030: "Topaz",
    0x0035: "I-CODE SL2",
    0x0036: "MIFARE Plus SL1 2K",
    0x0037: "MIFARE Plus SL1 4K",
    0x0038: "MIFARE Plus SL2 2K",
    0x0039: "MIFARE Plus SL2 4K",
    0x003A: "MIFARE Ultralight C",
    0x003B: "FeliCa",
    0x003D: "MIFARE Ultralight EV1",
    0xF004: "Topaz or Jewel",
    0xF011: "FeliCa 212K",
    0xF012: "FeliCa 424K",
}
_TYPE_A = "ISO/IEC 14443-4 type A"
_TYPE_B = "ISO/IEC 14443-4 type B"
_TYPE_A_OR_B = "ISO/IEC 14443-4 type A or B"


class AtrError(ValueError):
    """Bytes that are no ATR."""


@dataclass(frozen=True, slots=True)
class Atr:
    """The parts of an ATR."""

    historical: bytes
    protocols: tuple[int, ...]
    contactless: bool
    """Whether a contactless reader made it up."""


def parse(atr: bytes) -> Atr:
    """Take an ATR apart.

    Spec: ISO/IEC 7816-3, 8.2.
    """
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        raise AtrError("an ATR begins with 3B or 3F and has two bytes at least")
    protocols: list[int] = []
    at, present = 2, atr[1] >> 4
    while present:
        follows = bool(present & 0x8)
        at += present.bit_count()
        if at > len(atr):
            raise AtrError("the ATR ends within its interface bytes")
        if not follows:
            break
        protocols.append(atr[at - 1] & 0x0F)
        present = atr[at - 1] >> 4
    end = at + (atr[1] & 0x0F)
    # With T=0 alone there is no check byte.
    checked = any(protocol != 0 for protocol in protocols)
    if len(atr) != end + checked:
        raise AtrError("the ATR has another length than it says")
    if checked and _exclusive_or(atr[1:]) != 0:
        raise AtrError("the ATR's check byte is wrong")
    contactless = atr[0] == 0x3B and atr[1] >> 4 == 0x8 and atr[2:4] == _CONTACTLESS
    return Atr(atr[at:end], tuple(protocols) or (0,), contactless)


def describe(atr: bytes, *, ats: bytes = b"") -> tuple[str, Mapping[str, str]]:
    """Return the card's protocol, and its ATR and what that means, by name.

    Args:
        atr: As the reader gives it.
        ats: The answer to select where the reader gives that too: only a card of type A has one.
    """
    details = {"ATR": spaced(atr)}
    if ats:
        details["ATS"] = spaced(ats)
    try:
        parts = parse(atr)
    except AtrError as error:
        return "unknown", details | {"fault": str(error)}
    if not parts.contactless:
        details["protocols"] = ", ".join(f"T={protocol}" for protocol in parts.protocols)
        return "ISO/IEC 7816 contact", details | _historical(parts.historical)
    if parts.historical.startswith(_STORAGE) and len(parts.historical) == 15:
        return _storage(parts.historical, details)
    if ats:
        return _TYPE_A, details | _historical(parts.historical)
    return _processor(parts.historical, details)


def spaced(data: bytes) -> str:
    """Return bytes as hexadecimal digits in pairs."""
    return data.hex(" ").upper()


def _storage(historical: bytes, details: dict[str, str]) -> tuple[str, Mapping[str, str]]:
    standard = historical[8]
    name = int.from_bytes(historical[9:11], "big")
    details["standard"] = _STANDARDS.get(standard, f"{standard:02X}, unknown")
    # ACS gives a card that it does not know as FF and its SAK.
    unknown = f"unknown, SAK {name & 0xFF:02X}" if name >> 8 == 0xFF else f"{name:04X}, unknown"
    details["card name"] = _NAMES.get(name, "not given" if name == 0 else unknown)
    return _STANDARDS.get(standard, "storage card"), details


def _processor(historical: bytes, details: dict[str, str]) -> tuple[str, Mapping[str, str]]:
    if len(historical) in (12, 13) and historical[0] == 0x50:
        return _TYPE_B, details | _atqb(historical[1:5], historical[5:9], historical[9:])
    if len(historical) > 1 and historical[0] == len(historical) and _is_ats(historical):
        details["ATS"] = spaced(historical)
        return _TYPE_A, details
    if len(historical) == 8 and historical[7] & 0x0F == 0:
        # Type B always has eight bytes with a last half byte of zero; type A may happen to have them.
        meaning = _atqb(b"", historical[:4], historical[4:7])
        meaning["MBLI"] = str(historical[7] >> 4)
        both = {f"if type B: {key}": value for key, value in meaning.items()}
        return _TYPE_A_OR_B, details | _historical(historical) | both
    return _TYPE_A, details | _historical(historical)


def _atqb(pupi: bytes, application: bytes, protocol: bytes) -> dict[str, str]:
    meaning = {"PUPI": spaced(pupi)} if pupi else {}
    meaning["application data"] = spaced(application)
    meaning["protocol information"] = spaced(protocol)
    if len(protocol) >= 3:
        meaning["frame size index"] = str(protocol[1] >> 4)
        meaning["frame waiting integer"] = str(protocol[2] >> 4)
    return meaning


def _is_ats(data: bytes) -> bool:
    """Tell whether these bytes can be an ATS: TL, T0 with its high bit clear, and what T0 names."""
    return data[1] & 0x80 == 0 and len(data) >= 2 + (data[1] >> 4 & 0x7).bit_count()


def _historical(data: bytes) -> dict[str, str]:
    return {"historical bytes": spaced(data)} if data else {}


def _exclusive_or(data: bytes) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check
