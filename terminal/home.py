"""Where a terminal keeps its state: one folder with configuration, keys, queue and log."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path

CONFIG_FILE = "tillside.toml"
LOG_FILE = "tillside.log"


def default() -> Path:
    """Return the folder that is used without --home."""
    return user_data_path("tillside", appauthor=False)
