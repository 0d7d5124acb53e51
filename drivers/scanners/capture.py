"""Opens what a camera address names, and finds out why it can't be opened.

| target | what it is |
| --- | --- |
| ``0``, ``1`` | V4L2 camera by index: /dev/video0, /dev/video1 |
| ``/dev/video0``, ``/dev/v4l/by-id/...`` | V4L2 camera by path |
| ``http://...``, ``https://...``, ``rtsp://...`` | MJPEG or video stream of an IP camera or a phone |
| any other path | video file, picture, or numbered pictures (``shot_%03d.png``) |
"""

from __future__ import annotations

import http.client
import os
import shlex
import stat
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

# OpenCV and FFmpeg write to standard error, which belongs to the terminal's screen.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason

_SYSFS = Path("/sys/class/video4linux")
_STREAMS = ("http://", "https://", "rtsp://")
OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 3000

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


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


def check(address: DeviceAddress) -> None:
    """Refuse a device or file that can't be there or can't be used, before OpenCV is asked."""
    target = address.target
    if not target:
        raise DeviceUnavailableError(
            address,
            Reason.NOT_FOUND,
            "write camera:0, camera:http://HOST/ or camera:FILE",
        )
    if is_stream(target):
        return
    device = device_path(target)
    if device is not None:
        _check_device(address, device)
    elif "%" not in target and not Path(target).is_file():
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, f"ls -l {shlex.quote(target)}")
    elif "%" not in target and not os.access(target, os.R_OK):
        raise DeviceUnavailableError(address, Reason.NO_PERMISSION, f"ls -l {shlex.quote(target)}")


def _check_device(address: DeviceAddress, device: Path) -> None:
    if not device.exists():
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(address.target))
    if not stat.S_ISCHR(device.stat().st_mode):
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, f"{device} is no camera: ls -l {device}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "sudo usermod -aG video $USER, then log in again"
        )


def gone_hint(target: str) -> str:
    """Return what to do about a camera that is not there, or has gone away."""
    if is_stream(target):
        return f"check the camera's power and network: curl -sI {shlex.quote(target)}"
    if device_path(target) is None:
        return f"ls -l {shlex.quote(target)}"
    attached = ", ".join(f"camera:{index}" for index in attached_cameras()) or "none"
    return f"plug the camera in; attached now: {attached}"


def explain(address: DeviceAddress) -> DeviceUnavailableError:
    """Find out why OpenCV could not open a target that `check` let pass."""
    if is_stream(address.target):
        return _explain_stream(address)
    device = device_path(address.target)
    if device is None:
        return DeviceUnavailableError(
            address, Reason.NOT_FOUND, f"no video and no picture: file {shlex.quote(address.target)}"
        )
    return DeviceUnavailableError(address, Reason.BUSY, f"close the program that uses it: fuser -v {device}")


def _explain_stream(address: DeviceAddress) -> DeviceUnavailableError:
    target = address.target
    ask = f"curl -sI {shlex.quote(target)}"
    if not target.startswith("http"):
        return DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(target))
    try:
        # The scheme is one of `_STREAMS`: a technician's own camera address.
        with urllib.request.urlopen(target, timeout=OPEN_TIMEOUT_MS / 1000) as answer:  # noqa: S310
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        error.close()
        reason = Reason.NO_PERMISSION if error.code in (401, 403) else Reason.NOT_FOUND
        return DeviceUnavailableError(address, reason, f"the camera answers {error.code}: {ask}")
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return DeviceUnavailableError(
                address, Reason.SERVICE_DOWN, f"nothing listens there, start the camera's server: {ask}"
            )
        if isinstance(error.reason, TimeoutError):
            return DeviceUnavailableError(address, Reason.STUCK, gone_hint(target))
        return DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(target))
    except TimeoutError:
        return DeviceUnavailableError(address, Reason.STUCK, gone_hint(target))
    except (OSError, ValueError, http.client.HTTPException):
        return DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(target))
    return DeviceUnavailableError(address, Reason.NOT_FOUND, f"it answers with {kind}, not with video: {ask}")


def attached_cameras(sysfs: Path = _SYSFS) -> Sequence[int]:
    """Return the indices of attached cameras. A camera's further nodes (metadata) are left out."""
    found = []
    for node in sysfs.glob("video*"):
        number = node.name.removeprefix("video")
        if number.isdecimal() and _read(node / "index", "0") == "0":
            found.append(int(number))
    return sorted(found)


def camera_name(target: str, sysfs: Path = _SYSFS) -> str:
    """Return what the kernel calls a camera, or the target where it has no name for it."""
    device = device_path(target)
    return target if device is None else _read(sysfs / device.resolve().name / "name", target)


def _read(path: Path, default: str) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return default
