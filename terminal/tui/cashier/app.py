"""The cashier's app: one screen on one counter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import ClassVar

from textual.screen import Screen

from terminal.actions import CounterActions
from terminal.tui.app import TillsideApp
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.cashier.screen import CashierScreen, cashier_screen


class CashierApp(TillsideApp):
    """Shows the cashier's screen until the cashier leaves."""

    TITLE = "Tillside"
    CSS_PATH: ClassVar[list[str | PurePath]] = [*TillsideApp.CSS_PATH, Path(__file__).parent / "screen.tcss"]

    def __init__(
        self,
        counter: CounterActions,
        *,
        demo_keys: Sequence[DemoKey] = (),
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        """Take the counter, the demo's keys, and other keys by binding id (``{"sale.qr": "w"}``)."""
        super().__init__()
        self._cashier = cashier_screen(counter, demo_keys, keymap or {})
        self.set_keymap(keymap or {})

    def get_default_screen(self) -> Screen[None]:
        """Return the cashier's screen."""
        return self._cashier

    @property
    def cashier(self) -> CashierScreen:
        """The screen."""
        return self._cashier
