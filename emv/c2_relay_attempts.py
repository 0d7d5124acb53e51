"""The attempts of relay resistance: which numbers are sent, and what an answer to one comes to.

Spec: EMV Contactless Book C-2, 6.6 (SR1.10 to SR1.23).
"""

from __future__ import annotations

from emv import c2_dol, c2_relay
from emv.c2_options import C2Options
from emv.c2_relay import RelayAnswer, RelayExchange
from emv.kernel import CardAnswered, Transaction
from emv.tags import Tag

_MAX_ATTEMPTS = 3


def entropies(transaction: Transaction, pdol: bytes | None) -> list[bytes]:
    """Return what can be sent as entropy, first to last: one number for each attempt.

    The transaction's own number is not fresh any more if the card was sent it by its PDOL: a relay could
    have the answer ready.
    """
    spare = list(transaction.spare_unpredictable_numbers)
    if not spare or not c2_dol.asks_for(pdol, Tag.UNPREDICTABLE_NUMBER):
        spare.insert(0, transaction.unpredictable_number)
    return spare[:_MAX_ATTEMPTS]


def attempted(
    event: CardAnswered, entropy: bytes, before: RelayExchange | None, options: C2Options
) -> RelayExchange:
    """Return the exchange that an answer ends.

    Args:
        event: The answer, with the time that it took.
        entropy: What it answers.
        before: The attempt before this one, None for the first.
        options: How long the transmissions take.
    """
    answer = RelayAnswer.decode(event.rapdu.data)
    measured = None
    if event.elapsed_us is not None:
        measured = c2_relay.measured_100us(event.elapsed_us, answer, options)
    retries = 0 if before is None else before.retries + 1
    return RelayExchange(entropy=entropy, answer=answer, retries=retries, measured_100us=measured)
