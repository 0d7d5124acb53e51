"""Processing restrictions of kernel 2: those of EMV, and its own rule for cashback.

EMV asks a card that is used for cashback whether it may. C-2 asks that wherever there is an amount of
cashback, and asks besides whether the card may be used for goods or services at all.

Spec: EMV Contactless Book C-2, 7.7 (PRE.1 to PRE.29).
"""

from __future__ import annotations

from collections.abc import Mapping

from emv.card_data import CardData
from emv.config import CASHBACK
from emv.fields import Auc, Tvr, take
from emv.kernel import Transaction
from emv.restrictions import check_restrictions
from emv.tags import Tag

_AT_HOME = Auc.DOMESTIC_GOODS | Auc.DOMESTIC_SERVICES, Auc.DOMESTIC_CASHBACK
_ABROAD = Auc.INTERNATIONAL_GOODS | Auc.INTERNATIONAL_SERVICES, Auc.INTERNATIONAL_CASHBACK


def restrictions(card: CardData, terminal: Mapping[int, bytes], transaction: Transaction) -> Tvr:
    """Return the TVR bits of byte 2."""
    return check_restrictions(card, terminal, transaction) | _cashback(card, terminal, transaction)


def _cashback(card: CardData, terminal: Mapping[int, bytes], transaction: Transaction) -> Tvr:
    """Look whether the card may be used for cashback, if it says so at all. Spec: PRE.20 to PRE.29."""
    value, country = card.get(Tag.USAGE_CONTROL), card.get(Tag.ISSUER_COUNTRY)
    if not value or not country:
        return Tvr(0)
    usage = take(Auc, value, 2, Tag.USAGE_CONTROL)
    purchase, cashback = _AT_HOME if country == terminal[Tag.TERMINAL_COUNTRY] else _ABROAD
    allowed = bool(usage & purchase) or transaction.type != CASHBACK
    if transaction.amount_other_minor:
        allowed = allowed and bool(usage & cashback)
    return Tvr(0) if allowed else Tvr.SERVICE_NOT_ALLOWED
