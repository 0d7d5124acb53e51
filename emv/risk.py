"""Terminal risk management.

Spec: EMV 4.4 Book 3, 10.6.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.sensitive import Pan


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of before, as the floor limit check adds them up. The amount is in minor units."""

    pan: Pan
    sequence: str
    amount_minor: int
