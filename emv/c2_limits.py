"""The limits of kernel 2: what an amount means before the card is asked for a cryptogram.

C-2 compares "greater than": an amount equal to a limit is within it. Entry Point compares the CVM limit
with "reaches" for the other kernels; here the book of this kernel counts.

Spec: EMV Contactless Book C-2, 6.4.4 (S3.33 to S3.35, S456.14, S456.30, S456.37).
"""

from __future__ import annotations

from emv.c2_options import C2Options
from emv.config import CombinationConfig, EmvConfig
from emv.fields import Aip
from emv.kernel import Transaction


def device_verifies(aip: Aip, options: C2Options) -> bool:
    """Say whether card and kernel both rely on the consumer's device to verify its owner."""
    return options.device_cvm and bool(aip & Aip.ON_DEVICE_VERIFICATION)


def exceeds(limit: int | None, config: EmvConfig, transaction: Transaction) -> bool:
    """Say whether the amount is above a limit in minor units.

    Limits are in the terminal's currency: an amount in another one exceeds each limit that is set. That
    is our rule, the same as in pre-processing.
    """
    if limit is None:
        return False
    return int(transaction.currency) != int(config.currency) or transaction.amount_minor > limit


def transaction_limit(aip: Aip, options: C2Options) -> int | None:
    """Return the limit above which this card is not taken."""
    if device_verifies(aip, options):
        return options.device_cvm_transaction_limit
    return options.transaction_limit


def floor_limit(combination: CombinationConfig) -> int | None:
    """Return the limit above which the issuer is asked (DF8123)."""
    if combination.floor_limit is not None:
        return combination.floor_limit
    return combination.terminal_floor_limit
