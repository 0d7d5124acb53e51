"""Finds drivers through entry points: built-ins, simulators and outsiders use the same way in.

The group is ``tillside.<category>``, the entry point's name is the scheme, its value the driver
module. A driver is imported when it is first asked for, so a missing library breaks that driver
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import (
    Category,
    CodeScanner,
    ContactlessReader,
    CustomerDisplay,
    Driver,
    Printer,
    Sounder,
)

# What installs the library that a driver failed to import: Python package by import name.
_PACKAGES = {
    "smartcard": "pip install pyscard",
    "nfc": "pip install nfcpy",
    "cv2": "pip install opencv-python",
    "zxingcpp": "pip install zxing-cpp",
    "serial": "pip install pyserial",
    "pyzbar": "pip install pyzbar",
    "escpos": "pip install python-escpos[usb]",
    "evdev": "pip install evdev",
    "miniaudio": "pip install miniaudio",
    "usb1": "pip install libusb1",
}
# The same for a shared library that a Python package could not load, by a word of the message.
_SHARED_LIBRARIES = {
    "zbar": "sudo apt-get install libzbar0",
    "libGL": "sudo apt-get install libgl1",
    "libgthread": "sudo apt-get install libglib2.0-0",
    "libpcsclite": "sudo apt-get install libpcsclite1",
    "libusb": "sudo apt-get install libusb-1.0-0",
}


_WORDS = {
    Category.CONTACTLESS_READER: "reader",
    Category.CODE_SCANNER: "scanner",
    Category.PRINTER: "printer",
    Category.CUSTOMER_DISPLAY: "display",
    Category.SOUNDER: "sounder",
}
_ACS, _EPSON = "an ACS reader is pcsc:ACS ACR122U", "a receipt printer is escpos:192.0.2.7 or escpos:usb"
_CAMERA = "a camera is camera:0 or camera:http://HOST/"
# What people write who know the device and not its driver.
_WELL_KNOWN = {
    Category.CONTACTLESS_READER: {
        "acr": _ACS,
        "acs": _ACS,
        "acr122": _ACS,
        "acr122u": _ACS,
        "acr1252u": _ACS,
    },
    Category.CODE_SCANNER: {"webcam": _CAMERA, "video": _CAMERA, "http": _CAMERA, "rtsp": _CAMERA},
    Category.PRINTER: {"epson": _EPSON, "esc": _EPSON, "usb": _EPSON, "tcp": _EPSON, "lp": _EPSON},
}


class RegistryError(Exception):
    """The installed distributions contradict each other about a scheme."""


@dataclass(frozen=True, slots=True)
class DriverEntry:
    """One driver as it was found: its scheme and the distribution that brought it."""

    category: Category
    scheme: str
    distribution: str
    entry_point: EntryPoint

    def load(self, address: DeviceAddress) -> Driver[Any]:
        """Import the driver; a library that it lacks becomes DRIVER_MISSING with the cure."""
        try:
            driver: Driver[Any] = self.entry_point.load()
        except ImportError as error:
            raise DeviceUnavailableError(address, Reason.DRIVER_MISSING, _cure(error)) from error
        return driver


def _cure(error: ImportError) -> str:
    for word, command in _SHARED_LIBRARIES.items():
        if word in str(error):
            return command
    root = (error.name or "").partition(".")[0]
    return _PACKAGES.get(root, f"pip install {root}" if root else str(error))


def drivers(category: Category) -> Mapping[str, DriverEntry]:
    """Return the drivers of a category by scheme. Two distributions for one scheme is an error."""
    found: dict[str, DriverEntry] = {}
    for point in entry_points(group=f"tillside.{category.value}"):
        distribution = point.dist.name if point.dist else "unknown"
        earlier = found.get(point.name)
        if earlier is not None and earlier.entry_point.value != point.value:
            raise RegistryError(
                f"two drivers for {point.name}: {earlier.distribution} and {distribution}; uninstall one"
            )
        found[point.name] = DriverEntry(category, point.name, distribution, point)
    return found


def _open(category: Category, address: DeviceAddress) -> Any:
    known = drivers(category)
    if address.scheme not in known:
        raise DeviceUnavailableError(
            address, Reason.WRONG_ADDRESS, _no_driver(category, address.scheme, known)
        )
    return known[address.scheme].load(address).open(address)


def _no_driver(category: Category, scheme: str, known: Iterable[str]) -> str:
    """Say that there is no such driver, what was meant most likely, and what there is."""
    names = sorted(name for name in known if name != "sim")
    others = [word for other, word in _WORDS.items() if other is not category and scheme in drivers(other)]
    near = get_close_matches(scheme, names, n=1)
    if others:
        guess = f"{scheme}: is of a {' or '.join(others)}"
    elif scheme in _WELL_KNOWN.get(category, {}):
        guess = _WELL_KNOWN[category][scheme]
    elif near:
        guess = f"did you mean {near[0]}"
    else:
        guess = "install the distribution that brings it"
    return f"no {_WORDS[category]} driver is called {scheme}; {guess}; there are: {', '.join(names)}"


def open_reader(address: DeviceAddress) -> ContactlessReader:
    """Open a contactless reader. Raises DeviceUnavailableError."""
    reader: ContactlessReader = _open(Category.CONTACTLESS_READER, address)
    return reader


def open_scanner(address: DeviceAddress) -> CodeScanner:
    """Open a code scanner. Raises DeviceUnavailableError."""
    scanner: CodeScanner = _open(Category.CODE_SCANNER, address)
    return scanner


def open_printer(address: DeviceAddress) -> Printer:
    """Open a printer. Raises DeviceUnavailableError."""
    printer: Printer = _open(Category.PRINTER, address)
    return printer


def open_display(address: DeviceAddress) -> CustomerDisplay:
    """Open a customer display. Raises DeviceUnavailableError."""
    display: CustomerDisplay = _open(Category.CUSTOMER_DISPLAY, address)
    return display


def open_sounder(address: DeviceAddress) -> Sounder:
    """Open a sounder. Raises DeviceUnavailableError."""
    sounder: Sounder = _open(Category.SOUNDER, address)
    return sounder
