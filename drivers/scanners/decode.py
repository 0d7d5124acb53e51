"""Reads a code from a picture: a ladder of decoders, from the cheapest and most fruitful rung up.

zxing-cpp looks at every picture. Where it finds nothing, the slower rungs follow inside a time
budget: zbar, then pictures prepared by OpenCV. A picture seldom has time for all of them, so the
next picture goes on where the last one stopped: over a few frames of a video each rung has its turn.

Only QR and Code 128 are looked for, the two symbologies that wallets show; with all of them on,
zbar reports codes that are not there. Text that zbar calls anything but ASCII is dropped, because
it guesses the encoding and garbles UTF-8. OpenCV's own QR detector is not used: it can bring the
process down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar  # type: ignore[import-untyped]

from drivers.protocols import Code

Grey = NDArray[np.uint8]
QR = "QR Code"
CODE_128 = "Code 128"

DEFAULT_BUDGET_S = 0.01
# An armed camera looks at an empty counter most of the time: more budget is heat, less is patience.
# `QRCode` would be the whole family, Micro QR included, which no wallet shows.
_ZXING_FORMATS = zxingcpp.BarcodeFormats(
    [zxingcpp.BarcodeFormat.QRCodeModel2, zxingcpp.BarcodeFormat.Code128]
)
_ZBAR_SYMBOLS = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]
_ZBAR_NAMES = {"QRCODE": QR, "CODE128": CODE_128}
_DARKER = np.array([round(255 * (level / 255) ** 2) for level in range(256)], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Seen:
    """One code that an engine found in a picture."""

    text: str
    symbology: str
    area_px: float

    @property
    def rank(self) -> tuple[bool, float]:
        """Which of several codes in one picture is meant: QR before bars, then the largest."""
        return (self.symbology == QR, self.area_px)


def zxing(grey: Grey) -> Iterator[Seen]:
    """Find codes with zxing-cpp."""
    for code in zxingcpp.read_barcodes(grey, formats=_ZXING_FORMATS, text_mode=zxingcpp.TextMode.Plain):
        at = code.position
        corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        area_px = cv2.contourArea(np.array([(corner.x, corner.y) for corner in corners], dtype=np.float32))
        linear = code.format == zxingcpp.BarcodeFormat.Code128
        yield Seen(code.text, CODE_128 if linear else QR, area_px)


def zbar(grey: Grey) -> Iterator[Seen]:
    """Find codes with zbar, those with ASCII text."""
    for code in pyzbar.decode(grey, symbols=_ZBAR_SYMBOLS):
        if code.data.isascii():
            yield Seen(code.data.decode("ascii"), _ZBAR_NAMES[code.type], code.rect.width * code.rect.height)


def _as_it_is(grey: Grey) -> Grey:
    return grey


def _blur(grey: Grey) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 0), dtype=np.uint8)


def _sharpen(grey: Grey) -> Grey:
    soft = cv2.GaussianBlur(grey, (0, 0), 3)
    return np.asarray(cv2.addWeighted(grey, 2.5, soft, -1.5, 0), dtype=np.uint8)


def _third(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA), np.uint8)


def _threshold(grey: Grey) -> Grey:
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(grey, 255, method, kind, 51, 5), dtype=np.uint8)


def _darken(grey: Grey) -> Grey:
    """Square the levels: what glare has washed out gets its contrast back."""
    return np.asarray(cv2.LUT(grey, _DARKER), dtype=np.uint8)


def _turn(grey: Grey) -> Grey:
    """Turn by 45 degrees, into a picture that is large enough for all of it."""
    height, width = grey.shape
    side = int((height + width) / 2**0.5) + 1
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 45, 1)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    return np.asarray(cv2.warpAffine(grey, turn, (side, side), borderValue=(255,)), dtype=np.uint8)


Prepare = Callable[[Grey], Grey]
Engine = Callable[[Grey], Iterator[Seen]]
RUNGS: tuple[tuple[Prepare, Engine], ...] = (
    (_as_it_is, zbar),
    (_darken, zxing),
    (_blur, zxing),
    (_sharpen, zxing),
    (_third, zxing),
    (_threshold, zxing),
    (_third, zbar),
    (_turn, zxing),
    (_threshold, zbar),
)


class Decoder:
    """Reads codes from the pictures of one camera; belongs to one thread.

    Args:
        budget_s: How long one picture may take, in seconds. The rung that is under way when the
            time is up is finished, so a picture takes at most one rung longer.
        clock: Returns seconds; only differences count.
        rungs: What is tried where zxing-cpp finds nothing in the picture as it is.
    """

    def __init__(
        self,
        *,
        budget_s: float = DEFAULT_BUDGET_S,
        clock: Callable[[], float] = time.perf_counter,
        rungs: Sequence[tuple[Prepare, Engine]] = RUNGS,
    ) -> None:
        self._budget_s = budget_s
        self._clock = clock
        self._rungs = rungs
        self._next_rung = 0

    def decode(self, picture: NDArray[np.uint8]) -> Code | None:
        """Return the code in a picture (BGR, or grey), or None."""
        start = self._clock()
        grey = picture
        if picture.ndim == 3:
            grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        best = _best(zxing(grey)) or self._climb(grey, start)
        if best is None:
            return None
        return Code(best.text, best.symbology, (self._clock() - start) * 1000)

    def _climb(self, grey: Grey, start: float) -> Seen | None:
        for _ in self._rungs:
            if self._clock() - start >= self._budget_s:
                return None
            prepare, engine = self._rungs[self._next_rung]
            best = _best(engine(prepare(grey)))
            if best is not None:
                # What helped with this picture is the first to try with the next.
                return best
            self._next_rung = (self._next_rung + 1) % len(self._rungs)
        return None


def _best(codes: Iterator[Seen]) -> Seen | None:
    return max((code for code in codes if code.text), key=lambda code: code.rank, default=None)
