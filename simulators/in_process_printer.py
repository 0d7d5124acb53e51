"""The driver behind ``sim:`` for printers: the simulated printer in the same process, without a wire.

| address | what it is |
| --- | --- |
| ``sim:`` | `PRINTER`, the one printer that this process shares |
| ``sim:NAME`` | one of its own with that name, shared as well |

The options are those of ``escpos:``, such as ``sim:#columns=32``; pages come out of the real driver's
ESC/POS. On a wire there are `simulators.printer.NetworkPrinter` and `SerialPrinter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.printers import escpos
from drivers.printers.escpos import EscPosPrinter
from drivers.protocols import MAX_WAIT_S
from simulators.printer_engine import PrinterEngine

PRINTER = PrinterEngine()
"""The printer of ``sim:``."""
_PRINTERS = {"": PRINTER}


def printer(name: str = "") -> PrinterEngine:
    """Return the printer of ``sim:NAME``."""
    return _PRINTERS.setdefault(name, PrinterEngine())


class InProcessWire:
    """A line without a wire: what is written has been printed when `write` returns."""

    def __init__(self, address: DeviceAddress, engine: PrinterEngine) -> None:
        self._address = address
        self._engine = engine
        self._changed = Condition()
        self._answers = bytearray()
        self._closed = False

    @property
    def name(self) -> str:
        return "this process"

    def write(self, data: bytes) -> None:
        self._check()
        self._engine.receive(data, self._take)

    def read(self, timeout_s: float) -> bytes:
        self._check()
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._closed, min(timeout_s, MAX_WAIT_S))
            data = bytes(self._answers)
            self._answers.clear()
        return data

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._engine.disconnect()

    def _take(self, data: bytes) -> None:
        with self._changed:
            self._answers += data
            self._changed.notify_all()

    def _check(self) -> None:
        if self._closed:
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, "open it again")


def open(address: DeviceAddress) -> EscPosPrinter:
    """Open the simulated printer. Its columns become those of the address."""
    options = escpos.options(address)
    paper = escpos.paper(options)
    engine = printer(options.target)
    engine.columns = paper.columns
    device = EscPosPrinter(address, InProcessWire(address, engine), paper, drawer_open_is_high=True)
    device.greet()
    return device


def discover() -> Sequence[DeviceAddress]:
    """Return ``sim:``; named printers are not attached devices."""
    return (DeviceAddress("sim", ""),)
