"""A payment as the next card is told of it."""

from __future__ import annotations

import secrets
from datetime import datetime

from emv.kernel import Transaction
from terminal.money import Money, numeric_code
from terminal.money import exponent as currency_exponent
from terminal.payment.unpredictable import UnpredictableNumbers

SPARE_NUMBERS = 2
"""How often a card can be asked again with another number: relay resistance tries three times in all."""


def new_transaction(amount: Money, numbers: UnpredictableNumbers, sequence: int) -> Transaction:
    """Return a payment at this moment, with numbers of its own.

    Args:
        amount: What is to be paid.
        numbers: Where its unpredictable numbers come from.
        sequence: The terminal's running number (tag 9F41); its last eight digits count.
    """
    now = datetime.now().astimezone()
    return Transaction(
        amount_minor=amount.minor,
        currency=numeric_code(amount.currency),
        currency_exponent=currency_exponent(amount.currency),
        date=now.date(),
        time=now.time(),
        unpredictable_number=numbers.take(),
        spare_unpredictable_numbers=tuple(numbers.take() for _ in range(SPARE_NUMBERS)),
        random_percent=1 + secrets.randbelow(99),
        sequence_counter=sequence % 10**8,
    )
