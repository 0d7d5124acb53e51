"""Opens what a camera address names.

| target | what it is |
| --- | --- |
| ``0``, ``1`` | V4L2 camera by index: /dev/video0, /dev/video1 |
| ``/dev/video0``, ``/dev/v4l/by-id/...`` | V4L2 camera by path |
| ``http://...``, ``https://...``, ``rtsp://...`` | MJPEG or video stream of an IP camera or a phone |
| any other path | video file, picture, or numbered pictures (``shot_%03d.png``) |

Options: ``resolution=1280x720`` and ``exposure=156``, in units of 100 µs. Both are for V4L2 cameras: a
stream and a file are as they are. Why something can't be opened is found out in `camera_cures`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# OpenCV and FFmpeg write to standard error, which belongs to the terminal's screen.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# In seconds: how long a camera that sends nothing more holds the grabbing thread. OpenCV has ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

import cv2

from drivers.address import DeviceAddress, without_passwords
from drivers.options import Options

_OPTIONS = {"resolution": "1280x720", "exposure": "156"}
_STREAMS = ("http://", "https://", "rtsp://")
OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 3000
_MAX_SIDE_PX = 16384
_MAX_EXPOSURE = 100_000
_MANUAL_EXPOSURE = 1
"""V4L2_EXPOSURE_MANUAL, which OpenCV hands to V4L2 as it is."""

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an address asks for."""

    target: str
    resolution: tuple[int, int] | None = None
    exposure: int | None = None


def wish(address: DeviceAddress) -> Wish:
    """Read an address. Raises DeviceUnavailableError for options that can't be."""
    options = Options(address, _OPTIONS)
    return Wish(
        options.target,
        options.size("resolution", highest=_MAX_SIDE_PX),
        options.optional_number("exposure", lowest=-20, highest=_MAX_EXPOSURE),
    )


def is_stream(target: str) -> bool:
    """Tell whether a target is a network stream."""
    return target.startswith(_STREAMS)


def device_path(target: str) -> Path | None:
    """Return the device that a target names; None for streams and files."""
    if target.isdecimal():
        return Path(f"/dev/video{int(target)}")
    return Path(target) if target.startswith("/dev/") else None


def is_live(target: str) -> bool:
    """Tell whether pictures come by themselves."""
    return is_stream(target) or device_path(target) is not None


def shown(target: str) -> str:
    """Return a target without the user and passwords that a stream's address may have."""
    return without_user(without_passwords(target)) if is_stream(target) else target


def without_user(target: str) -> str:
    """Return a stream's address without user and password before its host, as the camera itself is asked."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return target
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def open_capture(target: str) -> cv2.VideoCapture | None:
    """Open the target for grabbing; None where OpenCV can't."""
    device = device_path(target)
    if device is not None:
        capture = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
        # One queued picture instead of four, where the camera's driver can do it.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    elif is_stream(target):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, limits)
    else:
        capture = cv2.VideoCapture(target)
    return capture if capture.isOpened() else None


def adjust(capture: cv2.VideoCapture, wish: Wish) -> Mapping[str, str]:
    """Set what is asked for, where the camera has it; return for each what became of it."""
    settable = device_path(wish.target) is not None
    told = {}
    if wish.resolution is not None:
        if settable:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, wish.resolution[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wish.resolution[1])
        sizes = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        width, height = (int(capture.get(size)) for size in sizes)
        told["resolution"] = _became("{}x{}".format(*wish.resolution), f"{width}x{height}")
    if wish.exposure is not None:
        taken = settable and _expose(capture, wish.exposure)
        told["exposure"] = _became(str(wish.exposure), str(wish.exposure) if taken else "its own")
    return told


def _expose(capture: cv2.VideoCapture, exposure: int) -> bool:
    capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE)
    # Some cameras take any value and keep their own: only what is read back counts.
    return capture.set(cv2.CAP_PROP_EXPOSURE, exposure) and capture.get(cv2.CAP_PROP_EXPOSURE) == exposure


def _became(asked: str, given: str) -> str:
    return given if given == asked else f"{given}: the camera did not take {asked}"
