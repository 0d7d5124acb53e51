"""How old a picture is when its code is known, beside a program that reads `VideoCapture` as it comes.

A camera shows another code in each picture and keeps when each was sent. Both look at it the way a
terminal does, which has other things to do between two looks: the naive program then finds the
pictures that queued up meanwhile. Both decode with the same decoder.
"""

import functools
import itertools
import statistics
import time
from collections.abc import Callable
from threading import Event

import cv2
import numpy as np

from drivers.address import parse
from drivers.scanners import camera as driver
from drivers.scanners.decode import Decoder
from simulators import scene
from simulators.camera import SimulatedCamera
from simulators.scene import Symbology
from tests.benchmarks.measure import line

_LOOKS = 40
_FIRST_LOOKS = 15
_FRAMES_PER_SECOND = 25.0
_BUSY_S = 0.1
"""What a terminal does between two looks, in seconds."""
_READ_S = 2.0
_WIDTH, _HEIGHT = 640, 480
_CODES = 150
"""So many that a number comes again only after every look at the one before."""


class _Counting(SimulatedCamera):
    """Shows a number in each picture, and knows when it sent it."""

    def __init__(self) -> None:
        super().__init__(width=_WIDTH, height=_HEIGHT, frames_per_second=_FRAMES_PER_SECOND)
        self._numbers = itertools.count()
        self.sent_s: dict[str, float] = {}

    def next_frame(self, *, paced: bool) -> bytes | None:
        """Return the next number's picture. One viewer at a time."""
        if super().next_frame(paced=paced) is None:
            return None
        number = next(self._numbers) % _CODES
        self.sent_s[f"picture {number}"] = time.perf_counter()
        return _pictures()[number]


@functools.cache
def _pictures() -> list[bytes]:
    drawn = (scene.phone(f"picture {number}", Symbology.QR, _WIDTH, _HEIGHT) for number in range(_CODES))
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in drawn]


def run() -> None:
    """Print the figures."""
    _pictures()
    with _Counting() as camera:
        ours, our_rate = _measure(camera, _open_ours)
    with _Counting() as camera:
        theirs, their_rate = _measure(camera, _open_naive)
    line(
        "age of a picture when its code is known",
        f"{ours:.0f} ms",
        f"plain VideoCapture.read {theirs:.0f} ms",
        f"{theirs / ours:.0f} times older",
    )
    line(
        "codes read a second, each from a new look",
        f"{our_rate:.0f}",
        f"plain VideoCapture.read {their_rate:.0f}",
        f"camera sends {_FRAMES_PER_SECOND:.0f} pictures; a look waits for one taken after it",
    )


_Look = Callable[[], str | None]


def _measure(
    camera: _Counting, open_look: Callable[[_Counting], tuple[_Look, Callable[[], None]]]
) -> tuple[float, float]:
    look, close = open_look(camera)
    age_ms = _age_ms(camera, look)
    close()
    look, close = open_look(camera)
    rate = _rate(look)
    close()
    return age_ms, rate


def _open_ours(camera: _Counting) -> tuple[_Look, Callable[[], None]]:
    scanner = driver.open(parse(camera.address))

    def look() -> str | None:
        code = scanner.next_code(Event(), timeout_s=5)
        return None if code is None else code.text

    return look, scanner.close


def _open_naive(camera: _Counting) -> tuple[_Look, Callable[[], None]]:
    capture = cv2.VideoCapture(camera.url, cv2.CAP_FFMPEG)
    decoder = Decoder()

    def look() -> str | None:
        taken, picture = capture.read()
        code = decoder.decode(np.asarray(picture, dtype=np.uint8)) if taken else None
        return None if code is None else code.text

    return look, capture.release


def _age_ms(camera: _Counting, look: _Look) -> float:
    ages = []
    for _ in range(_LOOKS):
        text = look()
        if text is not None:
            ages.append((time.perf_counter() - camera.sent_s[text]) * 1000)
        time.sleep(_BUSY_S)
    return statistics.median(ages)


def _rate(look: _Look) -> float:
    """Return how many different pictures are read a second, once what came in while opening is through."""
    for _ in range(_FIRST_LOOKS):
        look()
    until = time.perf_counter() + _READ_S
    texts = set()
    while time.perf_counter() < until:
        texts.add(look())
    return len(texts - {None}) / _READ_S


if __name__ == "__main__":
    run()
