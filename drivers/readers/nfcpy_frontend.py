"""Readers that nfcpy drives beside the PN532 on a serial port; scheme ``nfcpy``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        types A and B at 106 kbit/s with ISO/IEC 14443-4, in turns
several cards        partly     PN53x: told, and listed. RC-S380: two of type A, or one of each;
                                two of type B spoil each other's answer and are seen as none.
                                The udp link has one card
wait_for_removal     yes        looks again after the field was off; two misses are an empty field
transceive           yes        the same block protocol as `pn532`
describe             yes        as `pn532`
set_field            yes        but for the udp link, which has no field
self_test            PN53x      wire, ROM and RAM; the antenna's bits of a PN532 or ACR122U
info                 yes        model and firmware, as far as nfcpy tells them
discover             USB        by vendor and product; nothing where libusb can't be used
===================  =========  ================================================================

The target is a path as nfcpy writes them:

- ``nfcpy:usb`` (the first that is found), ``nfcpy:usb:054c:06c3`` (by vendor and product, such as Sony's
  RC-S380), ``nfcpy:usb:001:007`` (by bus and device)
- ``nfcpy:tty:USB0:arygon``, ``nfcpy:tty:USB0:pn532``: the name after /dev/tty, or after /dev such as
  ``serial/by-id/...``, and the driver. Without the driver both are tried, which disturbs whatever else may
  be behind the port.
- ``nfcpy:udp:127.0.0.1:54321``: nfcpy's own link to a simulated card. Each look may take up to a
  second, so a stop is heard that much later.

nfcpy's frontend is not used to open them: of what goes wrong it keeps an error number at best, and often
nothing. Whether a USB reader is claimed by the kernel is read from /sys.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nfc.clf.acr122  # type: ignore[import-untyped]
import nfc.clf.device  # type: ignore[import-untyped]
import nfc.clf.pn53x  # type: ignore[import-untyped]
import nfc.clf.rcs380  # type: ignore[import-untyped]
import nfc.clf.transport  # type: ignore[import-untyped]
import nfc.clf.udp  # type: ignore[import-untyped]
import usb1  # type: ignore[import-untyped]

from drivers.abilities import CardInField
from drivers.address import DeviceAddress
from drivers.errors import (
    DeviceError,
    DeviceUnavailableError,
    Reason,
    SeveralCardsError,
    TransmissionError,
)
from drivers.holder import cure
from drivers.protocols import DeviceInfo
from drivers.readers.nfcpy_reader import LINE, NfcpyReader, shut
from drivers.readers.pn53x_reader import Pn53xReader
from drivers.readers.pn532 import NoChipError, lock_port, reader_fault, wake

_USB = re.compile(r"usb(:[0-9A-Fa-f]{4}(:[0-9A-Fa-f]{4})?|:\d{1,3}(:\d{1,3})?)?")
# nfcpy hands the port to a shell (stty).
_TTY = re.compile(r"tty:([\w./+@-]+)(?::(pn532|arygon))?")
_UDP = re.compile(r"udp(?::([\w.-]*)(?::(\d{1,5}))?)?")
_SYNTAX = "write nfcpy:usb, nfcpy:usb:054c:06c3, nfcpy:tty:USB0:arygon or nfcpy:udp:127.0.0.1:54321"
_TTY_SHORT = re.compile(r"(S|ACM|AMA|USB)\d+")
_UDP_PORT = 54321

_SYSFS = Path("/sys/bus/usb/devices")
_KERNEL_NFC = ("pn533_usb", "pn533", "port100")
_USB_FILESYSTEM = "usbfs"
_NO_LIBUSB = "sudo apt-get install libusb-1.0-0"
_COLLISION = 0x08
_READ_VERSION = bytes.fromhex("FF00480000")


class _Found:
    """A device that was found and opened: nfcpy's object, and what names it."""

    def __init__(self, device: Any, place: str, *, lock: int = -1) -> None:
        self.device = device
        self.place = place
        self.lock = lock


class FrontendReader(NfcpyReader):
    """A reader that can no more than what every nfcpy device can."""

    def __init__(self, address: DeviceAddress) -> None:
        super().__init__(address)
        self._lock = -1
        self._place = ""

    def hold(self, found: _Found) -> None:
        """Take what was opened, and make it ready."""
        self._lock, self._place = found.lock, found.place
        self._device = found.device
        with self.using() as device:
            self._prepare(device)

    def _prepare(self, device: Any) -> None:
        """Nothing, but for some chips."""

    def info(self) -> DeviceInfo:
        """Ask the chip for its version; raises if it does not answer."""
        try:
            with self.using() as device:
                model, firmware = self._ask(device)
                product = f"{device.vendor_name or ''} {device.product_name or ''}".strip()
                chip = device.chipset_name
        except TransmissionError as error:
            raise self._broken() from error
        return DeviceInfo(
            name=f"{product or model} at {self._place}",
            model=model,
            firmware=firmware,
            details={"chip": chip, "cards": "ISO/IEC 14443 types A and B"},
        )

    def _ask(self, device: Any) -> tuple[str, str]:
        """Return model and firmware."""
        return device.chipset_name, ""

    def _unavailable(self, error: BaseException) -> DeviceUnavailableError:
        return _fault(self._address, self._place, error)

    def _end(self) -> None:
        super()._end()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


