"""The technician's one screen: nine panes by number, and one key for the support bundle.

The panes draw what probes, benches and devices say, and ask them. Only the open pane has its devices;
what it holds it gives back when it is left, so that a sale is never disturbed by a forgotten bench.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from pathlib import Path, PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.events import Key
from textual.screen import Screen

from terminal.diagnostics import bundle
from terminal.diagnostics.workshop import Workshop
from terminal.tui.cashier.bindings import strip_keys
from terminal.tui.leave import LEAVE_TEXT
from terminal.tui.technician.areas import Areas
from terminal.tui.technician.bindings import COMMON_BINDINGS, pane_bindings
from terminal.tui.technician.device_list import devices_of
from terminal.tui.technician.journal import journal
from terminal.tui.technician.keys_list import KeysList
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.panes import PANES
from terminal.tui.technician.standing import standing
from terminal.tui.widgets.click_key import ClickKey
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.message_line import MessageKind, MessageLine

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
TICK_S = 0.25
"""How often the open pane looks for changes, in seconds."""


class TechnicianScreen(Screen[None], inherit_bindings=False):
    """Shows a workshop until it is left."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [*sorted(HERE.glob("*.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings([each.TITLE for each in PANES]), *COMMON_BINDINGS]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__()
        self._workshop = workshop
        self._panes: dict[int, Pane] = {}
        self._number = 0
        self._bundling: asyncio.Task[None] | None = None
        self._areas = Areas(workshop)
        self._watch: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """Whose terminal, the panes' titles, the open pane, and one line for messages."""
        with Horizontal(id="technician-status"):
            yield Line(self._whose(), id="technician-shop")
            yield Line(id="technician-devices")
        with Horizontal(id="technician-tabs"):
            for number, pane in enumerate(PANES, start=1):
                yield ClickKey(
                    _tab(number, pane.TITLE, fails=False),
                    f"open({number})",
                    f"Open {pane.TITLE}",
                    id=f"tab-{number}",
                    classes="technician-tab",
                )
        yield Container(id="technician-body")
        yield MessageLine(id="technician-message")

    def _whose(self) -> str:
        config = self._workshop.config
        whose = f"{config.shop.name} · {config.terminal.id}" if config else str(self._workshop.home)
        return f"Technician · {whose}"

    async def on_mount(self) -> None:
        """Open the devices, and look for changes from now on; look at the other panes' areas meanwhile."""
        self.say("")
        await self.open_pane(1)
        self.set_interval(TICK_S, self._tick)
        self._tick()
        self._watch = asyncio.get_running_loop().create_task(self._areas.watch())

    def on_unmount(self) -> None:
        """Begin nothing more."""
        for task in (self._bundling, self._watch):
            if task is not None:
                task.cancel()

    @property
    def pane(self) -> Pane:
        """The open pane, or the one that is about to open."""
        return self._panes[self._number]

    async def open_pane(self, number: int) -> None:
        """Leave the open pane and open another."""
        if number == self._number:
            self.pane.focus()
            return
        if self._number:
            self.pane.leave()
            self.pane.display = False
            self.query_one(f"#tab-{self._number}").remove_class("-open")
        pane = self._panes.get(number)
        if pane is None:
            pane = self._panes[number] = PANES[number - 1](self._workshop)
            await self.query_one("#technician-body").mount(pane)
        self._number = number
        self.query_one(f"#tab-{number}").add_class("-open")
        self.say("")
        pane.display = True
        pane.focus(scroll_visible=False)
        pane.enter()

    def _tick(self) -> None:
        devices = devices_of(self._workshop)
        text, fails = standing(devices, self._areas.faulty)
        status = self.query_one("#technician-devices", Line)
        status.update(text)
        status.set_class(fails, "-fails")
        faulty = self._areas.faulty | ({PANES[0].TITLE} if any(each.fails for each in devices) else set())
        for number, pane in enumerate(PANES, start=1):
            tab = self.query_one(f"#tab-{number}", ClickKey)
            tab.update(_tab(number, pane.TITLE, fails=pane.TITLE in faulty))
            tab.set_class(pane.TITLE in faulty, "-fails")
        if self.app.screen is self and self.pane.is_open:
            self.pane.tick()

    # Messages

    def say(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
        """Show one sentence until the next."""
        self.query_one("#technician-message", MessageLine).show(text, kind)

    def on_pane_said(self, message: Pane.Said) -> None:
        """Show what a pane says, if it still is open."""
        message.stop()
        self.say(message.text, message.kind)

    def on_pane_found(self, message: Pane.Found) -> None:
        """Take what a pane has found out."""
        message.stop()
        self._areas.tell(message.title, message.findings)

    def on_key(self, event: Key) -> None:
        """Put the last sentence away: it was about another key."""
        self.say("")

    def on_click_key_pressed(self, message: ClickKey.Pressed) -> None:
        """Do what the tab says."""
        message.stop()
        self.call_later(self.run_action, message.action)

    # Keys

    async def action_open(self, number: int) -> None:
        """Open a pane."""
        await self.open_pane(number)

    def action_keys(self) -> None:
        """List the open pane's keys and those of the screen."""
        own = list(self.pane.own_bindings())
        panes = [each for each in self.BINDINGS if isinstance(each, Binding) and "pane-" in str(each.id)]
        groups = [
            ("Panes", strip_keys(panes, {}, all_keys=True)),
            (self.pane.TITLE, strip_keys(own, {}, all_keys=True)),
            ("Everywhere", strip_keys(COMMON_BINDINGS, {}, all_keys=True)),
        ]
        shown = [group for group in groups[1:] + groups[:1] if group[1]]
        self.app.push_screen(KeysList(shown, self.open_pane))

    def action_leave(self) -> None:
        """Leave what is being typed in; else leave the screen."""
        if self.focused is not self.pane:
            self.pane.focus()
        elif len(self.app.screen_stack) > 1:
            self.dismiss()
        else:
            self.app.exit()

    def action_quit(self) -> None:
        """Leave at once."""
        self.app.exit()

    def action_how_to_quit(self) -> None:
        """Say how to leave."""
        self.say(LEAVE_TEXT)

    def action_bundle(self) -> None:
        """Write the support bundle, and say where it lies."""
        if self._bundling is not None and not self._bundling.done():
            self.say("The support bundle is being written", MessageKind.REFUSAL)
            return
        self.say("Writing the support bundle …")
        self._bundling = asyncio.get_running_loop().create_task(self._write_bundle())

    async def _write_bundle(self) -> None:
        terminal = self._workshop.config.terminal.id if self._workshop.config else "terminal"
        file = self._workshop.home / f"support-{terminal}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.zip"
        try:
            written = await bundle.write(self._workshop, file)
        except bundle.BundleError as error:
            self.say(f"No support bundle: {error}", MessageKind.ERROR)
        except Exception as error:  # whatever a probe did, the screen goes on
            logger.exception("support bundle")
            self.say(f"No support bundle ({type(error).__name__}); the log has the place", MessageKind.ERROR)
        else:
            signed = "signed" if written.signed_by else "NOT signed: this terminal has no key"
            journal.info("support bundle written: %s", written.file)
            self.say(f"Support bundle, {signed}: {written.file}")


def _tab(number: int, title: str, *, fails: bool) -> Content:
    """Return a pane's title; a cross stands where the blank was, so that nine fit into 80 columns."""
    return Content.assemble((f"{number}", "bold $primary"), ("✗", "bold $error") if fails else " ", title)
