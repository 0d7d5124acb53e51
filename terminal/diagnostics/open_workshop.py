"""Opens a workshop for a command: whatever of the terminal can be had, with the faults said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from terminal.diagnostics.workshop import Workshop
from terminal.log import LogRing


@asynccontextmanager
async def open_workshop(home: Path, *, logs: LogRing | None = None) -> AsyncIterator[Workshop]:
    """Open configuration, keys, queue, host, delivery and devices; all is closed at the end.

    Devices that are discovered stand in where none is configured. The delivery is started.
    """
    raise NotImplementedError
    yield
