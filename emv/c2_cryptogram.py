"""The card's answer to GENERATE AC and RECOVER AC.

Spec: EMV Contactless Book C-2, 5.4, 5.8, 6.9 (S9.18 to S9.24), 6.10 (S910.30 to S910.38); EMV 4.4
Book 3, 6.5.5.4.
"""

from __future__ import annotations

from emv import tlv
from emv.c2_action import CryptogramRequest
from emv.c2_error import L2
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.errors import DecodeError
from emv.tags import Tag

_SHORTEST, _LONGEST = 11, 43
"""CID, ATC and cryptogram, then up to 32 bytes of issuer application data."""


def generated(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in an answer to GENERATE AC, format 1 or 2."""
    objects = tlv.decode(data)
    if len(objects) == 1 and objects[0][0] == Tag.RESPONSE_FORMAT_1:
        return _format_1(objects[0][1])
    return recovered(data)


def recovered(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in an answer to RECOVER AC: format 2 only."""
    objects = tlv.decode(data)
    value = objects[0][1] if len(objects) == 1 and objects[0][0] == Tag.RESPONSE_FORMAT_2 else None
    if not isinstance(value, tuple):
        raise DecodeError("the cryptogram is not in one template 77")
    return value


def _format_1(value: bytes | tuple[tlv.Tlv, ...]) -> tuple[tlv.Tlv, ...]:
    if not isinstance(value, bytes) or not _SHORTEST <= len(value) <= _LONGEST:
        raise DecodeError("a cryptogram in format 1 has 11 to 43 bytes", tag=Tag.RESPONSE_FORMAT_1)
    fields = [(int(Tag.CID), value[:1]), (int(Tag.ATC), value[1:3]), (int(Tag.CRYPTOGRAM), value[3:11])]
    if len(value) > _SHORTEST:
        fields.append((int(Tag.ISSUER_APPLICATION_DATA), value[11:]))
    return tuple(fields)


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
