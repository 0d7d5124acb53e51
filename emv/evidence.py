"""What a kernel's outcome rests on: for checks beside the scheme's rules, for replays and for traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv.card_data import CardData
from emv.oda import NO_ODA, OdaReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The data of one tap. It prints tags of the card, never a value.

    Args:
        card: What the card has said.
        terminal: What the terminal told and found out, by tag: TVR (95), TSI (9B), CVM results (9F34),
            unpredictable number (9F37), TTQ (9F66)...
        oda: What offline data authentication came to.
        relay_ms: What the relay resistance protocol measured of the card, in milliseconds; None where it
            was not done.
    """

    card: CardData
    terminal: Mapping[int, bytes]
    oda: OdaReport = NO_ODA
    relay_ms: float | None = field(default=None)
