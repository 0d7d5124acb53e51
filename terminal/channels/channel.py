"""What a payment flow needs of a payment system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from offline_queue.record import Record
from terminal.money import Money
from terminal.payment.attempt_events import (
    Answer,
    Plan,
)
from terminal.payment.instrument import Instrument
from terminal.view import Phase


@dataclass(frozen=True, slots=True)
class Case:
    """The attempt that a channel is asked about.

    Args:
        key: The attempt's own key, the same in every request about it.
        instrument: What the customer showed; None after a restart.
    """

    key: str
    order: str
    amount: Money
    instrument: Instrument | None


class Channel(Protocol):
    """A payment system. No method raises: what goes wrong is an Answer, UNKNOWN if in doubt."""

    @property
    def name(self) -> str:
        """The name in records, such as ``card``."""
        ...

    @property
    def label(self) -> str:
        """The name on screens and receipts."""
        ...

    @property
    def pending(self) -> Phase:
        """What the screen says while the payment waits: CUSTOMER_CONFIRMS, SHOWING_QR or ASKING."""
        ...

    @property
    def plan(self) -> Plan: ...

    @property
    def deferrable(self) -> bool:
        """Whether a payment may be taken without the host's answer. Never true for wallets."""
        ...

    def secret(self, case: Case) -> bytes:
        """Return what the intent's sealed part is to hold."""
        ...

    async def ask(self, case: Case, intent: Record) -> Answer:
        """Ask for the payment. The intent is durable."""
        ...

    async def query(self, case: Case) -> Answer:
        """Ask what became of the payment."""
        ...

    async def reverse(self, case: Case, reversal: Record) -> Answer:
        """Undo the payment, whatever became of it. The reversal is durable."""
        ...
