"""Devices of the scheme ``bench`` that can all that a technician asks of one, and fail as a test likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from drivers import registry
from drivers.abilities import TestResult
from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import Category, DeviceInfo
from terminal.devices import inventory, pool

ADDRESS = parse("bench:reader")


@dataclass
class Bench:
    """What the devices of the scheme are like."""

    info: DeviceInfo = field(
        default_factory=lambda: DeviceInfo(
            "Bench reader",
            model="ACR122U",
            firmware="ACR122U216",
            serial_number="S-17",
            details={"antenna": "A5"},
        )
    )
    settings: dict[str, str] = field(default_factory=lambda: {"polling": "FF", "led": "03"})
    attached: list[str] = field(default_factory=list)
    gone: bool = False
    fault: Exception | None = None
    stubborn: bool = False
    """Whether it keeps its settings whatever is written."""

    def open(self, address: DeviceAddress) -> BenchDevice:
        self.check(address)
        return BenchDevice(self, address)

    def check(self, address: DeviceAddress) -> None:
        if self.fault is not None:
            raise self.fault
        if self.gone:
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")


class BenchDevice:
    """One opened device."""

    def __init__(self, bench: Bench, address: DeviceAddress) -> None:
        self.address = address
        self._bench = bench

    def info(self) -> DeviceInfo:
        self._bench.check(self.address)
        return self._bench.info

    def self_test(self) -> Sequence[TestResult]:
        return [
            TestResult("communication", True),
            TestResult("RAM", False, "bit 3"),
            TestResult("antenna", None, "raw 0E"),
        ]

    def read_settings(self) -> Mapping[str, str]:
        return dict(self._bench.settings)

    def write_settings(self, settings: Mapping[str, str]) -> None:
        for value in settings.values():
            bytes.fromhex(value)
        if not self._bench.stubborn:
            self._bench.settings.update(settings)

    def beep(self, duration_s: float) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Let one made-up driver for readers stand beside the real ones."""
    made = Bench()
    real, open_reader = registry.drivers, registry.open_reader

    def drivers(category: Category) -> Mapping[str, Any]:
        entry = SimpleNamespace(distribution="bench-drivers")
        return {**real(category), **({"bench": entry} if category is Category.CONTACTLESS_READER else {})}

    def opening(address: DeviceAddress) -> Any:
        return made.open(address) if address.scheme == "bench" else open_reader(address)

    def found(kind: str, scheme: str) -> tuple[DeviceAddress, ...]:
        return tuple(map(parse, made.attached)) if (kind, scheme) == ("reader", "bench") else ()

    monkeypatch.setattr(inventory, "drivers", drivers)
    monkeypatch.setattr(inventory, "_discover", found)
    monkeypatch.setattr(inventory, "open_reader", opening)
    monkeypatch.setattr(pool, "open_reader", opening)
    monkeypatch.setattr("terminal.diagnostics.open_workshop.drivers", drivers)
    return made
