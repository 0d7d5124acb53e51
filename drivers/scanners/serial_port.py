"""The ``serial-scanner:`` driver: a code scanner on a serial line, by pyserial.

| function | supported | remarks |
| --- | --- | --- |
| USB scanners in serial mode | yes | ``serial-scanner:/dev/ttyACM0`` |
| RS-232 scanners | yes | ``serial-scanner:/dev/ttyUSB0@115200``; 9600 without ``@`` |
| line ends | CR, LF, CRLF | as the scanner is set up |
| prefixes, check characters | no | set the scanner to send the text and a line end alone |
| finding scanners | no | a serial port does not say what hangs on it |

A scanner sends a line in one burst. A half line is kept over a time-out, so a code that arrives
while nobody waits is never cut in two; after `HALF_LINE_AGE_S` of silence it was noise and goes.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import serial

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo

DEFAULT_BAUD = 9600
HALF_LINE_AGE_S = 2.0
MAX_LINE_BYTES = 7089
"""The digits that the largest QR code holds (ISO/IEC 18004, table 7): no line is longer."""


class LineAssembler:
    """Puts lines together from the bytes of a scanner. No input, no clock of its own.

    Args:
        clock: Returns seconds; only differences count.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._half = bytearray()
        self._last_s = clock()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines that they complete, without ends, none empty.

        Of a line that is too long, one byte more than `MAX_LINE_BYTES` is kept: enough to tell.
        """
        now_s = self._clock()
        if now_s - self._last_s > HALF_LINE_AGE_S:
            self._half.clear()
        self._last_s = now_s
        lines = []
        for byte in data:
            if byte in b"\r\n":
                lines.append(bytes(self._half))
                self._half.clear()
            elif len(self._half) <= MAX_LINE_BYTES:
                self._half.append(byte)
        return [line for line in lines if line]


class SerialScanner:
    """A code scanner on an open serial port."""

    def __init__(
        self, address: DeviceAddress, port: serial.Serial, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._port = port
        self._clock = clock
        self._lines = LineAssembler(clock)

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return the port's name and baud rate; the scanner itself says nothing."""
        try:
            _ = self._port.in_waiting
        except OSError as error:
            raise self._gone() from error
        return DeviceInfo(str(self._port.name), details={"baud": str(self._port.baudrate)})

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for the next line; None on time-out or stop.

        Lines that were complete before this call are dropped. Raises TransmissionError for a line
        that no scanner would send; the next call goes on after it.
        """
        deadline = self._clock() + timeout_s
        self._drop_old()
        while not stop.is_set():
            left_s = deadline - self._clock()
            lines = self._read(max(0.0, min(MAX_WAIT_S, left_s)))
            if lines:
                return Code(_text(lines[0]))
            if left_s <= 0:
                break
        return None

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _drop_old(self) -> None:
        try:
            self._lines.feed(self._port.read(self._port.in_waiting))
        except (OSError, TypeError) as error:
            raise self._gone() from error

    def _read(self, timeout_s: float) -> list[bytes]:
        try:
            self._port.timeout = timeout_s
            first = self._port.read(1)
            return self._lines.feed(first + self._port.read(self._port.in_waiting)) if first else []
        # pyserial reads from a descriptor that `close` has set to None: a TypeError.
        except (OSError, TypeError) as error:
            raise self._gone() from error

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address, Reason.NOT_FOUND, "plug the scanner in again: ls /dev/ttyACM* /dev/ttyUSB*"
        )


def _text(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        raise TransmissionError(
            f"the scanner sent more than {MAX_LINE_BYTES} bytes without a line end: check its baud rate"
        )
    # GS separates the fields of GS1 codes and is the one control character that belongs in a code.
    wrong = next((byte for byte in line if (byte < 0x20 and byte != 0x1D) or byte == 0x7F), None)
    if wrong is not None:
        raise TransmissionError(
            f"the scanner sent control character 0x{wrong:02X} in a line of {len(line)} bytes: "
            "set it up without prefix and suffix, and check its baud rate"
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TransmissionError(
            f"the scanner sent a line of {len(line)} bytes that is no UTF-8: check its baud rate"
        ) from error


def _split(address: DeviceAddress) -> tuple[str, int]:
    path, at, baud = address.target.rpartition("@")
    if not at:
        path, baud = address.target, str(DEFAULT_BAUD)
    if not path.startswith("/") or not baud.isdecimal() or int(baud) == 0:
        raise DeviceUnavailableError(
            address, Reason.NOT_FOUND, "write serial-scanner:/dev/ttyACM0 or serial-scanner:/dev/ttyUSB0@9600"
        )
    return path, int(baud)


def _explain(address: DeviceAddress, path: str, error: OSError | ValueError) -> DeviceUnavailableError:
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):
        return DeviceUnavailableError(
            address, Reason.BUSY, f"close the program that uses it: fuser -v {path}"
        )
    if number in (errno.EACCES, errno.EPERM):
        return DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "sudo usermod -aG dialout $USER, then log in again"
        )
    if Path(path).exists():
        return DeviceUnavailableError(address, Reason.NOT_FOUND, f"{path} is no serial port: ls -l {path}")
    return DeviceUnavailableError(
        address, Reason.NOT_FOUND, "plug the scanner in: ls /dev/ttyACM* /dev/ttyUSB*"
    )


def open(address: DeviceAddress) -> SerialScanner:
    """Open the port for this process alone. Raises DeviceUnavailableError with reason and cure."""
    path, baud = _split(address)
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        raise _explain(address, path, PermissionError(errno.EACCES, path))
    try:
        port = serial.Serial(path, baud, timeout=MAX_WAIT_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise _explain(address, path, error) from error
    return SerialScanner(address, port)


def discover() -> Sequence[DeviceAddress]:
    """Return nothing: a serial port does not say whether a scanner, a reader or a printer hangs on it."""
    return ()