class Pn53xFrontend(Pn53xReader, FrontendReader):
    """A reader with a PN53x, such as an SCL3711 or, by nfcpy's way round its firmware, an ACR122U."""

    def _ask(self, device: Any) -> tuple[str, str]:
        if isinstance(device, nfc.clf.acr122.Device):
            told = bytes(device.chipset.ccid_xfr_block(bytearray(_READ_VERSION))).decode("ascii", "replace")
            return "ACR122U", told
        told = device.chipset.get_firmware_version()
        if len(told) == 2:  # A PN531 tells version and revision only.
            return "PN531", f"{told[0]}.{told[1]}"
        return f"PN5{told[0]:02x}", f"{told[1]}.{told[2]}"


class Rcs380Frontend(FrontendReader):
    """An RC-S380: nfcpy does ISO/IEC 14443-3, and forgets that two cards answered at once."""

    def __init__(self, address: DeviceAddress) -> None:
        super().__init__(address)
        self._collided = False

    def _prepare(self, device: Any) -> None:
        chipset = device.chipset
        communicate = chipset.in_comm_rf

        def watched(data: bytes, timeout: int) -> Any:
            try:
                return communicate(data, timeout)
            except nfc.clf.rcs380.CommunicationError as error:
                self._collided |= bool(error.errno & _COLLISION)
                raise

        chipset.in_comm_rf = watched

    def set_field(self, on: bool) -> None:
        """Switch the antenna's field; a card that was activated is lost when it goes off."""
        with self.using() as device:
            device.chipset.switch_rf("on" if on else "off")

    def cards_in_field(self) -> Sequence[CardInField]:
        """List every card; one that was activated is lost by it. Two of type A raise SeveralCardsError."""
        return self._listed()

    def _ask(self, device: Any) -> tuple[str, str]:
        minor, major = device.chipset.get_firmware_version()[:2]
        return (device.product_name or "RC-S380").partition("/")[0], f"{major:x}.{minor:02x}"

    def _targets(self, device: Any, technology: str) -> list[Any]:
        self._collided = False
        targets = super()._targets(device, technology)
        # Which cards they are is not known; that there are two is.
        return [None, None] if self._collided else targets

    def _next_card(self, device: Any, technology: str) -> CardInField | None:
        self._collided = False
        card = super()._next_card(device, technology)
        if self._collided:
            raise SeveralCardsError(f"{self._address}: several cards, that this reader can't tell apart")
        return card


class UdpFrontend(FrontendReader):
    """A simulated card at the other end of nfcpy's link."""


def _open_usb(address: DeviceAddress, path: str) -> tuple[_Found, type[FrontendReader]]:
    try:
        devices = nfc.clf.transport.USB.find(path)
    except (OSError, AttributeError, usb1.USBError) as error:
        raise DeviceUnavailableError(address, Reason.DRIVER_MISSING, _NO_LIBUSB) from error
    fault: DeviceUnavailableError | None = None
    for vendor, product, bus, number in devices:
        module = nfc.clf.device.usb_device_map.get((vendor, product))
        if module is None:
            continue
        place = f"usb:{int(bus):03d}:{int(number):03d}"
        try:
            driver = importlib.import_module(f"nfc.clf.{module}")
            return _Found(_started(driver, bus, number), place), _reader_class(module)
        except (*LINE, usb1.USBError) as error:
            fault = fault or _fault(address, place, error)
            fault.__cause__ = error
    raise fault or DeviceUnavailableError(address, Reason.NOT_FOUND, _attach_hint(address))


def _started(driver: Any, bus: int, number: int) -> Any:
    transport = nfc.clf.transport.USB(bus, number)
    try:
        return driver.init(transport)
    except BaseException as error:
        with contextlib.suppress(*LINE, usb1.USBError):
            transport.close()
        if isinstance(error, Exception) and not isinstance(error, (*LINE, usb1.USBError)):
            # It is there, but answers nonsense: nfcpy stumbles over it in a dozen ways.
            raise OSError(errno.ETIMEDOUT, "no sensible answer") from error
        raise


def _reader_class(module: str) -> type[FrontendReader]:
    return Rcs380Frontend if module == "rcs380" else Pn53xFrontend


def _open_tty(address: DeviceAddress, path: str) -> tuple[_Found, type[FrontendReader]]:
    match = _TTY.fullmatch(path)
    if match is None:
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, _SYNTAX)
    name, driver = match.groups()
    port = f"/dev/tty{name}" if _TTY_SHORT.fullmatch(name) else f"/dev/{name}"
    lock = -1
    try:
        lock = lock_port(port)
        return _Found(_device_at(port, driver), port, lock=lock), Pn53xFrontend
    except Exception as error:
        if lock >= 0:
            os.close(lock)
        if isinstance(error, LINE):
            raise reader_fault(address, port, error) from error
        raise reader_fault(address, port, NoChipError(errno.ENODEV, "no sensible answer")) from error


