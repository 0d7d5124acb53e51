"""All devices of one terminal, each with its worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.address import DeviceAddress
from drivers.protocols import CodeScanner, ContactlessReader, CustomerDisplay, Printer, Sounder
from drivers.registry import open_display, open_printer, open_reader, open_scanner, open_sounder
from terminal.config import Devices
from terminal.devices.hotplug import PlugWatch
from terminal.devices.worker import DeviceStatus, DeviceWorker
from terminal.view import DeviceView

CLOSE_S = 1.0
"""For how long a device may take to close, in seconds."""


class DevicePool:
    """The devices of a configuration.

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
        self.printers: tuple[DeviceWorker[Printer], ...] = tuple(
            DeviceWorker(address, open_printer, on_change) for address in devices.printers
        )
        self.displays: tuple[DeviceWorker[CustomerDisplay], ...] = tuple(
            DeviceWorker(address, open_display, on_change) for address in devices.displays
        )
        self.sounders: tuple[DeviceWorker[Sounder], ...] = tuple(
            DeviceWorker(address, open_sounder, on_change) for address in devices.sounders
        )

        self._plugs = PlugWatch(self._nudge)

    @property
    def kinds(self) -> dict[str, tuple[DeviceWorker[Any], ...]]:
        """Every device's worker, by the word for its kind on screens."""
        return {
            "reader": self.readers,
            "scanner": self.scanners,
            "printer": self.printers,
            "display": self.displays,
            "sounder": self.sounders,
        }

    @property
    def _all(self) -> tuple[DeviceWorker[Any], ...]:
        return tuple(worker for workers in self.kinds.values() for worker in workers)

    def worker(self, address: DeviceAddress) -> DeviceWorker[Any]:
        """Return a device's worker. Raises KeyError for a device that is not in the pool."""
        for worker in self._all:
            if worker.status.address == address:
                return worker
        raise KeyError(str(address))

    def start(self) -> None:
        """Begin to open every device."""
        for worker in self._all:
            worker.start()
        self._plugs.start()

    def close(self) -> None:
        """Close every device; a stuck one is left behind."""
        self._plugs.stop()
        for worker in self._all:
            worker.close()
        for worker in self._all:
            worker.join(CLOSE_S)

    def _nudge(self) -> None:
        for worker in self._all:
            worker.nudge()

    def views(self) -> tuple[DeviceView, ...]:
        """Return each device's line for the screen."""
        return tuple(_view(worker.status, kind) for kind, workers in self.kinds.items() for worker in workers)


def _view(status: DeviceStatus, kind: str) -> DeviceView:
    return DeviceView(str(status.address), kind, status.state.value, status.text, status.cure)
