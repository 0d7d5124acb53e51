"""The last taps as they went over the wire, masked, with the time of each command."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

KEPT = 20
"""How many taps are remembered."""


@dataclass(frozen=True, slots=True)
class TracedCommand:
    """One command and its answer as `emv.trace` renders them, and the time that reader and card took."""

    text: str
    card_ms: float


@dataclass(frozen=True, slots=True)
class TapTrace:
    """One presentation of a card. `identification` is its ATR or ATS in hexadecimal."""

    when: datetime
    reader: str
    identification: str
    commands: tuple[TracedCommand, ...]
    outcome: str
    reason: str
    card_ms: float
    total_ms: float


class TapLog:
    """Remembers the last taps of all readers. May be used from any thread."""

    def __init__(self) -> None:
        self._taps: deque[TapTrace] = deque(maxlen=KEPT)
        self._lock = Lock()
        self._listeners: list[Callable[[TapTrace], None]] = []

    def add(self, trace: TapTrace) -> None:
        """Remember a tap, and tell of it on this thread."""
        with self._lock:
            self._taps.append(trace)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(trace)

    def newest_first(self) -> tuple[TapTrace, ...]:
        """Return the taps that are remembered."""
        with self._lock:
            return tuple(reversed(self._taps))

    def listen(self, listener: Callable[[TapTrace], None]) -> Callable[[], None]:
        """Call *listener* with each tap from now on; call what is returned to end that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return end
