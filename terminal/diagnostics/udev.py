"""Why a device can't be opened: the missing udev rule or group, or the kernel module that claims it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield what stands between this user and the devices that are attached."""
    raise NotImplementedError
    yield
