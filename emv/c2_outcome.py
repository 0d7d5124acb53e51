"""The outcomes of kernel 2 and what is shown with them.

Where the book says END APPLICATION with start B, because the card left too early or a phone needs its
owner first, the outcome here is TRY AGAIN: Book A's name for the same instruction, and what makes a
terminal wait for the same card again.

Spec: EMV Contactless Book C-2, 4.2 (Outcome Parameter Set, User Interface Request Data), 6.10 (S910.50
to S910.81).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emv.c2_capabilities import Capabilities, capabilities
from emv.c2_options import C2Options, PhoneMessage
from emv.card_data import CardData
from emv.card_texts import language
from emv.commands import Cryptogram
from emv.config import CASH, CASHBACK, PURCHASE
from emv.errors import DecodeError
from emv.formats import decode_n
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    Outcome,
    OutcomeKind,
    Start,
    UiRequest,
    UiStatus,
)
from emv.tags import Tag
from emv.third_party_data import ThirdPartyData

_CASH_DISBURSEMENT = 0x17
_PAYMENTS = {PURCHASE, CASH, CASHBACK, _CASH_DISBURSEMENT}
_PHONE_ASKS = 0x00030F
"""The bits of the POS Cardholder Interaction Information that mean: not yet."""
_IC_WITH_CONTACTS = 0x20
"""Of byte 1 of the terminal's capabilities."""


def field_off_ms(card: CardData, options: C2Options) -> int | None:
    """Return how long the field goes off for this card. Spec: S1.7."""
    return options.field_off_ms if capabilities(card) & Capabilities.FIELD_OFF_DETECTION else None


def card_read(card: CardData) -> UiRequest:
    """Return what says that the card may go. Spec: S9.27."""
    return UiRequest(MessageId.CLEAR_DISPLAY, UiStatus.CARD_READ_OK, language=language(card))


def refused(card: CardData, options: C2Options, reason: str) -> Outcome:
    """Return the outcome for a card that can't be used here."""
    shown = UiRequest(MessageId.TRY_ANOTHER_CARD, UiStatus.NOT_READY, options.message_hold_ms, language(card))
    return Outcome(kind=OutcomeKind.END_APPLICATION, reason=reason, ui_on_outcome=shown)


def lost(card: CardData, reason: str) -> Outcome:
    """Return the outcome for a card that left too early."""
    shown = UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ, language=language(card))
    return Outcome(
        kind=OutcomeKind.TRY_AGAIN,
        reason=reason,
        start=Start.B,
        ui_on_outcome=replace(shown, status=UiStatus.ERROR),
        ui_on_restart=shown,
    )


def phone_message(value: bytes | None, options: C2Options) -> PhoneMessage | None:
    """Return what a phone wants its owner to be told, or None.

    Args:
        value: POS Cardholder Interaction Information (DF4B).
        options: The phone message table.

    Spec: S910.71, S910.73.
    """
    if value is None:
        return None
    if len(value) != 3:
        raise DecodeError("the phone's information has three bytes", tag=0xDF4B)
    information = int.from_bytes(value, "big")
    if not information & _PHONE_ASKS:
        return None
    rows = (row for row in options.phone_messages if information & row.mask == row.value)
    return next(rows, PhoneMessage(mask=0, value=0, message=MessageId.DECLINED))


