"""Torn transaction recovery of kernel 2: what goes into a torn record and comes out of it.

A record is used for the same card and, by two rules of ours beside the book's, for the same payment and for
no more than the card would be asked for now: a cryptogram over another amount, currency or kind of
transaction would pay something that nobody asked for, and one that was asked for before the card came onto
the exception file, or before it said that it is a phone, would pass by what follows from that.

Spec: EMV Contactless Book C-2, 3.7, 6.9 (S9.5 to S9.15), 6.11 (S10.10, S10.11) and Annex A (Torn Record).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from emv import c2_balance, c2_dol, tlv
from emv.c2_action import CryptogramRequest
from emv.c2_relay import RelayExchange
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.kernel import Transaction
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag
from emv.torn import TornRecord

CDOL1_DATA, PDOL_DATA, DRDOL_DATA, REFERENCE_CONTROL = 0xDF8107, 0xDF8111, 0xDF8113, 0xDF8114
"""CDOL1, PDOL and DRDOL Related Data; Reference Control Parameter."""

_OF_TERMINAL = (
    *(Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.CVM_RESULTS, Tag.IFD_SERIAL, Tag.TERMINAL_CAPABILITIES),
    *(Tag.TERMINAL_COUNTRY, Tag.TERMINAL_TYPE, Tag.TVR, Tag.TRANSACTION_CATEGORY),
    *(Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_DATE, Tag.TRANSACTION_TIME, Tag.TRANSACTION_TYPE),
    Tag.UNPREDICTABLE_NUMBER,
)
_SAME_PAYMENT = (Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A payment whose GENERATE AC got no answer.

    Args:
        terminal: The terminal's values, TVR and CVM results among them.
        pdol_data: What GET PROCESSING OPTIONS was sent with.
        cdol1_data: What GENERATE AC was sent with.
        request: What it asked for.
        balances: The balances that were read before.
        relay: The relay resistance exchange, None if there was none.
    """

    terminal: Mapping[int, bytes]
    pdol_data: bytes
    cdol1_data: bytes
    request: CryptogramRequest
    balances: Mapping[int, bytes]
    relay: RelayExchange | None


def presented_at(transaction: Transaction) -> datetime.datetime:
    """Return the date and time of a transaction, the only clock there is."""
    return datetime.datetime.combine(transaction.date, transaction.time)


def sequence(card: CardData) -> bytes:
    """Return the card's sequence number, empty if it has none."""
    return card.get(Tag.PAN_SEQUENCE) or b""


def is_recoverable(card: CardData, records: int) -> bool:
    """Say whether card and terminal both do recovery: the card by its DRDOL (9F51)."""
    return bool(card.get(Tag.DRDOL)) and records > 0


def record(card: CardData, interrupted: Interrupted, at: datetime.datetime) -> TornRecord:
    """Return the torn record of a payment. Spec: S9.11."""
    terminal = interrupted.terminal
    values = {int(tag): terminal[tag] for tag in _OF_TERMINAL if tag in terminal}
    values |= {int(tag): card[tag] for tag in (Tag.PAN, Tag.PAN_SEQUENCE) if card.get(tag)}
    values |= interrupted.balances
    values |= {
        CDOL1_DATA: interrupted.cdol1_data,
        PDOL_DATA: interrupted.pdol_data,
        DRDOL_DATA: c2_dol.related_data(card[Tag.DRDOL], card, terminal),
        REFERENCE_CONTROL: interrupted.request.encode(),
    }
    if interrupted.relay is not None:
        values |= interrupted.relay.values()
    return TornRecord(
        pan=Pan.decode(card[Tag.PAN]),
        sequence=sequence(card),
        at=at,
        data=SensitiveBytes(tlv.encode(values.items())),
    )


def is_same_payment(torn: TornRecord, terminal: Mapping[int, bytes]) -> bool:
    """Say whether a record is about the payment that is asked for now."""
    values = tlv.flatten(tlv.decode(torn.data.reveal()))
    return all(values.get(tag) == terminal[tag] for tag in _SAME_PAYMENT)


def is_enough(torn: TornRecord, request: CryptogramRequest) -> bool:
    """Say whether a record's cryptogram may stand for the one that would be asked for now."""
    values = tlv.flatten(tlv.decode(torn.data.reveal()))
    then = CryptogramRequest.decode(values[REFERENCE_CONTROL])
    if then.kind is Cryptogram.AAC:
        return True
    return request.allows(bytes((then.kind,))) and (then.cda or not request.cda)


def drdol_data(torn: TornRecord) -> bytes:
    """Return what RECOVER AC is sent with. Spec: S456.48."""
    return tlv.flatten(tlv.decode(torn.data.reveal()))[DRDOL_DATA]


def restore(torn: TornRecord, terminal: Mapping[int, bytes]) -> Interrupted:
    """Return the payment in a record, over the terminal's other values of now. Spec: S10.11."""
    values = tlv.flatten(tlv.decode(torn.data.reveal()))
    then = {int(tag): values[tag] for tag in _OF_TERMINAL if tag in values}
    return Interrupted(
        terminal=dict(terminal) | then,
        pdol_data=values[PDOL_DATA],
        cdol1_data=values[CDOL1_DATA],
        request=CryptogramRequest.decode(values[REFERENCE_CONTROL]),
        balances={tag: values[tag] for tag in (c2_balance.BEFORE,) if tag in values},
        relay=RelayExchange.of_values(values),
    )
