"""The ``keyboard-scanner:`` driver: a code scanner that types, taken from the keyboard for itself alone.

| function | supported | remarks |
| --- | --- | --- |
| USB scanners as keyboards | Linux | ``keyboard-scanner:/dev/input/by-id/...``, or part of its name |
| exclusive grab | yes | its keys reach no other program; given back by `close` and when the process ends |
| layouts | us, de, fr | ``#layout=de``: the country that the scanner is set up for |
| Alt and keypad numbers | ASCII | see `drivers.scanners.key_events` |
| line ends | Enter, Tab | a line without one is never a code |
| symbology identifiers, GS1 | yes | GS as Ctrl and ], see `drivers.scanners.scanned_line` |
| finding scanners | by name | those that call themselves scanners, and known makers of scanners |

A keyboard that a person types on is no scanner: an address that fits several keyboards is refused, and
one that is typed on slowly is let go (its first few keys are lost), in a sale or at the next `info`. It
is taken again at the first line that only a scanner types so fast.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import evdev

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.gate import Gate
from drivers.holder import cure
from drivers.options import Options
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo
from drivers.scanners import keyboards
from drivers.scanners.key_events import EVENT, NOT_TEXT, KeyReader
from drivers.scanners.keyboard_layouts import LAYOUTS
from drivers.scanners.line_assembler import MAX_LINE_BYTES
from drivers.scanners.scanned_line import read_text

_OPTIONS = {"layout": "us"}
_READ_BYTES = 64 * EVENT.size


class KeyboardScanner:
    """A scanner that types, on an open input device.

    Args:
        address: The whole address.
        device: The input device, grabbed.
        layout: The name of the layout that it types for.
    """

    def __init__(self, address: DeviceAddress, device: evdev.InputDevice[str], layout: str) -> None:
        self._address = address
        self._device = device
        self._layout = layout
        self._keys = KeyReader(LAYOUTS[layout])
        self._grabbed = True
        self._gate = Gate(address, self._end)

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return what the device says of itself, and whether its keys are kept from other programs.

        What was typed before is dropped, once it has told whether a person types.
        """
        if not os.path.exists(self._device.path):
            raise self._gone()
        self._drop_old()
        given = self._device.info
        details = {
            "device": str(self._device.path),
            "usb": f"{given.vendor:04x}:{given.product:04x} release {given.version:04x}",
            "layout": self._layout,
            "grab": "exclusive" if self._grabbed else "let go: a person types on it",
        }
        return DeviceInfo(
            self._device.name, serial_number=self._device.uniq, details=details, model=self._device.name
        )

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for the next line; None on time-out or stop.

        What was typed before this call is dropped. Raises TransmissionError for a line that is no text;
        the next call goes on after it.
        """
        deadline = time.monotonic() + timeout_s
        self._drop_old()
        while not stop.is_set():
            left_s = deadline - time.monotonic()
            lines = self._read(max(0.0, min(MAX_WAIT_S, left_s)))
            if lines:
                return self._code(lines[0])
            if left_s <= 0:
                break
        return None

    def close(self) -> None:
        """Give the keyboard back to everyone, and close it."""
        self._gate.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._device.ungrab()
        self._device.close()

    def _drop_old(self) -> None:
        while self._read(0.0) is not None:
            pass

    def _code(self, line: str) -> Code:
        if len(line) > MAX_LINE_BYTES:
            raise TransmissionError(f"the scanner typed more than {MAX_LINE_BYTES} keys without Enter")
        if NOT_TEXT in line:
            raise TransmissionError(
                f"the scanner typed a key that layout {self._layout} has no character for: "
                "set its country to USA, and its output to ASCII"
            )
        return read_text(line)

    def _read(self, timeout_s: float) -> list[str] | None:
        """Return the lines that were completed, and None where nothing came in this time."""
        try:
            with self._gate.use():
                if not select.select([self._device.fd], [], [], timeout_s)[0]:
                    return None
                raw = os.read(self._device.fd, _READ_BYTES)
                lines = self._keys.feed(raw)
                self._hold_or_let_go()
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._gone() from error
        if not raw:
            raise self._gone()
        return lines

    def _hold_or_let_go(self) -> None:
        if self._grabbed == self._keys.typed_by_hand:
            if self._grabbed:
                self._device.ungrab()
            else:
                self._device.grab()
            self._grabbed = not self._grabbed

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address, Reason.NOT_FOUND, f"plug the scanner in again; {_attached()}"
        )


def _attached() -> str:
    found = ", ".join(f"{known.address} ({known.name})" for known in keyboards.attached())
    return f"keyboards attached now: {found or 'none'}"


def _find(address: DeviceAddress, target: str) -> Path:
    """Return the one input device that a target names."""
    if target.startswith("/"):
        if not os.path.exists(target):
            hint = f"plug the scanner in; {_attached()}"
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint)
        return Path(target)
    fitting = [known for known in keyboards.attached() if target.casefold() in known.name.casefold()]
    if not target or not fitting:
        hint = f"plug the scanner in, and write its path or part of its name; {_attached()}"
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint)
    if len(fitting) > 1:
        hint = "more than one is called so, write " + " or ".join(known.address for known in fitting)
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, hint)
    return fitting[0].device


def open(address: DeviceAddress) -> KeyboardScanner:
    """Open and grab the one keyboard that fits. Raises DeviceUnavailableError with reason and cure."""
    options = Options(address, _OPTIONS)
    layout = options.choice("layout", tuple(LAYOUTS), "us")
    path = _find(address, options.target)
    try:
        device = evdev.InputDevice(str(path))
    except OSError as error:
        raise _explain(address, path, error) from error
    try:
        if not keyboards.is_keyboard(device.capabilities().get(evdev.ecodes.EV_KEY, [])):
            raise DeviceUnavailableError(
                address, Reason.WRONG_DEVICE, f"{path} has no keys for text; {_attached()}"
            )
        device.grab()
    except OSError as error:
        device.close()
        raise _explain(address, path, error) from error
    except DeviceUnavailableError:
        device.close()
        raise
    return KeyboardScanner(address, device, layout)


def _explain(address: DeviceAddress, path: Path, error: OSError) -> DeviceUnavailableError:
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = (
            "sudo usermod -aG input $USER, then log in again; for known scanners make install-udev is enough"
        )
        return DeviceUnavailableError(address, Reason.NO_PERMISSION, hint)
    if error.errno == errno.EBUSY:
        return DeviceUnavailableError(address, Reason.BUSY, cure(str(path)))
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return DeviceUnavailableError(
            address, Reason.WRONG_DEVICE, f"{path} is no input device: ls -l {path}"
        )
    return DeviceUnavailableError(address, Reason.NOT_FOUND, f"plug the scanner in again; {_attached()}")


def discover() -> Sequence[DeviceAddress]:
    """Return the attached keyboards that are scanners, by what they are called and who made them."""
    return tuple(
        DeviceAddress("keyboard-scanner", known.target)
        for known in keyboards.attached()
        if known.seems_scanner
    )
