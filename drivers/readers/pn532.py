"""A PN532 on a serial line (USB-serial adapter, UART, pty), by nfcpy; scheme ``pn532``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        types A and B at 106 kbit/s with ISO/IEC 14443-4, in turns; the
                                field stays on between two looks, which slow phones need
several cards        yes        told as soon as two are found; `cards_in_field` lists them all
wait_for_removal     yes        looks again after the field was off; two misses are an empty field
transceive           yes        the time limit holds for the whole exchange, chaining and waiting
                                time extensions included
release              yes        deselects the card and turns the field off
describe             yes        ATQA, SAK, UID and ATS, or ATQB; frame sizes, times, bit rates
type F               no         no payment card speaks it here
set_field            yes        RFConfiguration
self_test            yes        wire, ROM and RAM; the antenna test's bits are for a person to judge
settings             yes        the analog registers for type A. The chip has no memory of its own:
                                they hold until the reader is opened again
info                 yes        asks the chip for its firmware version
discover             no         a serial port does not tell what is behind it
===================  =========  ================================================================

The target is the path of the port: ``pn532:/dev/ttyUSB0``, or a link to it, such as those in
/dev/serial/by-id, which stay the same wherever it is plugged in. nfcpy's transport, chipset and device
are built here, because its frontend opens names in /dev only. A PN533 on USB is `nfcpy_frontend`'s.

A terminal that was killed leaves the chip at a higher speed than it wakes up with, so `open` calls it at
each; a chip that is slow to start is called once more.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nfc.clf.pn532 as nfcpy_pn532  # type: ignore[import-untyped]
import nfc.clf.transport  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError, Reason, TransmissionError
from drivers.port_fault import port_fault
from drivers.protocols import DeviceInfo
from drivers.readers.nfcpy_reader import BROKEN, LINE, shut
from drivers.readers.pn53x_reader import Pn53xReader

# nfcpy hands the path to a shell (stty).
_PATH = re.compile(r"/[\w./:+@-]+")
_BY_ID = Path("/dev/serial/by-id")
_FAST_SPEEDS = (921600, 460800, 230400)
_BACK_TO_115200 = bytes(10) + bytes.fromhex("0000FF03FDD410041800")

_SETTINGS = {
    # What RFConfiguration's item 0A sets for type A, in its order: register, and the value that nfcpy writes
    # at the start. Spec: UM0701-02, 7.3.1.
    "CIU_RFCfg": (0x6316, 0x59),
    "CIU_GsNOn": (0x6317, 0xF4),
    "CIU_CWGsP": (0x6318, 0x3F),
    "CIU_ModGsP": (0x6319, 0x11),
    "CIU_Demod": (0x6309, 0x4D),
    "CIU_RxThreshold": (0x6308, 0x85),
    # The same register as CIU_Demod, while the own field is off: it can't be read in a look for a card.
    "": (0x0000, 0x61),
    "CIU_GsNOff": (0x6313, 0x6F),
    "CIU_ModWidth": (0x6314, 0x26),
    "CIU_MifNFC": (0x630C, 0x62),
    "CIU_TxBitPhase": (0x6315, 0x87),
}
_ANALOG_TYPE_A = 0x0A
_VALUE = re.compile(r"[0-9A-Fa-f]{2}")


class NoChipError(OSError):
    """The port is there, and no chip behind it answers."""


def reader_fault(address: DeviceAddress, path: str, error: BaseException) -> DeviceUnavailableError:
    """Say why a serial port, or the chip behind it, can't be used."""
    if isinstance(error, NoChipError):
        hint = "check power, cable, and that the module is switched to HSU (serial)"
        return DeviceUnavailableError(address, Reason.NO_ANSWER, hint)
    if getattr(error, "errno", None) == errno.ETIMEDOUT:
        return DeviceUnavailableError(address, Reason.STUCK, "unplug the reader and plug it in again")
    return port_fault(address, path, error, absent=_attached_hint(address))


def _attached_hint(address: DeviceAddress) -> str:
    """Name the ports that are there now, by the names that stay the same wherever they are plugged in."""
    try:
        links = sorted(link.name for link in _BY_ID.iterdir())
    except OSError:
        links = []
    if not links:
        return "attach the reader, then: ls /dev/ttyUSB* /dev/ttyACM* /dev/ttyS*"
    there = " or ".join(f"{address.scheme}:{_BY_ID / link}" for link in links)
    return f"attach the reader, or write what is attached now: {there}"


