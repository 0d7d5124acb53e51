"""Which keyboards are attached, as sysfs tells everyone: no permission is needed to look."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/class/input")
DEV = Path("/dev/input")
# Enter, the ten digits and A: what types text has them all; power buttons and mice have not.
_TEXT_KEYS = (28, *range(2, 12), 30)
_WORD_BITS = 8 * struct.calcsize("l")
_WORDS = ("scanner", "barcode", "bar code", "qr code")
_MAKERS = ("0536", "0c2e", "05e0", "05f9", "065a", "1eab")
"""USB vendors that make scanners: Honeywell (two), Zebra (Symbol), Datalogic, Opticon, Newland."""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """An attached keyboard, or what says it is one."""

    device: Path
    name: str
    target: str
    """The name that lasts where it has one, else the device."""
    seems_scanner: bool

    @property
    def address(self) -> str:
        """The device address that names this one alone."""
        return f"keyboard-scanner:{self.target}"


def is_keyboard(keys: Collection[int]) -> bool:
    """Tell by its keys whether a device types text."""
    return all(key in keys for key in _TEXT_KEYS)


def attached(sysfs: Path | None = None, dev: Path | None = None) -> Sequence[Keyboard]:
    """Return the attached keyboards, in the order of their numbers."""
    sysfs, dev = sysfs or SYSFS, dev or DEV
    links = {link.resolve().name: str(link) for link in sorted((dev / "by-id").glob("*"), reverse=True)}
    found = []
    for node in sorted(sysfs.glob("event*"), key=lambda node: (len(node.name), node.name)):
        if is_keyboard(_keys(_read(node / "device/capabilities/key"))):
            name = _read(node / "device/name")
            maker = _read(node / "device/id/vendor")
            seems_scanner = maker in _MAKERS or any(word in name.casefold() for word in _WORDS)
            device = dev / node.name
            found.append(Keyboard(device, name, links.get(node.name, str(device)), seems_scanner))
    return found


def _keys(bitmap: str) -> Collection[int]:
    """Return the numbers of the bits in words of hexadecimal, the highest word first."""
    bits = 0
    for word in bitmap.split():
        bits = bits << _WORD_BITS | int(word, 16)
    return [key for key in range(bits.bit_length()) if bits >> key & 1]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
