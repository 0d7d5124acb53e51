"""All probes, one after another: `tillside doctor`, the bundle and the technician's overview."""

from __future__ import annotations

from collections.abc import AsyncIterator

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield the findings of every area: system, udev, devices, keys, network, queue, configuration."""
    raise NotImplementedError
    yield
