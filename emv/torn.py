"""The log of torn transactions: what C-2 keeps to recover a payment whose card left too early.

Spec: EMV Contactless Book C-2, 3.7 and Annex A (Torn Record).
"""

from __future__ import annotations


class TornLog:
    """The torn records of one terminal, the oldest first."""
