"""The keys of the technician's screen that work on every pane. No Alt: it is unreliable over SSH."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from terminal.tui.leave import LEAVE_BINDINGS

COMMON_BINDINGS: list[Binding] = [
    Binding(
        "b",
        "screen.bundle",
        "Bundle",
        id="technician.bundle",
        tooltip="Write everything into one signed file",
    ),
    Binding("f1,question_mark", "screen.keys", "Keys", id="technician.keys", tooltip="List all keys"),
    Binding(
        "escape", "screen.leave", "Leave", id="technician.leave", tooltip="Leave the console, then the screen"
    ),
    *(
        Binding(each.key, each.action, each.description, show=False, id=each.id, tooltip=each.tooltip)
        for each in LEAVE_BINDINGS
    ),
]

FIRST_BY_F_KEY = "f12"
"""F1 lists the keys: the first pane has the last F-key, every other its own number."""


def pane_bindings(titles: Sequence[str]) -> list[Binding]:
    """Return the keys that open the panes: 1 to 9, and F2 to F9 where a digit would be typed."""
    return [
        Binding(
            f"{number},{f'f{number}' if number > 1 else FIRST_BY_F_KEY}",
            f"screen.open({number})",
            title,
            show=False,
            id=f"technician.pane-{number}",
            tooltip=f"Open {title}",
        )
        for number, title in enumerate(titles, start=1)
    ]
