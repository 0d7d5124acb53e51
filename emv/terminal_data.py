"""The terminal's data objects for one transaction: what a PDOL or CDOL can ask for.

Spec: EMV 4.4 Book 3, Annex A; Book 4, Annex A.
"""

from __future__ import annotations

from emv.config import EmvConfig
from emv.fields import Ttq
from emv.formats import encode_date, encode_n, encode_time
from emv.kernel import Transaction
from emv.tags import Tag


def terminal_data(
    config: EmvConfig, transaction: Transaction, *, aid: bytes, ttq: Ttq | None = None
) -> dict[int, bytes]:
    """Return the terminal's values by tag. Text is as long as it is; a DOL cuts or fills it."""
    values = {
        **_of_terminal(config),
        Tag.AMOUNT_AUTHORISED: encode_n(transaction.amount_minor, 6),
        Tag.AMOUNT_OTHER: encode_n(transaction.amount_other_minor, 6),
        Tag.AMOUNT_AUTHORISED_BINARY: _binary(transaction.amount_minor),
        Tag.AMOUNT_OTHER_BINARY: _binary(transaction.amount_other_minor),
        Tag.TRANSACTION_CURRENCY: encode_n(int(transaction.currency), 2),
        Tag.TRANSACTION_CURRENCY_EXPONENT: encode_n(transaction.currency_exponent, 1),
        Tag.TRANSACTION_DATE: encode_date(transaction.date),
        Tag.TRANSACTION_TIME: encode_time(transaction.time),
        Tag.TRANSACTION_TYPE: bytes((transaction.type,)),
        Tag.UNPREDICTABLE_NUMBER: transaction.unpredictable_number,
        Tag.SEQUENCE_COUNTER: encode_n(transaction.sequence_counter % 10**8, 4),
        Tag.AID_TERMINAL: aid,
        Tag.TVR: bytes(5),
        Tag.TSI: bytes(2),
    }
    if ttq is not None:
        values[Tag.TTQ] = ttq.to_bytes(4, "big")
    return {int(tag): value for tag, value in values.items()} | config.extra


def _of_terminal(config: EmvConfig) -> dict[Tag, bytes]:
    numbers = {
        Tag.TERMINAL_COUNTRY: encode_n(int(config.country), 2),
        Tag.TERMINAL_TYPE: bytes((config.terminal_type,)),
        Tag.TERMINAL_CAPABILITIES: config.capabilities,
        Tag.ADDITIONAL_CAPABILITIES: config.additional_capabilities,
        Tag.MERCHANT_CATEGORY: encode_n(int(config.merchant_category), 2),
        Tag.POS_ENTRY_MODE: bytes((config.pos_entry_mode,)),
    }
    if config.acquirer_id:
        numbers[Tag.ACQUIRER_ID] = encode_n(int(config.acquirer_id), 6)
    texts = {
        Tag.MERCHANT_ID: config.merchant_id,
        Tag.MERCHANT_NAME: config.merchant_name,
        Tag.TERMINAL_ID: config.terminal_id,
        Tag.IFD_SERIAL: config.serial_number,
    }
    return numbers | {tag: text.encode("latin-1", "replace") for tag, text in texts.items() if text}


def _binary(amount_minor: int) -> bytes:
    """Return an amount in four bytes; one that does not fit is sent as all ones."""
    return min(amount_minor, 0xFFFFFFFF).to_bytes(4, "big")
