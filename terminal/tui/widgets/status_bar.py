"""Shop, terminal, offline mode and network: the line at the top."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from terminal.tui.widgets.line import Line
from terminal.view import CounterView

TRAINING_TEXT = "SIMULATED – no real money; not certified, test cards only"

USUAL_MODE = "prefer online"
_MODES = {
    USUAL_MODE: (USUAL_MODE, ""),
    "require online": ("REQUIRE ONLINE", "-required"),
    "force offline": ("▲ FORCE OFFLINE", "-forced"),
}


def network_text(view: CounterView) -> str:
    """Return the state of the network, with a sign that differs as well as the word."""
    return "● ONLINE" if view.online else "▲ OFFLINE"


def offline_text(view: CounterView) -> str:
    """Return the words of the band shown while the host can't be reached."""
    return f"▲ OFFLINE: {view.network or 'the host does not answer'}"


class ModeLine(Line):
    """The offline mode: as loud as OFFLINE where it is not the usual one."""

    def show(self, mode: str) -> None:
        """Draw *mode*."""
        text, css_class = _MODES.get(mode, (mode, ""))
        self.update(text)
        for _, each in _MODES.values():
            if each:
                self.set_class(each == css_class, each)


class StatusBar(Horizontal):
    """The line at the top."""

    def compose(self) -> ComposeResult:
        """Shop and terminal on the left, mode and network on the right."""
        yield Line(id="status-shop")
        yield ModeLine(id="status-mode")
        yield Line(id="status-network")

    def show(self, view: CounterView) -> None:
        """Draw what changed."""
        self.query_one("#status-shop", Line).update(f"{view.shop} · {view.terminal_id}")
        self.query_one("#status-mode", ModeLine).show(view.offline_mode)
        network = self.query_one("#status-network", Line)
        network.update(network_text(view))
        network.set_class(not view.online, "-offline")
