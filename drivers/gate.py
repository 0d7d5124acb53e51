"""Lets one thread use a device while any other may close it.

A library call in progress must not lose its handle: pcsc-lite crashes the process when a context is
released under a waiting thread, and a closed file descriptor may be somebody else's file a moment
later. So whoever closes while the device is in use leaves it to the user, who does it on the way
out. A user that is stuck in the library keeps its handle for good, and is refused afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason


class Gate:
    """Guards one open device.

    Args:
        address: What errors name.
        end: Gives the device back. Called once, by whoever comes last; may raise OSError, and nothing else.
    """

    def __init__(self, address: DeviceAddress, end: Callable[[], None]) -> None:
        self._address = address
        self._end = end
        self._busy = Lock()
        self._closing = False
        self._ended = False

    @contextmanager
    def use(self) -> Iterator[None]:
        """Hold the device for one library call or a few; not to be nested."""
        try:
            with self._busy:
                if self._closing:
                    raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, "open it again")
                yield
        finally:
            # Asked when the device is free again: whoever closes later than this finds it so.
            if self._closing:
                self.close()

    def close(self) -> bool:
        """Close now, or have the user do it; true if it is done."""
        self._closing = True
        if not self._busy.acquire(blocking=False):
            return False
        try:
            self._finish()
        finally:
            self._busy.release()
        return True

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            # What the system does not take back any more is gone already.
            with suppress(OSError):
                self._end()
