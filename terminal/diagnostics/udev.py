"""Why a device can't be opened: the missing udev rule or group, or the kernel module that claims it.

Looked at is what the kernel and udev tell in files, below a root that a test can put elsewhere: the USB
devices in /sys, the device files in /dev and their groups, and where rules are installed.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop

AREA = "udev"
RULES_FILE = "70-tillside.rules"
_RULES_PLACES = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
_INSTALL = "make install-udev, in the project's folder; then plug the device in again"
_NFC_MODULES = ("pn533_usb", "pn533", "nfc")
_UNLOAD = "sudo modprobe -r pn533_usb pn533 nfc; and for good: make install-udev"

# What the rules name, by USB vendor: the products (none: all of them), and what they are.
_READERS = {
    "04cc": (("0531", "2533"), "NFC reader (PN531, PN533)"),
    "054c": (("0193", "02e1", "06c1", "06c3"), "NFC reader (Sony)"),
    "04e6": (("5591", "5593"), "NFC reader (SCL3711)"),
    "1fd3": (("0608",), "NFC reader (ASK LoGO)"),
    "072f": (("2200", "90cc", "223b", "223e"), "NFC reader (ACS)"),
}
_CCID_CLASS, _PRINTER_CLASS = "0b", "07"
# What a terminal that runs as a service has to be in: the group of each place in the rules.
_GROUPS = {
    "dev/bus/usb": "plugdev",
    "dev/ttyUSB": "dialout",
    "dev/ttyACM": "dialout",
    "dev/video": "video",
    "dev/input": "input",
    "dev/usb/lp": "lp",
    "dev/snd": "audio",
}


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device on USB, as /sys tells. `claimed_by` are the kernel's drivers of its interfaces."""

    identity: str
    name: str
    serial_number: str
    classes: tuple[str, ...]
    claimed_by: tuple[str, ...]
    node: Path

    @property
    def what(self) -> str:
        """What it is to a terminal: reader, printer, or empty."""
        vendor, _, product = self.identity.partition(":")
        products, words = _READERS.get(vendor, ((), ""))
        if product in products:
            return words
        if _CCID_CLASS in self.classes:
            return "smart card reader (CCID)"
        return "receipt printer" if _PRINTER_CLASS in self.classes else ""


async def probe(workshop: Workshop, *, root: Path = Path("/")) -> AsyncIterator[Finding]:
    """Yield what stands between this user and the devices: rules, USB devices, and configured device files.

    Args:
        workshop: Whose devices.
        root: Where /sys, /dev and /etc are.
    """
    installed = rules_file(root)
    devices = [device for device in usb_devices(root) if device.what]
    paths = _configured_paths(workshop)
    if installed:
        yield Finding(AREA, "rules", Mark.OK, f"{RULES_FILE} is in /{installed.parent.relative_to(root)}")
    elif devices or paths:
        yield Finding(AREA, "rules", Mark.WARNING, f"{RULES_FILE} is not installed", _INSTALL)
    else:
        text = f"{RULES_FILE} is not installed, and no device is attached that needs it"
        yield Finding(AREA, "rules", Mark.NOTE, text, _INSTALL)
    for device in devices:
        yield _usb(device, root)
    for path in paths:
        yield explain(path, root=root)


def explain(device: str, *, root: Path = Path("/")) -> Finding:
    """Say what keeps this user from a device file (``/dev/ttyUSB0``) or a USB device (``072f:2200``)."""
    if not device.startswith("/"):
        found = next((one for one in usb_devices(root) if one.identity == device.lower()), None)
        if found is None:
            cure = "plug it in, at another socket or with another cable; lsusb lists what is there"
            return Finding(AREA, device, Mark.FAULT, "not attached on USB", cure)
        return _usb(found, root)
    path = root / device.lstrip("/")
    if not path.exists():
        return Finding(AREA, device, Mark.FAULT, "there is no such device file", _absent(device, root))
    if trouble := _no_access(path, device, root):
        return Finding(AREA, device, Mark.FAULT, *trouble)
    return Finding(AREA, device, Mark.OK, "can be opened by this user")


def usb_devices(root: Path = Path("/")) -> tuple[UsbDevice, ...]:
    """Return what is attached on USB; nothing where the kernel has none."""
    try:
        folders = sorted((root / "sys/bus/usb/devices").iterdir())
    except OSError:
        return ()
    return tuple(device for folder in folders if (device := _usb_device(folder, root)) is not None)


