"""What a terminal remembers from one transaction to the next, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from emv.risk import Payment
from emv.sensitive import Pan
from emv.torn import TornLog


@dataclass(slots=True)
class Background:
    """One terminal's memory. The caller owns it, and keeps what shall survive a restart.

    Args:
        torn: Torn transactions, for C-2's recovery.
        exceptions: Card numbers that are never approved offline (the exception file). Kernels 3 and 7
            decline where such a card approves, kernel 6 always, all others ask it for the issuer, or
            decline offline.
        payments: Payments of before, for floor limits against split sales.
    """

    torn: TornLog = field(default_factory=TornLog)
    exceptions: frozenset[Pan] = frozenset()
    payments: list[Payment] = field(default_factory=list)
