"""Taps: the last cards, each command with its time."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll

from terminal.diagnostics.workshop import Workshop
from terminal.payment.tap_trace import TapTrace
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.findings import took
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.pick_list import PickList
from terminal.tui.technician.tap_lines import TapLines
from terminal.tui.widgets.line import Line

_NONE = "No card was tapped since the start. Taps of the cashier's screen stand here while it lends this one."
_NONE_YET = "No card was tapped yet"


class TapsPane(Pane):
    """Taps on the left, newest first; the chosen one's commands on the right."""

    TITLE = "Taps"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Newer", id="taps.up", tooltip="Choose the tap after"),
        Binding("down", "choose(1)", "Older", id="taps.down", tooltip="Choose the tap before"),
        Binding("d", "details", "Answers", id="taps.details", tooltip="Show or hide what the card answered"),
        Binding(
            "pageup", "scroll(-10)", "Back", show=False, id="taps.back", tooltip="Scroll the commands up"
        ),
        Binding("pagedown", "scroll(10)", "On", show=False, id="taps.on", tooltip="Scroll the commands down"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._taps: tuple[TapTrace, ...] = ()
        self._chosen: TapTrace | None = None
        """None while the newest is followed."""
        self._details = False

    def body(self) -> ComposeResult:
        """Taps and commands."""
        yield Line(_NONE, id="taps-none")
        with Horizontal(id="taps-some"):
            with VerticalScroll(id="taps-side", classes="box", can_focus=False):
                yield PickList(id="taps-list")
            with Vertical(id="tap", classes="box"), VerticalScroll(id="tap-scroll", can_focus=False):
                yield Facts(id="tap-facts")
                yield TapLines(id="tap-lines")

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one("#taps-side").border_title = "Last taps"
        self._draw()

    def tick(self) -> None:
        """Draw the taps that came."""
        taps = self.workshop.taps.newest_first()
        if taps != self._taps:
            self._taps = taps
            if self._chosen not in taps:
                self._chosen = None
            self._draw()

    def _draw(self) -> None:
        self.query_one("#taps-none").display = not self._taps
        self.query_one("#taps-some").display = bool(self._taps)
        if not self._taps:
            return
        tap = self._chosen or self._taps[0]
        rows = [(f"{each.when:%H:%M:%S} {each.outcome}", f"{each.total_ms:.0f} ms") for each in self._taps]
        self.query_one(PickList).show(rows, self._taps.index(tap))
        self.query_one("#tap").border_title = f"{tap.when:%Y-%m-%d %H:%M:%S} · {tap.reader}"
        own_ms = tap.total_ms - tap.card_ms
        self.query_one(Facts).show(
            {
                "outcome": f"{tap.outcome}{': ' if tap.reason else ''}{tap.reason}",
                "time": f"{took(tap.total_ms)}: card and reader {took(tap.card_ms)}, terminal {took(own_ms)}",
                "card": tap.identification or "no answer to reset",
            }
        )
        self.query_one(TapLines).show(tap, answers=self._details)

    # Keys

    def action_choose(self, step: int) -> None:
        """Choose another tap."""
        if not self._taps:
            self.refuse(_NONE_YET)
            return
        place = self._taps.index(self._chosen) if self._chosen in self._taps and self._chosen else 0
        place = max(0, min(len(self._taps) - 1, place + step))
        self._chosen = self._taps[place] if place else None
        self._draw()
        self.query_one("#tap-scroll").scroll_home(animate=False)

    def on_pick_list_picked(self, message: PickList.Picked) -> None:
        """Choose the tap that was clicked."""
        message.stop()
        self._chosen = self._taps[message.number]
        self._draw()

    def action_details(self) -> None:
        """Show or hide the answers."""
        if not self._taps:
            self.refuse(_NONE_YET)
            return
        self._details = not self._details
        self._draw()

    def action_scroll(self, lines: int) -> None:
        """Scroll the commands."""
        self.query_one("#tap-scroll").scroll_relative(y=lines, animate=False)
