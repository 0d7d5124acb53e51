"""Printer and the rest: test page, status, drawer, display, sound."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from drivers.protocols import CustomerDisplay, Printer, PrinterStatus, Sounder
from terminal.benches.errand import Failed
from terminal.benches.test_page import test_lines, test_page
from terminal.devices.worker import DeviceState, Lease
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.device_list import DeviceList, ShownDevice, devices_of, worker_of
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.journal import journal
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.place import example
from terminal.tui.technician.plain_words import meaning
from terminal.tui.widgets.line import Line
from terminal.voice.tones import Tone, sound

T = TypeVar("T")

_KINDS = ("printer", "display", "sounder")
_WHAT = {
    "printer": "p prints a page, o opens the drawer.",
    "display": "p fills the display.",
    "sounder": "p plays the next of the terminal's tones.",
}
_ASK_TICKS = 8
"""A printer is asked how it is every so many ticks."""
_KEPT = 12


class PrinterPane(Pane):
    """Printers, displays and sounders on the left; what was tried on the right."""

    TITLE = "Printer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False, id="printer.up", tooltip="Choose the device above"),
        Binding("down", "choose(1)", "Next", id="printer.down", tooltip="Choose the device below"),
        Binding(
            "p,enter",
            "test",
            "Test",
            id="printer.test",
            tooltip="Print a page, fill the display, play a tone",
        ),
        Binding("o", "drawer", "Open drawer", id="printer.drawer", tooltip="Open the cash drawer"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._devices: tuple[ShownDevice, ...] = ()
        self._chosen = 0
        self._tone = 0
        self._ticks = 0
        self._asking = False
        self._tried: list[tuple[str, bool, str]] = []

    def body(self) -> ComposeResult:
        """Devices, status, what was tried."""
        with Horizontal():
            with VerticalScroll(id="printer-side", can_focus=False):
                yield DeviceList(id="printer-list")
            with Vertical(id="printer-right"):
                with Vertical(id="printer-status", classes="box"):
                    yield Line(id="printer-what")
                    yield Facts(id="printer-facts")
                with VerticalScroll(id="printer-tried", classes="box", can_focus=False):
                    yield Line(id="printer-lines")

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one("#printer-tried").border_title = "Tried"
        self._draw_tried()

    def opened(self) -> None:
        """Ask at once."""
        self._ticks, self._asking = 0, False
        self._draw()

    def tick(self) -> None:
        """Draw the devices as they stand, and ask a printer how it is."""
        devices = tuple(each for each in devices_of(self.workshop) if each.kind in _KINDS)
        if devices != self._devices:
            self._devices = devices
            self._chosen = min(self._chosen, max(0, len(devices) - 1))
            self._draw()
        if self._ticks % _ASK_TICKS == 0:
            self._ask_status()
        self._ticks += 1

    @property
    def chosen(self) -> ShownDevice | None:
        """The device on the right."""
        return self._devices[self._chosen] if self._chosen < len(self._devices) else None

    # Drawing

    def idle_keys(self) -> Collection[str]:
        """Leave out what does nothing for the chosen device."""
        device = self.chosen
        return {
            *(() if device is not None and device.kind == "printer" else ("printer.drawer",)),
            *(() if device is not None else ("printer.test",)),
            *(() if len(self._devices) > 1 else ("printer.down",)),
        }

    def _draw(self) -> None:
        self.show_keys()
        self.query_one(DeviceList).show(self._devices, self._chosen)
        device, what = self.chosen, self.query_one("#printer-what", Line)
        box = self.query_one("#printer-status")
        box.set_class(device is not None and device.fails, "-fault")
        if device is None:
            box.border_title = "Nothing here"
            what.update(f"No printer, display or sounder is configured. {example(self.workshop, 'printer')}")
            return
        box.border_title = f"{device.kind} {device.name}"
        if device.fails:
            what.update(
                Content.assemble(
                    (f"✗ {device.reason}\n", "bold $error"),
                    f"{meaning(device.reason)}\n",
                    ("cure: " if device.cure else "", "bold $success"),
                    (device.cure, "bold"),
                )
            )
        else:
            what.update(_WHAT[device.kind])
        if device.kind != "printer" or device.fails:
            self.query_one(Facts).show({})

    def _draw_tried(self) -> None:
        lines = [
            Content.assemble(
                (f"{when} ", MUTED), ("✓ " if fine else "✗ ", "$success" if fine else "bold $error"), text
            )
            for when, fine, text in self._tried
        ]
        self.query_one("#printer-lines", Line).update(
            Content("\n").join(lines) if lines else Content.styled("nothing yet", MUTED)
        )

    # Asking

    def _ask_status(self) -> None:
        device = self.chosen
        if (
            device is None
            or device.kind != "printer"
            or self._asking
            or device.state is not DeviceState.READY
        ):
            return

        def work(printer: Printer, lease: Lease) -> PrinterStatus:
            return printer.status()

        def then(found: PrinterStatus | Failed) -> None:
            self._asking = False
            if self.chosen is not None and self.chosen.key == device.key:
                self.query_one(Facts).show(_status(found))
                self.query_one("#printer-status").set_class(_stands_still(found), "-fault")

        self._asking = True
        self.ask(worker_of(self.workshop, device), work, then)

    def _try(
        self, what: str, device: ShownDevice, work: Callable[[Any, Lease], T], told: Callable[[T], str]
    ) -> None:
        """Have the device do something, and note what came of it."""

        def then(found: T | Failed) -> None:
            if isinstance(found, Failed):
                text = f"{what}: {found.text}{'; cure: ' if found.cure else ''}{found.cure}"
            else:
                text = told(found)
            note = (f"{datetime.now().astimezone():%H:%M:%S}", not isinstance(found, Failed), text)
            self._tried = [note, *self._tried][:_KEPT]
            self._draw_tried()
            self.say("")

        if device.fails:
            self.refuse(f"{device.kind} {device.name}: {device.reason}")
            return
        self.say(f"{what} …")
        journal.info("%s %s: %s", device.kind, device.name, what.lower())
        self.ask(worker_of(self.workshop, device), work, then)

    # Keys

    def action_choose(self, step: int) -> None:
        """Go up or down the list."""
        self._choose(self._chosen + step)

    def on_device_list_chosen(self, message: DeviceList.Chosen) -> None:
        """Choose what was clicked."""
        message.stop()
        self._choose(message.number)

    def _choose(self, number: int) -> None:
        if 0 <= number < len(self._devices):
            self._chosen, self._ticks, self._asking = number, 0, False
            self.say("")
            self._draw()

    def action_test(self) -> None:
        """Test the chosen device."""
        device = self.chosen
        if device is None:
            self.refuse("There is nothing to test")
        elif device.kind == "printer":
            self._print(device)
        elif device.kind == "display":
            self._fill(device)
        else:
            self._play(device)

    def _print(self, device: ShownDevice) -> None:
        page = test_page(device.name, datetime.now().astimezone())

        def work(printer: Printer, lease: Lease) -> None:
            lease.wait()
            printer.print_page(page)

        self._try("Test page", device, work, lambda _: "test page printed: is all of it there?")

    def _fill(self, device: ShownDevice) -> None:
        def work(display: CustomerDisplay, lease: Lease) -> tuple[int, int]:
            columns, rows = display.size
            display.show(test_lines(columns, rows))
            return columns, rows

        self._try("Display", device, work, lambda size: f"display filled: {size[0]} columns, {size[1]} rows")

    def _play(self, device: ShownDevice) -> None:
        tone = list(Tone)[self._tone % len(Tone)]
        self._tone += 1

        def work(sounder: Sounder, lease: Lease) -> None:
            lease.wait()
            sounder.play(sound(tone), lease.stop)

        self._try("Sound", device, work, lambda _: f"played: {tone.value}")

    def action_drawer(self) -> None:
        """Open the cash drawer."""
        device = self.chosen
        if device is None or device.kind != "printer":
            self.refuse("Choose a printer: the drawer is plugged into it")
            return

        def work(printer: Printer, lease: Lease) -> None:
            printer.open_drawer()

        self._try("Drawer", device, work, lambda _: "drawer: told to open")


def _stands_still(status: PrinterStatus | Failed) -> bool:
    """Tell whether nothing can be printed now."""
    if isinstance(status, Failed):
        return True
    return not status.online or bool(status.cover_open or status.paper_out)


def _status(status: PrinterStatus | Failed) -> dict[str, str]:
    """Return what a printer says of itself in words; what it does not say is said, too."""
    if isinstance(status, Failed):
        return {"status": status.text}

    def word(value: bool | None, yes: str, no: str) -> str:
        return "unknown" if value is None else yes if value else no

    paper = "out" if status.paper_out else word(status.paper_low, "low", "enough")
    return {
        "printer": "online" if status.online else "OFFLINE",
        "paper": paper,
        "cover": word(status.cover_open, "OPEN", "closed"),
        "drawer": word(status.drawer_open, "open", "closed"),
    }
