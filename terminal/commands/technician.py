"""`tillside technician`: the technician's screen."""

from __future__ import annotations

import argparse
import sys

from terminal import home, log
from terminal.commands import place
from terminal.commands.errors import FINDING, FINE, UsageError
from terminal.diagnostics.open_workshop import open_workshop
from terminal.show import show
from terminal.signals import Ending
from terminal.tui.technician.app import TechnicianApp

LEVEL = "INFO"
"""The log's level where no configuration tells another."""


def run(options: argparse.Namespace) -> int:
    """Open the screen until the technician leaves, or a signal ends it. Whatever is broken is shown there."""
    folder = place.folder(options)
    if not sys.stdout.isatty():
        raise UsageError("the technician's screen needs a terminal; tillside doctor tells the same as text")
    folder.mkdir(parents=True, exist_ok=True)
    logs = log.start(folder / home.LOG_FILE, _level(options))

    async def screen() -> int:
        async with open_workshop(folder, logs=logs) as workshop:
            return FINDING if await show(TechnicianApp(workshop)) else FINE

    with Ending() as ending:
        return ending.run(screen())


def _level(options: argparse.Namespace) -> str:
    try:
        return place.config(place.folder(options)).log.level
    except UsageError:
        return LEVEL
