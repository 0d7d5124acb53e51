"""The technician's app: one screen on one workshop."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual.screen import Screen

from terminal.diagnostics.workshop import Workshop
from terminal.tui.app import TillsideApp
from terminal.tui.technician.screen import TechnicianScreen


class TechnicianApp(TillsideApp):
    """Shows the technician's screen until it is left."""

    TITLE = "Tillside"
    CSS_PATH: ClassVar[list[str | PurePath]] = [*TillsideApp.CSS_PATH, *TechnicianScreen.CSS_PATH]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__()
        self._technician = TechnicianScreen(workshop)

    def get_default_screen(self) -> Screen[None]:
        """Return the technician's screen."""
        return self._technician

    @property
    def technician(self) -> TechnicianScreen:
        """The screen."""
        return self._technician
