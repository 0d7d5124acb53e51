"""A counter at work in a simulated world, for tests of the counter as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.address import parse
from simulators.world import SimulatedWorld
from terminal.config import Config, Devices, load
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.demo.world import Pace
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.view import CounterView, Outcome

NO_SCANNERS = Devices(readers=(parse("sim:"),))


class Shop:
    """A world, a terminal's home and configuration in it, and counters that run there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = SimulatedWorld()
        (home / CONFIG_FILE).write_text(self.world.start(home, "sim:", Pace.SCRIPT))
        self.config: Config = replace(load(home / CONFIG_FILE), devices=NO_SCANNERS)
        self.pins: Enrolment | None = None

    def run(self, **changes: Any) -> AbstractAsyncContextManager[Counter]:
        """Run a counter, with changes to its configuration, until the block ends."""
        config = replace(self.config, **changes)

        @asynccontextmanager
        async def running() -> AsyncIterator[Counter]:
            assert self.pins is not None
            counter = Counter(config, self.home, self.pins)
            await counter.start()
            try:
                await until(counter, lambda view: view.network != "not reached yet")
                yield counter
            finally:
                await counter.stop()

        return running()

    async def tap(self, counter: Counter, amount: str, card: str = "visa-approve") -> CounterView:
        """Charge an amount, tap a card, take it away, and return the view of the result."""
        await counter.charge(self.config.money(amount))
        self.world.hold_card(card)
        view = await until(counter, lambda view: view.result)
        await self.take_away(counter)
        return view

    async def take_away(self, counter: Counter) -> None:
        """Take the card away and wait until the reader has seen it leave."""
        self.world.take_card_away()
        await until(counter, lambda view: all(device.state != "busy" for device in view.devices))


def outcome(view: CounterView) -> Outcome:
    assert view.result is not None
    return view.result.outcome


def delivered(view: CounterView, what: Outcome) -> bool:
    """Tell whether the newest order has that outcome and the host holds every record of it."""
    return bool(view.payments) and view.payments[0].outcome is what and not view.queue.unsent
