"""The support bundle: one signed zip with everything a technician sees, and no card number in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written. `signed_by` is the key's id, or empty; `masked` counts what was masked."""

    file: Path
    files: tuple[str, ...]
    signed_by: str
    masked: int


class BundleError(Exception):
    """A bundle that can't be written or read; the message says why."""


async def write(workshop: Workshop, file: Path, findings: Sequence[Finding] | None = None) -> Bundle:
    """Write the bundle to a new file. Without *findings* all probes are run first. Raises BundleError."""
    raise NotImplementedError


def check(file: Path) -> tuple[Finding, ...]:
    """Look whether a bundle is whole, as signed, and free of card numbers. Raises BundleError for none."""
    raise NotImplementedError
