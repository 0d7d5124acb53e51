"""The panes in the order of their numbers."""

from __future__ import annotations

from terminal.tui.technician.camera import CameraPane
from terminal.tui.technician.devices import DevicesPane
from terminal.tui.technician.keys import KeysPane
from terminal.tui.technician.log import LogPane
from terminal.tui.technician.network import NetworkPane
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.printer import PrinterPane
from terminal.tui.technician.queue import QueuePane
from terminal.tui.technician.reader import ReaderPane
from terminal.tui.technician.taps import TapsPane

PANES: tuple[type[Pane], ...] = (
    DevicesPane,
    ReaderPane,
    CameraPane,
    PrinterPane,
    NetworkPane,
    QueuePane,
    KeysPane,
    LogPane,
    TapsPane,
)
