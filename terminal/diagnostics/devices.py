"""Every device of a workshop: what it is, what it can do, why it fails, and what it should be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drivers.abilities import TestResult
from drivers.address import DeviceAddress
from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One device. `state` is that of `DeviceState`, or ``ready`` and ``unavailable`` without a worker.

    `capabilities` are words such as ``self-test`` and ``lights``; `path` is where it is attached as far as
    its address says.
    """

    address: str
    kind: str
    configured: bool
    driver: str
    distribution: str
    path: str
    state: str
    text: str = ""
    cure: str = ""
    name: str = ""
    model: str = ""
    firmware: str = ""
    serial_number: str = ""
    capabilities: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    faults: int = 0

    @property
    def works(self) -> bool:
        """Whether it can be used."""
        return self.state in ("ready", "busy")

    def fields(self) -> dict[str, Any]:
        """Return the report for a program."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the shop differs from what is expected.

    `what` is ``missing``, ``extra``, ``does not work``, ``other model``, ``other firmware`` or
    ``other serial number``.
    """

    address: str
    kind: str
    what: str
    expected: str = ""
    found: str = ""
    cure: str = ""


async def reports(workshop: Workshop) -> tuple[DeviceReport, ...]:
    """Return a report of each device in the workshop, asked in its own thread; one in use is not asked."""
    raise NotImplementedError


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield a finding for each device, with what is known of its firmware."""
    raise NotImplementedError
    yield


async def self_test(workshop: Workshop, address: DeviceAddress) -> Sequence[TestResult]:
    """Run a device's own tests. Raises as `asking.ask` does, and NotAskedError where it has none."""
    raise NotImplementedError


async def backup(workshop: Workshop, address: DeviceAddress, file: Path) -> Mapping[str, str]:
    """Write a device's settings into a new TOML file, and return them. Raises as `ask`, and OSError."""
    raise NotImplementedError


async def restore(workshop: Workshop, address: DeviceAddress, file: Path) -> Path:
    """Write settings from a file into a device, and read them back.

    What is in the device before goes into a file beside *file* first, and that file is returned.
    Raises as `ask`; SettingsError for a file that does not fit, or where the device kept something else.
    """
    raise NotImplementedError


class SettingsError(Exception):
    """Settings that can't be written, or were not taken; the message says which."""


def expect(found: Sequence[DeviceReport]) -> str:
    """Return what is there now as a file of what is expected, TOML."""
    raise NotImplementedError


def compare(found: Sequence[DeviceReport], expected: str) -> tuple[Difference, ...]:
    """Return in what the devices differ from a file that `expect` wrote. Raises SettingsError for no such."""
    raise NotImplementedError
