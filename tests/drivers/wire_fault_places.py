"""Each driver with its simulated device and a faulty line between them, and one short conversation.

A place may be talked to again and again. `talk` opens the driver, uses all of it, closes it, and says
what a right answer would be wrong about: an answer that was falsified unnoticed fails there.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from threading import Event, Thread

from drivers.address import DeviceAddress, parse
from drivers.displays import serial_display
from drivers.page import Page, Text
from drivers.printers import escpos
from drivers.readers import pn532
from drivers.scanners import camera, serial_port
from simulators.camera import SimulatedCamera
from simulators.cards import profile
from simulators.display import PoleDisplay
from simulators.printer import NetworkPrinter, SerialPrinter
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip
from simulators.serial_scanner import SerialScanner
from simulators.wire_fault_pty import FaultyPty
from simulators.wire_fault_script import Fault
from simulators.wire_fault_tcp import FaultyTcp
from simulators.wire_faults import FaultyLine

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
PAGE = Page((Text("EUR 12.50"),))
SCANNED = "281234567890123456"


class Place(ABC):
    """A device behind a line."""

    line: FaultyLine

    @property
    @abstractmethod
    def address(self) -> DeviceAddress: ...

    @abstractmethod
    def talk(self) -> None:
        """Have the short conversation. Raises what the driver raises."""


class Pn532Place(Place):
    def __init__(self, line: FaultyPty) -> None:
        self.line = line
        self.rapdu = profile.load("visa-approve").transmit(SELECT_PPSE)

    @property
    def address(self) -> DeviceAddress:
        assert isinstance(self.line, FaultyPty)
        return DeviceAddress("pn532", self.line.path)

    def talk(self) -> None:
        with contextlib.closing(pn532.open(self.address)) as reader:
            assert reader.info().name
            card = reader.wait_for_card(Event(), timeout_s=0.1)
            if card is not None:
                assert card.transceive(SELECT_PPSE, timeout_s=0.5) == self.rapdu
                card.release()


@contextlib.contextmanager
def pn532_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    field = Field(profile.load("visa-approve"))
    with Pn532Chip(field) as chip, FaultyPty(chip.path, faults, seed=seed) as line:
        yield Pn532Place(line)


class ScannerPlace(Place):
    def __init__(self, line: FaultyPty, device: SerialScanner) -> None:
        self.line = line
        self._device = device

    @property
    def address(self) -> DeviceAddress:
        assert isinstance(self.line, FaultyPty)
        return DeviceAddress("serial-scanner", self.line.path)

    def talk(self) -> None:
        with contextlib.closing(serial_port.open(self.address)) as scanner:
            assert scanner.info().name
            with self._scanning():
                scanner.next_code(Event(), timeout_s=0.04)
            assert scanner.info().name

    @contextlib.contextmanager
    def _scanning(self) -> Iterator[None]:
        """Somebody scans again and again: what came before the driver waits is old to it."""
        enough = Event()

        def scan() -> None:
            # Whatever the line does, a scanner goes on: nobody tells it that nobody listens.
            while not enough.wait(0.001):
                with contextlib.suppress(OSError):
                    self._device.scan(SCANNED)

        thread = Thread(target=scan)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()


@contextlib.contextmanager
def scanner_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    with SerialScanner() as device, FaultyPty(device.path, faults, seed=seed) as line:
        yield ScannerPlace(line, device)


class DisplayPlace(Place):
    def __init__(self, line: FaultyPty) -> None:
        self.line = line

    @property
    def address(self) -> DeviceAddress:
        assert isinstance(self.line, FaultyPty)
        return DeviceAddress("serial-display", self.line.path)

    def talk(self) -> None:
        with contextlib.closing(serial_display.open(self.address)) as display:
            display.show(["TOTAL", "EUR 12.50"])
            assert display.info().name


@contextlib.contextmanager
def display_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    with PoleDisplay() as device, FaultyPty(device.path, faults, seed=seed) as line:
        yield DisplayPlace(line)


class PrinterPlace(Place):
    def __init__(self, line: FaultyLine) -> None:
        self.line = line

    @property
    def address(self) -> DeviceAddress:
        on_network = isinstance(self.line, FaultyTcp)
        target = f"127.0.0.1:{self.line.port}" if on_network else self.line.path  # type: ignore[attr-defined]
        return DeviceAddress("escpos", target)

    def talk(self) -> None:
        with contextlib.closing(escpos.open(self.address)) as printer:
            assert printer.info().name
            printer.print_page(PAGE)
            printer.open_drawer()


@contextlib.contextmanager
def network_printer_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    with NetworkPrinter() as device, FaultyTcp(device.port, faults, seed=seed) as line:
        yield PrinterPlace(line)


@contextlib.contextmanager
def serial_printer_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    with SerialPrinter() as device, FaultyPty(device.path, faults, seed=seed) as line:
        yield PrinterPlace(line)


class CameraPlace(Place):
    def __init__(self, line: FaultyTcp) -> None:
        self.line = line

    @property
    def address(self) -> DeviceAddress:
        assert isinstance(self.line, FaultyTcp)
        return parse(f"camera:http://127.0.0.1:{self.line.port}/")

    def talk(self) -> None:
        with contextlib.closing(camera.open(self.address)) as scanner:
            assert scanner.info().name
            code = scanner.next_code(Event(), timeout_s=0.3)
            assert code is None or code.text == SCANNED


@contextlib.contextmanager
def camera_place(faults: Sequence[Fault], seed: int) -> Iterator[Place]:
    with SimulatedCamera(width=320, height=240, frames_per_second=60) as device:
        device.show(SCANNED)
        target = parse(device.address).target.rpartition(":")[2].strip("/")
        with FaultyTcp(int(target), faults, seed=seed) as line:
            yield CameraPlace(line)
