"""Work that a device does once, whatever comes of it.

A device's jobs are standing: one that fails is done again when the device is back. That is right for
a tap and wrong for a self-test that a technician asked for a minute ago.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.errors import DeviceError, DeviceUnavailableError
from terminal.devices.worker import Lease

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failed:
    """What came of an errand that failed: why, and what cures it."""

    text: str
    cure: str = ""


def errand(
    work: Callable[[Any, Lease], T], tell: Callable[[T | Failed], object]
) -> Callable[[Any, Lease], None]:
    """Return *work* as a job that is done once, whether or not it fails.

    What the worker has to know of, a device that went away and what nobody foresaw, is raised all the
    same: it opens the device again.

    Args:
        work: What is to be done.
        tell: Called with what came of it, on the device's thread.
    """

    told = False

    def tell_once(found: T | Failed) -> None:
        nonlocal told
        told = True
        tell(found)

    def run(device: Any, lease: Lease) -> None:
        if told:
            return
        try:
            tell_once(work(device, lease))
        except DeviceUnavailableError as error:
            tell_once(Failed(error.reason.value, error.hint))
            raise
        except DeviceError as error:
            tell_once(Failed(str(error)))
        except Exception as error:
            # Its message may hold what it failed on.
            tell_once(Failed(f"driver error ({type(error).__name__})", "the log has the place"))
            raise

    return run
