"""Dynamic reader limits: other limits for cards of a programme, found by what the card says on SELECT.

Spec: EMV Contactless Book C-3 2.5, 5.1.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emv.c3_options import ReaderLimits
from emv.config import CombinationConfig


def limits_for(program_id: bytes | None, sets: Sequence[ReaderLimits]) -> ReaderLimits | None:
    """Return the set for a card's Application Program Identifier (9F5A), or None: the row's limits hold.

    The same identifier comes before one that the card's only begins with, and of those the longest.

    Spec: C-3, 5.1.2.1.
    """
    if program_id is None:
        return None
    found = [limits for limits in sets if program_id.startswith(limits.program_id)]
    return max(found, key=lambda limits: len(limits.program_id), default=None)


def with_limits(row: CombinationConfig, limits: ReaderLimits) -> CombinationConfig:
    """Return the row with these limits and checks in place of its own.

    A limit that the set does not have is not looked at; only the terminal floor limit stays.

    Spec: C-3, 5.1.2.2.
    """
    return replace(
        row,
        transaction_limit=limits.transaction_limit,
        floor_limit=limits.floor_limit,
        cvm_limit=limits.cvm_limit,
        status_check=limits.status_check,
        zero_amount_allowed=limits.zero_amount_allowed,
    )
