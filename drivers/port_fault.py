"""Why a port can't be used, in the same words for readers, scanners, printers and displays on one."""

from __future__ import annotations

import errno
import os

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.holder import cure


def port_fault(
    address: DeviceAddress,
    path: str,
    error: BaseException,
    *,
    absent: str,
    wrong: str = "it is no serial port",
) -> DeviceUnavailableError:
    """Say why the port at *path* can't be used.

    Args:
        address: The device.
        path: Its port.
        error: What the system or a library said.
        absent: The cure where there is no such port.
        wrong: What is the matter where there is one that is no such port.
    """
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):
        reason, hint = Reason.BUSY, cure(path)
    elif number in (errno.EACCES, errno.EPERM):
        group = "lp" if "lp" in os.path.basename(path) else "dialout"
        reason, hint = Reason.NO_PERMISSION, f"sudo usermod -aG {group} $USER, then log in again"
    elif os.path.exists(path):
        reason, hint = Reason.WRONG_DEVICE, f"{wrong}: ls -l {path}"
    else:
        reason, hint = Reason.NOT_FOUND, absent
    return DeviceUnavailableError(address, reason, hint)
