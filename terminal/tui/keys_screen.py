"""The list of all keys, laid over the screen that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from terminal.tui.leave import LEAVE_BINDINGS, LEAVE_TEXT
from terminal.tui.widgets.key_strip import StripKey
from terminal.tui.widgets.line import Line

_KEY_WIDTH = 14


class KeysScreen(ModalScreen[None], inherit_bindings=False):
    """Lists keys with what they do; the keys that leave work here as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,enter,f1,question_mark",
            "close",
            "Close",
            id="keys.close",
            tooltip="Close the list of keys",
        ),
        Binding("up", "scroll(-1)", "Up", id="keys.up", tooltip="Scroll the list up"),
        Binding("down", "scroll(1)", "Down", id="keys.down", tooltip="Scroll the list down"),
        *LEAVE_BINDINGS,
    ]

    def __init__(self, groups: Sequence[tuple[str, Sequence[StripKey]]]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """Groups of keys, one key a line."""
        with VerticalScroll(id="keys-list", can_focus=False) as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            for title, keys in self._groups:
                yield Line(title, classes="keys-title")
                yield Line(
                    Content("\n").join(
                        Content.assemble((f"{key.key:<{_KEY_WIDTH}}", "bold $primary"), key.tooltip)
                        for key in keys
                    ),
                    classes="keys-lines",
                )

    def action_close(self) -> None:
        """Close the list."""
        self.dismiss()

    def action_quit(self) -> None:
        """Leave at once."""
        self.app.exit()

    def action_how_to_quit(self) -> None:
        """Say how to leave."""
        self.query_one("#keys-list").border_subtitle = LEAVE_TEXT

    def action_scroll(self, lines: int) -> None:
        """Scroll the list."""
        self.query_one("#keys-list").scroll_relative(y=lines, animate=False)
