"""What can go wrong with a device, in the words of whoever has to cure it."""

from __future__ import annotations

from enum import Enum

from drivers.address import DeviceAddress


class Reason(Enum):
    """Why a device can't be used; the value is what a screen shows."""

    DRIVER_MISSING = "driver not installed"
    SERVICE_DOWN = "service not running"
    NO_PERMISSION = "no permission"
    BUSY = "in use by another program"
    NOT_FOUND = "not found"
    # The port or the host is there, and nothing on it answers.
    NO_ANSWER = "no answer"
    # A network device refuses the connection: it is off, busy, or listens on another port.
    REFUSED = "connection refused"
    # What answers is not what the address says: a web page where a camera should be, another chip.
    WRONG_DEVICE = "something else is there"
    # An unknown scheme, option or value, bad syntax, or a name that fits none or several of what is there.
    WRONG_ADDRESS = "wrong address"
    # It was used, and stopped answering.
    STUCK = "does not answer"
    OUT_OF_PAPER = "out of paper"
    COVER_OPEN = "cover open"


class DeviceError(Exception):
    """Base of all device errors. Messages never contain card data."""


class DeviceUnavailableError(DeviceError):
    """The device can't be opened, or was lost.

    Args:
        address: The device that was asked for.
        reason: What class of fault it is.
        hint: What cures it: a command that a technician can type, or one plain instruction.
        started: Whether some of what was asked for has been done already: it is not to be done again blindly.
    """

    def __init__(self, address: DeviceAddress, reason: Reason, hint: str, *, started: bool = False) -> None:
        super().__init__(f"{address}: {reason.value}. {hint}")
        self.address = address
        self.reason = reason
        self.hint = hint
        self.started = started


class DeviceTimeoutError(DeviceError):
    """The device is there but did not answer in the time given."""


class SeveralCardsError(DeviceError):
    """More than one card is in the field, and none was chosen."""


class CardLostError(DeviceError):
    """The card left the field, or stopped answering, in the middle of an exchange."""


class TransmissionError(DeviceError):
    """Bytes arrived that break the protocol of the wire."""
