"""The cashier's app: one screen on one counter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import ClassVar

from textual.screen import Screen

from terminal.actions import CounterActions
from terminal.peripherals.peripherals import Peripherals
from terminal.tui.app import TillsideApp
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.cashier.screen import CashierScreen, cashier_screen
from terminal.tui.cashier.technician_door import TechnicianDoor


class CashierApp(TillsideApp):
    """Shows the cashier's screen until the cashier leaves."""

    TITLE = "Tillside"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        *TillsideApp.CSS_PATH,
        *sorted(Path(__file__).parent.glob("*.tcss")),
    ]

    def __init__(
        self,
        counter: CounterActions,
        *,
        demo_keys: Sequence[DemoKey] = (),
        keymap: Mapping[str, str] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        peripherals: Peripherals | None = None,
        door: TechnicianDoor | None = None,
    ) -> None:
        """Take what the screen stands on.

        Args:
            counter: What is shown and asked.
            demo_keys: The keys of a simulated customer.
            keymap: Other keys by binding id (``{"sale.qr": "w"}``).
            clock_s: A clock that nobody can put back, in seconds.
            peripherals: What prints receipts.
            door: The way to the technician's screen.
        """
        super().__init__()
        self._cashier = cashier_screen(counter, demo_keys, keymap or {}, clock_s)
        self._cashier.peripherals = peripherals
        self._cashier.door = door
        self.set_keymap(keymap or {})

    def get_default_screen(self) -> Screen[None]:
        """Return the cashier's screen."""
        return self._cashier

    @property
    def cashier(self) -> CashierScreen:
        """The screen."""
        return self._cashier
