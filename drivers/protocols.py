"""One protocol for each category of device. Blocking and small.

A driver is a module with two functions, `open(address)` and `discover()`. A device belongs to
the thread that opened it: every method is called from that thread, except `close`, which may be
called from any thread when the device has been given up as stuck. Waiting methods return within
0.25 s after their `stop` event is set. Drivers never retry, never parse TLV and never stop
another program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import Protocol, TypeVar

from drivers.address import DeviceAddress
from drivers.page import Page

MAX_WAIT_S = 0.25
"""The longest that a driver sleeps without looking at its stop event, in seconds."""


class Category(StrEnum):
    """The categories of device; the value is the end of the entry-point group's name."""

    CONTACTLESS_READER = "contactless_reader"
    CODE_SCANNER = "code_scanner"
    PRINTER = "printer"
    CUSTOMER_DISPLAY = "customer_display"
    SOUNDER = "sounder"


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself. Unknown fields stay empty; `details` holds the rest, raw.

    `model` is what the device is, wherever it is attached, such as ``ACR122U`` or ``PN532``: the name
    that known firmware is looked up by.
    """

    name: str
    firmware: str = ""
    serial_number: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    model: str = ""


class Device(Protocol):
    """What every device has."""

    @property
    def address(self) -> DeviceAddress: ...

    def info(self) -> DeviceInfo:
        """Return what the device says of itself.

        Raises DeviceUnavailableError if the device has gone away: this is the health check.
        """
        ...

    def close(self) -> None:
        """Give the device back. Closing twice is allowed; nothing is raised."""
        ...


class Card(Protocol):
    """A card in the field, activated and ready for APDUs (ISO 14443-4 or the like)."""

    @property
    def identification(self) -> bytes:
        """The ATR as the reader gives it, or the ATS; empty where there is none. Not secret."""
        ...

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU and return the R-APDU, status word included.

        Raises CardLostError, DeviceTimeoutError, TransmissionError or DeviceUnavailableError.
        """
        ...

    def release(self) -> None:
        """End the exchange with this card. The card may stay in the field; nothing is raised."""
        ...


class ContactlessReader(Device, Protocol):
    """A reader for contactless cards and phones."""

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> Card | None:
        """Wait until a card is in the field and activated; None on time-out or stop.

        Raises SeveralCardsError where the reader can tell that more than one is there.
        """
        ...

    def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
        """Wait until the field is empty; False on time-out or stop."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was read: its text, its symbology, and how long the picture took to decode.

    `age_ms` is the time from when the picture arrived until the code was known; 0 where there was no picture.
    """

    text: str = field(repr=False)
    symbology: str = ""
    decode_ms: float = 0.0
    age_ms: float = 0.0


class CodeScanner(Device, Protocol):
    """A camera or scanner that reads codes."""

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for the next code and return it; None on time-out or stop.

        A code that was seen before the call is not returned: each call starts fresh. A code
        that stays in view is returned once for each call.
        """
        ...


class Printer(Device, Protocol):
    """A receipt printer, with the cash drawer that is attached to it."""

    def print_page(self, page: Page) -> None:
        """Print a page and cut it off.

        Raises DeviceUnavailableError, with OUT_OF_PAPER or COVER_OPEN where the printer says so. If
        nothing of the page has been printed then, its `started` is False.
        """
        ...

    def status(self) -> PrinterStatus:
        """Ask the printer; what it does not tell is None."""
        ...

    def open_drawer(self) -> None:
        """Open the cash drawer. A drawer that is missing goes unnoticed."""
        ...


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What a printer says of itself; None where it does not say."""

    online: bool = True
    cover_open: bool | None = None
    paper_low: bool | None = None
    paper_out: bool | None = None
    drawer_open: bool | None = None


class CustomerDisplay(Device, Protocol):
    """A display that the customer sees, of fixed columns and rows."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        ...

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines in place of what is there. What does not fit is cut off."""
        ...


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound: signed 16-bit samples, little endian, one channel."""

    samples: bytes = field(repr=False)
    rate_hz: int = 48000

    @property
    def duration_s(self) -> float:
        """How long it sounds, in seconds."""
        return len(self.samples) / 2 / self.rate_hz


class Sounder(Device, Protocol):
    """Something that can be heard."""

    def play(self, sound: Sound, stop: Event) -> None:
        """Play to the end, or until stop."""
        ...


AnyDevice = TypeVar("AnyDevice", bound=Device, covariant=True)


class Driver(Protocol[AnyDevice]):
    """A driver module. The entry point's name is its scheme."""

    def open(self, address: DeviceAddress) -> AnyDevice:
        """Open the device. Raises DeviceUnavailableError with reason and cure."""
        ...

    def discover(self) -> Sequence[DeviceAddress]:
        """Return the addresses of devices that are attached now; empty if that can't be known."""
        ...
