"""Camera bench: what the camera sees, what was read, how long it took and how often it works."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Sparkline

from terminal.benches.camera_bench import CameraBench, CameraState, CodeSeen
from terminal.devices.worker import DeviceState, DeviceWorker, Job
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.findings import took
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.place import example
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.live_picture import LivePicture
from terminal.tui.widgets.message_line import MessageKind

_FRESH_S = 1.5
"""For how long a code counts as just read, in seconds."""


class CameraPane(Pane):
    """The picture on the left; the code and its times on the right."""

    TITLE = "Camera"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next", "Next", id="camera.next", tooltip="Take the next camera or scanner"),
        Binding("p", "picture", "Picture", id="camera.picture", tooltip="Show the picture, or leave it out"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._number = 0
        self._bench: CameraBench | None = None
        self._job: Job[Any] | None = None

    def body(self) -> ComposeResult:
        """Picture and figures."""
        with Horizontal():
            with Vertical(id="camera-view", classes="box"):
                yield Line(id="camera-state")
                yield LivePicture(id="camera-picture")
            with VerticalScroll(id="camera-side", can_focus=False):
                with Vertical(id="camera-code", classes="box"):
                    yield Line(id="camera-wallet")
                    yield Line(id="camera-text")
                    yield Facts(id="camera-facts")
                with Vertical(id="camera-speed", classes="box"):
                    yield Facts(id="camera-figures")
                    yield Sparkline(id="camera-graph")

    def on_mount(self) -> None:
        """Name the boxes."""
        self.query_one("#camera-code").border_title = "Read"
        self.query_one("#camera-speed").border_title = "Speed"
        self.query_one("#camera-speed").border_subtitle = "decoding, newest right"

    # The scanner

    @property
    def _worker(self) -> DeviceWorker[Any] | None:
        scanners = self.workshop.pool.scanners
        return scanners[self._number % len(scanners)] if scanners else None

    def opened(self) -> None:
        """Take the scanner."""
        worker = self._worker
        if worker is not None:
            self._bench = CameraBench()
            self._job = worker.submit(self._bench.run)

    def idle_keys(self) -> Collection[str]:
        """Leave out what does nothing for this scanner."""
        shows = self._bench is not None and self._bench.state.shows_picture
        return {
            *(() if len(self.workshop.pool.scanners) > 1 else ("camera.next",)),
            *(() if shows else ("camera.picture",)),
        }

    def left(self) -> None:
        """Give the scanner back."""
        if self._job is not None:
            self._job.cancel()
        self._bench = self._job = None

    # Drawing

    def tick(self) -> None:
        """Draw the bench."""
        self.show_keys()
        worker, view = self._worker, self.query_one("#camera-view")
        if worker is None or self._bench is None:
            view.border_title = "No camera"
            self._say_state(f"No camera or scanner is configured. {example(self.workshop, 'scanner')}")
            return
        view.border_title = str(worker.status.address)
        picture = self.query_one(LivePicture)
        self._bench.fit(*(picture.pixels if picture.display else (0, 0)))
        state = self._bench.state
        self._draw_state(state, worker)
        picture.show(state.picture if picture.display else None)
        self._draw_code(state.code)
        self._draw_speed(state, self._bench.rate())

    def _say_state(self, text: str | Content) -> None:
        line = self.query_one("#camera-state", Line)
        line.update(text)
        line.display = bool(text)

    def _draw_state(self, state: CameraState, worker: DeviceWorker[Any]) -> None:
        status = worker.status
        if status.state in (DeviceState.UNAVAILABLE, DeviceState.STUCK):
            self._say_state(Content.assemble((f"✗ {status.text}", "bold $error"), "\nPane 1 has the cure."))
        elif not state.has_scanner:
            self._say_state(Content.styled("… waits for the scanner: it is in use", "$warning"))
        elif not state.shows_picture:
            self._say_state("This scanner has no picture. Show it a code.")
        elif state.picture is None and self.query_one(LivePicture).display:
            self._say_state(Content.styled("… no picture yet", "$warning"))
        else:
            self._say_state("")
        aged = f"{took(state.picture.age_ms)} old" if state.picture is not None else ""
        self.query_one("#camera-view").border_subtitle = aged

    def _draw_code(self, code: CodeSeen | None) -> None:
        box, wallet = self.query_one("#camera-code"), self.query_one("#camera-wallet", Line)
        fresh = code is not None and time.monotonic() - code.at_s < _FRESH_S
        box.set_class(fresh, "-fresh")
        if code is None:
            wallet.update("nothing yet")
            self.query_one("#camera-text", Line).update("")
            self.query_one("#camera-facts", Facts).show({})
            return
        if code.wallet:
            taken = "" if code.taken else ", not taken here"
            wallet.update(Content.assemble((code.wallet, "bold $success" if code.taken else "bold"), taken))
        else:
            wallet.update(Content.styled("not a payment code", "bold $warning"))
        self.query_one("#camera-text", Line).update(code.masked)
        ago_s = time.monotonic() - code.at_s
        self.query_one("#camera-facts", Facts).show(
            {
                "symbology": code.symbology or "unknown",
                "length": f"{code.length} characters",
                "read": "now" if fresh else f"{ago_s:.0f} s ago",
                **({"decoding": took(code.decode_ms)} if code.decode_ms else {}),
                **({"age": took(code.age_ms)} if code.age_ms else {}),
            }
        )

    def _draw_speed(self, state: CameraState, rate: float) -> None:
        beside = " with picture" if state.picture is not None else ""
        figures = {"reads": f"{rate:.1f} a second{beside}", "in all": f"{state.reads}"}
        for name, latency in (("decoding", state.decoding), ("age", state.ages)):
            if latency.count:
                figures[name] = f"{took(latency.p50)} median, {took(latency.most)} most"
        self.query_one("#camera-figures", Facts).show(figures)
        graph = self.query_one(Sparkline)
        course = list(state.decoding.course)
        graph.display = bool(course)
        if graph.data != course:
            graph.data = course

    # Keys

    def action_next(self) -> None:
        """Take the next scanner."""
        scanners = self.workshop.pool.scanners
        if len(scanners) < 2:
            self.say("There is no other camera or scanner", MessageKind.REFUSAL)
            return
        self.leave()
        self._number = (self._number + 1) % len(scanners)
        self.enter()

    def action_picture(self) -> None:
        """Show the picture, or leave it out: over a slow line it costs more than it tells."""
        if self._bench is None or not self._bench.state.shows_picture:
            self.refuse("There is no picture")
            return
        picture = self.query_one(LivePicture)
        picture.display = not picture.display
        self.say(
            "" if picture.display else "The picture is left out, and every frame is for codes; p shows it"
        )
