"""Grabs pictures from a camera on one thread, and keeps only the newest.

`VideoCapture` queues pictures: whoever reads slower than the camera sends sees the past. So one
thread takes every picture off the queue as it comes, and turns into pixels only those that are
wanted. A file is not live: each of its pictures waits until it was looked at, and it starts over
at its end.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

import cv2
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_CLOSE_S = 1.0
_RATE_FRAMES = 30


class FramesEndedError(Exception):
    """The camera stopped sending: unplugged, switched off, the network is gone, or OpenCV gave up."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, BGR, with its number since the camera was opened, and when it arrived."""

    number: int
    picture: NDArray[np.uint8]
    arrived_s: float

    @property
    def age_ms(self) -> float:
        """How long ago it arrived, in milliseconds."""
        return (time.perf_counter() - self.arrived_s) * 1000


class FrameSource:
    """The newest picture of an open capture.

    Args:
        open_capture: Opens the capture; called again when a file is at its end.
        live: Whether pictures come by themselves and are lost when nobody looks.
        silence_s: A camera that ends after so long without a picture fell silent, rather than hung up.
    """

    def __init__(
        self,
        open_capture: Callable[[], cv2.VideoCapture | None],
        *,
        live: bool,
        silence_s: float = float("inf"),
    ) -> None:
        self._open_capture = open_capture
        self._live = live
        self._silence_s = silence_s
        self._changed = Condition()
        self._frame: Frame | None = None
        self._newest: Frame | None = None
        self._arrivals_s: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._number = 0
        self._wanted = False
        self._running = False
        self._ended = False
        self._fell_silent = False

    def start(self) -> bool:
        """Open the capture and grab from now on; False where it can't be opened."""
        capture = self._open_capture()
        if capture is None:
            return False
        self._running = True
        self._thread = Thread(target=self._grab_all, args=(capture,), name="camera", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Give the capture back. Stopping twice is allowed.

        A capture that hangs in the driver is left to its thread, which gives it back if it ever returns.
        """
        with self._changed:
            was_running, self._running = self._running, False
            self._changed.notify_all()
        if was_running:
            self._thread.join(_CLOSE_S)

    @property
    def ended(self) -> bool:
        """Whether the camera has stopped sending."""
        return self._ended

    @property
    def fell_silent(self) -> bool:
        """Whether the camera ended by sending nothing, with its line still open."""
        return self._fell_silent

    @property
    def frames_per_second(self) -> float | None:
        """How many pictures the camera sends, looked at or not; None where that is not known."""
        with self._changed:
            if not self._live or len(self._arrivals_s) < 2:
                return None
            return (len(self._arrivals_s) - 1) / (self._arrivals_s[-1] - self._arrivals_s[0])

    def want(self, wanted: bool) -> int:
        """Say whether pictures are looked at; returns the number of the first that counts as fresh.

        The picture under way when the looking begins shows what was there before, so it does not
        count. In a file every picture counts.
        """
        with self._changed:
            self._wanted = wanted
            self._changed.notify_all()
            return self._number + 2 if self._live else 0

    def next_frame(self, first: int, *, timeout_s: float) -> Frame | None:
        """Wait for a picture whose number is at least *first*; None on time-out.

        Raises FramesEndedError when there will be no more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting() >= first, timeout_s)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            if frame is not None and frame.number >= first:
                return frame
            if self._ended:
                raise FramesEndedError
            return None

    def newest(self, *, timeout_s: float) -> Frame | None:
        """Return the newest picture, without taking it from `next_frame`; None if there is none yet.

        Where nobody looks, waits for the next one; an older one comes back when that takes too long.
        Raises FramesEndedError when there will be no more.
        """
        with self._changed:
            wanted, self._wanted = self._wanted, True
            self._changed.notify_all()
            first = self._number + 1 if self._live else 1
            self._changed.wait_for(
                lambda: self._ended or (self._newest is not None and self._newest.number >= first), timeout_s
            )
            self._wanted = wanted
            if self._ended:
                raise FramesEndedError
            return self._newest

    def _waiting(self) -> int:
        return 0 if self._frame is None else self._frame.number

    def _grab_all(self, capture: cv2.VideoCapture) -> None:
        """Grab to the end, whatever that is, and tell of it: nobody waits for a picture that can't come."""
        current: cv2.VideoCapture | None = capture
        try:
            progress = True
            while current is not None and self._wait_until_due():
                began_s = time.perf_counter()
                if current.grab():
                    progress = True
                    self._keep(current, time.perf_counter())
                    continue
                self._fell_silent = time.perf_counter() - began_s >= self._silence_s
                current.release()
                # A file starts over, unless it gave nothing since it last did.
                current = self._open_capture() if progress and not self._live else None
                progress = False
        except Exception:
            # OpenCV's own error over a picture that it can't decode, or no memory for one.
            logger.warning("the camera is given up", exc_info=True)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            if current is not None:
                current.release()

    def _keep(self, capture: cv2.VideoCapture, arrived_s: float) -> None:
        """Count the grabbed picture, and turn it into pixels if somebody looks."""
        # A file's picture was grabbed because it is wanted, by whoever comes next if no longer now.
        picture = capture.retrieve()[1] if self._wanted or not self._live else None
        with self._changed:
            self._number += 1
            self._arrivals_s.append(arrived_s)
            if picture is not None:
                frame = Frame(self._number, np.asarray(picture, dtype=np.uint8), arrived_s)
                self._frame = self._newest = frame
                self._changed.notify_all()

    def _wait_until_due(self) -> bool:
        """Wait until the next picture is to be grabbed; False when the source was stopped."""
        with self._changed:
            if not self._live:
                self._changed.wait_for(
                    lambda: not self._running or (self._wanted and self._frame is None),
                )
            return self._running
