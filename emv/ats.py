"""The answer to select (ATS) of a contactless card of type A.

    TL [T0 [TA] [TB] [TC] historical bytes]

TL counts itself and all that follows it; the checksum of the radio layer is not part of it. `encode` is the
exact inverse of `decode`.

Spec: ISO/IEC 14443-4, 5.2; EMV Contactless Interface Specification, 5.7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emv.errors import DecodeError

FRAME_BYTES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""FSC by FSCI: the longest frame the card takes, in bytes."""
DEFAULT_FSCI = 2
_CARRIER_HZ = 13_560_000


@dataclass(frozen=True, slots=True)
class Ats:
    """The parts of an answer; what is absent is None.

    Args:
        t0: The format byte.
        ta: Bit rates.
        tb: Frame waiting time and start-up guard time.
        tc: Whether the card takes NAD and CID.
        historical: The bytes after the interface bytes.
    """

    t0: int | None
    ta: int | None
    tb: int | None
    tc: int | None
    historical: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Ats:
        """Return the parts of an answer."""
        if not raw:
            raise DecodeError("an answer to select has at least one byte", offset=0)
        if raw[0] != len(raw):
            raise DecodeError(
                f"TL counts {raw[0]} bytes, and there are {len(raw)}", offset=min(raw[0], len(raw))
            )
        if len(raw) == 1:
            return cls(None, None, None, None, b"")
        position = 2
        found: dict[str, int] = {}
        for name, bit in (("TA", 0x10), ("TB", 0x20), ("TC", 0x40)):
            if raw[1] & bit:
                if position == len(raw):
                    raise DecodeError(f"{name} is missing", offset=position)
                found[name] = raw[position]
                position += 1
        return cls(raw[1], found.get("TA"), found.get("TB"), found.get("TC"), raw[position:])

    def encode(self) -> bytes:
        """Return the answer."""
        parts = bytes(octet for octet in (self.t0, self.ta, self.tb, self.tc) if octet is not None)
        body = parts + self.historical
        return bytes((len(body) + 1,)) + body

    @property
    def frame_bytes(self) -> int:
        """The longest frame the card takes. Reserved codes count as 256 bytes."""
        code = DEFAULT_FSCI if self.t0 is None else self.t0 & 0x0F
        return FRAME_BYTES[min(code, len(FRAME_BYTES) - 1)]

    @property
    def frame_waiting_ms(self) -> float:
        """The longest time until the card begins to answer, in milliseconds."""
        integer = 4 if self.tb is None else self.tb >> 4
        return (256 * 16 << integer) * 1000 / _CARRIER_HZ

    def reasons(self) -> tuple[str, ...]:
        """Return what EMV does not allow, or nothing.

        Spec: EMV Contactless Interface Specification, 5.7.2.
        """
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[str]:
        if self.t0 is not None and self.t0 & 0x80:
            yield f"T0={self.t0:02X}: bit 8 must be zero"
        if self.t0 is not None and self.t0 & 0x0F > len(FRAME_BYTES) - 1:
            yield f"T0={self.t0:02X}: a reserved frame size"
        if self.tb is not None and self.tb >> 4 > 14:
            yield f"TB={self.tb:02X}: a reserved frame waiting time"
        if self.tb is not None and self.tb & 0x0F > 14:
            yield f"TB={self.tb:02X}: a reserved start-up guard time"
