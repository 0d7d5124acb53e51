"""What a customer pays with, as the payment flow sees it: a secret part and a masked one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv.sensitive import SensitiveBytes
from offline_queue.sightings import Sighting


@dataclass(frozen=True, slots=True)
class Instrument:
    """A card, a customer's code, or nothing where the customer scans ours.

    Args:
        secret: What goes to the host only sealed, or in the request that needs it.
        summary: Masked facts for screens, receipts and reports.
        refusal: Why it can't pay (the card declined), or empty.
        approved: The card has approved the payment by itself, and has proved to be genuine.
        sighting: What it is remembered by, where it counts once.
    """

    secret: SensitiveBytes
    summary: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    approved: bool = False
    sighting: Sighting | None = None
