"""A bench for each printer under test: what stands on its paper, and faults on request.

Simulators run by default. With ``--printer ADDRESS`` a real printer prints, a person reads, and what
needs a fault on request is skipped.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import pytest

from drivers import registry
from drivers.address import DeviceAddress, parse
from drivers.protocols import Printer
from simulators.in_process_printer import printer as in_process
from simulators.printer import NetworkPrinter, SerialPrinter
from simulators.printer_engine import PrinterEngine
from simulators.printer_page import PrintedPage

SIMULATED = ("sim:", "network", "serial")
_NUMBERS = itertools.count()


class PrinterBench:
    """A printer at an address; `engine` is what a person at a simulated one does and sees."""

    def __init__(self, address: DeviceAddress, engine: PrinterEngine | None) -> None:
        self.address = address
        self._engine = engine

    @property
    def engine(self) -> PrinterEngine:
        if self._engine is None:
            pytest.skip("needs a simulated printer")
        return self._engine

    def open(self) -> contextlib.closing[Printer]:
        return contextlib.closing(registry.open_printer(self.address))

    def pages(self) -> tuple[PrintedPage, ...] | None:
        """What has been printed; None where only a person can tell."""
        return self._engine.pages if self._engine else None


@contextlib.contextmanager
def bench_at(name: str) -> Iterator[PrinterBench]:
    """Set up the printer that is named in `SIMULATED`, or is at an address."""
    if name == "sim:":
        # One that no test has had before.
        own = f"conformance-{next(_NUMBERS)}"
        yield PrinterBench(parse(f"sim:{own}"), in_process(own))
    elif name == "network":
        with NetworkPrinter() as printer:
            yield PrinterBench(parse(f"{printer.address}#drawer=high"), printer.engine)
    elif name == "serial":
        with SerialPrinter() as serial:
            yield PrinterBench(parse(f"{serial.address}#drawer=high,baud=115200"), serial.engine)
    else:
        yield PrinterBench(parse(name), None)
