"""The list of keys over the technician's screen; a pane's digit closes it and opens the pane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from terminal.tui.keys_screen import KeysScreen
from terminal.tui.widgets.key_strip import StripKey


class KeysList(KeysScreen):
    """Keys with what they do, and the panes' digits at work."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(digit), f"open({digit})", show=False, id=f"keys.pane-{digit}", tooltip="Open that pane")
        for digit in range(1, 10)
    ]

    def __init__(
        self, groups: Sequence[tuple[str, Sequence[StripKey]]], open_pane: Callable[[int], object]
    ) -> None:
        super().__init__(groups)
        self._open_pane = open_pane

    def action_open(self, number: int) -> None:
        """Close the list and open a pane."""
        self.dismiss()
        self.app.call_later(self._open_pane, number)
