"""Waiting for the counter, as a customer does who looks at its screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from drivers.errors import Reason
from terminal.counter import Counter
from terminal.view import CounterView, DeviceView

PATIENCE_S = 20.0
"""For how long a scripted customer waits for anything, in seconds."""
READY_S = 10.0
"""For how long devices and host may take to come up, in seconds."""

_DEVICES_READY = ("ready", "busy")


class NotReadyError(Exception):
    """A device or the host of the demo did not come up; the message says which, and the cure."""


async def until(
    counter: Counter, seen: Callable[[CounterView], object], patience_s: float = PATIENCE_S
) -> CounterView:
    """Return the first view in which *seen* is true. Raises TimeoutError."""
    changed = asyncio.Event()
    end = counter.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(patience_s):
            while not seen(counter.view):
                await changed.wait()
                changed.clear()
    finally:
        end()
    return counter.view


async def until_ready(counter: Counter) -> None:
    """Wait until every device works and the host is reached. Raises NotReadyError.

    A driver that is not installed is not waited for, and neither is then what still comes up.
    """
    with contextlib.suppress(TimeoutError):
        await until(counter, lambda view: not _unready(view) or _without_driver(view), READY_S)
    if found := _without_driver(counter.view) or _unready(counter.view):
        raise NotReadyError("; ".join(found))


def _without_driver(view: CounterView) -> list[str]:
    """Return the devices that no driver is installed for, or none there can be."""
    for_good = (Reason.DRIVER_MISSING.value, Reason.WRONG_ADDRESS.value)
    return [_told(device) for device in view.devices if device.text in for_good]


def _unready(view: CounterView) -> list[str]:
    """Return what does not work, and its cure."""
    found = [_told(device) for device in view.devices if device.state not in _DEVICES_READY]
    return found if view.online else [*found, f"the host: {view.network or 'not reached'}"]


def _told(device: DeviceView) -> str:
    colon = "" if device.address.endswith(":") else ":"  # an address may end with one: "sim:"
    cure = f" ({device.cure})" if device.cure else ""
    return f"{device.address}{colon} {device.text or device.state}{cure}"
