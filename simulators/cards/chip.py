"""The chip around the applications: its directory (PPSE), selection, and who gets a command.

Theory of operation: SELECT of the PPSE answers with the directory, SELECT of an application begins a
session with it, and every other command goes to the application that is selected. What comes too early is
refused with 6985, what no application knows with 6D00.

Spec: EMV Contactless Book B, 3.3; EMV 4.4 Book 1, 11.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulators.cards.ber import tlv
from simulators.cards.card import atr_from_ats
from simulators.cards.commands import (
    FILE_NOT_FOUND,
    NOT_SATISFIED,
    OK,
    SELECT,
    WRONG_CLA,
    WRONG_INS,
    WRONG_LENGTH,
    WRONG_P1_P2,
    Command,
    split,
)

PPSE = b"2PAY.SYS.DDF01"
DEFAULT_ATS = bytes.fromhex("0878807000") + b"TSC"
"""TL, T0 (FSCI 8, TA TB TC follow), TA (106 kbit/s only), TB (FWI 7, SFGI 0), TC (no CID), historical."""


class Announced(Protocol):
    """What a personalisation says for the directory."""

    @property
    def aid(self) -> bytes: ...
    @property
    def label(self) -> str: ...
    @property
    def priority(self) -> int | None: ...
    @property
    def kernel_id(self) -> bytes: ...


class Listed:
    """What applications of every kind have alike: a place in the directory, and a transaction counter."""

    def __init__(self, announced: Announced) -> None:
        self._announced = announced
        self._counter = 0

    @property
    def aid(self) -> bytes:
        """Its name."""
        return self._announced.aid

    @property
    def counter(self) -> int:
        """The application transaction counter (tag 9F36)."""
        return self._counter

    def directory_entry(self) -> bytes:
        """Return what the PPSE says of it."""
        me = self._announced
        return directory_entry(me.aid, me.label, me.priority, me.kernel_id)


class Application(Protocol):
    """One payment application of a card."""

    @property
    def aid(self) -> bytes:
        """Its name."""
        ...

    @property
    def commands(self) -> frozenset[tuple[int, int]]:
        """Class and instruction of each command that it knows."""
        ...

    def directory_entry(self) -> bytes:
        """Return what its application template (61) in the PPSE holds."""
        ...

    def select(self) -> bytes:
        """Begin a session; return the FCI template (6F)."""
        ...

    def answer(self, command: Command) -> bytes:
        """Answer a command that is one of `commands`, in a session."""
        ...


class ChipCard:
    """A card of one or more applications. It lives in a field; see `SimulatedCard`."""

    def __init__(
        self,
        applications: Sequence[Application],
        *,
        ats: bytes = DEFAULT_ATS,
        directory: bytes | None = None,
    ) -> None:
        self._applications = tuple(applications)
        self._ats = ats
        self._directory = directory
        self._selected: Application | None = None

    @property
    def applications(self) -> tuple[Application, ...]:
        """The applications, in the order of the directory."""
        return self._applications

    @property
    def atr(self) -> bytes:
        """The ATR that a PC/SC reader builds."""
        return atr_from_ats(self._ats)

    @property
    def ats(self) -> bytes:
        """The ATS, length byte included."""
        return self._ats

    def power_on(self) -> None:
        """Forget the session."""
        self._selected = None

    def transmit(self, capdu: bytes) -> bytes:
        """Answer one C-APDU."""
        command = split(capdu)
        if command is None:
            return WRONG_LENGTH
        if command.cla not in (0x00, 0x80):
            return WRONG_CLA
        if command.name == SELECT:
            return self._select(command)
        if not any(command.name in application.commands for application in self._applications):
            return WRONG_INS
        if self._selected is None:
            return NOT_SATISFIED
        return self._selected.answer(command) if command.name in self._selected.commands else WRONG_INS

    def _select(self, command: Command) -> bytes:
        if command.parameters not in ((0x04, 0x00), (0x04, 0x02)):
            return WRONG_P1_P2
        if command.p2 == 0x02 or not command.data:
            return FILE_NOT_FOUND
        if command.data == PPSE:
            self._selected = None
            return self._ppse() + OK
        # Five bytes name the provider: fewer fit anybody.
        named = (a for a in self._applications if len(command.data) >= 5 and a.aid.startswith(command.data))
        application = next(named, None)
        if application is None:
            return FILE_NOT_FOUND
        self._selected = application
        return application.select() + OK

    def _ppse(self) -> bytes:
        entries = self._directory
        if entries is None:
            entries = b"".join(tlv("61", each.directory_entry()) for each in self._applications)
        return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", entries)))


def directory_entry(aid: bytes, label: str, priority: int | None, kernel_id: bytes) -> bytes:
    """Return what an application template holds: 4F, 50, 87, 9F2A. Spec: Book B, table 3-2."""
    entry = tlv("4F", aid) + tlv("50", label.encode())
    if priority is not None:
        entry += tlv("87", bytes([priority]))
    return entry + (tlv("9F2A", kernel_id) if kernel_id else b"")
