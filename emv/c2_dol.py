"""The lists by which a card asks for data, as kernel 2 fills them.

The terminal's value goes first; where it has none, the card is given back its own.

Spec: EMV Contactless Book C-2, 4.1.4 (data object lists).
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import dol
from emv.card_data import CardData


def related_data(value: bytes, card: CardData, terminal: Mapping[int, bytes]) -> bytes:
    """Return the data that the list in `value` asks for."""
    entries = dol.decode(value)
    own = {entry.tag: card[entry.tag] for entry in entries if entry.tag in card}
    return dol.fill(entries, own | dict(terminal))


def asks_for(value: bytes | None, tag: int) -> bool:
    """Say whether a list asks for a data object."""
    return any(entry.tag == tag for entry in dol.decode(value or b""))
