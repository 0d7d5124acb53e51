"""What the kernels with the shared EMV flow (4 and 5) come to, with the parameters of each outcome.

Spec: EMV Contactless Book A 2.5, 6 and 9; Book C-4, 11 and 12; Book C-5, 5.13.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import tlv
from emv.card_data import CardData
from emv.card_texts import language
from emv.outcome import (
    CvmResult,
    MessageId,
    Outcome,
    OutcomeKind,
    UiRequest,
    UiStatus,
)
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag

_RECORD_FROM_CARD = (
    *(Tag.TRACK_2, Tag.PAN, Tag.PAN_SEQUENCE, Tag.EXPIRATION_DATE, Tag.AIP, Tag.DF_NAME, Tag.CRYPTOGRAM),
    *(Tag.CID, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.VERSION_CARD, Tag.USAGE_CONTROL),
    *(Tag.ISSUER_COUNTRY, Tag.PAR),
)
_RECORD_FROM_TERMINAL = (
    *(Tag.TVR, Tag.TSI, Tag.CVM_RESULTS, Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.TRANSACTION_CURRENCY),
    *(Tag.TRANSACTION_DATE, Tag.TRANSACTION_TYPE, Tag.TERMINAL_COUNTRY, Tag.TERMINAL_CAPABILITIES),
    *(Tag.TERMINAL_TYPE, Tag.UNPREDICTABLE_NUMBER, Tag.POS_ENTRY_MODE, Tag.SEQUENCE_COUNTER),
    *(Tag.VERSION_TERMINAL, Tag.IFD_SERIAL),
)
"""The data record for the host: DE55, and 57, 5A, 5F24, 5F34."""


def declined(reason: str, card: CardData) -> Outcome:
    """Return the outcome of a decline."""
    shown = UiRequest(MessageId.DECLINED, UiStatus.READY_TO_READ, language=language(card))
    return Outcome(kind=OutcomeKind.DECLINED, reason=reason, ui_on_outcome=shown)


def online(reason: str, card: CardData, terminal: Mapping[int, bytes], cvm: CvmResult) -> Outcome:
    """Return the outcome of an online request. The card is not needed any more: partial online."""
    return Outcome(
        kind=OutcomeKind.ONLINE_REQUEST,
        reason=reason,
        cvm=cvm,
        ui_on_outcome=UiRequest(MessageId.AUTHORISING, UiStatus.NOT_READY, language=language(card)),
        receipt=cvm is CvmResult.SIGNATURE,
        data_record=_data_record(card, terminal),
    )


def approved(reason: str, card: CardData, terminal: Mapping[int, bytes], cvm: CvmResult) -> Outcome:
    """Return the outcome of an offline approval."""
    message = MessageId.APPROVED_SIGN if cvm is CvmResult.SIGNATURE else MessageId.APPROVED
    return Outcome(
        kind=OutcomeKind.APPROVED,
        reason=reason,
        cvm=cvm,
        ui_on_outcome=UiRequest(message, UiStatus.READY_TO_READ, language=language(card)),
        receipt=cvm is CvmResult.SIGNATURE,
        data_record=_data_record(card, terminal),
    )


def card_read(card: CardData) -> UiRequest:
    """Return the request that tells the customer to take the card away."""
    return UiRequest(MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK, language=language(card))


def number(card: CardData) -> Pan | None:
    """Return the card number, or None.

    Raises:
        DecodeError: it is none.
    """
    value = card.get(Tag.PAN)
    return Pan.decode(value) if value else None


def _data_record(card: CardData, terminal: Mapping[int, bytes]) -> SensitiveBytes:
    values = {int(tag): card[tag] for tag in _RECORD_FROM_CARD if tag in card}
    values |= {int(tag): terminal[tag] for tag in _RECORD_FROM_TERMINAL if tag in terminal}
    return SensitiveBytes(tlv.encode(values.items()))
