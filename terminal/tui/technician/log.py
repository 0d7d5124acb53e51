"""Log: the last lines, and a level for each driver and each other part."""

from __future__ import annotations

import logging
from functools import cache
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll

from drivers.protocols import Category
from drivers.registry import drivers
from terminal.diagnostics.workshop import Workshop
from terminal.log import LEVELS, OURS, LogLine, set_level
from terminal.tui.technician.journal import journal
from terminal.tui.technician.log_lines import LogLines
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.pick_list import PickList

_SHOWN = 150
"""How many lines are drawn."""
_ALL = "everything"


@cache
def parts() -> tuple[str, ...]:
    """Return the parts that can have a level of their own: our packages, and each of our drivers."""
    modules = {entry.entry_point.value for category in Category for entry in drivers(category).values()}
    return (*OURS, *sorted(each for each in modules if each.startswith("drivers.")))


class LogPane(Pane):
    """Parts with their levels on the left, lines on the right."""

    TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False, id="log.up", tooltip="Choose the part above"),
        Binding("down", "choose(1)", "Next part", id="log.down", tooltip="Choose the part below"),
        Binding("plus,equals_sign", "level(-1)", "More", id="log.more", tooltip="Log more of this part"),
        Binding("minus", "level(1)", "Less", id="log.less", tooltip="Log less of this part"),
        Binding("o", "only", "Only this", id="log.only", tooltip="Show this part's lines only, or all"),
        Binding(
            "w", "warnings", "Warnings", id="log.warnings", tooltip="Show warnings and errors only, or all"
        ),
        Binding(
            "pageup", "scroll(-10)", "Back", show=False, id="log.back", tooltip="Scroll to earlier lines"
        ),
        Binding("pagedown", "scroll(10)", "On", show=False, id="log.on", tooltip="Scroll to later lines"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._chosen = 0
        self._only = False
        self._least = LEVELS[0]
        self._shown: tuple[LogLine, ...] | None = None

    def body(self) -> ComposeResult:
        """Parts and lines."""
        with Horizontal():
            with VerticalScroll(id="log-parts", classes="box", can_focus=False):
                yield PickList(id="log-list")
            with Vertical(id="log-box", classes="box"), VerticalScroll(id="log-scroll", can_focus=False):
                yield LogLines(id="log-lines")

    def on_mount(self) -> None:
        """Name the boxes."""
        self.query_one("#log-parts").border_title = "Level"

    def opened(self) -> None:
        """Draw from the start."""
        self._shown = None

    def tick(self) -> None:
        """Draw the lines that came."""
        self._draw_parts()
        name = self._part if self._only else ""
        least = ", warnings and errors" if self._least != LEVELS[0] else ""
        self.query_one("#log-box").border_title = f"{name or _ALL}{least}"
        lines = self.workshop.logs.newest_first(level=self._least, name=name)[:_SHOWN]
        if lines == self._shown:
            return
        self._shown = lines
        self.query_one(LogLines).show(lines[::-1])
        scroll = self.query_one("#log-scroll")
        scroll.call_after_refresh(scroll.scroll_end, animate=False)

    @property
    def _part(self) -> str:
        names = parts()
        return names[min(self._chosen, len(names) - 1)]

    def _draw_parts(self) -> None:
        rows = [(name.removeprefix("drivers."), _level(name)) for name in parts()]
        self.query_one(PickList).show(rows, self._chosen)

    # Keys

    def action_choose(self, step: int) -> None:
        """Choose another part."""
        self._chosen = max(0, min(len(parts()) - 1, self._chosen + step))
        self.query_one("#log-parts").scroll_to(y=max(0, self._chosen - 5), animate=False)
        self.tick()

    def on_pick_list_picked(self, message: PickList.Picked) -> None:
        """Choose the part that was clicked."""
        message.stop()
        self.action_choose(message.number - self._chosen)

    def action_level(self, step: int) -> None:
        """Log more or less of the chosen part, until the terminal is started again."""
        name = self._part
        present = _level(name)
        place = LEVELS.index(present) if present in LEVELS else LEVELS.index("INFO")
        level = LEVELS[max(0, min(len(LEVELS) - 1, place + step))]
        if step > 0:
            # Afterwards it might not be heard.
            journal.info("log level of %s: %s", name, level)
        set_level(name, level)
        if step < 0:
            journal.info("log level of %s: %s", name, level)
        self.say(f"{name}: from {level} on, until the next start")
        self.tick()

    def action_only(self) -> None:
        """Show the chosen part's lines only, or all."""
        self._only = not self._only
        self.tick()

    def action_warnings(self) -> None:
        """Show warnings and errors only, or all."""
        self._least = "WARNING" if self._least == LEVELS[0] else LEVELS[0]
        self.tick()

    def action_scroll(self, lines: int) -> None:
        """Scroll the lines."""
        self.query_one("#log-scroll").scroll_relative(y=lines, animate=False)


def _level(name: str) -> str:
    """Return the level from which on a part is heard."""
    return logging.getLevelName(logging.getLogger(name).getEffectiveLevel())
