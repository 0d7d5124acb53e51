"""What a card says of itself beyond the AIP: Application Capabilities Information and Third Party Data.

Spec: EMV Contactless Book C-2, Annex A (9F5D, 9F6E).
"""

from __future__ import annotations

from enum import KEEP, IntFlag

from emv.card_data import CardData
from emv.tags import Tag


class Capabilities(IntFlag, boundary=KEEP):
    """Application Capabilities Information, tag 9F5D of kernel 2, three bytes."""

    FIELD_OFF_DETECTION = 0x000400
    BALANCE_READING = 0x000200
    CDA_FOR_EVERY_CRYPTOGRAM = 0x000100
    """Over AAC too; else over TC and ARQC only."""


def capabilities(card: CardData) -> Capabilities:
    """Return the card's capabilities; none if it does not say, or says it in another length."""
    value = card.get(Tag.AVAILABLE_OFFLINE_SPENDING) or b""
    return Capabilities.from_bytes(value, "big") if len(value) == 3 else Capabilities(0)
