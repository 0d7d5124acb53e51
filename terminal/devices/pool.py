"""All devices of one terminal, each with its worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.protocols import CodeScanner, ContactlessReader
from drivers.registry import open_reader, open_scanner
from terminal.config import Devices
from terminal.devices.worker import DeviceStatus, DeviceWorker
from terminal.view import DeviceView

CLOSE_S = 1.0
"""For how long a device may take to close, in seconds."""


class DevicePool:
    """The readers and scanners of a configuration.

    Args:
        devices: Their addresses.
        on_change: Called from a device's thread after each change.
    """

    def __init__(self, devices: Devices, on_change: Callable[[], None]) -> None:
        self.readers: tuple[DeviceWorker[ContactlessReader], ...] = tuple(
            DeviceWorker(address, open_reader, on_change) for address in devices.readers
        )
        self.scanners: tuple[DeviceWorker[CodeScanner], ...] = tuple(
            DeviceWorker(address, open_scanner, on_change) for address in devices.scanners
        )

    @property
    def _all(self) -> tuple[DeviceWorker[Any], ...]:
        return (*self.readers, *self.scanners)

    def start(self) -> None:
        """Begin to open every device."""
        for worker in self._all:
            worker.start()

    def close(self) -> None:
        """Close every device; a stuck one is left behind."""
        for worker in self._all:
            worker.close()
        for worker in self._all:
            worker.join(CLOSE_S)

    def views(self) -> tuple[DeviceView, ...]:
        """Return each device's line for the screen."""
        return (
            *(_view(worker.status, "reader") for worker in self.readers),
            *(_view(worker.status, "scanner") for worker in self.scanners),
        )


def _view(status: DeviceStatus, kind: str) -> DeviceView:
    return DeviceView(str(status.address), kind, status.state.value, status.text, status.cure)
