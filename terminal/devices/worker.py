"""One daemon thread for one device, for its whole life.

The thread opens the device, does jobs, checks its health while there are none, and opens it again
after a fault. A job is standing: when the device fails under it, it waits and is done again once
the device is back, until it returns a value or its `stop` is set. (A tap sends nothing to a host,
so doing it again can't pay twice. A driver that has done a part already, such as half a receipt,
says so by the error's `started`; that job ends with the error.)

Threads are daemons because a driver's call may never return (pcsc-lite issue 254), and an executor
would hold the program at its exit. A job that gives no sign of life for `DEADLINE_S` makes the
device STUCK; it counts as working again at its next sign.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError, Reason
from drivers.protocols import Device

logger = logging.getLogger(__name__)

DEADLINE_S = 3.0
"""A job that does not beat for so long makes the device stuck."""
OPEN_DEADLINE_S = 15.0
"""The same for opening, which may have to wait for a daemon or a network camera."""
REOPEN_S = 0.5
"""Pause between attempts to open, in seconds. A device is ready again within two seconds after it is back."""
HEALTH_S = 0.5
"""Pause between health checks of an idle device, in seconds. One that went is noticed within one second."""
LOGGED_FAULTS = 3
"""How many of a driver's unforeseen faults are logged whole; afterwards every hundredth."""

_WAITING = float("inf")
"""Stands for the last sign of life of a job that waits for the customer."""


class _RestartAsked(Exception):
    """The device is to be closed and opened again."""


class _Look(Enum):
    """Stands in the queue of jobs for a health check before its time."""

    NOW = 0


D = TypeVar("D", bound=Device)
T = TypeVar("T")


class DeviceState(StrEnum):
    """What a device can do now."""

    OPENING = "opening"
    READY = "ready"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    STUCK = "stuck"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device's condition, with what cures it where it does not work."""

    address: DeviceAddress
    state: DeviceState
    text: str = ""
    cure: str = ""
    faults: int = 0
    """How often the driver raised something unforeseen."""


class Lease:
    """What a job holds while it has the device: when to stop, and signs of life to give.

    `beat` says that the job lives. `wait` says that it is about to wait for the customer, which may
    take any time, and ends soon after `stop` is set.
    """

    def __init__(self, stop: threading.Event, beat: Callable[[], None], wait: Callable[[], None]) -> None:
        self.stop = stop
        self.beat = beat
        self.wait = wait


class Job(Generic[T]):
    """Work for a device. `cancel` makes it end early; `future` has what came of it."""

    def __init__(self, work: Callable[[Any, Lease], T]) -> None:
        self.work = work
        self.stop = threading.Event()
        self.stopped_at: float | None = None
        self.future: Future[T] = Future()
        self._run: threading.Event | None = None

    def cancel(self) -> None:
        """Ask the job to stop. A job that has not begun is dropped."""
        self.stop.set()
        self.interrupt()
        self.future.cancel()

    def begin(self) -> threading.Event:
        """Return what tells this run of the job to end."""
        run = self._run = threading.Event()
        self.stopped_at = None
        if self.stop.is_set():
            self.interrupt()
        return run

    def interrupt(self) -> None:
        """End the present run, which has `DEADLINE_S` for it. A job that was not cancelled is done again."""
        self.stopped_at = time.monotonic()
        if self._run is not None:
            self._run.set()


