"""How amounts and times are written in the words of the cashier's screen."""

from __future__ import annotations

from terminal.money import Money


def amount_text(amount: Money, locale: str) -> str:
    """Return ``€12.50`` as *locale* writes it, with plain blanks so that no font lacks one."""
    return amount.format(locale).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def age_text(seconds: int) -> str:
    """Return a time span in its one largest fitting unit: ``45 s``, ``12 min``, ``3 h``, ``2 days``."""
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
