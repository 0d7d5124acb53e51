"""What cards approved by themselves, for the floor limit: a sale that is split in two counts as one.

It is kept in memory. After a restart a card may approve one more time up to the floor limit; the offline
limits hold all the same.

Spec: EMV 4.4 Book 3, 10.6.1.
"""

from __future__ import annotations

from emv import tlv
from emv.background import Background
from emv.errors import DecodeError
from emv.outcome import Outcome
from emv.risk import Payment
from emv.tags import Tag

KEPT = 500
"""How many payments are remembered."""


def note(background: Background, outcome: Outcome, amount_minor: int) -> None:
    """Remember a payment that a card approved by itself; the amount in minor units."""
    if outcome.pan is None or outcome.data_record is None:
        return
    try:
        given = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
    except DecodeError:
        return
    sequence = given.get(Tag.PAN_SEQUENCE, b"").hex()
    background.payments.append(Payment(outcome.pan, sequence, amount_minor))
    del background.payments[:-KEPT]
