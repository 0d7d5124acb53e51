"""A counter without an engine: notes what it is asked, shows what a test puts on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from terminal.config import OfflineMode
from terminal.money import Money
from terminal.view import CounterView, Phase, QrView
from tests.terminal.tui.samples import ALIPAY_TEXT, IDLE, in_phase


class FakeCounter:
    """Satisfies `CounterActions`. An order goes IDLE → ARMED; everything else is put on by `show`."""

    def __init__(self, view: CounterView = IDLE) -> None:
        self._view = view
        self._listeners: list[Callable[[CounterView], None]] = []
        self.calls: list[str] = []
        self.charged: list[Money] = []
        self.refusal: Exception | None = None
        """Raised by the next action."""
        self.gate: asyncio.Event | None = None
        """When set, actions wait for it."""

    @property
    def view(self) -> CounterView:
        """The present view."""
        return self._view

    @property
    def listeners(self) -> int:
        """How many follow."""
        return len(self._listeners)

    def subscribe(self, listener: Callable[[CounterView], None]) -> Callable[[], None]:
        """Add a listener."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def show(self, view: CounterView) -> None:
        """Publish *view*."""
        self._view = view
        for listener in list(self._listeners):
            listener(view)

    async def charge(self, amount: Money) -> None:
        """Arm."""
        await self._called("charge")
        self.charged.append(amount)
        self.show(in_phase(Phase.ARMED, amount))

    async def retry(self) -> None:
        await self._called("retry")

    async def show_qr(self) -> None:
        """Show a code."""
        await self._called("show_qr")
        view = in_phase(Phase.SHOWING_QR, self._view.amount)
        self.show(replace(view, qr=QrView(ALIPAY_TEXT, "Alipay", 120, 120)))

    async def cancel(self) -> None:
        """Go back to idle."""
        await self._called("cancel")
        self.show(in_phase(Phase.IDLE))

    async def next_customer(self) -> None:
        """Go back to idle."""
        await self._called("next_customer")
        self.show(in_phase(Phase.IDLE))

    async def cycle_offline_mode(self) -> None:
        """Go on to the next mode."""
        await self._called("cycle_offline_mode")
        modes = list(OfflineMode)
        following = modes[(modes.index(OfflineMode(self._view.offline_mode)) + 1) % len(modes)]
        self.show(replace(self._view, offline_mode=following.value))

    async def sync_now(self) -> None:
        """Deliver nothing."""
        await self._called("sync_now")

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.gate is not None:
            await self.gate.wait()
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal
