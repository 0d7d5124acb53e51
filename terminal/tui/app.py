"""The base of our apps: look, quitting, and a crash screen that holds no card data."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import ClassVar

from rich.segment import Segments
from rich.traceback import Traceback
from textual.app import App
from textual.theme import Theme

HERE = Path(__file__).parent

THEME = Theme(
    name="tillside",
    primary="#4cc2ff",
    secondary="#2b6c99",
    warning="#ffb000",
    error="#ff6b6b",
    success="#3ddc84",
    accent="#c9a0ff",
    foreground="#f2f5f7",
    background="#0b1016",
    surface="#131b24",
    panel="#1d2833",
    dark=True,
)

_DIGITS = re.compile(r"(?:\d[ -]?){11,}\d")
"""Anything that could be a card number: twelve digits or more, also grouped."""


def masked(text: str) -> str:
    """Replace every long run of digits."""
    return _DIGITS.sub("[digits]", text)


class TillsideApp(App[None], inherit_bindings=False):
    """What the cashier's and the technician's app share."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        HERE / "app.tcss",
        HERE / "keys_screen.tcss",
        *sorted((HERE / "widgets").glob("*.tcss")),
    ]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - no ClassVar in Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name

    def _fatal_error(self) -> None:
        """Leave after an unhandled exception, with a traceback that shows no values.

        Textual's own prints local variables, and a local variable can be a card number. Private in
        Textual 8.2; a test crashes an app and searches what it prints.
        """
        self.bell()
        traceback = Traceback(show_locals=False, width=None)
        for stack in traceback.trace.stacks:
            stack.exc_value = masked(stack.exc_value)
            stack.notes = [masked(note) for note in stack.notes]
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()
