"""A piece of text to click that does what a key does."""

from __future__ import annotations

from textual.message import Message
from textual.visual import VisualType

from terminal.tui.widgets.line import Line


class ClickKey(Line):
    """Posts `Pressed` with its action's name when clicked. Takes no focus: keys stay the screen's."""

    class Pressed(Message):
        """The person clicked; *action* is the name of one of the screen's actions."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(
        self,
        content: VisualType,
        action: str,
        tooltip: str,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(content, id=id, classes=classes)
        self.action = action
        self.tooltip = tooltip

    def on_click(self) -> None:
        """Tell the screen."""
        self.post_message(self.Pressed(self.action))
