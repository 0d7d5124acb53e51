"""The devices as a list, two lines each: how it stands, and which one it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.content import Content
from textual.events import Click
from textual.message import Message

from terminal.devices.worker import DeviceState, DeviceWorker
from terminal.diagnostics.workshop import Workshop
from terminal.home import CONFIG_FILE, option
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.plain_words import START_AGAIN
from terminal.tui.widgets.line import FittedLines

_SIGNS = {
    DeviceState.READY: ("✓", "$success", "ready"),
    DeviceState.BUSY: ("●", "$primary", "in use"),
    DeviceState.OPENING: ("…", "$warning", "opening"),
    DeviceState.CLOSED: ("…", "$warning", "closed"),
}
ROWS = 2
"""Lines of each device."""


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """One device as it stands, or another part of the terminal that is missing (without an address)."""

    name: str
    kind: str
    state: DeviceState
    text: str = ""
    cure: str = ""
    faults: int = 0
    is_device: bool = True
    word: str = "missing"
    """How it stands, of what is no device."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other one."""
        return self.kind, self.name

    @property
    def fails(self) -> bool:
        """Whether it can't be used."""
        return self.state not in _SIGNS

    @property
    def reason(self) -> str:
        """How it stands, in a word or two."""
        return self.text or self.state.value if self.fails else _SIGNS[self.state][2]


def devices_of(workshop: Workshop) -> tuple[ShownDevice, ...]:
    """Return every device of a workshop as it stands now, and what else of the terminal is missing."""
    found = [
        ShownDevice(
            *(str(status.address), kind, status.state, status.text, status.cure), faults=status.faults
        )
        for kind, workers in workshop.pool.kinds.items()
        for status in (worker.status for worker in workers)
    ]
    for kind, word, fault, cure in (
        ("configuration", *_configuration(workshop)),
        # Without a configuration nobody knows whose keys they are.
        ("keys", "missing", "" if workshop.config_fault else workshop.enrolment_fault, enrol(workshop)),
        (
            "queue",
            "can't be opened",
            "" if workshop.store_elsewhere else workshop.store_fault,
            "keep the file queue.db, send a support bundle (b), and call for help",
        ),
    ):
        if fault:
            found.append(
                ShownDevice(kind, kind, DeviceState.UNAVAILABLE, fault, cure, is_device=False, word=word)
            )
    return tuple(found)


def enrol(workshop: Workshop) -> str:
    """Return the command that enrols this terminal."""
    return f"tillside enrol{option(workshop.home)}"


def _configuration(workshop: Workshop) -> tuple[str, str, str]:
    """Return how the configuration stands, its fault, and the cure; a file that is there is not missing."""
    file = workshop.home / CONFIG_FILE
    if not workshop.config_fault:
        return "", "", ""
    if not file.exists():
        return "missing", workshop.config_fault, f"write {file}, then {START_AGAIN}"
    line = re.search(r"toml:(\d+):", workshop.config_fault)
    where = f"{file}, line {line[1]}" if line else f"{file}"
    return "can't be read", workshop.config_fault, f"edit {where}, then {START_AGAIN}"


def worker_of(workshop: Workshop, device: ShownDevice) -> DeviceWorker[Any]:
    """Return a device's worker. Raises KeyError for what is no device, or not there any more.

    By kind, too: a simulated reader and a simulated printer may have the same address.
    """
    for worker in workshop.pool.kinds.get(device.kind, ()):
        if str(worker.status.address) == device.name:
            return worker
    raise KeyError(f"{device.kind} {device.name}")


def _row(device: ShownDevice, width: int, *, chosen: bool) -> list[Content]:
    sign, style, _ = _SIGNS.get(device.state, ("✗", "$error", ""))
    bar = ("▌" if chosen else " ", "$primary")
    kind = f" {device.kind:<8} " if device.is_device else f" {device.kind} "
    reason_style = f"bold {style}" if device.fails else style
    reason = device.reason if device.is_device else device.word
    head = Content.assemble(bar, (sign, f"bold {style}"), (kind, "bold"), (reason, reason_style))
    name = device.name if device.is_device else device.text
    below = Content.assemble(bar, "  ", (name, "" if chosen else MUTED))
    lines = [line.truncate(width, ellipsis=True).pad_right(0) for line in (head, below)]
    padded = [Content.assemble(line, " " * max(0, width - line.cell_length)) for line in lines]
    return [line.stylize("on $panel") for line in padded] if chosen else padded


class DeviceList(FittedLines):
    """The devices; one is chosen. A click chooses, too."""

    class Chosen(Message):
        """Somebody clicked on the device with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    _devices: tuple[ShownDevice, ...] = ()
    _chosen = 0

    def show(self, devices: Sequence[ShownDevice], chosen: int) -> None:
        """Draw these."""
        self._devices, self._chosen = tuple(devices), chosen
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them."""
        if not self._devices:
            return Content.styled("No device is configured.", "bold $warning")
        return Content("\n").join(
            line
            for number, device in enumerate(self._devices)
            for line in _row(device, width, chosen=number == self._chosen)
        )

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        number = event.y // ROWS
        if number < len(self._devices):
            self.post_message(self.Chosen(number))