def rules_file(root: Path = Path("/")) -> Path | None:
    """Return where our rules are installed, or None."""
    places = (root / place / RULES_FILE for place in _RULES_PLACES)
    return next((file for file in places if file.is_file()), None)


def loaded_nfc_modules(root: Path = Path("/")) -> tuple[str, ...] | None:
    """Return which of the kernel's NFC modules are loaded; None where that can't be known."""
    try:
        lines = (root / "proc/modules").read_text().splitlines()
    except OSError:
        return None
    loaded = {line.split()[0] for line in lines if line}
    return tuple(name for name in _NFC_MODULES if name in loaded)


def _usb_device(folder: Path, root: Path) -> UsbDevice | None:
    vendor, product = _line(folder / "idVendor"), _line(folder / "idProduct")
    if not vendor:
        return None  # an interface, or a bus
    interfaces = sorted(folder.glob(f"{folder.name}:*"))
    drivers = (interface / "driver" for interface in interfaces)
    bus, number = _line(folder / "busnum"), _line(folder / "devnum")
    return UsbDevice(
        identity=f"{vendor}:{product}".lower(),
        name=" ".join(part for part in (_line(folder / "manufacturer"), _line(folder / "product")) if part),
        serial_number=_line(folder / "serial"),
        classes=tuple(_line(interface / "bInterfaceClass") for interface in interfaces),
        claimed_by=tuple(driver.resolve().name for driver in drivers if driver.exists()),
        node=root / f"dev/bus/usb/{bus:0>3}/{number:0>3}",
    )


def _line(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _usb(device: UsbDevice, root: Path) -> Finding:
    name = f"{device.what or 'USB device'} {device.identity}"
    details = {
        "name": device.name,
        "serial number": device.serial_number,
        "claimed by": ", ".join(device.claimed_by),
        "path": f"/{device.node.relative_to(root)}",
    }
    details = {key: value for key, value in details.items() if value}
    if taken := [module for module in device.claimed_by if module in _NFC_MODULES]:
        text = f"the kernel's own driver {taken[0]} has it: neither pcscd nor nfcpy can open it"
        return Finding(AREA, name, Mark.FAULT, text, _UNLOAD, details=details)
    shown = f"/{device.node.relative_to(root)}"
    if device.node.exists() and (trouble := _no_access(device.node, shown, root)):
        if device.what.startswith("smart card reader"):
            # pcscd opens it, as its own user; the terminal itself needs no access.
            text = "this user can't open it itself; pcscd can"
            return Finding(AREA, name, Mark.NOTE, text, details=details)
        return Finding(AREA, name, Mark.FAULT, *trouble, details=details)
    return Finding(AREA, name, Mark.OK, device.name or "attached", details=details)


def _no_access(path: Path, shown: str, root: Path) -> tuple[str, str] | None:
    """Return text and cure where this user may not read and write a device file."""
    if os.access(path, os.R_OK | os.W_OK):
        return None
    group = _group_of(path)
    wanted = _expected_group(shown)
    user = _user()
    text = f"{user} may not open it (it is for group {group})"
    if rules_file(root) is None:
        return f"{text}, and {RULES_FILE} is not installed", _INSTALL
    if group == wanted:
        return (
            f"{text}, and {user} is neither in that group nor logged in at this machine",
            f"sudo usermod -aG {group} {user}; then log out and in again",
        )
    return (
        f"{text}; no line of {RULES_FILE} is for it",
        f"sudo usermod -aG {group} {user}, or a line for it in /etc/udev/rules.d; then log out and in again",
    )


def _absent(device: str, root: Path) -> str:
    loaded = loaded_nfc_modules(root)
    if loaded and device.startswith(("/dev/bus/usb", "/dev/nfc")):
        return _UNLOAD
    stem = device.rstrip("0123456789")
    others = sorted(f"/{path.relative_to(root)}" for path in root.glob(f"{stem.lstrip('/')}*"))
    if others and stem != device:
        return f"plug it in; attached of its kind: {', '.join(others)}"
    return "plug it in; dmesg | tail shows what the kernel saw of it"


def _group_of(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (KeyError, OSError):
        return "unknown"


def _expected_group(shown: str) -> str:
    return next((group for place, group in _GROUPS.items() if shown.lstrip("/").startswith(place)), "plugdev")


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _configured_paths(workshop: Workshop) -> Iterator[str] | list[str]:
    """Return the device files that the workshop's devices are at."""
    targets = (
        worker.status.address.target.partition("#")[0]
        for workers in workshop.pool.kinds.values()
        for worker in workers
    )
    return list(dict.fromkeys(target for target in targets if target.startswith("/dev/")))
