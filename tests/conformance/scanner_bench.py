"""A bench for each scanner under test: what is held before it.

Simulators run by default. With ``--scanner ADDRESS`` a QR code stands in this terminal, and a person
holds the scanner or the camera to it.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
import qrcode  # type: ignore[import-untyped]

from drivers import registry
from drivers.address import DeviceAddress, parse
from drivers.protocols import CodeScanner
from simulators import scanner as in_process
from simulators.camera import SimulatedCamera
from simulators.keyboard import KeyboardScanner
from simulators.serial_scanner import SerialScanner

SIMULATED = ("sim:", "camera", "serial", "serial framed", "keyboard")
PERSON_S = 30.0
_AGAIN_S = 0.05


class ScannerBench:
    """A scanner at an address, and what is before it.

    Args:
        address: Where it is.
        show: Holds a text before it, once.
        clear: Takes that away.
        again: Whether showing once may be missed, as the one burst of a scanner that nobody waits for.
        ascii_only: Whether it can say ASCII alone.
        by_hand: Whether a person does the showing.
    """

    def __init__(
        self,
        address: DeviceAddress,
        show: Callable[[str], None],
        clear: Callable[[], None] = lambda: None,
        *,
        again: bool = False,
        ascii_only: bool = False,
        by_hand: bool = False,
    ) -> None:
        self.address = address
        self._show = show
        self._clear = clear
        self._again = again
        self.ascii_only = ascii_only
        self.by_hand = by_hand

    def open(self) -> contextlib.closing[CodeScanner]:
        return contextlib.closing(registry.open_scanner(self.address))

    @contextlib.contextmanager
    def showing(self, text: str) -> Iterator[None]:
        """Hold a text before the scanner, until the end of the block."""
        enough = Event()
        self._show(text)

        def show_again() -> None:
            while not enough.wait(_AGAIN_S):
                self._show(text)

        thread = Thread(target=show_again)
        if self._again:
            thread.start()
        try:
            yield
        finally:
            enough.set()
            if self._again:
                thread.join()
            self._clear()


@contextlib.contextmanager
def bench_at(name: str, say: pytest.CaptureFixture[str]) -> Iterator[ScannerBench]:
    """Set up the scanner that is named in `SIMULATED`, or is at an address."""
    if name == "sim:":
        yield ScannerBench(parse(name), in_process.VIEW.show, in_process.VIEW.clear, again=True)
        in_process.VIEW.clear()
    elif name == "camera":
        with SimulatedCamera() as camera:
            yield ScannerBench(parse(camera.address), camera.show, camera.clear)
    elif name.startswith("serial") and name in SIMULATED:
        head, end = ("\x02]Q1", "\x03") if name.endswith("framed") else ("", "\r")
        with SerialScanner() as wire:
            with contextlib.suppress(BlockingIOError):
                yield ScannerBench(
                    parse(f"{wire.address}#baud=115200"),
                    lambda text: wire.scan(text, end, identifier=head),
                    again=True,
                )
    elif name == "keyboard":
        if missing := KeyboardScanner.missing():
            pytest.skip(missing)
        with KeyboardScanner() as keyboard:
            yield ScannerBench(parse(keyboard.address), keyboard.scan, again=True, ascii_only=True)
    else:
        yield ScannerBench(parse(name), lambda text: _print(text, say), by_hand=True)


def _print(text: str, say: pytest.CaptureFixture[str]) -> None:
    code = qrcode.QRCode(border=2)
    code.add_data(text)
    drawn = io.StringIO()
    code.print_ascii(drawn, invert=True)
    with say.disabled():
        print(f"\nhold the scanner to this code:\n{drawn.getvalue()}", flush=True)  # noqa: T201 - a person reads it
