"""The machine below the terminal: system, versions, disk, clock, services, kernel modules, groups."""

from __future__ import annotations

from collections.abc import AsyncIterator

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield one finding for each of them."""
    raise NotImplementedError
    yield
