"""The ``serial-display:`` driver: a pole display on a serial line, by pyserial.

| function | supported | remarks |
| --- | --- | --- |
| CD5220 and what is compatible | yes | ``protocol=cd5220``, the default |
| Epson DM-D and what is compatible | yes | ``protocol=escpos`` |
| size | yes | ``columns=20,rows=2``; CD5220 has two rows at most |
| speed | yes | ``baud=9600`` |
| characters | yes | ``codepage=cp437``; see `drivers.displays.glyphs` for what a display lacks |
| Chinese | on displays that have it | ``codepage=gb2312`` |
| brightness | yes | ``brightness=4``, set when it is opened |
| health | the port only | a pole display sends nothing: whether it is attached and on can't be known |
| finding displays | no | a serial port does not say what hangs on it |

``serial-display:/dev/ttyUSB1#protocol=escpos,baud=19200``. A display that shows nonsense is set to
another protocol or speed than its address says.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

import serial

from drivers.address import DeviceAddress
from drivers.displays.commands import COMMAND_SETS, LEVELS, CommandSet
from drivers.displays.glyphs import CODE_PAGES, fitted
from drivers.errors import DeviceUnavailableError, Reason
from drivers.gate import Gate
from drivers.options import Options
from drivers.port_fault import port_fault
from drivers.protocols import DeviceInfo

WRITE_S = 1.0
"""How long a display may hold up what is sent to it, in seconds. Two rows take 0.05 s at 9600 baud."""

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_PLUG_IN = "plug the display in: ls /dev/ttyUSB* /dev/ttyACM*"
_OPTIONS = {
    "protocol": "cd5220",
    "columns": "20",
    "rows": "2",
    "baud": "9600",
    "codepage": "cp437",
    "brightness": "4",
}


class SerialDisplay:
    """A pole display on an open serial port."""

    def __init__(
        self, address: DeviceAddress, port: serial.Serial, commands: CommandSet, options: Options
    ) -> None:
        self._address = address
        self._port = port
        # A descriptor that was closed may be another file a moment later, and would take the amount.
        self._gate = Gate(address, port.close)
        self._commands = commands
        self._columns = options.number("columns", 20, lowest=1, highest=40)
        self._rows = options.number("rows", 2, lowest=1, highest=commands.max_rows)
        self._code_page = options.choice("codepage", CODE_PAGES, "cp437")
        self._level = options.optional_number("brightness", lowest=LEVELS[0], highest=LEVELS[-1])

    @property
    def address(self) -> DeviceAddress:
        return self._address

    @property
    def size(self) -> tuple[int, int]:
        return self._columns, self._rows

    def info(self) -> DeviceInfo:
        """Return the port's name; the display itself says nothing.

        Raises DeviceUnavailableError where the port has gone. A display that was switched off, or
        taken off its port, goes unnoticed.
        """
        try:
            with self._gate.use():
                _ = self._port.in_waiting
        except OSError as error:
            raise self._gone() from error
        return DeviceInfo(
            f"pole display on {self._port.name}",
            details={
                "baud": str(self._port.baudrate),
                "health": "only the port was checked: a pole display does not answer",
            },
        )

    def start(self) -> None:
        """Bring the display from any state to an empty screen."""
        self._send(self._commands.start(self._code_page))
        if self._level is not None:
            self._send(self._commands.brightness(self._level))

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines in place of what is there; rows without a line are empty."""
        rows = [*lines, *("" for _ in range(self._rows))][: self._rows]
        self._send(self._commands.show([fitted(row, self._columns, self._code_page) for row in rows]))

    def close(self) -> None:
        """Give the port back. What was shown stays."""
        self._gate.close()

    def _send(self, data: bytes) -> None:
        try:
            with self._gate.use():
                self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise DeviceUnavailableError(
                self._address,
                Reason.STUCK,
                "the display holds up what is sent: check its cable, and switch its flow control off",
            ) from error
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address, Reason.NOT_FOUND, "plug the display in again: ls /dev/ttyUSB* /dev/ttyACM*"
        )


def open(address: DeviceAddress) -> SerialDisplay:
    """Open the port for this process alone, and empty the display. Raises DeviceUnavailableError."""
    options = Options(address, _OPTIONS)
    commands = COMMAND_SETS[options.choice("protocol", tuple(COMMAND_SETS), "cd5220")]
    baud = options.choice("baud", tuple(map(str, BAUDS)), "9600")
    path = options.target
    if not path.startswith("/"):
        raise DeviceUnavailableError(
            address,
            Reason.WRONG_ADDRESS,
            "write serial-display:/dev/ttyUSB1 or serial-display:/dev/ttyUSB1#protocol=escpos,baud=19200",
        )
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        raise port_fault(address, path, PermissionError(errno.EACCES, path), absent=_PLUG_IN)
    # Not open yet: a wrong option is found out before the port is touched.
    port = serial.Serial(None, int(baud), timeout=0, write_timeout=WRITE_S, exclusive=True)
    display = SerialDisplay(address, port, commands, options)
    port.port = path
    try:
        port.open()
    except (OSError, ValueError) as error:
        raise port_fault(address, path, error, absent=_PLUG_IN) from error
    try:
        display.start()
    except DeviceUnavailableError:
        display.close()
        raise
    return display


def discover() -> Sequence[DeviceAddress]:
    """Return nothing: a serial port does not say whether a display, a scanner or a printer hangs on it."""
    return ()
