"""The keys of the demo's simulated customer, in a strip of their own on the cashier's screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from terminal.actions import CounterRefusal
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.demo.world import World
from terminal.tui.cashier.demo_key import DemoKey
from terminal.view import CounterView, Outcome, Phase

_BEFORE_CARD_READ = (Phase.ARMED, Phase.READING)
_GOOD_CARDS = ("visa-approve", "mastercard-approve", "unionpay-approve", "amex-approve")
"""What a customer taps, one after another: a card of each scheme."""

_BAD_CARDS = ("visa-issuer-declines", "malicious-forged", "visa-decline")
"""Cards that pay nothing: for want of money, because they are forged, and by their own decision."""


class DemoCustomer:
    """Does at a key what a customer would do, and lets go when a customer would."""

    def __init__(self, counter: Counter, world: World) -> None:
        self._counter = counter
        self._world = world
        self._good_cards = cycle(_GOOD_CARDS)
        self._bad_cards = cycle(_BAD_CARDS)

    def keys(self) -> Sequence[DemoKey]:
        """Return the strip."""
        return (
            DemoKey(
                "t",
                "tap",
                "tap card",
                "The customer taps a card, each time another scheme's",
                self._tap_good,
            ),
            DemoKey(
                "d",
                "tap_declined",
                "bad card",
                "The customer taps a card that pays nothing, or a forged one",
                self._tap_bad,
            ),
            DemoKey(
                "p", "tap_torn", "pull card", "The customer pulls the card away too early", self._tap_torn
            ),
            DemoKey("c", "code", "show code", "The customer shows an Alipay code", self._code),
            DemoKey("w", "code_waits", "slow code", "The same, and must confirm with y", self._code_waits),
            DemoKey("y", "phone", "use phone", "The customer confirms, or scans the code", self._phone),
            DemoKey("l", "late", "pay late", "The customer pays for the expired code", self._late),
            DemoKey("n", "network", "network", "Cut the network, or bring it back", self._network),
        )

    async def _tap_good(self) -> None:
        self._need(Phase.ARMED, "Type an amount and press Enter first.")
        await self._tap(next(self._good_cards))

    async def _tap_bad(self) -> None:
        self._need(Phase.ARMED, "Type an amount and press Enter first.")
        await self._tap(next(self._bad_cards))

    async def _tap_torn(self) -> None:
        self._need(Phase.ARMED, "Type an amount and press Enter first.")
        self._world.hold_card("visa-torn")
        view = await until(self._counter, lambda view: view.result or "again" in view.prompt.lower())
        if view.result is None:
            return
        self._world.take_card_away()

    async def _tap(self, name: str) -> None:
        self._need(Phase.ARMED, "Type an amount and press Enter first.")
        self._world.hold_card(name)
        await until(self._counter, lambda view: view.phase not in _BEFORE_CARD_READ)
        self._world.take_card_away()

    async def _code(self) -> None:
        await self._show("pays")

    async def _code_waits(self) -> None:
        await self._show("waits")

    async def _show(self, kind: str) -> None:
        self._need(Phase.ARMED, "Type an amount and press Enter first.")
        self._world.show_code(kind)
        await until(self._counter, lambda view: view.phase is not Phase.ARMED)
        self._world.hide_code()

    async def _phone(self) -> None:
        view = self._counter.view
        if view.qr is not None:
            self._world.scan_qr(view.qr.text)
        elif view.phase is Phase.CUSTOMER_CONFIRMS:
            self._world.confirm()
        else:
            raise CounterRefusal("The phone is needed for a slow code (w) or a shown code (q).")

    async def _late(self) -> None:
        view = self._counter.view
        expired = view.result is not None and view.result.outcome is Outcome.DECLINED
        if not expired or view.result is None or not view.result.channel.startswith("Alipay"):
            raise CounterRefusal("Let a shown code (q) expire first.")
        self._world.pay_late(view.attempt)

    async def _network(self) -> None:
        self._world.set_network(not self._counter.view.online)

    def _need(self, phase: Phase, words: str) -> CounterView:
        if self._counter.view.phase is not phase:
            raise CounterRefusal(words)
        return self._counter.view
