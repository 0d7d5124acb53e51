"""`tillside devices`: what is attached, what drives it, why it fails and what cures it."""

from __future__ import annotations

import argparse

from terminal.commands import place
from terminal.commands.errors import FINDING, FINE
from terminal.commands.output import say, say_json
from terminal.devices.inventory import inventory
from terminal.home import CONFIG_FILE


def run(options: argparse.Namespace) -> int:
    """List all devices. Works without a configuration, too."""
    folder = place.folder(options)
    configured = place.config(folder).devices if (folder / CONFIG_FILE).exists() else None
    lines = inventory(configured)
    if options.json:
        say_json([line.fields() for line in lines], indent=2)
    else:
        for line in lines:
            say(line.text_line())
    return FINE if all(line.works for line in lines) else FINDING
