"""Processing restrictions: may this application be used here, today, for this kind of payment?

Spec: EMV 4.4 Book 3, 10.4.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv.card_data import CardData
from emv.config import CASH, CASHBACK, PURCHASE
from emv.fields import Auc, Tvr, take
from emv.formats import decode_date
from emv.kernel import Transaction
from emv.tags import Tag

_CASH_MACHINES = (0x14, 0x15, 0x16)
_DISPENSES_CASH = 0x80
"""Of the first byte of the additional terminal capabilities (9F40)."""

_USES = {
    PURCHASE: (
        Auc.DOMESTIC_GOODS | Auc.DOMESTIC_SERVICES,
        Auc.INTERNATIONAL_GOODS | Auc.INTERNATIONAL_SERVICES,
    ),
    CASH: (Auc.DOMESTIC_CASH, Auc.INTERNATIONAL_CASH),
    CASHBACK: (Auc.DOMESTIC_CASHBACK, Auc.INTERNATIONAL_CASHBACK),
}
"""What the card must allow for a transaction type: one of the bits at home, one of those abroad."""


def check_restrictions(card: CardData, terminal: Mapping[int, bytes], transaction: Transaction) -> Tvr:
    """Return the TVR bits of byte 2 that the card's version, usage control and dates set.

    A data object that the card does not have restricts nothing, but for the expiration date: without one
    the application counts as expired.

    Raises:
        DecodeError: a value is of no possible form.

    Spec: EMV 4.4 Book 3, 10.4.
    """
    return (
        _check_version(card, terminal)
        | _check_usage(card, terminal, transaction)
        | _check_dates(card, transaction)
    )


def is_cash_machine(terminal: Mapping[int, bytes]) -> bool:
    """Say whether the terminal is an ATM: a bank's, unattended, and with cash in it.

    Spec: EMV 4.4 Book 4, Annex A1.
    """
    kind, abilities = terminal[Tag.TERMINAL_TYPE][0], terminal[Tag.ADDITIONAL_CAPABILITIES][0]
    return kind in _CASH_MACHINES and bool(abilities & _DISPENSES_CASH)


def _check_version(card: CardData, terminal: Mapping[int, bytes]) -> Tvr:
    """Compare the version numbers, if both have one. Spec: EMV 4.4 Book 3, 10.4.1."""
    ours, theirs = terminal.get(Tag.VERSION_TERMINAL), card.get(Tag.VERSION_CARD)
    differ = ours is not None and theirs is not None and ours != theirs
    return Tvr.VERSIONS_DIFFER if differ else Tvr(0)


def _check_usage(card: CardData, terminal: Mapping[int, bytes], transaction: Transaction) -> Tvr:
    """Look whether the issuer allows this place and this kind of payment.

    A purchase passes if goods or services are allowed: the transaction type does not tell them apart.
    Kinds that the book does not have (refunds) pass.

    Spec: EMV 4.4 Book 3, 10.4.2.
    """
    value = card.get(Tag.USAGE_CONTROL)
    if value is None:
        return Tvr(0)
    usage = take(Auc, value, 2, Tag.USAGE_CONTROL)
    place = Auc.AT_ATMS if is_cash_machine(terminal) else Auc.AT_OTHER_TERMINALS
    allowed = bool(usage & place)
    country = card.get(Tag.ISSUER_COUNTRY)
    if country is not None and transaction.type in _USES:
        at_home, abroad = _USES[transaction.type]
        allowed = allowed and bool(usage & (at_home if country == terminal[Tag.TERMINAL_COUNTRY] else abroad))
    return Tvr(0) if allowed else Tvr.SERVICE_NOT_ALLOWED


def _check_dates(card: CardData, transaction: Transaction) -> Tvr:
    """Compare today with the first and the last day. Both belong to it. Spec: EMV 4.4 Book 3, 10.4.3."""
    tvr = Tvr(0)
    first, last = card.get(Tag.EFFECTIVE_DATE), card.get(Tag.EXPIRATION_DATE)
    if first is not None and transaction.date < decode_date(first):
        tvr |= Tvr.NOT_YET_EFFECTIVE
    if last is None or transaction.date > decode_date(last):
        tvr |= Tvr.EXPIRED
    return tvr
