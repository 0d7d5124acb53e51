"""Keys and certificates with their end dates. Only fingerprints are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield terminal key, host's keys, host's certificate, authorities, scheme keys, wallet keys."""
    raise NotImplementedError
    yield