def see_phone(card: CardData, options: C2Options, row: PhoneMessage) -> tuple[UiRequest, Outcome]:
    """Return what is shown at once, and the outcome, for a phone that needs its owner first.

    Spec: S910.72, S910.79, S910.80.
    """
    now = UiRequest(row.message, UiStatus.NOT_READY, options.message_hold_ms, language(card))
    then = replace(now, status=UiStatus.READY_TO_READ, hold_ms=0)
    outcome = Outcome(
        kind=OutcomeKind.TRY_AGAIN,
        reason="the phone needs its owner first",
        start=Start.B,
        ui_on_restart=then,
    )
    return now, outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the outcome of a payment depends on.

    Args:
        cryptogram: What the card gave.
        transaction_type: Tag 9C.
        cvm: How the cardholder is verified.
        contacts: Whether the terminal has a slot for chip cards.
        receipt: Whether the amount is above the CVM limit.
        balance: The balance after the payment, six bytes, or None.
    """

    cryptogram: Cryptogram
    transaction_type: int
    cvm: CvmResult
    contacts: bool
    receipt: bool
    balance: bytes | None = None


def has_contacts(terminal_capabilities: bytes) -> bool:
    """Say whether the terminal has a slot for chip cards, by tag 9F33."""
    return bool(terminal_capabilities[0] & _IC_WITH_CONTACTS)


def final(card: CardData, options: C2Options, decided: Decided) -> Outcome:
    """Return the outcome of a payment by the card's cryptogram. Spec: S910.74, S910.75."""
    receipt = decided.receipt or decided.cvm is CvmResult.SIGNATURE
    shown = UiRequest(MessageId.AUTHORISING, UiStatus.NOT_READY, language=language(card))
    if decided.cryptogram is Cryptogram.ARQC:
        return Outcome(
            kind=OutcomeKind.ONLINE_REQUEST,
            reason="the issuer is asked",
            cvm=decided.cvm,
            ui_on_outcome=shown,
            receipt=receipt,
        )
    shown = replace(shown, hold_ms=options.message_hold_ms)
    if decided.cryptogram is Cryptogram.TC:
        signs = decided.cvm is CvmResult.SIGNATURE
        message = MessageId.APPROVED_SIGN if signs else MessageId.APPROVED
        return Outcome(
            kind=OutcomeKind.APPROVED,
            reason="approved by the card, which proved to be genuine",
            cvm=decided.cvm,
            ui_on_outcome=_with_balance(card, replace(shown, message=message), decided.balance),
            receipt=receipt,
        )
    return _declined(card, decided, shown)


def _declined(card: CardData, decided: Decided, shown: UiRequest) -> Outcome:
    if decided.transaction_type not in _PAYMENTS:
        return Outcome(
            kind=OutcomeKind.END_APPLICATION,
            reason="the card gave no cryptogram for the issuer",
            ui_on_outcome=replace(shown, message=MessageId.CLEAR_DISPLAY, hold_ms=0),
        )
    if not decided.contacts or _is_device(card):
        return _not_authorised(shown)
    return Outcome(
        kind=OutcomeKind.TRY_ANOTHER_INTERFACE,
        reason="the card declined and may accept by its chip",
        ui_on_outcome=replace(shown, message=MessageId.INSERT_CARD),
        alternate_interface=Interface.CONTACT_CHIP,
    )


def _not_authorised(shown: UiRequest) -> Outcome:
    return Outcome(
        kind=OutcomeKind.DECLINED,
        reason="the card declined",
        ui_on_outcome=replace(shown, message=MessageId.DECLINED),
    )


def declined(card: CardData, options: C2Options) -> Outcome:
    """Return the outcome for a phone in magstripe mode that gave nothing. Spec: S13.42, S13.43."""
    return _not_authorised(
        UiRequest(MessageId.DECLINED, UiStatus.NOT_READY, options.message_hold_ms, language(card))
    )


def magstripe(cvm: CvmResult, *, receipt: bool) -> Outcome:
    """Return the outcome of magstripe mode: always online. Nothing is shown. Spec: S13.25, S13.26."""
    return Outcome(
        kind=OutcomeKind.ONLINE_REQUEST,
        reason="the issuer is asked, in magstripe mode",
        cvm=cvm,
        receipt=receipt or cvm is CvmResult.SIGNATURE,
    )


def _is_device(card: CardData) -> bool:
    """Say whether it is no card: something that can't be put into a slot."""
    value = card.get(Tag.FORM_FACTOR)
    return value is not None and ThirdPartyData.decode(value).is_device


def _with_balance(card: CardData, shown: UiRequest, balance: bytes | None) -> UiRequest:
    """Add the balance, in the card's currency, which may be another than the payment's."""
    currency = card.get(Tag.APPLICATION_CURRENCY)
    if balance is None or currency is None:
        return shown
    return replace(shown, balance_minor=decode_n(balance), currency=f"{decode_n(currency):03d}")
