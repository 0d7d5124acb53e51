"""What kernel 2 hands out beside the outcome: the data record and the discretionary data.

Spec: EMV Contactless Book C-2, 4.2.1 (tables of data record and discretionary data).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from emv import tlv
from emv.c2_error import ErrorIndication
from emv.card_data import CardData
from emv.sensitive import SensitiveBytes
from emv.tags import Tag

_FROM_CARD = (
    *(Tag.CRYPTOGRAM, Tag.EXPIRATION_DATE, Tag.AIP, Tag.APPLICATION_LABEL, Tag.PAN, Tag.PAN_SEQUENCE),
    *(Tag.PREFERRED_NAME, Tag.ATC, Tag.USAGE_CONTROL, Tag.CID, Tag.DF_NAME, Tag.ISSUER_APPLICATION_DATA),
    *(Tag.ISSUER_CODE_TABLE, Tag.PAR, Tag.TRACK_2, Tag.FORM_FACTOR),
)
_FROM_TERMINAL = (
    *(Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.VERSION_TERMINAL, Tag.CVM_RESULTS, Tag.IFD_SERIAL),
    *(Tag.TERMINAL_CAPABILITIES, Tag.TERMINAL_COUNTRY, Tag.TERMINAL_TYPE, Tag.TVR),
    *(Tag.TRANSACTION_CATEGORY, Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_DATE, Tag.TRANSACTION_TYPE),
    *(Tag.UNPREDICTABLE_NUMBER, Tag.POS_ENTRY_MODE, Tag.SEQUENCE_COUNTER),
)
"""The book's list, and what hosts want beside it: third party data, entry mode, sequence counter."""
_MAGSTRIPE_FROM_CARD = (
    *(Tag.APPLICATION_LABEL, Tag.PREFERRED_NAME, Tag.DF_NAME, Tag.ISSUER_CODE_TABLE, Tag.PAR),
    *(Tag.TRACK_1, Tag.TRACK_2_MAGSTRIPE),
)
_MAGSTRIPE_FROM_TERMINAL = (
    *(Tag.MAGSTRIPE_VERSION, Tag.IFD_SERIAL, Tag.AMOUNT_AUTHORISED, Tag.POS_ENTRY_MODE),
    *(Tag.TRANSACTION_CURRENCY, Tag.TRANSACTION_DATE, Tag.TRANSACTION_TYPE, Tag.SEQUENCE_COUNTER),
)


def data_record(
    card: CardData, terminal: Mapping[int, bytes], changed: Mapping[int, bytes]
) -> SensitiveBytes:
    """Return what the host needs of a payment; `changed` has what the kernel made of the card's values."""
    return _record(card, terminal, changed, _FROM_CARD, _FROM_TERMINAL)


def magstripe_data_record(
    card: CardData, terminal: Mapping[int, bytes], changed: Mapping[int, bytes]
) -> SensitiveBytes:
    """Return what the host needs of a payment in magstripe mode."""
    return _record(card, terminal, changed, _MAGSTRIPE_FROM_CARD, _MAGSTRIPE_FROM_TERMINAL)


def _record(
    card: CardData,
    terminal: Mapping[int, bytes],
    changed: Mapping[int, bytes],
    from_card: Iterable[Tag],
    from_terminal: Iterable[Tag],
) -> SensitiveBytes:
    values = {int(tag): card[tag] for tag in from_card if tag in card}
    values |= changed
    values |= {int(tag): terminal[tag] for tag in from_terminal if tag in terminal}
    return SensitiveBytes(tlv.encode(values.items()))


def discretionary_data(
    card: CardData,
    found: Mapping[int, bytes],
    error: ErrorIndication,
    torn: SensitiveBytes | None = None,
) -> SensitiveBytes:
    """Return what is for the terminal's own records.

    Args:
        card: What it has said.
        found: The balances that were read, and what stood in the tracks of magstripe mode, by tag.
        error: The error indication.
        torn: A torn record that was dropped unrecovered.
    """
    values: dict[int, bytes] = {}
    for tag in (Tag.AVAILABLE_OFFLINE_SPENDING, Tag.APPLICATION_CURRENCY):
        if tag in card:
            values[tag] = card[tag]
    values |= found
    values[Tag.ERROR_INDICATION] = error.encode()
    if Tag.FORM_FACTOR in card:
        values[Tag.FORM_FACTOR] = card[Tag.FORM_FACTOR]
    if torn is not None:
        values[Tag.TORN_RECORD] = torn.reveal()
    return SensitiveBytes(tlv.encode(values.items()))
