"""Where a terminal keeps its state: one folder with configuration, keys, queue and log."""

from __future__ import annotations

import shlex
from pathlib import Path

from platformdirs import user_data_path

CONFIG_FILE = "tillside.toml"
LOG_FILE = "tillside.log"


def default() -> Path:
    """Return the folder that is used without --home."""
    return user_data_path("tillside", appauthor=False)


def option(home: Path) -> str:
    """Return what a command needs to find *home*: `` --home DIR``, and nothing for the default folder."""
    return "" if home == default() else f" --home {shlex.quote(str(home))}"
