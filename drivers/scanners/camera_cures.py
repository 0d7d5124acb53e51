"""Finds out why a camera can't be opened, and what cures it."""

from __future__ import annotations

import errno
import http.client
import os
import shlex
import socket
import stat
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.holder import cure
from drivers.scanners import v4l2
from drivers.scanners.capture import OPEN_TIMEOUT_MS, device_path, is_stream, shown, without_user

_RTSP_PORT = 554


def check(address: DeviceAddress, target: str) -> None:
    """Refuse a device or file that can't be there or can't be used, before OpenCV is asked."""
    if not target:
        raise DeviceUnavailableError(
            address, Reason.WRONG_ADDRESS, "write camera:0, camera:http://HOST/ or camera:FILE"
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
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(str(device)))
    if not stat.S_ISCHR(device.stat().st_mode):
        raise DeviceUnavailableError(address, Reason.WRONG_DEVICE, f"{device} is no camera: ls -l {device}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise _no_permission(address)


def gone_hint(target: str) -> str:
    """Return what to do about a camera that is not there, or has gone away."""
    if is_stream(target):
        return f"check the camera's power and network: {_ask(target)}"
    if device_path(target) is None:
        return f"ls -l {shlex.quote(target)}"
    return f"plug the camera in; attached now: {_attached()}"


def explain(address: DeviceAddress, target: str) -> DeviceUnavailableError:
    """Find out why OpenCV could not open a target that `check` let pass."""
    if is_stream(target):
        return _explain_rtsp(address, target) if target.startswith("rtsp") else _explain_http(address, target)
    device = device_path(target)
    if device is None:
        return DeviceUnavailableError(
            address, Reason.WRONG_DEVICE, f"no video and no picture: file {shlex.quote(target)}"
        )
    return _explain_device(address, device)


def _explain_device(address: DeviceAddress, device: Path) -> DeviceUnavailableError:
    try:
        if not v4l2.takes_pictures(device):
            hint = f"{device} takes no pictures; attached now: {_attached()}"
            return DeviceUnavailableError(address, Reason.WRONG_DEVICE, hint)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return _no_permission(address)
        if error.errno != errno.EBUSY:
            return DeviceUnavailableError(address, Reason.NOT_FOUND, gone_hint(str(device)))
    hint = f"{cure(str(device))}; if that does not help, plug the camera in again"
    return DeviceUnavailableError(address, Reason.BUSY, hint)


def _no_permission(address: DeviceAddress) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        address, Reason.NO_PERMISSION, "sudo usermod -aG video $USER, then log in again"
    )


def _attached() -> str:
    return ", ".join(f"camera:{index}" for index in v4l2.attached_cameras()) or "none"


def _ask(target: str) -> str:
    """The command that asks a stream's server, for a person to type."""
    return f"curl -sI {shlex.quote(shown(target))}"


def _look(target: str) -> str:
    """What a person does to see for themselves; some cameras answer no `curl -I`."""
    player = "in a player such as ffplay" if target.startswith("rtsp") else "in a browser"
    return f"look at {shown(target)} {player}"


def _explain_http(address: DeviceAddress, target: str) -> DeviceUnavailableError:
    try:
        # The scheme is one of those of `capture`: a technician's own camera address.
        with urllib.request.urlopen(target, timeout=OPEN_TIMEOUT_MS / 1000) as answer:  # noqa: S310
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        error.close()
        return _answered(address, target, error.code)
    except urllib.error.URLError as error:
        return _unreachable(address, target, error.reason)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _unreachable(address, target, error)
    if kind.startswith("text/"):
        hint = f"it answers with a web page ({kind}), perhaps a login: write the stream's own address"
        return DeviceUnavailableError(address, Reason.WRONG_DEVICE, hint)
    if kind.startswith(("multipart/", "video/", "image/")):
        hint = f"it answers with {kind} and sends no picture that can be read: {_look(target)}"
        return DeviceUnavailableError(address, Reason.NO_ANSWER, hint)
    return DeviceUnavailableError(
        address, Reason.WRONG_DEVICE, f"it answers with {kind}, not with video: {_ask(target)}"
    )


def _explain_rtsp(address: DeviceAddress, target: str) -> DeviceUnavailableError:
    ask = f"DESCRIBE {without_user(target)} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    try:
        parts = urlsplit(target)
        place = (parts.hostname or "", parts.port or _RTSP_PORT)
        with socket.create_connection(place, timeout=OPEN_TIMEOUT_MS / 1000) as line:
            line.sendall(ask.encode())
            answer = line.makefile("rb").readline(200).split()
    except (OSError, ValueError) as error:
        return _unreachable(address, target, error)
    if len(answer) < 2 or not answer[0].startswith(b"RTSP/") or not answer[1].isdigit():
        return DeviceUnavailableError(address, Reason.WRONG_DEVICE, f"it does not speak RTSP: {_ask(target)}")
    if answer[1] == b"200":
        hint = f"it answers, but sends no video that can be read: ffplay {shlex.quote(shown(target))}"
        return DeviceUnavailableError(address, Reason.NO_ANSWER, hint)
    return _answered(address, target, int(answer[1]))


def _answered(address: DeviceAddress, target: str, status: int) -> DeviceUnavailableError:
    if status in (401, 403):
        scheme = target.partition(":")[0]
        hint = f"the camera answers {status}: write {scheme}://USER:PASSWORD@HOST/... as it is set up there"
        return DeviceUnavailableError(address, Reason.NO_PERMISSION, hint)
    hint = f"it answers {status}, so there is no camera under this very address: {_look(target)}"
    return DeviceUnavailableError(address, Reason.WRONG_DEVICE, hint)


def _unreachable(address: DeviceAddress, target: str, error: object) -> DeviceUnavailableError:
    if isinstance(error, ConnectionRefusedError):
        hint = f"start the camera's server, and {_look(target)}"
        return DeviceUnavailableError(address, Reason.REFUSED, hint)
    reason = Reason.NO_ANSWER if isinstance(error, TimeoutError) else Reason.NOT_FOUND
    return DeviceUnavailableError(address, reason, gone_hint(target))
