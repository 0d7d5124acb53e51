"""Logging: to a file in the terminal's home, with a level below DEBUG for masked card traffic."""

from __future__ import annotations

import logging
from pathlib import Path

TRAFFIC = 5
"""The level of card commands and answers. They are masked by `emv.trace` before they arrive here."""

logger = logging.getLogger(__name__)


def start(path: Path, level: str) -> None:
    """Write the log of every part to a file, at one of the level names of the configuration."""
    logging.addLevelName(TRAFFIC, "TRAFFIC")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The HTTP library logs whole request lines; the channels say what matters, masked.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    if logging.getLevelName(level) == TRAFFIC:
        logger.warning("TRAFFIC is on: card commands are written to %s, masked", path)
