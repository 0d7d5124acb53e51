"""Shop, terminal, offline mode and network: the line at the top."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from terminal.tui.widgets.line import Line
from terminal.view import CounterView

TRAINING_TEXT = "SIMULATED – no real money; not certified, test cards only"


def network_text(view: CounterView) -> str:
    """Return the state of the network, with a sign that differs as well as the word."""
    return "● ONLINE" if view.online else "▲ OFFLINE"


def offline_text(view: CounterView) -> str:
    """Return the words of the band shown while the host can't be reached."""
    return f"▲ OFFLINE: {view.network or 'the host does not answer'}"


class StatusBar(Horizontal):
    """The line at the top."""

    def compose(self) -> ComposeResult:
        """Shop and terminal on the left, mode and network on the right."""
        yield Line(id="status-shop")
        yield Line(id="status-mode")
        yield Line(id="status-network")

    def show(self, view: CounterView) -> None:
        """Draw what changed."""
        self.query_one("#status-shop", Line).update(f"{view.shop} · {view.terminal_id}")
        mode = self.query_one("#status-mode", Line)
        mode.update(view.offline_mode)
        mode.set_class(view.offline_mode == "force offline", "-forced")
        network = self.query_one("#status-network", Line)
        network.update(network_text(view))
        network.set_class(not view.online, "-offline")
