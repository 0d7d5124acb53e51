"""The ``serial-scanner:`` driver: a code scanner on a serial line, by pyserial.

| function | supported | remarks |
| --- | --- | --- |
| USB scanners in serial mode | yes | ``serial-scanner:/dev/ttyACM0``, or a name of /dev/serial/by-id |
| RS-232 scanners | yes | ``serial-scanner:/dev/ttyUSB0#baud=115200``; 9600 where it is not written |
| line ends | CR, LF, CRLF, STX and ETX | found out by themselves |
| no line end | yes | ``#end=pause``: each burst is a line, so one that breaks off is taken for whole |
| prefixes, suffixes | yes | ``#prefix=S,suffix=E``; a line without them is refused |
| symbology identifiers, GS1 | yes | see `drivers.scanners.scanned_line` |
| Chinese text | UTF-8, GB18030 | other encodings are refused |
| codes with a line end in them | no | each line of it comes as a code |
| finding scanners | no | a serial port does not say what hangs on it |
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import serial
from serial.tools import list_ports

from drivers.address import DeviceAddress
from drivers.baud import note
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.gate import Gate
from drivers.options import Options
from drivers.port_fault import port_fault
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo
from drivers.scanners.line_assembler import MAX_LINE_BYTES, PAUSE_S, LineAssembler
from drivers.scanners.scanned_line import read_line

_OPTIONS = {"baud": "9600", "end": "pause", "prefix": "TEXT", "suffix": "TEXT"}
_BY_ID = Path("/dev/serial/by-id")


class SerialScanner:
    """A code scanner on an open serial port."""

    def __init__(
        self,
        address: DeviceAddress,
        options: Options,
        port: serial.Serial,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._port = port
        # A descriptor that was closed may be another file a moment later, and would lose its bytes to this.
        self._gate = Gate(address, port.close)
        self._clock = clock
        self._prefix = options.text("prefix").encode()
        self._suffix = options.text("suffix").encode()
        pause_ends = options.choice("end", ("line", "pause"), "line") == "pause"
        self._wait_s = PAUSE_S / 2 if pause_ends else MAX_WAIT_S
        self._lines = LineAssembler(clock, pause_ends=pause_ends)

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return what USB says of the port, its name and baud rate; the scanner itself says nothing."""
        try:
            with self._gate.use():
                _ = self._port.in_waiting
        except OSError as error:
            raise self._gone() from error
        path = str(self._port.name)
        details = {"port": path, "baud": str(self._port.baudrate), **note(self._port.baudrate)}
        usb = next((port for port in list_ports.comports() if port.device == os.path.realpath(path)), None)
        if usb is None or usb.vid is None:
            return DeviceInfo(path, details=details)
        details["usb"] = f"{usb.vid:04x}:{usb.pid:04x}"
        name = " ".join(part for part in (usb.manufacturer, usb.product) if part)
        return DeviceInfo(
            name or path, serial_number=usb.serial_number or "", details=details, model=usb.product or ""
        )

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for the next line; None on time-out or stop.

        A line that began before this call, with nobody waiting, is dropped. Raises TransmissionError for
        a line that no scanner would send; the next call goes on after it.
        """
        deadline = self._clock() + timeout_s
        self._drop_old()
        while not stop.is_set():
            left_s = deadline - self._clock()
            lines = self._read(max(0.0, min(self._wait_s, left_s)))
            if lines:
                return read_line(self._text(lines[0]))
            if left_s <= 0:
                break
        return None

    def close(self) -> None:
        """Give the port back."""
        self._gate.close()

    def _text(self, line: bytes) -> bytes:
        if len(line) > MAX_LINE_BYTES:
            raise TransmissionError(
                f"the scanner sent more than {MAX_LINE_BYTES} bytes without a line end: check its baud rate"
            )
        if not (line.startswith(self._prefix) and line.endswith(self._suffix)):
            raise TransmissionError(
                f"the scanner sent a line of {len(line)} bytes without its prefix or suffix: scan again"
            )
        return line.removeprefix(self._prefix).removesuffix(self._suffix)

    def _drop_old(self) -> None:
        try:
            with self._gate.use():
                self._lines.drop(self._port.read(self._port.in_waiting))
        except OSError as error:
            raise self._gone() from error

    def _read(self, timeout_s: float) -> list[bytes]:
        try:
            with self._gate.use():
                self._port.timeout = timeout_s
                first = self._port.read(1)
                return self._lines.feed(first + self._port.read(self._port.in_waiting) if first else b"")
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(self._address, Reason.NOT_FOUND, _plug_in("plug the scanner in again"))


def _plug_in(hint: str) -> str:
    """Add the lasting names of what is attached: a scanner that comes back may have another number."""
    attached = [f"serial-scanner:{_BY_ID / name}" for name in lasting_names()]
    return f"{hint}; attached now: {', '.join(attached)}" if attached else f"{hint}: ls -l {_BY_ID}"


def lasting_names(folder: Path | None = None) -> Sequence[str]:
    """Return the names of serial ports that stay when a scanner is plugged in elsewhere."""
    try:
        return sorted(os.listdir(folder or _BY_ID))
    except OSError:
        return ()


def open(address: DeviceAddress) -> SerialScanner:
    """Open the port for this process alone. Raises DeviceUnavailableError with reason and cure."""
    options = Options(address, _OPTIONS)
    path = options.target
    if not path.startswith("/"):
        raise DeviceUnavailableError(
            address,
            Reason.WRONG_ADDRESS,
            "write serial-scanner:/dev/ttyACM0 or serial-scanner:/dev/ttyUSB0#baud=9600",
        )
    baud = options.number("baud", 9600, lowest=300, highest=921600)
    options.choice("end", ("line", "pause"), "line")
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        raise port_fault(
            address, path, PermissionError(errno.EACCES, path), absent=_plug_in("plug the scanner in")
        )
    try:
        port = serial.Serial(path, baud, timeout=MAX_WAIT_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise port_fault(address, path, error, absent=_plug_in("plug the scanner in")) from error
    return SerialScanner(address, options, port)


def discover() -> Sequence[DeviceAddress]:
    """Return nothing: a serial port does not say whether a scanner, a reader or a printer hangs on it."""
    return ()
