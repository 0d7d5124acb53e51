"""The four contactless lights, with words below for those who can't see the colour."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from terminal.tui.widgets.line import Line
from terminal.tui.widgets.pixel_font import solid
from terminal.view import LightPattern

BLINK_S = 1.0

CAPTIONS: dict[LightPattern, str] = {
    LightPattern.OFF: "not waiting for a card",
    LightPattern.IDLE: "waiting for an amount",
    LightPattern.READY: "ready for a card",
    LightPattern.CARD_READ: "card read:\nnot approved yet",
    LightPattern.ERROR: "card not read",
}

_LIT = solid(["█████", "█████"])
_DARK = "╭───╮\n╰───╯"


class Lights(Vertical):
    """Shows a `LightPattern`: idle blinks light 1, ready lights 1, card read all four, error and off none."""

    pattern: reactive[LightPattern | None] = reactive(None)
    blink_on: reactive[bool] = reactive(True)

    def compose(self) -> ComposeResult:
        """Four lights in a row and the caption."""
        with Horizontal(id="lights-row"):
            for number in range(4):
                yield Line(_DARK, id=f"light-{number + 1}", classes="light")
        yield Line(id="lights-caption")

    def on_mount(self) -> None:
        """Make the blink's timer; it runs in the idle pattern only."""
        self._timer = self.set_interval(BLINK_S, self.blink, pause=self.pattern is not LightPattern.IDLE)

    def lit(self) -> tuple[bool, ...]:
        """Return which of the four lights are lit at this moment."""
        every = self.pattern is LightPattern.CARD_READ
        first = self.pattern is LightPattern.READY or (self.pattern is LightPattern.IDLE and self.blink_on)
        return (first or every, every, every, every)

    def blink(self) -> None:
        """Turn light 1 over; called by the timer."""
        self.blink_on = not self.blink_on

    def watch_pattern(self, pattern: LightPattern | None) -> None:
        """Draw another pattern."""
        if pattern is None:
            return
        caption = self.query_one("#lights-caption", Line)
        caption.update(CAPTIONS[pattern])
        caption.set_class(pattern is LightPattern.ERROR, "-error")
        caption.set_class(pattern is LightPattern.CARD_READ, "-read")
        self.blink_on = True
        if pattern is LightPattern.IDLE:
            self._timer.resume()
        else:
            self._timer.pause()
        self._draw()

    def watch_blink_on(self) -> None:
        """Draw the first light's turn."""
        self._draw()

    def _draw(self) -> None:
        for number, lit in enumerate(self.lit(), start=1):
            light = self.query_one(f"#light-{number}", Line)
            if light.has_class("-lit") != lit:
                light.update(_LIT if lit else _DARK)
                light.set_class(lit, "-lit")
