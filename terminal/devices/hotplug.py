"""Tells when something was plugged in or out, so that nobody has to wait for the next look.

Where udev runs, its events arrive after its rules were applied, so a device's permissions are right
by then. Where none runs (a container, a minimal system), the names of device files are compared twice
a second. Either way this only hurries the workers' own looks: a missed event costs half a second.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pyudev  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

_UDEV_RUNS = Path("/run/udev/control")
_SUBSYSTEMS = ("usb", "tty", "video4linux", "input", "sound", "usbmisc")
# Where readers, scanners, cameras, printers and their lasting names appear.
_PLACES = (
    Path("/dev"),
    Path("/dev/serial/by-id"),
    Path("/dev/input"),
    Path("/dev/input/by-id"),
    Path("/dev/v4l/by-id"),
    Path("/dev/usb"),
    Path("/dev/snd"),
    *(Path(f"/dev/bus/usb/{bus:03d}") for bus in range(1, 17)),
)
POLL_S = 0.5
"""Pause between looks at the names where no udev runs, in seconds."""
STOP_S = 0.25
"""How soon the thread ends after `stop`, in seconds."""


class PlugWatch:
    """Calls back, from its own daemon thread, after each change of what is plugged in."""

    def __init__(self, on_change: Callable[[], None], *, places: tuple[Path, ...] = _PLACES) -> None:
        self._on_change = on_change
        self._places = places
        self._before: frozenset[tuple[str, str]] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plugs", daemon=True)

    def start(self) -> None:
        """Begin to watch: what changes from now on is told."""
        self._before = self._names()
        self._thread.start()

    def stop(self) -> None:
        """End. Stopping a watch that was never started is allowed."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        if self._places == _PLACES and _UDEV_RUNS.exists():
            try:
                self._listen()
            except Exception:
                # Too many events at once, or udev has ended: names can still be compared.
                logger.exception("udev can't be listened to any more")
        try:
            self._compare()
        except Exception:
            # Without it plugging is noticed by the workers themselves, a little later.
            logger.exception("nobody watches the plugs any more")

    def _listen(self) -> None:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
        for subsystem in _SUBSYSTEMS:
            monitor.filter_by(subsystem)
        monitor.start()
        while not self._stop.is_set():
            if monitor.poll(timeout=STOP_S) is not None:
                self._on_change()

    def _compare(self) -> None:
        while not self._stop.wait(POLL_S):
            before, self._before = self._before, self._names()
            if self._before != before:
                self._on_change()

    def _names(self) -> frozenset[tuple[str, str]]:
        return frozenset(name for place in self._places for name in _names(place))


def _names(place: Path) -> Iterator[tuple[str, str]]:
    """Return what is in a folder, and where links lead; nothing of what goes away meanwhile."""
    with suppress(OSError):
        for entry in os.scandir(place):
            with suppress(OSError):
                # A lasting name that leads somewhere else now is a device under another path.
                yield entry.path, os.readlink(entry.path) if entry.is_symlink() else ""
