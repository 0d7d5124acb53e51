"""What a card says in letters: its holder's languages, and its application's name.

Spec: EMV 4.4 Book 1, 12.4; Book 4, 11.1.
"""

from __future__ import annotations

from emv.candidates import printable
from emv.card_data import CardData
from emv.tags import Tag


def language(card: CardData) -> str:
    """Return the holder's languages (5F2D) in their order, such as "deen", or an empty text."""
    text = printable(card.get(Tag.LANGUAGE_PREFERENCE) or b"").lower()
    return text if text.isascii() and text.isalpha() and len(text) % 2 == 0 else ""


def label(card: CardData) -> str:
    """Return the application's name: the preferred one if its alphabet is ours.

    Spec: EMV 4.4 Book 1, 12.4.
    """
    preferred = card.get(Tag.PREFERRED_NAME)
    if preferred and card.get(Tag.ISSUER_CODE_TABLE) == b"\x01":
        return printable(preferred)
    return printable(card.get(Tag.APPLICATION_LABEL) or b"")
