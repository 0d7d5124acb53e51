"""A PN532 on a serial line (USB-serial adapter, UART, pty), by nfcpy; scheme ``pn532``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        type A at 106 kbit/s with ISO/IEC 14443-4; the field stays on
                                between two looks, which slow phones need
wait_for_removal     yes        looks again after the field was off; two misses are an empty field
transceive           yes        the time limit holds for the whole exchange, chaining and waiting
                                time extensions included
release              yes        deselects the card and turns the field off
type B and F         no         no simulated card speaks them yet
info                 yes        asks the chip for its firmware version
discover             no         a serial port does not tell what is behind it
===================  =========  ================================================================

The target is the path of the port: ``pn532:/dev/ttyUSB0``. nfcpy's transport, chipset and device
are built here, because its frontend opens names in /dev only.

Nothing here retries a command; see `iso_dep` for what the block protocol repeats. A terminal that
was killed leaves the chip at a higher speed than it wakes up with, so `open` calls it at each.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import re
import struct
import termios
from collections.abc import Iterator, Sequence
from threading import Event
from time import monotonic
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
import nfc.clf.pn532 as nfcpy_pn532  # type: ignore[import-untyped]
import nfc.clf.transport  # type: ignore[import-untyped]
import nfc.tag  # type: ignore[import-untyped]
from nfc.tag.tt4 import Type4TagCommandError  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import (
    CardLostError,
    DeviceError,
    DeviceUnavailableError,
    Reason,
    TransmissionError,
)
from drivers.protocols import DeviceInfo
from drivers.readers.gate import Gate
from drivers.readers.iso_dep import IsoDep

# nfcpy writes every byte of a card into its debug log, and some of them are a card number. It keeps
# that log off by itself; a program that turns everything on must not turn this on.
logging.getLogger("nfc").setLevel(logging.WARNING)

# nfcpy hands the path to a shell (stty).
_PATH = re.compile(r"/[\w./:+@-]+")
_FAST_SPEEDS = (921600, 460800, 230400)
_BACK_TO_115200 = bytes(10) + bytes.fromhex("0000FF03FDD410041800")
_LOOKS = 10
"""How often the chip looks for a card before it says that there is none; some 0.1 s in all."""

_FIELD_OFF_S = 0.02
_SAYS_ISO_DEP = 0x20
_LINE = (OSError, termios.error)
_BROKEN = (IndexError, ValueError, AttributeError, TypeError, AssertionError, struct.error)
"""What nfcpy raises, beside its own errors, over a frame that is cut off or makes no sense."""


@contextlib.contextmanager
def _translated(address: DeviceAddress) -> Iterator[None]:
    """Turn what nfcpy raises into what the seam promises."""
    try:
        yield
    except Type4TagCommandError as error:
        if error.errno == nfc.tag.TIMEOUT_ERROR:
            raise CardLostError(f"{address}: the card has left the field") from error
        raise TransmissionError(f"{address}: the card broke the block protocol") from error
    except nfc.clf.TimeoutError as error:
        raise CardLostError(f"{address}: the card has left the field") from error
    except (nfc.clf.CommunicationError, nfcpy_pn532.Chipset.Error) as error:
        raise TransmissionError(f"{address}: {error or type(error).__name__}") from error
    except _LINE as error:
        raise _unavailable(address, error) from error
    except _BROKEN as error:
        raise TransmissionError(f"{address}: the chip sent a broken frame") from error


def _unavailable(address: DeviceAddress, error: Exception) -> DeviceUnavailableError:
    path = address.target
    known = {
        errno.ENOENT: (Reason.NOT_FOUND, "attach the reader, then: ls /dev/ttyUSB* /dev/ttyACM* /dev/ttyS*"),
        errno.EACCES: (Reason.NO_PERMISSION, "sudo usermod -aG dialout $USER, then log in again"),
        errno.EWOULDBLOCK: (Reason.BUSY, f"sudo fuser -v {path}"),
        errno.EBUSY: (Reason.BUSY, f"sudo fuser -v {path}"),
        errno.ETIMEDOUT: (Reason.STUCK, "unplug the reader and plug it in again"),
    }
    otherwise = (
        Reason.NOT_FOUND,
        f"check cable and that the module is switched to HSU (serial): ls -l {path}",
    )
    return DeviceUnavailableError(address, *known.get(getattr(error, "errno", 0), otherwise))


class Pn532Card:
    """An activated card."""

    def __init__(self, reader: Pn532Reader, protocol: IsoDep) -> None:
        self._reader = reader
        self._protocol = protocol
        self._released = False

    @property
    def identification(self) -> bytes:
        """The ATS, length byte included."""
        return self._protocol.ats

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU; the limit covers every block of the exchange."""
        if self._released:
            raise CardLostError(f"{self._reader.address}: the card was released")
        with self._reader.using():
            rapdu = self._protocol.exchange(capdu, timeout_s)
        if len(rapdu) < 2:
            raise TransmissionError(f"{self._reader.address}: answer without a status word")
        return rapdu

    def release(self) -> None:
        """Deselect the card and turn the field off."""
        if self._released:
            return
        self._released = True
        with contextlib.suppress(DeviceError), self._reader.using() as device:
            self._protocol.deselect()
            device.mute()


