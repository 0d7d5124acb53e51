"""What a card of type A or B says about its protocol, before the first command.

A card of type A is identified by its ATQA (answer to request), SAK (select acknowledge) and UID, and tells
its parameters in the ATS (answer to select). A card of type B tells everything in its ATQB. None of
that is secret or a card number; the UID of a phone, which begins with 08, is another one each time.

Spec: ISO/IEC 14443-3, 6.5 and 7.9; ISO/IEC 14443-4, 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drivers.abilities import CardInField
from drivers.errors import TransmissionError

CARRIER_HZ = 13.56e6
FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""Frame size in bytes by FSCI and FSDI, two bytes of checksum included."""

TYPE_A, TYPE_B = "ISO/IEC 14443-4 type A", "ISO/IEC 14443-4 type B"
_ATQB_SIZE = 12
_FASTER = {0x01: 212, 0x02: 424, 0x04: 848}
_ISO_DEP_A, _RANDOM_UID = 0x20, 0x08


@dataclass(frozen=True, slots=True)
class CardParameters:
    """A card's side of the protocol; what it leaves out has the standard's default.

    Args:
        frame_size: The longest frame that the card takes (FSC), in bytes, checksum included.
        fwi: Frame waiting time integer.
        sfgi: Start-up frame guard time integer; 0 is none.
        rates: The bit rates that the card offers beside 106 kbit/s, as it codes them.
    """

    frame_size: int = 32
    fwi: int = 4
    sfgi: int = 0
    rates: int = 0

    @property
    def frame_waiting_s(self) -> float:
        """How long an answer may take to begin, in seconds."""
        return float(4096 << self.fwi) / CARRIER_HZ

    @property
    def guard_s(self) -> float:
        """How long the card wants to be left alone after its activation, in seconds."""
        return float(4096 << self.sfgi) / CARRIER_HZ if self.sfgi else 0.0

    def texts(self, frame_size_in: int) -> dict[str, str]:
        """Return everything in words; `frame_size_in` is the reader's own frame size, in bytes."""
        return {
            "FSD": f"{frame_size_in} bytes",
            "FSC": f"{self.frame_size} bytes",
            "FWI": f"{self.fwi} ({self.frame_waiting_s * 1e3:.1f} ms)",
            "SFGI": f"{self.sfgi} ({self.guard_s * 1e3:.1f} ms)",
            "Bit rates": _rates(self.rates),
        }


def _rates(rates: int) -> str:
    to_card = [speed for bit, speed in _FASTER.items() if rates & bit]
    from_card = [speed for bit, speed in _FASTER.items() if rates >> 4 & bit]
    offered = [
        f"{'/'.join(map(str, speeds))} {way}"
        for way, speeds in (("to the card", to_card), ("from the card", from_card))
        if speeds
    ]
    return "106 kbit/s" + (f"; the card offers {' and '.join(offered)}" if offered else "")


def parse_ats(ats: bytes) -> CardParameters:
    """Read an ATS, its length byte included; reserved values count as the standard's default.

    Spec: ISO/IEC 14443-4, 5.2.
    """
    if not ats or ats[0] != len(ats):
        raise TransmissionError("answer to select of a wrong length")
    if len(ats) == 1:
        return CardParameters()
    told = ats[1]
    interface = list(ats[2:])
    frame_size = FRAME_SIZES[min(told & 0x0F, 8)]
    rates = interface.pop(0) if told & 0x10 and interface else 0
    if told & 0x20 and not interface:
        raise TransmissionError("answer to select cut off")
    times = interface.pop(0) if told & 0x20 else 0x40
    fwi, sfgi = times >> 4, times & 0x0F
    return CardParameters(frame_size, fwi if fwi < 15 else 4, sfgi if sfgi < 15 else 0, rates)


def parse_atqb(atqb: bytes) -> CardParameters:
    """Read an ATQB, its first byte 50 included, in the short form or the extended one.

    Raises TransmissionError for one that is cut off, or of a card without ISO/IEC 14443-4.

    Spec: ISO/IEC 14443-3, 7.9.
    """
    if len(atqb) < _ATQB_SIZE or atqb[0] != 0x50:
        raise TransmissionError("answer to request of type B cut off")
    if atqb[10] & 0x09 != 0x01:
        raise TransmissionError("a card of type B without ISO/IEC 14443-4")
    fwi = atqb[11] >> 4
    sfgi = atqb[12] >> 4 if len(atqb) > _ATQB_SIZE else 0
    frame_size = FRAME_SIZES[min(atqb[10] >> 4, 8)]
    return CardParameters(frame_size, fwi if fwi < 15 else 4, sfgi if sfgi < 15 else 0, atqb[9])


def describe_a(target: Any, ats: bytes, parameters: Mapping[str, str]) -> CardInField:
    """Say what a card of type A is; `target` is nfcpy's, `ats` may be missing."""
    sak = bytes(target.sel_res or b"")
    uid = bytes(target.sdd_res or b"")
    iso_dep = bool(sak) and bool(sak[0] & _ISO_DEP_A)
    details = {
        "ATQA": _hex(bytes(target.sens_res or b"")[::-1]),
        "SAK": _hex(sak),
        "UID": _hex(uid),
        "UID is": "random, another one each time" if uid[:1] == bytes([_RANDOM_UID]) else "fixed",
    }
    if ats:
        details["ATS"] = _hex(ats)
    return CardInField(TYPE_A if iso_dep else "ISO/IEC 14443-3 type A", {**details, **parameters})


def describe_b(atqb: bytes, parameters: Mapping[str, str]) -> CardInField:
    """Say what a card of type B is."""
    details = {"ATQB": _hex(atqb), "PUPI": _hex(atqb[1:5]), "Application data": _hex(atqb[5:9])}
    return CardInField(TYPE_B, {**details, **parameters})


def _hex(data: bytes) -> str:
    return data.hex().upper()
