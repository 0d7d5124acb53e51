"""Entry Point pre-processing: what the amount means for each combination, before any card is there.

Spec: EMV Contactless Book B 2.5, 3.1.1.
"""

from __future__ import annotations

from emv.config import CombinationConfig, EmvConfig
from emv.fields import Ttq
from emv.kernel import Indicators, Transaction


def without_preprocessing(combination: CombinationConfig) -> Indicators:
    """Return the indicators of a reader that starts by itself at Start B: all off, TTQ as configured.

    Spec: Book B, 3.2.1.1.
    """
    return Indicators(ttq=combination.ttq)


def preprocess(config: EmvConfig, combination: CombinationConfig, transaction: Transaction) -> Indicators:
    """Return the indicators of one combination.

    A limit is compared in minor units. If the transaction's currency is not the terminal's, no limit
    can be compared, and each that is set counts as exceeded; this is our rule, not Book B's, and keeps
    a foreign currency from passing under a limit.

    Spec: Book B, 3.1.1.1 to 3.1.1.12.
    """
    amount = transaction.amount_minor
    foreign = int(transaction.currency) != int(config.currency)

    def reached(limit: int | None, offset: int = 0) -> bool:
        return limit is not None and (foreign or amount >= limit + offset)

    floor = combination.floor_limit
    if floor is None:
        floor = combination.terminal_floor_limit
    floor_limit_exceeded = reached(floor, 1)
    cvm_limit_exceeded = reached(combination.cvm_limit)
    status_check = combination.status_check and amount == 10**transaction.currency_exponent
    not_allowed = reached(combination.transaction_limit)
    zero_amount = amount == 0 and combination.zero_amount_allowed
    if amount == 0 and not combination.zero_amount_allowed:
        not_allowed = True
    ttq = combination.ttq
    if ttq is not None:
        ttq &= ~(Ttq.ONLINE_CRYPTOGRAM_REQUIRED | Ttq.CVM_REQUIRED)
        if zero_amount and ttq & Ttq.OFFLINE_ONLY:
            not_allowed = True
        elif floor_limit_exceeded or status_check or zero_amount:
            ttq |= Ttq.ONLINE_CRYPTOGRAM_REQUIRED
        if cvm_limit_exceeded:
            ttq |= Ttq.CVM_REQUIRED
    return Indicators(
        ttq=ttq,
        status_check_requested=status_check,
        not_allowed=not_allowed,
        zero_amount=zero_amount,
        cvm_limit_exceeded=cvm_limit_exceeded,
        floor_limit_exceeded=floor_limit_exceeded,
    )
