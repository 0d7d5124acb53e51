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

from emv import c2_balance, tlv
from emv.c2_action import CryptogramRequest
from emv.c2_known import Known
from emv.c2_relay import RelayExchange
from emv.card_data import CardData
from emv.kernel import Transaction
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag
from emv.torn import TornLog, TornRecord

CDOL1_DATA, PDOL_DATA, DRDOL_DATA, REFERENCE_CONTROL = 0xDF8107, 0xDF8111, 0xDF8113, 0xDF8114
"""CDOL1, PDOL and DRDOL Related Data; Reference Control Parameter."""

_OF_TERMINAL = (
    *(Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.CVM_RESULTS, Tag.IFD_SERIAL, Tag.TERMINAL_CAPABILITIES),
    *(Tag.TERMINAL_COUNTRY, Tag.TERMINAL_TYPE, Tag.TVR, Tag.TRANSACTION_CATEGORY),
    *(Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_DATE, Tag.TRANSACTION_TIME, Tag.TRANSACTION_TYPE),
    Tag.UNPREDICTABLE_NUMBER,
)
_SAME_PAYMENT = (Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_TYPE)


def presented_at(transaction: Transaction) -> datetime.datetime:
    """Return the date and time of a transaction, the only clock there is."""
    return datetime.datetime.combine(transaction.date, transaction.time)


def _sequence(card: CardData) -> bytes:
    """Return the card's sequence number, empty if it has none."""
    return card.get(Tag.PAN_SEQUENCE) or b""


def is_recoverable(card: CardData, records: int) -> bool:
    """Say whether card and terminal both do recovery: the card by its DRDOL (9F51)."""
    return bool(card.get(Tag.DRDOL)) and records > 0


def record(known: Known, request: CryptogramRequest) -> TornRecord:
    """Return the torn record of a payment whose GENERATE AC got no answer. Spec: S9.11."""
    card, terminal = known.card, known.terminal
    values = {int(tag): terminal[tag] for tag in _OF_TERMINAL if tag in terminal}
    values |= {int(tag): card[tag] for tag in (Tag.PAN, Tag.PAN_SEQUENCE) if card.get(tag)}
    values |= known.balances
    values |= {
        CDOL1_DATA: known.cdol1_data,
        PDOL_DATA: known.pdol_data,
        DRDOL_DATA: known.related_data(Tag.DRDOL),
        REFERENCE_CONTROL: request.encode(),
    }
    if known.relay is not None:
        values |= known.relay.values()
    return TornRecord(
        pan=Pan.decode(card[Tag.PAN]),
        sequence=_sequence(card),
        at=presented_at(known.transaction),
        data=SensitiveBytes(tlv.encode(values.items())),
    )


def find(
    log: TornLog, card: CardData, terminal: Mapping[int, bytes], request: CryptogramRequest
) -> TornRecord | None:
    """Return the record whose cryptogram may stand for the one that would be asked for now, or None."""
    torn = log.find(Pan.decode(card[Tag.PAN]), _sequence(card))
    if torn is None:
        return None
    values = tlv.flatten(tlv.decode(torn.data.reveal()))
    same_payment = all(values.get(tag) == terminal[tag] for tag in _SAME_PAYMENT)
    then = CryptogramRequest.decode(values[REFERENCE_CONTROL])
    return torn if same_payment and _is_enough(then, request) else None


def _is_enough(then: CryptogramRequest, now: CryptogramRequest) -> bool:
    """Say whether what was asked for then is no better than now, and signed if that is asked for now."""
    return now.allows(bytes((then.kind,))) and (then.cda or not now.cda)


def drdol_data(torn: TornRecord) -> bytes:
    """Return what RECOVER AC is sent with. Spec: S456.48."""
    return tlv.flatten(tlv.decode(torn.data.reveal()))[DRDOL_DATA]


def restore(torn: TornRecord, known: Known) -> CryptogramRequest:
    """Take over what a record knows, and return what the card was asked for then. Spec: S10.11."""
    values = tlv.flatten(tlv.decode(torn.data.reveal()))
    known.terminal |= {int(tag): values[tag] for tag in _OF_TERMINAL if tag in values}
    known.pdol_data, known.cdol1_data = values[PDOL_DATA], values[CDOL1_DATA]
    known.balances = {tag: values[tag] for tag in (c2_balance.BEFORE,) if tag in values}
    known.relay = RelayExchange.of_values(values)
    return CryptogramRequest.decode(values[REFERENCE_CONTROL])
