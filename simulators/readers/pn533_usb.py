"""A PN533 on USB, as in an SCM SCL3711: `Pn53xChip` behind nfcpy's USB transport.

There is no USB here: this stands where nfcpy's `transport.USB` would, takes and gives the bytes of its
bulk transfers, and nfcpy's real PN533 driver runs on it. What libusb and the kernel do (finding,
claiming, permissions) is not simulated. `attached` puts it in the place of nfcpy's class for a while.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from simulators.readers.field import Field
from simulators.readers.pn53x_chip import PN533_FIRMWARE, Pn53xChip

_BUS, _DEVICE = 1, 7


class HearsFrames(Protocol):
    """A chip: bytes of the host in, frames for the host out."""

    def hear(self, data: bytes) -> Iterator[bytes]: ...


class UsbWire:
    """Stands in for nfcpy's USB transport, with a simulated chip at its other end.

    A frame that is not there at once never comes: the chip works while it is read from.
    """

    TYPE = "USB"

    def __init__(self, chip: HearsFrames, manufacturer: str, product: str) -> None:
        self._chip = chip
        self._frames: Iterator[bytes] = iter(())
        self._plugged_in = True
        self.manufacturer_name = manufacturer
        self.product_name = product

    def write(self, frame: bytes, timeout: int = 0) -> None:
        """Give a frame to the chip; it drops what it was doing."""
        self._check()
        self._frames = self._chip.hear(bytes(frame))

    def read(self, timeout: int = 0) -> bytearray:
        """Return the chip's next frame."""
        self._check()
        for frame in self._frames:
            self._check()
            return bytearray(frame)
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def close(self) -> None:
        """Nothing is held."""

    def unplug(self) -> None:
        """From now on every transfer says that the device is gone."""
        self._plugged_in = False

    def _check(self) -> None:
        if not self._plugged_in:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


PN533_IDS = (0x04E6, 0x5591)
"""Vendor and product of an SCL3711."""


def pn533(field: Field) -> UsbWire:
    """Return a PN533 with this field, freshly plugged in."""
    chip = Pn53xChip(field, firmware=PN533_FIRMWARE, status_first=True)
    return UsbWire(chip, "SCM Micro", "SCL3711-NFC&RW")


@contextmanager
def attached(transport: Any, ids: tuple[int, int], plug_in: Callable[[], UsbWire]) -> Iterator[list[UsbWire]]:
    """Have nfcpy find one USB device, and open it by `plug_in`; yield what has been opened so far.

    Args:
        transport: nfcpy's module `nfc.clf.transport`.
        ids: Vendor and product.
        plug_in: Makes the device that an opening finds.
    """
    vendor, product = ids
    opened: list[UsbWire] = []

    class Bus:
        """nfcpy's transport class: `find` lists devices, a call opens one."""

        TYPE = "USB"

        @staticmethod
        def find(path: str) -> list[tuple[int, int, int, int]] | None:
            wanted = path.lower().split(":")
            names = (["usb"], ["usb", f"{vendor:04x}"], ["usb", f"{vendor:04x}", f"{product:04x}"])
            places = (["usb", f"{_BUS:03d}"], ["usb", f"{_BUS:03d}", f"{_DEVICE:03d}"])
            if wanted[0] != "usb":
                return None
            return [(vendor, product, _BUS, _DEVICE)] if wanted in (*names, *places) else []

        def __new__(cls, bus: int, device: int) -> Any:
            opened.append(plug_in())
            return opened[-1]

    real, transport.USB = transport.USB, Bus
    try:
        yield opened
    finally:
        transport.USB = real
