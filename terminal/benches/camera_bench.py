"""One scanner on the workbench: its picture where it is a camera, what it reads, and how fast.

`run` is the job that has the scanner for as long as the bench is open. The screen draws `state`, which
is a new frozen picture after each change, and says by `fit` how large a picture it can show.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace

from drivers.abilities import Picture, ShowsPicture
from drivers.errors import DeviceError, DeviceUnavailableError
from drivers.protocols import Code, CodeScanner
from terminal.benches.latency import NO_TIMES, Latency, latency_of
from terminal.devices.worker import Lease
from terminal.payment.routing import route

PICTURE_S = 0.2
"""The shortest time from one picture to the next, in seconds."""
LONG_S = 3600.0
"""For how long a scanner without a picture is asked to wait at once; it returns when it is told to stop."""
RATE_S = 2.0
"""Over how long reads are counted for their rate, in seconds."""
_REST_S = 0.01
"""A simulated scanner may read the same code without end; it must not take a whole processor."""
_SHOWN = 4
"""How much of a code's beginning is shown: enough to see whose it is, too little to pay with."""
_LEAST_HIDDEN = 8
_KEPT = 100


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A code that was read; of its text the beginning only."""

    masked: str
    length: int
    symbology: str
    wallet: str
    """Whose it is by the rules of payment; empty for a code that is no payment."""
    taken: bool
    """Whether this terminal has a channel for it at all."""
    decode_ms: float
    age_ms: float
    at_s: float
    """When it was read, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """The bench at one moment."""

    has_scanner: bool = False
    shows_picture: bool = False
    picture: Picture | None = None
    code: CodeSeen | None = None
    reads: int = 0
    decoding: Latency = NO_TIMES
    ages: Latency = NO_TIMES
    trouble: str = ""


def masked(text: str) -> str:
    """Return a code's text with all but its beginning hidden."""
    shown = _SHOWN if len(text) >= _SHOWN + _LEAST_HIDDEN else 0
    head = "".join(each if each.isprintable() else "·" for each in text[:shown])
    return f"{head}{'•' * (len(text) - shown)}"


class CameraBench:
    """What a technician looks at with one scanner. All methods but `run` return at once."""

    def __init__(self) -> None:
        self.state = CameraState()
        self._size = (80, 48)
        self._reads: deque[float] = deque()
        self._decoded_ms: deque[float] = deque(maxlen=_KEPT)
        self._aged_ms: deque[float] = deque(maxlen=_KEPT)

    def fit(self, width: int, height: int) -> None:
        """Say how many pixels can be shown; with none no picture is asked for, and more codes are read."""
        self._size = (width, height)

    def rate(self) -> float:
        """Return how many codes were read a second, of late."""
        since = time.monotonic() - RATE_S
        return sum(at > since for at in tuple(self._reads)) / RATE_S

    def run(self, scanner: CodeScanner, lease: Lease) -> None:
        """Have the scanner until the bench is closed. This is a standing job."""
        shows = isinstance(scanner, ShowsPicture)
        self._show(has_scanner=True, shows_picture=shows, picture=None, trouble="")
        looked_s = 0.0
        try:
            while not lease.stop.is_set():
                lease.wait()
                code = scanner.next_code(lease.stop, timeout_s=PICTURE_S if shows else LONG_S)
                lease.beat()
                if code is not None:
                    self._read(code)
                    lease.stop.wait(_REST_S)
                size = self._size
                if not min(size) and self.state.picture is not None:
                    self._show(picture=None)
                due = min(size) > 0 and time.monotonic() - looked_s >= PICTURE_S
                if due and isinstance(scanner, ShowsPicture):
                    looked_s = time.monotonic()
                    picture = scanner.picture(*size)
                    if picture is not None:
                        self._show(picture=picture, trouble="")
        except DeviceUnavailableError:
            raise
        except DeviceError as error:
            self._show(trouble=str(error))
            raise
        finally:
            self._show(has_scanner=False, picture=None)

    def _read(self, code: Code) -> None:
        now = time.monotonic()
        self._reads.append(now)
        while self._reads and self._reads[0] < now - RATE_S:
            self._reads.popleft()
        if code.decode_ms:
            self._decoded_ms.append(code.decode_ms)
        if code.age_ms:
            self._aged_ms.append(code.age_ms)
        rule = route(code.text)
        self._show(
            code=CodeSeen(
                masked(code.text.strip()),
                len(code.text.strip()),
                code.symbology,
                rule.wallet if rule else "",
                bool(rule and rule.channel),
                code.decode_ms,
                code.age_ms,
                now,
            ),
            reads=self.state.reads + 1,
            decoding=latency_of(tuple(self._decoded_ms)),
            ages=latency_of(tuple(self._aged_ms)),
        )

    def _show(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
