"""Keeps a customer display at what the customer is to read now, however slow or absent it is."""

from __future__ import annotations

from threading import Lock

from drivers.errors import DeviceUnavailableError
from drivers.protocols import CustomerDisplay
from terminal.devices.worker import DeviceWorker, Lease
from terminal.peripherals.customer_words import lines
from terminal.view import CounterView


class DisplayFollower:
    """One display. At most one job waits for it, and that shows what is newest when it runs."""

    def __init__(self, worker: DeviceWorker[CustomerDisplay]) -> None:
        self._worker = worker
        self._lock = Lock()
        self._view: CounterView | None = None
        self._waits = False
        """Whether a job is on its way that will look at the view once more."""
        self._size = (0, 0)
        self._shown: tuple[int, tuple[str, ...]] | None = None
        """How often the display had been opened then, as the next opening empties it, and its lines."""

    def show(self, view: CounterView) -> None:
        """Take over another view. Called on the event loop; returns at once."""
        with self._lock:
            self._view = view
            # Most views differ in what no customer sees.
            if self._waits or self._shown == (self._worker.opened, lines(view, *self._size)):
                return
            self._waits = True
        self._worker.submit(self._draw)

    def redraw(self) -> None:
        """Draw once more, over what others may have shown."""
        with self._lock:
            self._shown = None
            view = self._view
        if view is not None:
            self.show(view)

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
                with self._lock:
                    self._waits = not error.started
                raise
            lease.beat()
            with self._lock:
                self._size, self._shown = size, (self._worker.opened, text)
                if view is self._view:
                    self._waits = False
                    return
