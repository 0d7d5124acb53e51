"""Whether the card's answer to GENERATE AC or RECOVER AC is one to what it was asked.

Spec: EMV Contactless Book C-2, 6.9 (S9.21 to S9.24), 6.10 (S910.30 to S910.38).
"""

from __future__ import annotations

from emv.c2_action import CryptogramRequest
from emv.c2_error import L2
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.tags import Tag


def check(card: CardData, request: CryptogramRequest) -> tuple[L2, str]:
    """Say what is wrong with an answer, and `L2.OK` if nothing is. Spec: S9.21 to S9.24."""
    if not card.get(Tag.ATC) or not card.get(Tag.CID):
        return L2.CARD_DATA_MISSING, "the card gave no counter or no kind of cryptogram"
    if not request.allows(card[Tag.CID]):
        return L2.CARD_DATA, "the card gave another cryptogram than it was asked for"
    return L2.OK, ""


def kind(card: CardData) -> Cryptogram:
    """Return what the card gave, after `check` found nothing wrong with it."""
    return Cryptogram(card[Tag.CID][0] & 0xC0)


def check_unsigned(card: CardData, request: CryptogramRequest) -> tuple[L2, str]:
    """Say what is wrong with an answer that is not signed.

    A card that refuses need not sign that, unless it was asked for just this, and signed.

    Spec: S910.30 to S910.38.
    """
    if not card.get(Tag.CRYPTOGRAM):
        return L2.CARD_DATA_MISSING, "the card gave no cryptogram"
    refused = kind(card) is Cryptogram.AAC
    if request.cda and (not refused or request.kind is Cryptogram.AAC):
        return L2.CARD_DATA, "the card did not sign what it was asked to sign"
    return L2.OK, ""
