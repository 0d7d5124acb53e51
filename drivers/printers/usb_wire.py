"""The line to a printer on USB, by libusb: interface class 7, one endpoint out and mostly one in.

The kernel's own driver is left where it is: a printer that it has is at ``/dev/usb/lp0``, and another
program may be printing there.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.holder import cure
from drivers.printers.wire import STALL_S
from drivers.protocols import MAX_WAIT_S

PRINTER_CLASS = 7
_PACKET_BYTES = 64
_NO_LIBRARY = "sudo apt-get install libusb-1.0-0"


@dataclass(frozen=True, slots=True)
class UsbPrinter:
    """A printer that is plugged in."""

    device: Any
    interface: Any

    @property
    def target(self) -> str:
        """The target of its address, such as ``usb:04b8:0202``."""
        return f"usb:{self.device.idVendor:04x}:{self.device.idProduct:04x}"

    def text(self, index: str) -> str:
        """Return one of its texts, such as *product*; empty if it has none or may not be asked."""
        try:
            return str(getattr(self.device, index) or "").strip("\0 ")
        # The library raises ValueError where the languages can't be read, without permission above all.
        except (usb.core.USBError, ValueError, NotImplementedError):
            return ""


def attached() -> Sequence[UsbPrinter]:
    """Return the printers that are plugged in; none where that can't be known."""
    try:
        return tuple(_attached())
    except (usb.core.NoBackendError, usb.core.USBError):
        return ()


def _attached() -> Iterator[UsbPrinter]:
    for device in usb.core.find(find_all=True):
        interface = _interface(device)
        if interface is not None:
            yield UsbPrinter(device, interface)


def _interface(device: Any) -> Any:
    try:
        for configuration in device:
            for interface in configuration:
                if interface.bInterfaceClass == PRINTER_CLASS:
                    return interface
    except usb.core.USBError:
        # A device that has just gone, or is asleep, has no say in what others are.
        return None
    return None


class UsbWire:
    """An open printer on USB."""

    def __init__(self, address: DeviceAddress, printer: UsbPrinter) -> None:
        self._address = address
        self._printer = printer
        self._out = _endpoint(printer.interface, usb.util.ENDPOINT_OUT)
        self._in = _endpoint(printer.interface, usb.util.ENDPOINT_IN)

    @property
    def name(self) -> str:
        return self._printer.text("product") or self._printer.target

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + STALL_S
        while data:
            part = data[:_PACKET_BYTES]
            try:
                taken = self._out.write(part, int(MAX_WAIT_S * 1000))
            except usb.core.USBTimeoutError as error:
                taken = 0
                if time.monotonic() > deadline:
                    raise DeviceUnavailableError(
                        self._address,
                        Reason.STUCK,
                        "look for paper, an open cover or a red light on the printer",
                    ) from error
            except usb.core.USBError as error:
                raise self._gone() from error
            data = data[taken:]
            if taken:
                deadline = time.monotonic() + STALL_S

    def read(self, timeout_s: float) -> bytes:
        if self._in is None:
            return b""
        # Zero would mean to wait for ever.
        wait_ms = max(1, int(min(timeout_s, MAX_WAIT_S) * 1000))
        try:
            return bytes(self._in.read(self._in.wMaxPacketSize, wait_ms))
        except usb.core.USBTimeoutError:
            return b""
        except usb.core.USBError as error:
            raise self._gone() from error

    def close(self) -> None:
        usb.util.dispose_resources(self._printer.device)

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address, Reason.NOT_FOUND, "plug the printer in again and switch it on: lsusb"
        )


def _endpoint(interface: Any, direction: int) -> Any:
    return usb.util.find_descriptor(
        interface,
        custom_match=lambda end: (
            usb.util.endpoint_direction(end.bEndpointAddress) == direction
            and usb.util.endpoint_type(end.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
        ),
    )


def open_usb(address: DeviceAddress, target: str) -> tuple[UsbWire, UsbPrinter]:
    """Open the printer ``usb:04b8:0202``, or the first for ``usb``."""
    try:
        printers = list(_attached())
    except usb.core.NoBackendError as error:
        raise DeviceUnavailableError(address, Reason.DRIVER_MISSING, _NO_LIBRARY) from error
    except usb.core.USBError as error:
        raise _error(address, error) from error
    printer = next((one for one in printers if target in ("usb", one.target)), None)
    if printer is None:
        seen = ", ".join(f"escpos:{one.target}" for one in printers)
        hint = f"printers here are {seen}" if seen else "plug the printer in and switch it on: lsusb"
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint)
    number = printer.interface.bInterfaceNumber
    try:
        if _is_the_kernels(printer.device, number):
            raise DeviceUnavailableError(
                address,
                Reason.BUSY,
                "the kernel's usblp has it: write escpos:/dev/usb/lp0, or: sudo modprobe -r usblp",
            )
        usb.util.claim_interface(printer.device, number)
        wire = UsbWire(address, printer)
    except usb.core.USBError as error:
        place = f"/dev/bus/usb/{printer.device.bus or 0:03d}/{printer.device.address or 0:03d}"
        raise _error(address, error, place) from error
    if wire._out is None:
        wire.close()
        raise DeviceUnavailableError(address, Reason.WRONG_DEVICE, "this is no receipt printer: lsusb -v")
    return wire, printer


def _is_the_kernels(device: Any, number: int) -> bool:
    try:
        return bool(device.is_kernel_driver_active(number))
    except NotImplementedError:
        return False


def _error(
    address: DeviceAddress, error: usb.core.USBError, place: str = "/dev/bus/usb/*/*"
) -> DeviceUnavailableError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "make install-udev, then plug the printer in again"
        )
    if error.errno == errno.EBUSY:
        hint = f"{cure(place)}; or, if it is the kernel: sudo modprobe -r usblp"
        return DeviceUnavailableError(address, Reason.BUSY, hint)
    return DeviceUnavailableError(
        address, Reason.NOT_FOUND, "plug the printer in again and switch it on: lsusb"
    )
