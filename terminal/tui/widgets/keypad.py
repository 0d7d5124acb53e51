"""Keys to click or touch, for the amount and the charge."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Grid

from terminal.tui.widgets.click_key import ClickKey

# As on payment terminals (1 2 3 at the top), not as on a calculator.
_DIGITS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0")


class Keypad(Grid):
    """Three columns: the digits, 00, back, and the charge key below."""

    def compose(self) -> ComposeResult:
        """Lay the keys out in reading order."""
        for digits in _DIGITS:
            yield ClickKey(digits, f"digits('{digits}')", f"Add {digits} to the amount", classes="pad-key")
        yield ClickKey("←", "backspace", "Take the last digit away", classes="pad-key")
        yield ClickKey("CHARGE", "charge", "Ask for this amount", id="pad-charge")
