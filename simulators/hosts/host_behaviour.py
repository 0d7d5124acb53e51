"""How the simulated host misbehaves, when a test or the demo asks it to."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from enum import Enum, auto

AUTHORISE = "/v1/authorise"
ANYTHING = ""


class Fault(Enum):
    """What goes wrong with one answer. All but FAIL_500 happen after the request has had its effect."""

    FAIL_500 = auto()  # an error page, and no effect
    HOLD = auto()  # the answer is kept back until `release`
    LOSE_ANSWER = auto()  # the connection is cut without a byte
    UNSIGNED = auto()  # the right answer without a signature
    WRONG_KEY = auto()  # the right answer, signed by somebody else


class Behaviour:
    """Settings that any thread may change while the host runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Counter[tuple[Fault, str]] = Counter()
        self._always: set[tuple[Fault, str]] = set()
        self._delay_s = 0.0
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._holding = threading.Event()

    def next(self, fault: Fault, *, path: str = AUTHORISE, times: int = 1) -> None:
        """Misbehave in the next answers on `path`, or on all paths with ANYTHING."""
        with self._lock:
            self._next[fault, path] += times
            self._holding.clear()

    def always(self, fault: Fault, *, path: str = ANYTHING) -> None:
        """Misbehave in every answer on `path` until `behave`."""
        with self._lock:
            self._always.add((fault, path))

    def slow(self, delay_s: float) -> None:
        """Answer everything so much later; 0 to be quick again."""
        with self._lock:
            self._delay_s = delay_s

    def behave(self) -> None:
        """Forget all faults, and give the answers that are held."""
        with self._lock:
            self._next.clear()
            self._always.clear()
            self._delay_s = 0.0
        self.release()

    def wait_until_held(self, *, timeout_s: float) -> bool:
        """Wait until the host, asked to hold an answer, has it ready; False when the time ran out."""
        return self._holding.wait(timeout_s)

    def release(self) -> None:
        """Give the answers that are held."""
        with self._lock:
            held, self._held = self._held, []
            self._holding.clear()
        for loop, gate in held:
            # A loop that has been stopped meanwhile has cut the connection already.
            if not loop.is_closed():
                loop.call_soon_threadsafe(gate.set)

    @property
    def delay_s(self) -> float:
        """Seconds by which answers are late."""
        with self._lock:
            return self._delay_s

    def take(self, path: str) -> set[Fault]:
        """Return the faults for one answer on `path`, using up those that were asked for once."""
        with self._lock:
            faults = {fault for fault, where in self._always if where in (path, ANYTHING)}
            for fault, where in list(self._next):
                if where in (path, ANYTHING):
                    faults.add(fault)
                    self._next[fault, where] -= 1
                    self._next += Counter()  # drops what is used up
            return faults

    async def hold(self) -> None:
        """Wait for `release`."""
        gate = asyncio.Event()
        with self._lock:
            self._held.append((asyncio.get_running_loop(), gate))
            self._holding.set()
        await gate.wait()
