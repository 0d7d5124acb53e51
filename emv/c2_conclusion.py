"""What a payment in EMV mode comes to, once the card's answer is found to be genuine.

Spec: EMV Contactless Book C-2, 6.10 (S910.70 to S910.81).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emv import c2_balance, c2_cryptogram, c2_magstripe, c2_outcome, c2_records
from emv.c2_known import Known
from emv.outcome import CvmResult, Outcome, UiRequest
from emv.tags import Tag


def conclude(
    known: Known, cvm: CvmResult, changed: Mapping[int, bytes]
) -> tuple[Outcome, tuple[UiRequest, ...]]:
    """Return the outcome, and what is shown at once.

    Args:
        known: The payment.
        cvm: How the cardholder is verified.
        changed: What the kernel made of the card's values for the host, by tag.
    """
    card, options = known.card, known.options
    record = c2_records.data_record(card, known.terminal, changed)
    phone = c2_outcome.phone_message(card.get(c2_magstripe.PHONE_INFORMATION), options)
    if phone is not None:
        now, outcome = c2_outcome.see_phone(card, options, phone)
        return replace(outcome, data_record=record), (now,)
    decided = c2_outcome.Decided(
        cryptogram=c2_cryptogram.kind(card),
        transaction_type=known.transaction.type,
        cvm=cvm,
        contacts=c2_outcome.has_contacts(known.terminal[Tag.TERMINAL_CAPABILITIES]),
        receipt=known.cvm_required,
        balance=known.balances.get(c2_balance.AFTER),
    )
    return replace(c2_outcome.final(card, options, decided), data_record=record), ()
