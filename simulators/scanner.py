"""The driver behind ``sim:`` for codes: a scanner in the same process, without wire or picture.

| address | what it reads |
| --- | --- |
| ``sim:`` | what is shown to `VIEW`, the one view that this process shares |
| ``sim:TEXT`` | TEXT, at every call |

A shown code stays until it was read once or is taken away, as a customer holds a phone until the
terminal answers. Wire and picture have simulators of their own: `simulators.serial_scanner` and
`simulators.camera`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Condition, Event

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo


class View:
    """What is held before the scanner; thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._text: str | None = None

    @property
    def text(self) -> str | None:
        """The text in view, or None."""
        with self._changed:
            return self._text

    def show(self, text: str) -> None:
        """Hold a code into view, in place of one that is there, until it has been read once."""
        with self._changed:
            self._text = text
            self._changed.notify_all()

    def clear(self) -> None:
        """Take the code away, read or not."""
        with self._changed:
            self._text = None
            self._changed.notify_all()

    def wait_empty(self, *, timeout_s: float) -> bool:
        """Wait until nothing is in view: the code was read, or taken away. False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._text is None, timeout_s)

    def take(self, *, timeout_s: float) -> str | None:
        """Wait for a code, read it and let go of it; None on time-out."""
        with self._changed:
            self._changed.wait_for(lambda: self._text is not None, timeout_s)
            text, self._text = self._text, None
            if text is not None:
                self._changed.notify_all()
            return text


VIEW = View()
"""The view of every ``sim:`` scanner in this process."""


class InProcessScanner:
    """A scanner that reads a view, or the same text for ever."""

    def __init__(self, address: DeviceAddress, view: View) -> None:
        self._address = address
        self._view = view
        self._closed = Event()

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return a fixed description. Raises DeviceUnavailableError once it is closed."""
        if self._closed.is_set():
            raise self._gone()
        return DeviceInfo("simulated code scanner")

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for the next code; None on time-out or stop."""
        deadline = time.monotonic() + timeout_s
        while not stop.is_set():
            if self._closed.is_set():
                raise self._gone()
            if self._address.target:
                return Code(self._address.target, "simulated")
            left_s = deadline - time.monotonic()
            text = self._view.take(timeout_s=max(0.0, min(MAX_WAIT_S, left_s)))
            if text is not None:
                return Code(text, "simulated")
            if left_s <= 0:
                break
        return None

    def close(self) -> None:
        """End a wait that is under way."""
        self._closed.set()

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(self._address, Reason.NOT_FOUND, "open it again")


def open(address: DeviceAddress) -> InProcessScanner:
    """Open the simulated scanner; it is always there."""
    return InProcessScanner(address, VIEW)


def discover() -> Sequence[DeviceAddress]:
    """Return the shared scanner's address."""
    return (DeviceAddress("sim", ""),)
