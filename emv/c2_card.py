"""What the records of a card must have given for EMV mode.

Spec: EMV Contactless Book C-2, 6.4.4 (S456.16).
"""

from __future__ import annotations

from emv.c2_terminal import KERNEL
from emv.card_data import CardData
from emv.errors import DecodeError
from emv.sensitive import Pan, Track2
from emv.tags import Tag

_MANDATORY = (Tag.EXPIRATION_DATE, Tag.PAN, Tag.CDOL1)
_CHECKED = (
    *(Tag.PAN, Tag.PAN_SEQUENCE, Tag.EXPIRATION_DATE, Tag.EFFECTIVE_DATE, Tag.USAGE_CONTROL),
    *(Tag.ISSUER_COUNTRY, Tag.VERSION_CARD, Tag.APPLICATION_CURRENCY, Tag.CA_KEY_INDEX),
    *(Tag.ISSUER_EXPONENT, Tag.ICC_EXPONENT, Tag.FORM_FACTOR, Tag.TRACK_2, Tag.CDOL1, Tag.DRDOL),
)
"""What is used here, and so must have a possible length."""


def missing(card: CardData) -> str:
    """Return which data objects are missing, in words; empty if none is."""
    return ", ".join(f"{tag:02X}" for tag in _MANDATORY if not card.get(tag))


def check(card: CardData) -> None:
    """Refuse data of an impossible form.

    Our rule beside the book's: a card has one number, because what is authenticated must be what is charged.

    Raises:
        DecodeError: it is.
    """
    card.check_lengths(_CHECKED, KERNEL)
    pan, track2 = Pan.decode(card[Tag.PAN]), card.get(Tag.TRACK_2)
    if track2 and Track2(track2).pan != pan:
        raise DecodeError("the card's two numbers differ", tag=Tag.PAN)
