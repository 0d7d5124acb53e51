"""A line between a driver and a device that misbehaves as it is told.

Theory of operation: one thread carries bytes both ways between the host's end and the device's. Each
way counts what goes through it (`wire_fault_bytes`) and says when a fault strikes; one that strikes
the whole line is acted on here, through what the kind of line knows to do: hang up, plug in again,
keep others out. The kinds are `wire_fault_pty` (serial lines) and `wire_fault_tcp`.

    with FaultyPty(chip.path, [Fault(What.UNPLUG, at_byte=120)]) as line:
        reader = pn532.open(DeviceAddress("pn532", line.path))   # ... until the 120th byte of the chip
        line.cure()                                              # ... and it is plugged in again

What was sent so far is counted over the whole life of the line, over all connections. After a cure,
a fault does not strike again. All methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import select
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Condition, Thread
from time import monotonic
from typing import Self, TypeVar

from simulators.wire_fault_bytes import Way
from simulators.wire_fault_script import ON_BYTES, Direction, Fault, What

_CHUNK = 65536
_MOST_WAITING = 1 << 20
"""Bytes that a receiver may leave lying before its sender has to wait."""

_ANSWER_S = 10.0

T = TypeVar("T")


class Flow:
    """One way of one connection."""

    def __init__(self, source: int, sink: int, way: Way) -> None:
        self.source, self.sink, self.way = source, sink, way
        self.waiting = bytearray()
        self.ended = False
        """Whether the sender has said that nothing more comes."""
        self.told = False
        """Whether the receiver has been told so."""

    def read(self) -> bytes | None:
        """Return what the sender sent; None where there is nothing now, empty at its end."""
        try:
            return os.read(self.source, _CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self) -> bool:
        """Pass on what waits, as much as the receiver takes; False if it has gone."""
        try:
            while self.waiting:
                del self.waiting[: os.write(self.sink, self.waiting)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


class Link:
    """One connection: its two flows, and what ends it."""

    def __init__(self, host: int, device: int, ways: dict[Direction, Way]) -> None:
        self.to_device = Flow(host, device, ways[Direction.TO_DEVICE])
        self.from_device = Flow(device, host, ways[Direction.FROM_DEVICE])

    @property
    def flows(self) -> tuple[Flow, Flow]:
        return self.to_device, self.from_device


class FaultyLine(ABC):
    """What both kinds of line have.

    Args:
        faults: What strikes, each once.
        seed: Of what noise does.
    """

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 0) -> None:
        self._ways = {direction: Way(direction, faults, seed) for direction in Direction}
        self._links: list[Link] = []
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._changed = Condition()
        self._struck: list[Fault] = []
        self._now: What | None = What.UNPLUG
        self._backs: list[float] = []
        self._thread: Thread | None = None
        self._running = False
        self.on_strike: Callable[[Fault], None] = lambda fault: None
        """Called after each fault that strikes, on the line's own thread: it must not give orders."""

    @property
    def struck(self) -> tuple[Fault, ...]:
        """The faults that have struck so far, in order."""
        with self._changed:
            return tuple(self._struck)

    @property
    def state(self) -> What | None:
        """What is wrong with the whole line now; None while it carries bytes."""
        return self._now

    def passed(self, direction: Direction) -> int:
        """Return how many bytes have come from the sender of that direction."""
        return self._ways[direction].passed

    def wait_struck(self, times: int = 1, *, timeout_s: float = 10.0) -> bool:
        """Wait until so many faults have struck; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._struck) >= times, timeout_s)

    def start(self) -> None:
        """Plug in, and let strike what strikes at byte 0. Raises OSError if there is no device."""
        self._wake_read, self._wake_write = os.pipe()
        try:
            self._begin()
            self._plug_in()
            self._now = None
        except BaseException:
            self._end()
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise
        self._running = True
        for way in self._ways.values():
            for fault in way.due():
                self._strike(fault)
        self._thread = Thread(target=self._run, name="faulty-line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up and end the thread. Stopping twice is allowed."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._order(self._halt)
        thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def strike(self, fault: Fault) -> None:
        """Let a fault strike now, wherever the bytes are."""
        self._check(fault)

        def order() -> None:
            self._ways[fault.direction].begin(fault)
            self._strike(fault)

        self._order(order)

    def cure(self) -> None:
        """Make everything good: plugged in, free, allowed, and answering. Raises OSError without a device."""
        self._order(self._cure)

    @abstractmethod
    def _check(self, fault: Fault) -> None:
        """Refuse with ValueError a fault that this kind of line can't have."""

    @abstractmethod
    def _begin(self) -> None:
        """Make what lasts as long as the line; its thread does not run yet."""

    @abstractmethod
    def _plug_in(self, *, elsewhere: bool = False) -> None:
        """Let the device be found, at the same place or elsewhere. Raises OSError without a device."""

    @abstractmethod
    def _hang_up(self, *, there: bool) -> None:
        """End every connection at once; afterwards the device is there, or not."""

    @abstractmethod
    def _keep_out(self, what: What) -> None:
        """Let nobody open the device: BUSY or NO_PERMISSION."""

    @abstractmethod
    def _end(self) -> None:
        """Give everything back."""

    @abstractmethod
    def _listeners(self) -> dict[int, Callable[[], None]]:
        """Return the further descriptors to wait for, and what to do about each."""

    @abstractmethod
    def _over(self, link: Link) -> None:
        """A connection is over at both of its ends, or broken."""

    @abstractmethod
    def _before_device(self, link: Link) -> None:
        """Bytes are about to go to the device."""

    @abstractmethod
    def _tell_end(self, flow: Flow) -> None:
        """A sender has said that nothing more comes, and its receiver has everything."""

    @abstractmethod
    def _delivered(self) -> None:
        """Give what was written the time to arrive before the line is cut behind it."""

    def _order(self, work: Callable[[], T]) -> T:
        """Have the line's thread do something, and wait for it."""
        if not self._running:
            raise RuntimeError("the line is not there: call start()")
        done: Future[T] = Future()

        def order() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001  it belongs to whoever gave the order
                done.set_exception(error)

        self._orders.put(order)
        os.write(self._wake_write, b"!")
        return done.result(_ANSWER_S)

    def _run(self) -> None:
        while self._running:
            self._turn()

    def _turn(self) -> None:
        frozen = self._now is What.STUCK
        flows = [] if frozen else [flow for link in self._links for flow in link.flows]
        listeners = {} if frozen else self._listeners()
        reads = [flow.source for flow in flows if not flow.ended and len(flow.waiting) < _MOST_WAITING]
        writes = [flow.sink for flow in flows if flow.waiting]
        readable, writable, _ = select.select(
            [self._wake_read, *listeners, *reads], writes, [], self._next_back_s()
        )
        if self._wake_read in readable:
            os.read(self._wake_read, 4096)
            while not self._orders.empty():
                self._orders.get()()
            return
        if self._backs and monotonic() >= self._backs[0]:
            self._come_back()
            return
        for ready in readable:
            if ready in listeners:
                listeners[ready]()
                return
        for link in list(self._links):
            self._serve(link, set(readable), set(writable))

    def _serve(self, link: Link, readable: set[int], writable: set[int]) -> None:
        for flow in link.flows:
            if link not in self._links:
                return
            if flow.source in readable and not flow.ended:
                self._carry(link, flow)
            if link in self._links and (flow.waiting or flow.ended) and not self._write(link, flow):
                return
        if link in self._links and all(flow.told for flow in link.flows):
            self._over(link)

    def _carry(self, link: Link, flow: Flow) -> None:
        data = flow.read()
        if data is None:
            return
        if not data:
            flow.ended = True
            return
        if flow is link.to_device:
            self._before_device(link)
        for piece in flow.way.carry(data):
            if isinstance(piece, bytes):
                flow.waiting += piece
                continue
            if piece.what not in ON_BYTES:
                flow.write()
                self._delivered()
            self._strike(piece)
            if piece.what not in ON_BYTES:
                return

    def _write(self, link: Link, flow: Flow) -> bool:
        if not flow.write():
            self._over(link)
            return False
        if flow.ended and not flow.waiting and not flow.told:
            flow.told = True
            self._tell_end(flow)
        return True

    def _strike(self, fault: Fault) -> None:
        what = fault.what
        if fault.back_after_s is not None:
            self._backs = sorted([*self._backs, monotonic() + fault.back_after_s])
        if what not in ON_BYTES:
            # Before anybody can see what it is about.
            self._now = what
            if what is not What.STUCK:
                self._hang_up(there=what in (What.BUSY, What.NO_PERMISSION))
            if what in (What.BUSY, What.NO_PERMISSION):
                self._keep_out(what)
        with self._changed:
            self._struck.append(fault)
            self._changed.notify_all()
        self.on_strike(fault)

    def _next_back_s(self) -> float | None:
        return max(0.0, self._backs[0] - monotonic()) if self._backs else None

    def _come_back(self) -> None:
        self._backs.pop(0)
        # Without its device a line stays as it is: somebody will cure it later.
        with contextlib.suppress(OSError):
            self._cure()

    def _cure(self) -> None:
        was, self._now = self._now, None
        if was is not None and was is not What.STUCK:
            try:
                self._plug_in(elsewhere=was is What.RE_ENUMERATE)
            except OSError:
                self._now = was
                raise
        for direction, way in self._ways.items():
            late = way.cure()
            for link in self._links[-1:] if late else ():
                flow = link.to_device if direction is Direction.TO_DEVICE else link.from_device
                flow.waiting += late
                flow.write()

    def _halt(self) -> None:
        self._running = False
        self._end()
