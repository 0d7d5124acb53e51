"""The way to the host, step by step: name, TCP, TLS, certificate, clock, echo, sync."""

from __future__ import annotations

from collections.abc import AsyncIterator

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield each step as it is done, for the host, then for each other gateway that is configured.

    `Finding.name` is ``host: name``, ``host: TCP``, ``host: TLS``, ``host: certificate``, ``host: clock``,
    ``host: echo``, ``host: sync``, then ``alipay: name`` and so on. After a failed step the rest of that
    way is SKIPPED.
    """
    raise NotImplementedError
    yield
