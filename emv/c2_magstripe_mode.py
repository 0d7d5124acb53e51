"""The steps of magstripe mode, between the records and the outcome.

Spec: EMV Contactless Book C-2, 6.3 (S3.70 to S3.72), 6.7 (S7.20 to S78.22), 6.13 and 6.14 (S13, S14).
"""

from __future__ import annotations

from dataclasses import replace

from emv import c2_magstripe, c2_outcome, c2_records, c2_terminal, commands, cryptogram
from emv.apdu import CommandApdu
from emv.c2_error import L2
from emv.c2_known import Known
from emv.c2_magstripe import InconsistentError, Stripe
from emv.outcome import CvmResult, Outcome, UiRequest
from emv.tags import Tag

_CHECKED = (
    *(Tag.TRACK_1, Tag.TRACK_2_MAGSTRIPE, Tag.PCVC3_TRACK_1, Tag.PUNATC_TRACK_1, Tag.NATC_TRACK_1),
    *(Tag.PCVC3_TRACK_2, Tag.NATC_TRACK_2),
)
_CHECKED_ANSWER = (Tag.ATC, Tag.CVC3_TRACK_1, Tag.CVC3_TRACK_2)
"""What is used here, and so must have a possible length."""


def locator(file_locator: bytes) -> bytes:
    """Return which records are read. Spec: S3.70 to S3.72."""
    first = c2_magstripe.TRACK_1_RECORD
    return first if file_locator.startswith(first) else file_locator


def tracks(known: Known) -> Stripe:
    """Return the card's tracks.

    Raises:
        InconsistentError: something is missing, or does not fit together.
    """
    known.card.check_lengths(_CHECKED, c2_terminal.KERNEL)
    return c2_magstripe.read(known.card)


def command(known: Known, stripe: Stripe) -> CommandApdu:
    """Ask for the checksum over a number of as many digits as fit. Spec: S78.8 to S78.22."""
    terminal = known.terminal
    terminal[Tag.UNPREDICTABLE_NUMBER_NUMERIC] = c2_magstripe.unpredictable_number(
        known.transaction.unpredictable_number, stripe.digits
    )
    if known.on_device and known.cvm_required:
        terminal[Tag.MOBILE_SUPPORT] = c2_terminal.device_cvm_required(terminal[Tag.MOBILE_SUPPORT])
    data = c2_magstripe.udol_data(known.card, terminal, known.options)
    return commands.compute_cryptographic_checksum(data)


def conclude(known: Known, stripe: Stripe, answer: bytes) -> tuple[Outcome, tuple[UiRequest, ...]]:
    """Return the outcome of the checksum, or of what a phone waits for, and what is shown at once.

    Raises:
        InconsistentError: something is missing, or the phone did not verify its owner.

    Spec: S13.9 to S13.45, S14.9 to S14.34.
    """
    card = known.card
    card.add(cryptogram.format_2(answer))
    card.check_lengths(_CHECKED_ANSWER, c2_terminal.KERNEL)
    missing = c2_magstripe.check_answer(stripe, card, on_device=known.on_device)
    if missing:
        raise InconsistentError(missing, "the card gave no counter or no checksum")
    if not card.get(Tag.CVC3_TRACK_2):
        return _phone_asks(known)
    if known.on_device and known.cvm_required and not c2_magstripe.pin_verified(card):
        raise InconsistentError(L2.CARD_DATA, "the phone did not verify its owner")
    return _online(known, stripe), ()


def _phone_asks(known: Known) -> tuple[Outcome, tuple[UiRequest, ...]]:
    """Return the end for a phone that gave no checksum. Spec: S13.41 to S13.45."""
    card, options = known.card, known.options
    record = c2_records.magstripe_data_record(card, known.terminal, {})
    phone = c2_outcome.phone_message(card.get(c2_magstripe.PHONE_INFORMATION), options)
    if phone is None:
        return replace(c2_outcome.declined(card, options), data_record=record), ()
    now, outcome = c2_outcome.see_phone(card, options, phone)
    return replace(outcome, data_record=record), (now,)


def _online(known: Known, stripe: Stripe) -> Outcome:
    """Return the online request. Spec: S13.24 to S13.26, S14.32 to S14.34."""
    number = known.terminal[Tag.UNPREDICTABLE_NUMBER_NUMERIC]
    filled = c2_magstripe.filled(stripe, known.card, number)
    changed = {tag: track.reveal() for tag, track in filled.items()}
    record = c2_records.magstripe_data_record(known.card, known.terminal, changed)
    outcome = c2_outcome.magstripe(_cvm(known), receipt=known.cvm_required)
    return replace(outcome, data_record=record)


def _cvm(known: Known) -> CvmResult:
    if known.on_device:
        verified = c2_magstripe.pin_verified(known.card)
        return CvmResult.CONFIRMED_BY_DEVICE if verified else CvmResult.NONE
    if known.cvm_required:
        return known.options.magstripe_cvm_required
    return known.options.magstripe_cvm_not_required
