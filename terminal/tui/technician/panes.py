"""The panes in the order of their numbers."""

from __future__ import annotations

from terminal.tui.technician.camera import CameraPane
from terminal.tui.technician.devices import DevicesPane
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.reader import ReaderPane

PANES: tuple[type[Pane], ...] = (DevicesPane, ReaderPane, CameraPane)
