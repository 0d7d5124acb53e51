"""Queue: what waits, whether every record is sound, what the host refused, delivery, export."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ProgressBar

from terminal.diagnostics import queue
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.queue import Progress, Quarantined
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.device_list import enrol
from terminal.tui.technician.findings import FindingsList
from terminal.tui.technician.journal import journal
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.probe_pane import summary
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.message_line import MessageKind

_VERIFY = "Verifying"
_SHOWN = 20


class QueuePane(Pane):
    """Figures above; verification and quarantine below."""

    TITLE = "Queue"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "Verify", id="queue.verify", tooltip="Check every record and its signature"),
        Binding("x", "stop", "Stop", id="queue.stop", tooltip="End the verification"),
        Binding("s", "sync", "Send", id="queue.force", tooltip="Deliver what waits, now"),
        Binding("e", "export", "Export", id="queue.export", tooltip="Write everything unsent into a file"),
        Binding("r", "run", "Again", id="queue.run", tooltip="Read the figures again"),
        Binding("up", "scroll(-3)", "Up", show=False, id="queue.up", tooltip="Scroll up"),
        Binding("down", "scroll(3)", "Down", show=False, id="queue.down", tooltip="Scroll down"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self.findings: list[Finding] = []

    def body(self) -> ComposeResult:
        """Three boxes."""
        with VerticalScroll(id="queue-boxes", can_focus=False):
            with Vertical(id="queue-figures", classes="box"):
                yield FindingsList(classes="findings")
            with Vertical(id="queue-verify", classes="box"):
                yield Line("v checks every record and every signature.", id="queue-verified")
                yield ProgressBar(id="queue-progress", show_eta=False)
            with Vertical(id="queue-refused", classes="box"):
                yield Line(id="queue-quarantine")

    def on_mount(self) -> None:
        """Name the boxes."""
        self.query_one("#queue-figures").border_title = "Offline queue"
        self.query_one("#queue-verify").border_title = "Chain"
        self.query_one("#queue-refused").border_title = "Refused by the host"
        self.query_one(ProgressBar).display = False

    def opened(self) -> None:
        """Read the figures."""
        self.action_run()

    async def _run(self) -> None:
        found = [finding async for finding in queue.probe(self.workshop)]
        self.findings = found
        self.query_one(FindingsList).show(found)
        box = self.query_one("#queue-figures")
        box.border_subtitle = summary(found)
        box.set_class(any(each.mark is Mark.FAULT for each in found), "-fault")
        self.tell(found)
        refused = await queue.quarantined(self.workshop, _SHOWN) if self.workshop.store is not None else ()
        self.query_one("#queue-refused").display = bool(refused)
        self.query_one("#queue-quarantine", Line).update(
            Content("\n").join(_refused_line(each) for each in refused)
        )

    # Keys

    def action_run(self) -> None:
        """Read the figures again."""
        self.begin("Reading the queue", self._run)

    def action_verify(self) -> None:
        """Check everything."""
        if self._is_open():
            self.begin(_VERIFY, self._verify)

    def _is_open(self) -> bool:
        """Tell whether there is a queue to work on; say why not, and what to do."""
        if self.workshop.store is not None:
            return True
        why = self.workshop.store_fault or "the queue is not open"
        first = "" if self.workshop.config_fault or self.workshop.enrolment else f": {enrol(self.workshop)}"
        self.refuse(f"Nothing can be done: {why}{first}")
        return False

    async def _verify(self) -> None:
        bar = self.query_one(ProgressBar)
        bar.display = True
        bar.update(total=None, progress=0)
        async with aclosing(queue.verify(self.workshop)) as steps:
            async for progress in steps:
                bar.update(total=progress.records, progress=progress.checked)
                self._draw_progress(progress)

    def _draw_progress(self, progress: Progress) -> None:
        sound = f"{progress.checked} of {progress.records} records"
        if progress.damage:
            text = Content.assemble(
                (f"✗ damaged: {'; '.join(progress.damage[:3])}", "bold $error"),
                f"\n{sound}; keep the file queue.db and send a support bundle",
            )
        elif progress.done:
            text = Content.assemble(("✓ ", "bold $success"), f"{sound}: each one sound, each signature right")
        else:
            text = Content.assemble("checking … ", (sound, MUTED))
        self.query_one("#queue-verify").set_class(bool(progress.damage), "-fault")
        self.query_one("#queue-verified", Line).update(text)

    def action_stop(self) -> None:
        """End the verification."""
        if self.stop_work(_VERIFY):
            self.say("The verification was ended half way")
        else:
            self.refuse("No verification is running")

    def action_sync(self) -> None:
        """Deliver what waits."""

        async def work() -> None:
            found = await queue.sync(self.workshop)
            kind = MessageKind.INFO if found.mark in (Mark.OK, Mark.NOTE) else MessageKind.ERROR
            self.say(f"{found.text}{'; ' if found.cure else ''}{found.cure}", kind)
            await self._run()

        if self._is_open() and self.begin("Sending", work):
            journal.info("queue: sent by hand")
            self.say("Sending …")

    def action_export(self) -> None:
        """Write everything unsent into a file."""
        now = datetime.now().astimezone()

        async def work() -> None:
            written = await queue.export(self.workshop, self.workshop.home / f"queue-{now:%Y%m%d-%H%M%S}.zip")
            journal.info("queue: %d records exported to %s", written.records, written.file)
            records = f"{written.records} record{'' if written.records == 1 else 's'}"
            self.say(f"{records} in {written.file}")

        if self._is_open():
            self.begin("Export", work)

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.query_one("#queue-boxes").scroll_relative(y=lines, animate=False)


def _refused_line(refused: Quarantined) -> Content:
    return Content.assemble(
        ("✗ ", "bold $error"),
        f"{refused.sequence:>6}  {refused.when.astimezone():%m-%d %H:%M}  ",
        f"{refused.kind} of {refused.attempt}: ",
        (refused.reason, "bold"),
    )
