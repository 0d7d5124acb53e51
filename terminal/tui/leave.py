"""The keys that leave. Every screen has them, the list of keys too."""

from __future__ import annotations

from textual.binding import Binding

LEAVE_TEXT = "F10 or Ctrl+Q leaves"

LEAVE_BINDINGS: list[Binding] = [
    Binding("f10,ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave at once, without a question"),
    Binding(
        "ctrl+c", "how_to_quit", "How to leave", show=False, id="app.how-to-quit", tooltip="Say how to leave"
    ),
]