class Pn532Reader(Pn53xReader):
    """The chip and its field."""

    def __init__(self, address: DeviceAddress) -> None:
        super().__init__(address)
        self._lock = -1
        self._analog = {name: value for name, (_, value) in _SETTINGS.items()}

    def start(self) -> None:
        """Take the port and wake the chip."""
        path = self._address.target
        if not _PATH.fullmatch(path):
            hint = "write the path of the serial port: pn532:/dev/ttyUSB0"
            raise DeviceUnavailableError(self._address, Reason.WRONG_ADDRESS, hint)
        try:
            with self.using():
                self._lock = lock_port(path)
                self._device = wake(path)
                self._prepare(self._device)
        except TransmissionError as error:
            self.close()
            raise self._unavailable(error) from error
        except DeviceError:
            self.close()
            raise

    def info(self) -> DeviceInfo:
        """Ask the chip for its firmware version; raises if it does not answer."""
        try:
            with self.using() as device:
                chip, version, revision, _ = device.chipset.get_firmware_version()
                speed = device.chipset.transport.baudrate
        except TransmissionError as error:
            raise self._broken() from error
        model = f"PN5{chip:02x}"
        return DeviceInfo(
            name=f"{model} at {self._address.target}",
            model=model,
            firmware=f"{version}.{revision}",
            details={"speed": f"{speed} bit/s", "cards": "ISO/IEC 14443 types A and B"},
        )

    def read_settings(self) -> Mapping[str, str]:
        """Return the analog registers for type A, two hexadecimal digits each.

        The chip loads them when it looks for a card, so it looks once; an activated card is lost by it.
        """
        names = [name for name in _SETTINGS if name]
        with self.using() as device:
            device.mute()
            self._sense(device, "A")
            values = device.chipset.read_register(*(_SETTINGS[name][0] for name in names))
            device.mute()
        return {name: f"{value:02X}" for name, value in zip(names, values, strict=True)}

    def write_settings(self, settings: Mapping[str, str]) -> None:
        """Write these registers, now and whenever the chip looks for a card of type A."""
        for name, value in settings.items():
            if not name or name not in _SETTINGS:
                known = ", ".join(name for name in _SETTINGS if name)
                raise ValueError(f"no setting {name!r}: there are {known}")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"{name} takes two hexadecimal digits, not {value!r}")
        analog = {**self._analog, **{name: int(value, 16) for name, value in settings.items()}}
        with self.using() as device:
            device.chipset.rf_configuration(_ANALOG_TYPE_A, bytes(analog.values()))
            device.chipset.write_register(*[(_SETTINGS[name][0], analog[name]) for name in settings])
        self._analog = analog

    def _unavailable(self, error: BaseException) -> DeviceUnavailableError:
        return reader_fault(self._address, self._address.target, error)

    def _end(self) -> None:
        super()._end()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def _is_port(path: str) -> bool:
    """Tell whether there is a serial port that works."""
    try:
        port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.isatty(port)
    finally:
        os.close(port)


def lock_port(path: str) -> int:
    """Take a port for this process alone; raises OSError."""
    lock = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def wake(path: str) -> Any:
    """Return nfcpy's device for the chip at this port."""
    transport = nfc.clf.transport.TTY(path)
    try:
        try:
            return nfcpy_pn532.init(transport)
        except (*LINE, *BROKEN):
            # Left at a higher speed, or its power has only just come on: if neither, this is the last word.
            _slow_down(transport, path)
        try:
            return nfcpy_pn532.init(transport)
        except (*LINE, *BROKEN) as error:
            if _is_port(path):
                raise NoChipError(errno.ENODEV, "no PN532 answers") from error
            raise
    except BaseException:
        shut(transport)
        raise


def _slow_down(transport: Any, path: str) -> None:
    """Bring a chip that was left at a higher speed back to the one that it wakes up with."""
    for speed in _FAST_SPEEDS:
        transport.open(path, speed)
        transport.write(_BACK_TO_115200)
        with contextlib.suppress(*LINE, *BROKEN):
            if transport.read(timeout=100) == nfcpy_pn532.Chipset.ACK:
                transport.read(timeout=100)
                transport.write(nfcpy_pn532.Chipset.ACK)
                return


def open(address: DeviceAddress) -> Pn532Reader:
    """Open the chip at a serial port."""
    reader = Pn532Reader(address)
    reader.start()
    return reader


def discover() -> Sequence[DeviceAddress]:
    """Return nothing: asking each serial port would disturb whatever else is behind it."""
    return ()
