"""One line for what the cashier must know about the last key pressed."""

from __future__ import annotations

from enum import StrEnum

from terminal.tui.widgets.line import Line


class MessageKind(StrEnum):
    """How a message is drawn."""

    INFO = "info"
    QUESTION = "question"
    REFUSAL = "refusal"
    ERROR = "error"


_SIGNS = {MessageKind.INFO: "›", MessageKind.QUESTION: "?", MessageKind.REFUSAL: "!", MessageKind.ERROR: "✗"}


class MessageLine(Line):
    """Empty, or one plain sentence; cleared by the next key."""

    def show(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
        """Draw *text*; an empty one clears the line."""
        for each in MessageKind:
            self.set_class(bool(text) and each is kind, f"-{each}")
        self.set_class(not text, "-none")
        self.update(f"{_SIGNS[kind]} {text}" if text else "")
