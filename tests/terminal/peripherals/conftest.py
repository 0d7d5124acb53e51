"""A real pool with a display on a pty, a printer and a sounder, followed by the peripherals under test."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.address import parse
from drivers.page import Page, Text
from simulators.display import PoleDisplay
from simulators.in_process_printer import printer
from simulators.printer_engine import PrinterEngine
from simulators.sounder import EARS
from terminal.config import Devices, PrintReceipt
from terminal.devices import worker as module
from terminal.devices.pool import DevicePool
from terminal.peripherals.displays import DisplayFollower
from terminal.peripherals.printing import Printing
from terminal.peripherals.sounds import Sounds
from terminal.view import CounterView
from tests.terminal.tui.samples import with_result

PATIENCE_S = 10.0
_NUMBERS = itertools.count()


def result(name: str, attempt: str) -> CounterView:
    """Return a result with pages of its own."""
    view = with_result(name)
    assert view.result is not None
    first, again = ((Page((Text(f"{mark}{attempt} {name}"),)),) for mark in ("", "REPRINT "))
    return replace(
        view, attempt=attempt, result=replace(view.result, order=attempt, pages=first, reprint=again)
    )


class Around:
    """Everything around a counter. `show` is what the counter would publish."""

    def __init__(self, folder: Path) -> None:
        # A name of its own: whoever is given the pty's number next must not be written to.
        self._port = folder / "tty-pole"
        self.plug_in()
        self.printer_name = f"peripherals-{next(_NUMBERS)}"
        self.paper: PrinterEngine = printer(self.printer_name)
        self.told: list[str] = []
        self._changed = threading.Condition()
        self._view: CounterView | None = None
        self.pool = DevicePool(
            Devices(
                printers=(parse(f"sim:{self.printer_name}"),),
                displays=(parse(f"serial-display:{self._port}"),),
                sounders=(parse("sim:"),),
            ),
            self._on_change,
        )
        self.display = DisplayFollower(self.pool.displays[0])
        self.sounds = Sounds(self.pool.sounders)
        self.printing = self.with_receipts(PrintReceipt.ON_REQUEST)

    def with_receipts(self, when: PrintReceipt) -> Printing:
        self.printing = Printing(self.pool.printers, when, self._tell)
        return self.printing

    def start(self) -> None:
        self.pool.start()
        self.wait(lambda: all(view.state == "ready" for view in self.pool.views()))

    def stop(self) -> None:
        self.pool.close()
        self.unplug()

    def plug_in(self) -> None:
        """Plug a display in, always under the same name."""
        self.pole = PoleDisplay()
        self.pole.start()
        self._port.symlink_to(self.pole.path)

    def unplug(self) -> None:
        """Pull the display's plug."""
        self._port.unlink(missing_ok=True)
        self.pole.stop()

    def show(self, view: CounterView) -> None:
        """Publish a view."""
        self._view = view
        for follow in (self.display.show, self.sounds.follow, self.printing.follow):
            follow(view)

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), (self.pool.views(), self.told)

    def state(self, kind: str) -> str:
        return next(view.text for view in self.pool.views() if view.kind == kind)

    def _tell(self, text: str) -> None:
        with self._changed:
            self.told.append(text)
            self._changed.notify_all()

    def _on_change(self) -> None:
        with self._changed:
            self._changed.notify_all()


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Around]:
    """A shop whose devices come back at once."""
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    monkeypatch.setattr(module, "HEALTH_S", 0.02)
    EARS.clear()
    there = Around(tmp_path)
    yield there
    there.stop()


@pytest.fixture
def till(around: Around) -> Around:
    """The same with every device ready."""
    around.start()
    return around
