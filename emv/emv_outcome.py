"""What the kernels with the shared EMV flow (4, 5, 6) come to, with the parameters of each outcome.

Spec: EMV Contactless Book A 2.5, 6 and 9; Book C-4, 11 and 12; Book C-5, 5.13.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import tlv
from emv.candidates import printable
from emv.card_data import CardData
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    Outcome,
    OutcomeKind,
    Start,
    UiRequest,
    UiStatus,
    end_application,
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

SEE_PHONE_MS = 1300
"""How long the field is off while the customer looks at the phone."""


def refused(command: str, sw: int) -> Outcome:
    """Return what a status word other than 9000 leads to, where the kernel's book has no other way.

    6984 sends the card to another interface, 6985 to the next application, 6986 asks the owner of a
    phone to verify first. Public sources of C-3 and C-5 agree on 6984 and 6986.

    Spec: EMV Contactless Book C-3, 5.2.2.2; Book C-5, 5.8.1.5 and 5.8.1.6.
    """
    reason = f"{command}: {sw:04X}"
    if sw == 0x6984:
        return try_contact(reason)
    if sw == 0x6985:
        return select_next(reason)
    if sw == 0x6986:
        return Outcome(
            kind=OutcomeKind.TRY_AGAIN,
            reason=reason,
            start=Start.B,
            ui_on_outcome=UiRequest(MessageId.SEE_PHONE, UiStatus.ERROR, hold_ms=SEE_PHONE_MS),
            ui_on_restart=UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ),
            field_off_ms=SEE_PHONE_MS,
        )
    return end_application(reason)


def select_next(reason: str) -> Outcome:
    """Return the outcome that lets Entry Point try the card's next application."""
    return Outcome(kind=OutcomeKind.SELECT_NEXT, reason=reason, start=Start.C)


def try_contact(reason: str) -> Outcome:
    """Return the outcome that asks for the card to be inserted."""
    return Outcome(
        kind=OutcomeKind.TRY_ANOTHER_INTERFACE,
        reason=reason,
        ui_on_outcome=UiRequest(MessageId.INSERT_CARD, UiStatus.ERROR),
        alternate_interface=Interface.CONTACT_CHIP,
    )


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


def language(card: CardData) -> str:
    """Return the card's language preference, or nothing if it is none."""
    text = printable(card.get(Tag.LANGUAGE_PREFERENCE) or b"").lower()
    return text if text.isascii() and text.isalpha() and len(text) % 2 == 0 else ""


def label(card: CardData) -> str:
    """Return the application's name: the preferred one if its alphabet is ours.

    Spec: EMV 4.4 Book 1, 12.4.
    """
    preferred = card.get(Tag.PREFERRED_NAME)
    if preferred and card.get(Tag.ISSUER_CODE_TABLE) == b"\x01":
        return printable(preferred)
    return printable(card.get(Tag.APPLICATION_LABEL) or b"")


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
