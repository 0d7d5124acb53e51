"""Simulated cameras and scanners for the scanner drivers."""

from collections.abc import Iterator

import pytest

from simulators.camera import SimulatedCamera
from simulators.serial_scanner import SerialScanner


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        yield camera


@pytest.fixture
def wire() -> Iterator[SerialScanner]:
    with SerialScanner() as scanner:
        yield scanner
