"""What is heard: a beep at a card that was read, the alert, and each result once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from drivers.protocols import Sounder
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from terminal.view import CounterView, LightPattern
from terminal.voice.tones import Tone, sound, tone_of

STALE_S = 2.0
"""A sound that can not begin within so many seconds is left out: it would tell of another customer."""

_AT_LIGHTS = {LightPattern.CARD_READ: Tone.CARD_READ, LightPattern.ERROR: Tone.ALERT}
_WORKS = (DeviceState.READY, DeviceState.BUSY)


def heard(before: CounterView, after: CounterView) -> Tone | None:
    """Return what a change of the counter sounds like, or None. Read and approved are never the same."""
    if after.result is not None:
        return tone_of(after.result.outcome) if _result(after) != _result(before) else None
    return _AT_LIGHTS.get(after.lights) if after.lights is not before.lights else None


def _result(view: CounterView) -> tuple[str, str]:
    return (view.attempt, view.result.outcome.value) if view.result is not None else ("", "")


class Sounds:
    """Plays on every sounder that works now. Those that do not are not waited for.

    Args:
        clock_s: A clock that nobody can put back, in seconds.
    """

    def __init__(
        self, workers: Sequence[DeviceWorker[Sounder]], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._workers = workers
        self._clock_s = clock_s
        self._before: CounterView | None = None

    def prepare(self) -> None:
        """Make all tones before the first is needed, on a sounder's thread."""
        for worker in self._workers[:1]:
            worker.submit(_prepare)

    def follow(self, view: CounterView) -> None:
        """Take over another view. Called on the event loop; returns at once."""
        before, self._before = self._before, view
        tone = heard(before, view) if before is not None else None
        if tone is not None:
            self.play(tone)

    def play(self, tone: Tone) -> None:
        """Play a tone, unless it would be late."""
        asked_s = self._clock_s()

        def work(sounder: Sounder, lease: Lease) -> None:
            if self._clock_s() - asked_s <= STALE_S:
                sounder.play(sound(tone), lease.stop)

        for worker in self._workers:
            if worker.status.state in _WORKS:
                worker.submit(work)


def _prepare(_: Sounder, lease: Lease) -> None:
    for tone in Tone:
        lease.beat()
        sound(tone)