class DeviceWorker(Generic[D]):
    """Runs jobs on one device, in the device's own thread.

    Args:
        address: The device.
        open_device: Opens it; called in the device's thread, as often as needed.
        on_change: Called from the device's thread after each change of `status`.
    """

    def __init__(
        self,
        address: DeviceAddress,
        open_device: Callable[[DeviceAddress], D],
        on_change: Callable[[], None],
    ) -> None:
        self._open_device = open_device
        self._on_change = on_change
        self._jobs: queue.Queue[Job[Any] | _Look | None] = queue.Queue()
        self._unfinished: Job[Any] | None = None
        self._device: D | None = None
        self._closing = threading.Event()
        self._hurry = threading.Event()
        self._restart = threading.Event()
        self._status = DeviceStatus(address, DeviceState.OPENING)
        self.opened = 0
        """How often the device was opened: what it showed before is gone each time."""
        self.tried = 0
        """How often opening it was tried, whatever came of it; `status` is the outcome of the last time."""
        self._alive_at: float | None = None
        self._allowed_s = DEADLINE_S
        self._thread = threading.Thread(target=self._run, name=f"device {address}", daemon=True)

    @property
    def status(self) -> DeviceStatus:
        """The device's condition. STUCK is found out here, as its thread can't tell."""
        alive_at, job = self._alive_at, self._unfinished
        if alive_at == _WAITING:
            alive_at = job.stopped_at if job is not None else None
        if alive_at is not None and time.monotonic() - alive_at > self._allowed_s:
            text, cure = Reason.STUCK.value, "unplug the device and plug it in again"
            return DeviceStatus(self._status.address, DeviceState.STUCK, text, cure, self._status.faults)
        return self._status

    def start(self) -> None:
        """Begin to open the device."""
        self._thread.start()

    def submit(self, work: Callable[[D, Lease], T]) -> Job[T]:
        """Queue a standing job."""
        job: Job[T] = Job(work)
        self._jobs.put(job)
        return job

    def nudge(self) -> None:
        """Look at the device now: something was plugged in or out."""
        if not self._hurry.is_set():
            self._hurry.set()
            self._jobs.put(_Look.NOW)

    def restart(self) -> None:
        """Close the device and open it again; its job waits. A stuck call loses the device at once."""
        stuck = self.status.state is DeviceState.STUCK
        self._restart.set()
        if (job := self._unfinished) is not None:
            job.interrupt()
        if stuck and (device := self._device) is not None:
            # Closing may hang as well, and the caller must not.
            threading.Thread(target=_close, args=(device,), name="close a stuck device", daemon=True).start()
        self.nudge()

    def close(self) -> None:
        """Ask the device's thread to close the device and end."""
        self._closing.set()
        self._hurry.set()
        if (job := self._unfinished) is not None:
            job.cancel()
        self._jobs.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait until the device is closed. A stuck one is left behind."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            device = self._device = self._open()
            if device is None:
                self._pause()
                continue
            try:
                self._serve(device)
            except _RestartAsked:
                self._restart.clear()
                self._set(DeviceState.OPENING, "restarting")
                continue
            except DeviceUnavailableError as error:
                self._set(DeviceState.UNAVAILABLE, error.reason.value, error.hint)
            except DeviceError as error:
                self._set(DeviceState.UNAVAILABLE, str(error), "")
            except (Exception, SystemExit) as error:  # noqa: BLE001  a foreign driver may raise anything
                self._fault(error)
            finally:
                self._alive_at = self._device = None
                _close(device)
            self._pause()
        self._set(DeviceState.CLOSED)

    def _pause(self) -> None:
        """Wait before the next attempt to open, unless something was plugged in meanwhile."""
        self._hurry.wait(REOPEN_S)
        # What is opened anew now need not be restarted.
        self._restart.clear()
        if not self._closing.is_set():
            self._hurry.clear()

    def _open(self) -> D | None:
        address = self._status.address
        self._beat(OPEN_DEADLINE_S)
        device: D | None = None
        try:
            device = self._open_device(address)
            name = device.info().name
            self.opened += 1
            self._set(DeviceState.READY, name)
            return device
        except DeviceUnavailableError as error:
            self._set(DeviceState.UNAVAILABLE, error.reason.value, error.hint)
        except DeviceError as error:
            self._set(DeviceState.UNAVAILABLE, str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  as above
            self._fault(error)
        finally:
            self._alive_at = None
            self.tried += 1
        if device is not None:
            # Left open, it would be in use by another program at the next attempt: by this one.
            _close(device)
        return None

    def _serve(self, device: D) -> None:
        name = self._status.text
        while not self._closing.is_set():
            if self._restart.is_set():
                raise _RestartAsked
            job = self._unfinished or self._next()
            if isinstance(job, _Look):
                self._beat(DEADLINE_S)
                device.info()
                self._alive_at = None
                continue
            if job is None or job.stop.is_set():
                self._unfinished = None
                continue
            self._unfinished = job
            if self._closing.is_set():
                # `close` may have looked for a job to cancel just before there was one.
                job.cancel()
                continue
            self._set(DeviceState.BUSY, name)
            self._do(device, job)
            self._unfinished = None
            self._set(DeviceState.READY, name)

    def _next(self) -> Job[Any] | _Look | None:
        """Return the next job, or that it is time to look whether the device is still there."""
        try:
            job = self._jobs.get(timeout=HEALTH_S)
        except queue.Empty:
            return _Look.NOW
        if job is _Look.NOW and not self._closing.is_set():
            self._hurry.clear()
        return job

    def _do(self, device: D, job: Job[T]) -> None:
        """Do a job. What it raises leaves it unfinished, to be done again on a device opened anew."""
        self._beat(DEADLINE_S)
        try:
            lease = Lease(job.begin(), lambda: self._beat(DEADLINE_S), self._wait_for_customer)
            if self._restart.is_set():
                # It was asked for before there was a run to interrupt.
                job.interrupt()
            result = job.work(device, lease)
        except DeviceUnavailableError as error:
            if error.started:
                self._unfinished = None
                with contextlib.suppress(CancelledError, InvalidStateError):
                    job.future.set_exception(error)
            raise
        self._alive_at = None
        if result is None and self._restart.is_set() and not job.stop.is_set():
            raise _RestartAsked
        with contextlib.suppress(CancelledError, InvalidStateError):
            job.future.set_result(result)

    def _wait_for_customer(self) -> None:
        self._allowed_s = DEADLINE_S
        self._alive_at = _WAITING

    def _beat(self, allowed_s: float) -> None:
        self._allowed_s = allowed_s
        self._alive_at = time.monotonic()

    def _fault(self, error: BaseException) -> None:
        """Count what a driver should not have raised. The till goes on; the log must not fill the disk."""
        faults = self._status.faults + 1
        if faults <= LOGGED_FAULTS or faults % 100 == 0:
            logger.error(
                "driver of %s failed (%d times); it is opened again",
                self._status.address,
                faults,
                exc_info=error,
            )
        text = f"driver error: {type(error).__name__}"
        self._set(DeviceState.UNAVAILABLE, text, "see the log; it is opened again", faults)

    def _set(self, state: DeviceState, text: str = "", cure: str = "", faults: int | None = None) -> None:
        # Whoever is told now must not find a device stuck that has just come back.
        self._alive_at = None
        kept = self._status.faults if faults is None else faults
        status = DeviceStatus(self._status.address, state, text, cure, kept)
        if status != self._status:
            self._status = status
            self._on_change()


def _close(device: Device) -> None:
    with contextlib.suppress(Exception, SystemExit):
        device.close()
