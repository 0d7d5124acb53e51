"""One line to type a command in, with the earlier ones behind the arrow keys."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class CommandInput(Input, inherit_bindings=False):
    """Posts `Typed`. Enter on an empty line sends the usual command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", show=False, id="console.send", tooltip="Send what is typed"),
        Binding(
            "up", "earlier(-1)", "Earlier", show=False, id="console.earlier", tooltip="The command before"
        ),
        Binding("down", "earlier(1)", "Later", show=False, id="console.later", tooltip="The command after"),
        Binding("left", "cursor_left", "Left", show=False, id="console.left", tooltip="One digit left"),
        Binding("right", "cursor_right", "Right", show=False, id="console.right", tooltip="One digit right"),
        Binding("home,ctrl+a", "home", "Start", show=False, id="console.home", tooltip="To the line's start"),
        Binding("end,ctrl+e", "end", "End", show=False, id="console.end", tooltip="To the line's end"),
        Binding(
            "backspace", "delete_left", "Back", show=False, id="console.back", tooltip="Delete to the left"
        ),
        Binding(
            "delete,ctrl+d",
            "delete_right",
            "Del",
            show=False,
            id="console.delete",
            tooltip="Delete to the right",
        ),
        Binding(
            "ctrl+u", "delete_left_all", "Clear", show=False, id="console.clear", tooltip="Clear the line"
        ),
        Binding("ctrl+v", "paste", "Paste", show=False, id="console.paste", tooltip="Paste a command"),
    ]

    STRIP: ClassVar[list[Binding]] = [
        each for each in BINDINGS if isinstance(each, Binding) and each.key in ("enter", "up", "down")
    ]
    """The keys that the strip shows while something is typed."""

    class Typed(Message):
        """A line was typed; it may be empty."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str, placeholder: str) -> None:
        super().__init__(id=id, placeholder=placeholder, compact=True, select_on_focus=False)
        self._history: list[str] = []
        self._place = 0

    async def action_submit(self) -> None:
        """Tell what was typed, and begin a new line."""
        text = self.value.strip()
        if text and text not in self._history[-1:]:
            self._history.append(text)
        self._place = len(self._history)
        self.value = ""
        self.post_message(self.Typed(text))

    def action_earlier(self, step: int) -> None:
        """Bring an earlier line back."""
        self._place = max(0, min(len(self._history), self._place + step))
        self.value = self._history[self._place] if self._place < len(self._history) else ""
        self.cursor_position = len(self.value)
