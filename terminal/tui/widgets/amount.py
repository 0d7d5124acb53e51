"""How amounts and times are written on the cashier's screen."""

from __future__ import annotations

from terminal.money import Money


def amount_text(amount: Money) -> str:
    """Return ``EUR 12.50``: the code, because a sign like ``¥`` stands for two currencies."""
    return f"{amount.currency} {amount.plain()}"


def age_text(seconds: int) -> str:
    """Return a time span in its one largest fitting unit: ``45 s``, ``12 min``, ``3 h``, ``2 days``."""
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
