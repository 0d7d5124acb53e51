"""The seam between the screen and the counter: what the screen may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from terminal.money import Money
from terminal.view import CounterView


class CounterRefusal(Exception):
    """The counter will not do that now. The message is one plain sentence for the cashier, no card data."""


class CounterActions(Protocol):
    """The counter as the cashier's screen sees it. Everything runs on the event loop's thread."""

    @property
    def view(self) -> CounterView:
        """The counter as it is now."""
        ...

    def subscribe(self, listener: Callable[[CounterView], None]) -> Callable[[], None]:
        """Call *listener* with every new view, on the event loop's thread; call the result to stop."""
        ...

    async def charge(self, amount: Money) -> None:
        """Open an order and arm readers and scanners. Returns when it is armed, not when it is paid."""
        ...

    async def retry(self) -> None:
        """Try again to pay the order that was declined, by another card or code."""
        ...

    async def show_qr(self) -> None:
        """Show the open order's code for the customer to scan."""
        ...

    async def cancel(self) -> None:
        """Cancel the open order."""
        ...

    async def next_customer(self) -> None:
        """Dismiss the result; the counter is idle when this returns."""
        ...

    async def cycle_offline_mode(self) -> None:
        """Go to the next offline mode that policy and role allow."""
        ...

    async def sync_now(self) -> None:
        """Deliver the queue now, without waiting for the next attempt."""
        ...
