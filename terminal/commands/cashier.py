"""`tillside cashier`: the cashier's screen."""

from __future__ import annotations

import argparse
import sys

from terminal import home, log
from terminal.commands import place
from terminal.commands.errors import FINDING, FINE, UsageError
from terminal.config import ConfigError
from terminal.counter import Counter
from terminal.signals import Ending, to_the_end
from terminal.tui.cashier.till import show_till


def run(options: argparse.Namespace) -> int:
    """Open the screen until the cashier leaves, or a signal ends it."""
    folder = place.folder(options)
    config = place.config_to_connect(folder)
    keys = place.enrolment(folder, config.terminal.id)
    if not sys.stdout.isatty():
        raise UsageError("the cashier's screen needs a terminal")
    log.start(folder / home.LOG_FILE, config.log.level)

    async def screen() -> int:
        counter = Counter(config, folder, keys)
        try:
            await counter.start()
            return FINDING if await show_till(counter, config, folder) else FINE
        finally:
            await to_the_end(counter.stop())

    try:
        with Ending() as ending:
            return ending.run(screen())
    except ConfigError as error:
        raise UsageError(str(error)) from error
