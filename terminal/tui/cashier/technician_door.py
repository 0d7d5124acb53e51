"""The way from the cashier's screen to the technician's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.screen import Screen

from terminal.operators import TECHNICAL, Operator, Operators


@dataclass(frozen=True, slots=True)
class TechnicianDoor:
    """Who may go through, and what is behind it."""

    operators: Operators
    open: Callable[[], Screen[Any]]
    """Makes the technician's screen; called at each visit."""
    note: str = ""
    """Shown where the PIN is asked for, such as the demo's PIN."""

    def refusal(self) -> str:
        """Return why nobody could go through, with the command that changes it; empty where somebody can.

        Raises OperatorError where the operators can't be read.
        """
        if self.operators.roles & TECHNICAL:
            return ""
        return f"No technician yet: {self.operators.command}"

    def check(self, pin: str) -> Operator:
        """Return who may go through with this PIN. Blocks while it hashes. Raises OperatorError."""
        return self.operators.check(pin, TECHNICAL)
