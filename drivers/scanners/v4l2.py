"""What the Linux kernel says of its cameras, in sysfs and by VIDIOC_QUERYCAP."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/class/video4linux")
# _IOR('V', 0, struct v4l2_capability): driver, card and bus as text, then version and two sets of bits.
_QUERYCAP = 0x80685600
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_VIDEO_CAPTURE, _VIDEO_CAPTURE_MPLANE, _HAS_DEVICE_CAPS = 0x1, 0x1000, 0x80000000


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of an attached camera; empty where nothing is."""

    name: str = ""
    serial_number: str = ""
    usb: str = ""
    """Vendor, product and release as USB has them: ``046d:0825 release 0012``."""


def attached_cameras(sysfs: Path = SYSFS) -> Sequence[int]:
    """Return the indices of attached cameras. A camera's further nodes (metadata) are left out."""
    found = []
    for node in sysfs.glob("video*"):
        number = node.name.removeprefix("video")
        if number.isdecimal() and _read(node / "index") in ("", "0"):
            found.append(int(number))
    return sorted(found)


def identity(device: Path, sysfs: Path = SYSFS) -> Identity:
    """Return what the kernel knows of a camera, by its device or a link to it."""
    node = sysfs / device.resolve().name
    # The camera's node belongs to an interface of the USB device, which is the folder above.
    usb = (node / "device").resolve().parent
    ids = [_read(usb / name) for name in ("idVendor", "idProduct", "bcdDevice")]
    return Identity(
        _read(node / "name"),
        _read(usb / "serial") if all(ids) else "",
        f"{ids[0]}:{ids[1]} release {ids[2]}" if all(ids) else "",
    )


def takes_pictures(device: Path) -> bool:
    """Ask the device itself whether it is a camera. Raises OSError where it can't be opened."""
    node = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = fcntl.ioctl(node, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            return False
        raise
    finally:
        os.close(node)
    *_, everything, here = _CAPABILITY.unpack(answer)
    able = here if everything & _HAS_DEVICE_CAPS else everything
    return bool(able & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
