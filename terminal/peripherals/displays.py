"""Keeps a customer display at what the customer is to read now, however slow or absent it is."""

from __future__ import annotations

from threading import Lock

from drivers.errors import DeviceUnavailableError
from drivers.protocols import CustomerDisplay
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from terminal.peripherals.customer_words import lines
from terminal.view import CounterView

_WORKS = (DeviceState.READY, DeviceState.BUSY)


class DisplayFollower:
    """One display. At most one job waits for it, and that shows what is newest when it runs."""

    def __init__(self, worker: DeviceWorker[CustomerDisplay]) -> None:
        self._worker = worker
        self._lock = Lock()
        self._view: CounterView | None = None
        self._waits = False
        """Whether a job is on its way that will look at the view once more."""
        self._shown: tuple[str, ...] | None = None
        self._size = (0, 0)
        self._worked = False

    def show(self, view: CounterView) -> None:
        """Take over another view. Called on the event loop; returns at once."""
        works = self._worker.status.state in _WORKS
        came_back, self._worked = works and not self._worked, works
        with self._lock:
            self._view = view
            if came_back:
                self._shown = None  # opened anew, it is empty
            # Most views differ in what no customer sees.
            if self._waits or (self._shown is not None and self._shown == lines(view, *self._size)):
                return
            self._waits = True
        self._worker.submit(self._draw)

    def _draw(self, display: CustomerDisplay, lease: Lease) -> None:
        """Runs on the display's thread. What the display fails under is drawn by the same job again."""
        while True:
            with self._lock:
                view = self._view
            size = display.size
            text = lines(view, *size) if view is not None else ()
            try:
                display.show(text)
            except DeviceUnavailableError as error:
                # A job that has begun something is not done again.
                self._waits = not error.started
                raise
            lease.beat()
            with self._lock:
                self._size, self._shown = size, text
                if view is self._view:
                    self._waits = False
                    return
