"""How a stress loop goes: percentiles, and the course of its times as a small graph."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Sparkline

from terminal.benches.reader_bench import Stress
from terminal.tui.technician.colours import MUTED
from terminal.tui.widgets.line import Line

_COLUMN = 7


def _decimals(ms: float) -> int:
    """Return how many decimals tell something about times like this one."""
    return 2 if ms < 10 else 1 if ms < 100 else 0


class StressBox(Vertical):
    """Hidden until there is one."""

    _shown: Stress | None = None

    def compose(self) -> ComposeResult:
        """The command, figures, graph."""
        yield Line(id="stress-command")
        yield Line(id="stress-figures")
        yield Sparkline(id="stress-graph")

    def on_mount(self) -> None:
        """Name the box."""
        self.display = False
        self.border_title = "Stress"

    def show(self, stress: Stress | None) -> None:
        """Draw a loop as it stands."""
        if stress is self._shown:
            return
        self._shown = stress
        self.display = stress is not None
        if stress is None:
            return
        latency = stress.latency
        state = "running" if stress.running else "failed" if stress.failed else "done"
        self.border_subtitle = f"{latency.count} of {stress.wanted}, {state}"
        self.set_class(bool(stress.failed), "-failed")
        self.query_one("#stress-command", Line).update(
            Content.styled(stress.failed, "bold $error") if stress.failed else stress.command
        )
        figures = (latency.p50, latency.p90, latency.p99, latency.most)
        names = "".join(f"{name:>{_COLUMN}}" for name in ("median", "p90", "p99", "most"))
        values = "".join(f"{ms:>{_COLUMN}.{_decimals(latency.p50)}f}" for ms in figures)
        self.query_one("#stress-figures", Line).update(
            Content.assemble((f"{names}\n", MUTED), (values, "bold"), (" ms", MUTED))
        )
        self.border_title = f"Stress · {latency.per_second:.0f} a second" if latency.count else "Stress"
        self.query_one(Sparkline).data = list(latency.course)
