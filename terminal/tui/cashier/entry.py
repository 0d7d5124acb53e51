"""The amount being typed: digits run in from the right, as on a till."""

from __future__ import annotations

from terminal.money import Money

MAX_DIGITS = 12
"""As many as an EMV amount has (9F02, n 12)."""


class AmountEntry:
    """Digits typed so far, in minor units: ``1 2 5 0`` is 12.50 where the currency has two decimals."""

    __slots__ = ("_digits",)

    def __init__(self) -> None:
        self._digits = ""

    def __bool__(self) -> bool:
        return bool(self._digits)

    def add(self, digits: str) -> bool:
        """Append digits; False, and nothing changed, when there would be too many."""
        longer = (self._digits + digits).lstrip("0")
        if len(longer) > MAX_DIGITS:
            return False
        self._digits = longer
        return True

    def backspace(self) -> None:
        """Take the last digit away."""
        self._digits = self._digits[:-1]

    def clear(self) -> None:
        """Forget everything typed."""
        self._digits = ""

    def money(self, currency: str) -> Money:
        """Return what is typed as an amount; nothing typed is zero."""
        return Money(int(self._digits or "0"), currency)

    def take(self, currency: str) -> Money:
        """Return what is typed and forget it, so that it can't reach the next customer."""
        amount = self.money(currency)
        self.clear()
        return amount