class Pn532Reader:
    """The chip and its field."""

    def __init__(self, address: DeviceAddress) -> None:
        self._address = address
        self._device: Any = None
        self._lock = -1
        self._gate = Gate(address, self._end)

    @property
    def address(self) -> DeviceAddress:
        """The address that the reader was opened by."""
        return self._address

    def start(self) -> None:
        """Take the port and wake the chip."""
        path = self._address.target
        if not _PATH.fullmatch(path):
            hint = "write the path of the serial port: pn532:/dev/ttyUSB0"
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, hint)
        try:
            with self.using():
                self._lock = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._device = _wake(path)
                self._device.chipset.rf_configuration(0x05, bytes([0x01, 0x00, _LOOKS]))
        except TransmissionError as error:
            self.close()
            raise _unavailable(self._address, error) from error
        except DeviceError:
            self.close()
            raise

    @contextlib.contextmanager
    def using(self) -> Iterator[Any]:
        """Give nfcpy's device to this thread alone, and speak the seam's errors."""
        with self._gate.use(), _translated(self._address):
            yield self._device

    def info(self) -> DeviceInfo:
        """Ask the chip for its firmware version; raises if it does not answer."""
        try:
            with self.using() as device:
                chip, version, revision, _ = device.chipset.get_firmware_version()
                speed = device.chipset.transport.baudrate
        except TransmissionError as error:
            raise _unavailable(self._address, OSError(errno.ETIMEDOUT, "")) from error
        return DeviceInfo(
            name=f"PN5{chip:02x} at {self._address.target}",
            firmware=f"{version}.{revision}",
            details={"speed": f"{speed} bit/s"},
        )

    def close(self) -> None:
        """Put the chip to sleep and give the port back; a thread that waits for it does so."""
        self._gate.close()

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> Pn532Card | None:
        """Look for a card until one is activated; a stop turns the field off."""
        deadline = monotonic() + timeout_s
        while not stop.is_set():
            target = self._look()
            card = self._activate(target, stop) if target is not None else None
            if card is not None:
                return card
            if monotonic() >= deadline:
                return None
        self._turn_off()
        return None

    def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
        """Look, with the field off in between, until no card answers twice."""
        deadline = monotonic() + timeout_s
        misses = 0
        while not stop.is_set():
            self._turn_off()
            stop.wait(_FIELD_OFF_S)
            misses = misses + 1 if self._look() is None else 0
            if misses == 2 or monotonic() >= deadline:
                self._turn_off()
                return misses == 2
        return False

    def _look(self) -> Any:
        with self.using() as device:
            try:
                return device.sense_tta(nfc.clf.RemoteTarget("106A"))
            except nfcpy_pn532.Chipset.Error:
                return None  # Noise, or two cards at once: nothing that can be used.

    def _activate(self, target: Any, stop: Event) -> Pn532Card | None:
        """Return the card, or None if it is no payment card or has left again already."""
        if target.sel_res and target.sel_res[0] & _SAYS_ISO_DEP:
            with contextlib.suppress(CardLostError, TransmissionError), self.using() as device:
                protocol = IsoDep(device, target)
                protocol.activate()
                stop.wait(protocol.guard_s)
                return Pn532Card(self, protocol)
        self._turn_off()
        stop.wait(_FIELD_OFF_S)
        return None

    def _turn_off(self) -> None:
        with self.using() as device:
            device.mute()

    def _end(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            transport = device.chipset.transport
            with contextlib.suppress(*_LINE, nfcpy_pn532.Chipset.Error, *_BROKEN):
                device.close()
            with contextlib.suppress(*_LINE, *_BROKEN):
                transport.close()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def _wake(path: str) -> Any:
    """Return nfcpy's device for the chip at this port."""
    transport = nfc.clf.transport.TTY(path)
    try:
        try:
            return nfcpy_pn532.init(transport)
        except (*_LINE, *_BROKEN) as error:
            if not _slow_down(transport, path):
                raise OSError(errno.ENODEV, "no PN532 answers") from error
            return nfcpy_pn532.init(transport)
    except BaseException:
        with contextlib.suppress(*_LINE):
            transport.close()
        raise


def _slow_down(transport: Any, path: str) -> bool:
    """Bring a chip that was left at a higher speed back to the one that it wakes up with."""
    for speed in _FAST_SPEEDS:
        transport.open(path, speed)
        transport.write(_BACK_TO_115200)
        with contextlib.suppress(*_LINE, *_BROKEN):
            if transport.read(timeout=100) == nfcpy_pn532.Chipset.ACK:
                transport.read(timeout=100)
                transport.write(nfcpy_pn532.Chipset.ACK)
                return True
    return False


def open(address: DeviceAddress) -> Pn532Reader:
    """Open the chip at a serial port."""
    reader = Pn532Reader(address)
    reader.start()
    return reader


def discover() -> Sequence[DeviceAddress]:
    """Return nothing: asking each serial port would disturb whatever else is behind it."""
    return ()
