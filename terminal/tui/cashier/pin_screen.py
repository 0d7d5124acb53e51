"""Asks for an operator's PIN, laid over the cashier's screen. Digits are not shown."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from terminal.operators import Operator, OperatorError
from terminal.tui.cashier.runner import ActionRunner
from terminal.tui.cashier.technician_door import TechnicianDoor
from terminal.tui.leave import LEAVE_BINDINGS, LEAVE_TEXT
from terminal.tui.widgets.line import Line

_LONGEST = 12


class PinScreen(ModalScreen[Operator | None], inherit_bindings=False):
    """Ends with the operator whose PIN it is, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(digit), f"digit('{digit}')", str(digit), show=False, id=f"pin.digit-{digit}")
            for digit in range(10)
        ),
        Binding("backspace,delete", "backspace", "Back", id="pin.back", tooltip="Take the last digit away"),
        Binding("enter", "check", "Enter", id="pin.enter", tooltip="Check the PIN"),
        Binding("escape", "close", "Close", id="pin.close", tooltip="Go back to the sale"),
        *LEAVE_BINDINGS,
    ]

    def __init__(self, door: TechnicianDoor) -> None:
        super().__init__()
        self._door = door
        self._pin = ""
        self._runner = ActionRunner(lambda text, _: self._tell(text))

    def compose(self) -> ComposeResult:
        """What is asked for, a dot for each digit, and what became of the last try."""
        with Vertical(id="pin-box") as box:
            box.border_title = "Technician"
            box.border_subtitle = "Enter checks · Esc closes"
            yield Line("PIN of a technician or supervisor", id="pin-words")
            yield Line(id="pin-dots")
            yield Line(self._door.note, id="pin-note")
            yield Line(id="pin-fault")

    def action_digit(self, digit: str) -> None:
        """Add a digit."""
        self._show((self._pin + digit)[:_LONGEST])

    def action_backspace(self) -> None:
        """Take the last digit away."""
        self._show(self._pin[:-1])

    def action_check(self) -> None:
        """Find out whose PIN it is, unless the last one is still being checked."""
        pin = self._pin
        if pin and self._runner.run("Checking the PIN", lambda: self._check(pin)):
            self._show("", "Checking …")

    async def _check(self, pin: str) -> None:
        """Check on a thread: hashing takes a moment, and another program may have the file."""
        try:
            operator = await asyncio.to_thread(self._door.check, pin)
        except OperatorError as error:
            self._tell(str(error))
            return
        if self.is_current:
            self.dismiss(operator)

    def action_close(self) -> None:
        """Go back to the sale."""
        self.dismiss(None)

    def action_quit(self) -> None:
        """Leave at once."""
        self.app.exit()

    def action_how_to_quit(self) -> None:
        """Say how to leave."""
        self._show(self._pin, LEAVE_TEXT)

    def _tell(self, fault: str) -> None:
        """Say what became of a try, to whoever has not gone back to the sale meanwhile."""
        if self.is_current:
            self._show(self._pin, fault)

    def _show(self, pin: str, fault: str = "") -> None:
        self._pin = pin
        self.query_one("#pin-dots", Line).update("● " * len(pin))
        self.query_one("#pin-fault", Line).update(fault)
