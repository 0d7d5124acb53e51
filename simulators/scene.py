"""Draws what a counter camera sees: an empty counter, or a phone that shows a code, in good light or bad."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
import qrcode  # type: ignore[import-untyped]
from numpy.typing import NDArray

from simulators import code128

Picture = NDArray[np.uint8]

_NOISE_SEED = 7
_SCREEN_W, _SCREEN_H = 360, 640


class Symbology(Enum):
    """Which codes the phone shows."""

    QR = "QR"
    CODE_128 = "Code 128"
    BOTH = "QR and Code 128"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What keeps a camera from seeing well; as it stands here, nothing does."""

    blur_px: float = 0.0
    """Out of focus or shaking: the spread of a point, in pixels."""
    glare: float = 0.0
    """A lamp mirrored in the phone: 0 is none, 1 is white in its middle."""
    rotation_deg: float = 0.0
    """How far the phone is turned in the hand."""
    light: float = 1.0
    """How bright it is: 1 is a lit shop; the darker, the more the sensor's noise counts."""
    tilt: float = 0.0
    """How far the phone leans away: 0 is upright, 0.5 halves the width of its far edge."""


GOOD = Conditions()


def seen_under(picture: Picture, conditions: Conditions) -> Picture:
    """Return a scene as a camera sees it under these conditions. The same each time."""
    if conditions == GOOD:
        return picture
    height, width = picture.shape[:2]
    seen = _turned(picture, conditions).astype(np.float32)
    if conditions.glare:
        across, down = np.meshgrid(np.arange(width), np.arange(height))
        # Off the code's middle, as lamps are: a code that is all white is read by nobody.
        far = ((across - 0.56 * width) ** 2 + (down - 0.42 * height) ** 2) / (0.13 * height) ** 2
        seen += (255 * conditions.glare * np.exp(-far))[:, :, None].astype(np.float32)
    if conditions.blur_px:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), conditions.blur_px), dtype=np.float32)
    if conditions.light != 1.0:
        seen *= conditions.light
        seen += np.random.default_rng(_NOISE_SEED).normal(0.0, 4.0, seen.shape).astype(np.float32)
    return np.clip(seen, 0, 255).astype(np.uint8)


def _turned(picture: Picture, conditions: Conditions) -> Picture:
    height, width = picture.shape[:2]
    turn = np.vstack(
        [cv2.getRotationMatrix2D((width / 2, height / 2), conditions.rotation_deg, 1), [0, 0, 1]]
    )
    inset = conditions.tilt * width / 2
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    leaning = np.array([[inset, 0], [width - inset, 0], [width, height], [0, height]], dtype=np.float32)
    lean = cv2.getPerspectiveTransform(corners, leaning)
    seen = cv2.warpPerspective(picture, lean @ turn, (width, height), borderValue=(80, 80, 80))
    return np.asarray(seen, dtype=np.uint8)


def empty_counter(width: int, height: int) -> Picture:
    """Return a counter with nothing on it: a dull gradient and some sensor noise."""
    ramp = np.linspace(60, 110, height, dtype=np.float32)[:, None]
    grey = np.repeat(ramp, width, axis=1)
    noise = np.random.default_rng(_NOISE_SEED).normal(0.0, 3.0, grey.shape)
    bgr = cv2.cvtColor(np.clip(grey + noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return np.asarray(bgr, dtype=np.uint8)


def _qr(text: str, side_px: int) -> Picture:
    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    matrix = np.array(code.get_matrix(), dtype=np.uint8)
    modules = np.where(matrix, 0, 255).astype(np.uint8)
    scale = max(2, side_px // modules.shape[0])
    return np.asarray(np.kron(modules, np.ones((scale, scale), dtype=np.uint8)), dtype=np.uint8)


def _paste(screen: Picture, code: Picture, top: int) -> int:
    if code.shape[1] > screen.shape[1]:
        code = np.asarray(
            cv2.resize(code, (screen.shape[1], code.shape[0]), interpolation=cv2.INTER_AREA), np.uint8
        )
    left = (screen.shape[1] - code.shape[1]) // 2
    bottom = int(min(top + code.shape[0], screen.shape[0]))
    screen[top:bottom, left : left + code.shape[1]] = code[: bottom - top]
    return bottom


def _phone_screen(text: str, symbology: Symbology) -> Picture:
    screen = np.full((_SCREEN_H, _SCREEN_W), 245, dtype=np.uint8)
    top = 60
    if symbology in (Symbology.CODE_128, Symbology.BOTH):
        top = _paste(screen, code128.draw(text, module_px=2, height_px=100), top) + 40
    if symbology in (Symbology.QR, Symbology.BOTH):
        _paste(screen, _qr(text, 340), top)
    return screen


def phone(text: str, symbology: Symbology, width: int, height: int) -> Picture:
    """Return a counter with a phone held over it, slightly turned, that shows *text*."""
    screen = _phone_screen(text, symbology)
    body = cv2.copyMakeBorder(screen, 24, 24, 12, 12, cv2.BORDER_CONSTANT, value=[20])
    h, w = body.shape[:2]
    factor = 0.92 * height / h
    left, top = 0.5 * (width - factor * w), 0.04 * height
    right, bottom = left + factor * w, top + factor * h
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    seen = np.array(
        [[left + 14, top + 4], [right - 4, top], [right + 8, bottom - 6], [left - 6, bottom]], np.float32
    )
    warp = cv2.getPerspectiveTransform(source, seen)
    scene = empty_counter(width, height)
    mask = cv2.warpPerspective(np.full_like(body, 255), warp, (width, height))
    held = cv2.cvtColor(
        cv2.warpPerspective(body, warp, (width, height), flags=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR
    )
    noise = np.random.default_rng(_NOISE_SEED).normal(0.0, 4.0, held.shape)
    held = np.clip(held + noise, 0, 255).astype(np.uint8)
    scene[mask > 127] = held[mask > 127]
    return np.asarray(cv2.GaussianBlur(scene, (3, 3), 0), dtype=np.uint8)


def fit(picture: Picture, width: int, height: int) -> Picture:
    """Return *picture* scaled into a frame of that size, with dark borders where it does not fill it."""
    factor = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    frame = np.full((height, width, 3), 32, dtype=np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small
    return frame