def _device_at(port: str, driver: str | None) -> Any:
    if driver != "pn532":
        module = importlib.import_module("nfc.clf.arygon")
        transport = nfc.clf.transport.TTY(port)
        try:
            return module.init(transport)
        except Exception:
            shut(transport)
            if driver:
                raise
    return wake(port)


def _open_udp(address: DeviceAddress, path: str) -> tuple[_Found, type[FrontendReader]]:
    match = _UDP.fullmatch(path)
    if match is None:
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, _SYNTAX)
    host, port = match.group(1) or "localhost", int(match.group(2) or _UDP_PORT)
    try:
        return _Found(nfc.clf.udp.init(host, port), f"udp:{host}:{port}"), UdpFrontend
    except (OSError, OverflowError) as error:
        hint = f"getent hosts {host}"
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint) from error


def _fault(address: DeviceAddress, place: str, error: BaseException) -> DeviceUnavailableError:
    """Say why a device can't be used. `place` is where it was found, as nfcpy writes it."""
    if place.startswith("/"):
        return reader_fault(address, place, error)
    number = getattr(error, "errno", None)
    if number == errno.EACCES or isinstance(error, usb1.USBErrorAccess):
        hint = "make install-udev, then unplug the reader and plug it in again"
        return DeviceUnavailableError(address, Reason.NO_PERMISSION, hint)
    if number == errno.EBUSY or isinstance(error, usb1.USBErrorBusy):
        return DeviceUnavailableError(address, Reason.BUSY, _busy_hint(place))
    if number in (errno.ENODEV, errno.ENOENT) or isinstance(error, usb1.USBErrorNoDevice):
        return DeviceUnavailableError(address, Reason.NOT_FOUND, "attach the reader, then: lsusb")
    return DeviceUnavailableError(address, Reason.STUCK, "unplug the reader and plug it in again")


def _busy_hint(place: str) -> str:
    """Name who holds a USB device: a module of the kernel, or a program."""
    _, bus, number = place.split(":")
    driver = _kernel_driver(int(bus), int(number))
    if driver in _KERNEL_NFC:
        return f"sudo modprobe -r {driver}; make install-udev keeps it away for good"
    if driver and driver != _USB_FILESYSTEM:
        return f"the kernel's driver {driver} holds it: sudo modprobe -r {driver}"
    return f"{cure(f'/dev/bus/usb/{bus}/{number}')}; if it is pcscd, use the reader as pcsc:"


def _kernel_driver(bus: int, number: int) -> str:
    """Return which driver has claimed the first interface of a USB device; empty if none, or not known."""
    try:
        for device in _SYSFS.iterdir():
            with contextlib.suppress(OSError, ValueError):
                found = int((device / "busnum").read_text()), int((device / "devnum").read_text())
                if found == (bus, number):
                    driver = _SYSFS / f"{device.name}:1.0" / "driver"
                    return driver.resolve().name if driver.exists() else ""
    except OSError:
        return ""
    return ""


def _attach_hint(address: DeviceAddress) -> str:
    there = " or ".join(map(str, discover()))
    kind = re.fullmatch(r"usb:([0-9A-Fa-f]{4}:[0-9A-Fa-f]{4})", address.target)
    look = f"attach the reader, then: lsusb{f' -d {kind[1].lower()}' if kind else ''}"
    return f"{look}; or write what is attached now: {there}" if there else look


_OPENERS: dict[str, Callable[[DeviceAddress, str], tuple[_Found, type[FrontendReader]]]] = {
    "usb": _open_usb,
    "tty": _open_tty,
    "udp": _open_udp,
}


def open(address: DeviceAddress) -> FrontendReader:
    """Open a reader by nfcpy's path."""
    path = address.target
    opener = _OPENERS.get(path.partition(":")[0])
    if opener is None or (opener is _open_usb and not _USB.fullmatch(path)):
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, _SYNTAX)
    found, kind = opener(address, path)
    reader = kind(address)
    try:
        reader.hold(found)
    except DeviceError:
        reader.close()
        raise
    return reader


def discover() -> Sequence[DeviceAddress]:
    """Return the USB readers that nfcpy knows; two of one kind by bus and device."""
    try:
        devices = nfc.clf.transport.USB.find("usb") or ()
    except (OSError, AttributeError, usb1.USBError):
        return ()
    known = [device for device in devices if device[:2] in nfc.clf.device.usb_device_map]
    times = Counter(device[:2] for device in known)
    return tuple(
        DeviceAddress(
            "nfcpy",
            f"usb:{vendor:04x}:{product:04x}"
            if times[vendor, product] == 1
            else f"usb:{int(bus):03d}:{int(number):03d}",
        )
        for vendor, product, bus, number in known
    )
