"""The cashier's app on a counter at work, with receipts, sounds, display and the way to the technician's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.screen import Screen

from terminal.config import Config
from terminal.counter import Counter
from terminal.operators import Operators
from terminal.peripherals.peripherals import Peripherals
from terminal.show import show
from terminal.tui.cashier.app import CashierApp
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.cashier.technician_door import TechnicianDoor


async def show_till(
    counter: Counter, config: Config, home: Path, *, demo_keys: Sequence[DemoKey] = (), note: str = ""
) -> int:
    """Show the cashier's screen on a started counter until the cashier leaves; returns 0, or 1 after a crash.

    Args:
        counter: The counter, started.
        config: Its configuration.
        home: Where its operators are.
        demo_keys: The keys of a simulated customer.
        note: Shown where a technician's PIN is asked for.
    """
    peripherals = Peripherals(counter.workshop.pool, config)
    door = TechnicianDoor(Operators(home), lambda: _technician_screen(counter), note)
    peripherals.follow(counter.subscribe, counter.view)
    try:
        return await show(CashierApp(counter, demo_keys=demo_keys, peripherals=peripherals, door=door))
    finally:
        peripherals.stop()


def _technician_screen(counter: Counter) -> Screen[None]:
    """Return the technician's screen, which is too large to be loaded at a till's start."""
    from terminal.tui.technician.screen import TechnicianScreen

    return TechnicianScreen(counter.workshop)
