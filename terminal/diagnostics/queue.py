"""The offline queue as a technician sees it: state, chain, quarantine, delivery, and a way out by file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the verification of the chain has come."""

    checked: int
    records: int
    damage: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether every record was looked at."""
        return self.checked >= self.records


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that the host refused. Nothing of it is secret."""

    sequence: int
    kind: str
    attempt: str
    when: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written into a file."""

    file: Path
    records: int
    first: int
    last: int
    bytes_written: int


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield what there is to say: state, unsent, oldest, quarantine, last acknowledgement, fast check."""
    raise NotImplementedError
    yield


async def verify(workshop: Workshop) -> AsyncIterator[Progress]:
    """Check every record and signature, in steps; the last one is `done`. Raises QueueError."""
    raise NotImplementedError
    yield


async def quarantined(workshop: Workshop, limit: int = 100) -> tuple[Quarantined, ...]:
    """Return what the host refused, oldest first. Raises QueueError."""
    raise NotImplementedError


async def sync(workshop: Workshop) -> Finding:
    """Deliver what waits, now, and say what came of it."""
    raise NotImplementedError


async def export(workshop: Workshop, file: Path) -> Exported:
    """Write everything unsent into a new file. Raises QueueError, and OSError where the file can't be."""
    raise NotImplementedError
