"""What kernel 2 decides in EMV mode once the records are read: restrictions, verification, what to ask for.

Spec: EMV Contactless Book C-2, 6.4.4 (S456.35 to S456.45).
"""

from __future__ import annotations

from emv import c2_action, c2_limits, risk
from emv.c2_action import CryptogramRequest
from emv.c2_cvm import select_cvm
from emv.c2_known import Known
from emv.c2_restrictions import restrictions
from emv.cvm import CvmDecision
from emv.fields import Tvr
from emv.sensitive import Pan
from emv.tags import Tag


def decide(known: Known, *, cda: bool) -> tuple[CvmDecision, CryptogramRequest]:
    """Note what is found, and return how the cardholder is verified and what to ask the card for.

    Args:
        known: The payment so far.
        cda: Whether both sides can do CDA.
    """
    card, terminal, activation = known.card, known.terminal, known.activation
    known.note(restrictions(card, terminal, known.transaction))
    cvm = select_cvm(
        card,
        terminal,
        transaction=known.transaction,
        aip=known.aip,
        on_device=known.on_device,
        required=known.cvm_required,
    )
    terminal[Tag.CVM_RESULTS] = cvm.results
    known.note(cvm.tvr)
    known.note(risk.exception_file(Pan.decode(card[Tag.PAN]), activation.background.exceptions))
    if known.exceeds(c2_limits.floor_limit(activation.combination)):
        known.note(Tvr.FLOOR_LIMIT_EXCEEDED)
    request = c2_action.request(
        card,
        known.tvr,
        known.options,
        terminal_type=activation.config.terminal_type,
        indicators=activation.indicators,
        cda=cda,
        on_device=known.on_device,
    )
    return cvm, request
