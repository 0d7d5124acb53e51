"""An outcome in a few large words, the same on screen and receipt."""

from __future__ import annotations

from terminal.payment.attempt import CANCELLED
from terminal.payment.attempt_events import Result
from terminal.view import Outcome

_WORDS = {
    Outcome.APPROVED: "APPROVED",
    Outcome.APPROVED_OFFLINE: "APPROVED OFFLINE",
    Outcome.DECLINED: "DECLINED",
    Outcome.UNKNOWN: "DO NOT CHARGE AGAIN",
}


def headline(result: Result) -> str:
    """Return the words. DECLINED is for what the card, the host or the wallet said."""
    if result.deferred:
        return "TAKEN OFFLINE"
    if result.ours:
        return "CANCELLED" if result.reason.startswith(CANCELLED) else "NOT PAID"
    return _WORDS[result.outcome]
