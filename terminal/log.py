"""Logging: to a file in the terminal's home, with a level below DEBUG for masked card traffic."""

from __future__ import annotations

import logging
from pathlib import Path

TRAFFIC = 5
"""The level of card commands and answers. They are masked by `emv.trace` before they arrive here."""

logger = logging.getLogger(__name__)


OURS = ("terminal", "drivers", "emv", "offline_queue", "simulators")
"""The packages that know what to mask. Others are heard from WARNING on: libraries log raw frames."""


class _LogFile(logging.FileHandler):
    """The file of an earlier `start` is known by its class."""


def start(path: Path, level: str) -> None:
    """Write the log of every part to a file, at one of the level names of the configuration."""
    logging.addLevelName(TRAFFIC, "TRAFFIC")
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for earlier in root.handlers:
        if isinstance(earlier, _LogFile):
            earlier.close()
    root.handlers[:] = [handler]
    number = logging.getLevelNamesMapping()[level]
    root.setLevel(max(number, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(number)
    if number == TRAFFIC:
        logger.warning("TRAFFIC is on: card commands are written to %s, masked", path)
