"""A pane that runs probes when it is opened, and draws each finding as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.findings import FindingsList
from terminal.tui.technician.pane import Pane


def probe_bindings(title: str) -> list[BindingType]:
    """Return the keys of a pane of probes."""
    name = title.lower()
    return [
        Binding("r", "run", "Run again", id=f"{name}.run", tooltip="Look again"),
        Binding("d", "details", "Details", id=f"{name}.details", tooltip="Show or hide each step's details"),
        Binding("up", "scroll(-3)", "Up", show=False, id=f"{name}.up", tooltip="Scroll up"),
        Binding("down", "scroll(3)", "Down", show=False, id=f"{name}.down", tooltip="Scroll down"),
        Binding("pageup", "scroll(-12)", "Back", show=False, id=f"{name}.back", tooltip="Scroll a page up"),
        Binding("pagedown", "scroll(12)", "On", show=False, id=f"{name}.on", tooltip="Scroll a page down"),
    ]


class ProbePane(Pane):
    """Findings, one a line."""

    TITLE: ClassVar[str] = "Probes"
    WHAT: ClassVar[str] = ""
    """What the box is about."""

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self.findings: list[Finding] = []
        self._details = False

    def probe(self) -> AsyncIterator[Finding]:
        """Return what runs."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """One box."""
        with VerticalScroll(classes="box findings-box", can_focus=False) as box:
            box.border_title = self.WHAT
            yield FindingsList(classes="findings")

    def opened(self) -> None:
        """Run the probes."""
        self.action_run()

    def action_run(self) -> None:
        """Run the probes from the start."""
        self.begin(self.WHAT, self._run)

    async def _run(self) -> None:
        self.findings = []
        self._draw("running …")
        async for finding in self.probe():
            self.findings.append(finding)
            self._draw("running …")
        self._draw(summary(self.findings))
        self.tell(self.findings)

    def _draw(self, state: str) -> None:
        self.query_one(FindingsList).show(self.findings, "…", details=self._details)
        box = self.query_one(".findings-box")
        box.border_subtitle = state
        box.set_class(any(each.mark is Mark.FAULT for each in self.findings), "-fault")

    def action_details(self) -> None:
        """Show or hide the details."""
        self._details = not self._details
        self._draw(summary(self.findings))

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.query_one(".findings-box").scroll_relative(y=lines, animate=False)


def summary(findings: Iterable[Finding]) -> str:
    """Return how many of the findings are which."""
    marks = [each.mark for each in findings]
    counted = ((marks.count(Mark.FAULT), "fault"), (marks.count(Mark.WARNING), "warning"))
    parts = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted if count]
    if skipped := marks.count(Mark.SKIPPED):
        parts.append(f"{skipped} not looked at")
    if parts:
        return ", ".join(parts)
    return "all is well" if Mark.OK in marks else "nothing to look at"
