"""The answer to reset (ATR) of a contact card, and whether a terminal may take it.

    TS T0 [TA1 TB1 TC1 TD1] [TA2 TB2 TC2 TD2] ... historical bytes [TCK]

The high half of T0 and of each TD says which interface bytes follow; the low half of T0 counts the
historical bytes, that of a TD names the protocol the next bytes belong to. TCK makes the exclusive-or of
everything behind TS zero; it is absent where only T=0 is named.

`decode` refuses what is cut off; everything else that EMV does not allow is told by `reasons`, so that a
technician sees the whole answer. `encode` is the exact inverse.

Spec: ISO/IEC 7816-3, 8.2; EMV 4.4 Book 1, 8 (EMV Contact Interface Specification 1.0, 8.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor

from emv.errors import DecodeError

DIRECT, INVERSE = 0x3B, 0x3F
MAX_BYTES = 33
_PRESENT = (("TA", 0x10), ("TB", 0x20), ("TC", 0x40), ("TD", 0x80))

CLOCK_CONVERSION = {
    **{0x0: (372, 4.0), 0x1: (372, 5.0), 0x2: (558, 6.0), 0x3: (744, 8.0), 0x4: (1116, 12.0)},
    **{0x5: (1488, 16.0), 0x6: (1860, 20.0), 0x9: (512, 5.0), 0xA: (768, 7.5), 0xB: (1024, 10.0)},
    **{0xC: (1536, 15.0), 0xD: (2048, 20.0)},
}
"""Fi and the highest clock in MHz by the high half of TA1. Spec: ISO/IEC 7816-3, 8.3, table 7."""
BAUD_ADJUSTMENT = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}
"""Di by the low half of TA1. Spec: ISO/IEC 7816-3, 8.3, table 8."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One set of interface bytes, those of number `index`.

    Args:
        index: 1 for TA1 to TD1, and so on.
        protocol: The protocol that the byte in front of the set names; None for the first set.
        bytes_: The bytes that are there, by name (TA, TB, TC, TD).
    """

    index: int
    protocol: int | None
    bytes_: tuple[tuple[str, int], ...]

    def get(self, name: str) -> int | None:
        """Return a byte by its name, or None."""
        return dict(self.bytes_).get(name)


@dataclass(frozen=True, slots=True)
class Atr:
    """The parts of an answer.

    Args:
        ts: The initial character: direct or inverse convention.
        interface: The sets of interface bytes.
        historical: Up to 15 bytes.
        rest: What follows: TCK, if anything.
    """

    ts: int
    interface: tuple[Interface, ...]
    historical: bytes
    rest: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Atr:
        """Return the parts of an answer."""
        if len(raw) < 2:
            raise DecodeError("an answer to reset has at least two bytes", offset=len(raw))
        if raw[0] not in (DIRECT, INVERSE):
            raise DecodeError("an answer to reset begins with 3B or 3F", offset=0)
        if len(raw) > MAX_BYTES:
            raise DecodeError("an answer to reset has 33 bytes at most", offset=MAX_BYTES)
        sets: list[Interface] = []
        position, follow = 2, raw[1]
        protocol: int | None = None
        while follow & 0xF0:
            found = []
            for name, bit in _PRESENT:
                if follow & bit:
                    if position == len(raw):
                        raise DecodeError(f"{name}{len(sets) + 1} is missing", offset=position)
                    found.append((name, raw[position]))
                    position += 1
            sets.append(Interface(len(sets) + 1, protocol, tuple(found)))
            if not follow & 0x80:
                break
            follow = raw[position - 1]
            protocol = follow & 0x0F
        count = raw[1] & 0x0F
        if position + count > len(raw):
            raise DecodeError("the historical bytes are cut off", offset=len(raw))
        return cls(raw[0], tuple(sets), raw[position : position + count], raw[position + count :])

    def encode(self) -> bytes:
        """Return the answer."""
        present = sum(
            bit for name, bit in _PRESENT if self.interface and self.interface[0].get(name) is not None
        )
        body = bytes(octet for group in self.interface for _, octet in group.bytes_)
        return bytes((self.ts, present | len(self.historical))) + body + self.historical + self.rest

    def byte(self, name: str) -> int | None:
        """Return an interface byte such as `TA1`, or None."""
        index = int(name[2:])
        return self.interface[index - 1].get(name[:2]) if index <= len(self.interface) else None

    @property
    def protocols(self) -> tuple[int, ...]:
        """The protocols that are named, in order; T=0 where none is."""
        return tuple(td & 0x0F for group in self.interface if (td := group.get("TD")) is not None) or (0,)

    @property
    def check(self) -> int | None:
        """What TCK has to be, or None where it has to be absent."""
        if set(self.protocols) <= {0}:
            return None
        return reduce(xor, self.encode()[1 : len(self.encode()) - len(self.rest)], 0)

    def reasons(self) -> tuple[str, ...]:
        """Return why a terminal has to refuse the card, or nothing if it may take it.

        Spec: EMV 4.4 Book 1, 8.3 (basic ATR and the ranges a terminal accepts).
        """
        return (*self._rate(), *self._guard(), *self._mode(), *self._second(), *self._check())

    def _rate(self) -> Iterator[str]:
        ta1, ta2 = self.byte("TA1"), self.byte("TA2")
        if ta1 is None:
            return
        if ta1 >> 4 not in CLOCK_CONVERSION or ta1 & 0x0F not in BAUD_ADJUSTMENT:
            yield f"TA1={ta1:02X}: a reserved value"
        elif ta2 is not None and not ta2 & 0x10 and not 0x11 <= ta1 <= 0x13:
            yield f"TA1={ta1:02X}: in specific mode it must be 11 to 13"
        elif ta2 is None and (ta1 >> 4 == 0 or ta1 & 0x0F < 3):
            yield f"TA1={ta1:02X}: in negotiable mode at least 5 MHz and a factor of 4 are needed"

    def _guard(self) -> Iterator[str]:
        # TB1 speaks of a programming voltage. After a warm reset any value is accepted, and nothing here
        # knows which reset it was.
        tb2, tc1 = self.byte("TB2"), self.byte("TC1")
        if tb2 is not None:
            yield f"TB2={tb2:02X}: must be absent"
        if tc1 not in (None, 0x00, 0xFF):
            yield f"TC1={tc1:02X}: the extra guard time must be 00 or FF"

    def _mode(self) -> Iterator[str]:
        first = self.protocols[0]
        ta2, tc2 = self.byte("TA2"), self.byte("TC2")
        if first > 1:
            yield f"TD1 T={first}: the first protocol must be T=0 or T=1"
        if ta2 is not None and ta2 & 0x0F != first:
            yield f"TA2={ta2:02X}: protocol mismatch, TD1 says T={first}"
        if ta2 is not None and ta2 & 0x10:
            yield f"TA2={ta2:02X}: implicit parameters instead of those of TA1"
        if tc2 is not None and first != 0:
            yield f"TC2={tc2:02X}: only for T=0"
        elif tc2 not in (None, 0x0A):
            yield f"TC2={tc2:02X}: the waiting time integer must be 0A"

    def _second(self) -> Iterator[str]:
        first, td2 = self.protocols[0], self.byte("TD2")
        if first == 1 and td2 is None:
            yield "TD2 is absent: T=1 needs TB3"
        if td2 is None:
            return
        second = td2 & 0x0F
        if first == 0 and second != 15:
            yield f"TD2 T={second}: must be T=15 after T=0"
        if first == 1 and second != 1:
            yield f"TD2 T={second}: must be T=1 after T=1"
        if second == 1:
            yield from self._block_protocol()

    def _block_protocol(self) -> Iterator[str]:
        ta3, tb3, tc3 = self.byte("TA3"), self.byte("TB3"), self.byte("TC3")
        if ta3 is not None and not 0x10 <= ta3 <= 0xFE:
            yield f"TA3={ta3:02X}: the information field size must be 10 to FE"
        if tb3 is None:
            yield "TB3 is absent: T=1 needs it"
        else:
            extra, waiting = self.byte("TC1") or 0, tb3 & 0x0F
            if tb3 >> 4 > 4:
                yield f"TB3={tb3:02X}: BWI must be 4 at most"
            if waiting > 5:
                yield f"TB3={tb3:02X}: CWI must be 5 at most"
            if extra != 0xFF and 2 ** (waiting if extra else 1) < extra + 1:
                yield f"TB3={tb3:02X}: the character waiting time is shorter than the guard time"
        if tc3 not in (None, 0x00):
            yield f"TC3={tc3:02X}: must be 00 (LRC)"

    def _check(self) -> Iterator[str]:
        check = self.check
        if check is None:
            if self.rest:
                yield f"TCK={self.rest[0]:02X}: must be absent where only T=0 is named"
        elif not self.rest:
            yield "TCK is missing"
        elif self.rest[0] != check:
            yield f"TCK={self.rest[0]:02X}: must be {check:02X}, a byte is wrong"
        if len(self.rest) > 1:
            yield f"{len(self.rest) - 1} bytes too many at the end"
