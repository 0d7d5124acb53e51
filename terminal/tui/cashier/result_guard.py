"""Keeps a result on the screen until it can have been seen.

A key pressed just before the result came (Esc meant as Cancel, Enter, digits of the next amount)
must not dismiss it unread.
"""

from __future__ import annotations

from collections.abc import Callable

from terminal.view import CounterView, Phase

SEEN_AFTER_S = 0.8


class ResultGuard:
    """Tells whether the result shown is too new to be dismissed.

    Args:
        clock_s: A clock that nobody can put back, in seconds.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._shown: object = None
        self._since_s = 0.0

    def show(self, view: CounterView) -> None:
        """Take over what is drawn; another result begins to count anew."""
        shown = _seen(view) if view.phase is Phase.DONE else None
        if shown != self._shown:
            self._shown = shown
            self.uncovered()

    def uncovered(self) -> None:
        """Begin to count anew: something lay over the result."""
        self._since_s = self._clock_s()

    def holds(self) -> bool:
        """Tell whether the result has to stay."""
        return self._shown is not None and self._clock_s() - self._since_s < SEEN_AFTER_S


def _seen(view: CounterView) -> tuple[object, ...]:
    """Return what people see of a result; the receipt may change below it."""
    result = view.result
    return () if result is None else (result.order, result.outcome, result.headline, result.amount)
