"""What every simulated card is to the reader that powers it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class SimulatedCard(Protocol):
    """A card as raw APDUs: one in, one out. Not thread-safe; one reader talks to it at a time."""

    @property
    def atr(self) -> bytes:
        """What a PC/SC reader reports: the ATR, built from the ATS for a contactless card."""
        ...

    @property
    def ats(self) -> bytes:
        """The answer to select of ISO/IEC 14443-4, its length byte included."""
        ...

    def power_on(self) -> None:
        """Enter the field: what belongs to a session is forgotten, the transaction counter stays."""
        ...

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one C-APDU; None means that the card has left the field in the middle."""
        ...


@runtime_checkable
class AsksForTime(Protocol):
    """A card that needs longer than its frame waiting time for some commands."""

    def time_extensions(self, capdu: bytes) -> int:
        """Return how often the card asks for more time before it answers this command."""
        ...


@runtime_checkable
class AnswersLate(Protocol):
    """A card whose answers take longer than the wire: it is relayed over a distance."""

    def delay_us(self, capdu: bytes) -> int:
        """Return how many microseconds later the answer to this command comes."""
        ...


def atr_from_ats(ats: bytes) -> bytes:
    """Return the ATR that a PC/SC reader builds for a contactless card with this ATS.

    ``3B 8n 80 01``, the historical bytes, and the check byte (exclusive or of all but the first).

    Spec: PC/SC 2.01.09 part 3, 3.1.3.2.3.1.
    """
    historical = historical_bytes(ats)
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


def historical_bytes(ats: bytes) -> bytes:
    """Return the historical bytes of an ATS: what follows TL, T0 and those of TA, TB, TC that T0 names.

    Spec: ISO/IEC 14443-4, 5.2.
    """
    if len(ats) < 2:
        return b""
    interface_bytes = sum(bool(ats[1] & bit) for bit in (0x10, 0x20, 0x40))
    return ats[2 + interface_bytes :]
