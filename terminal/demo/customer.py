"""Waiting for the counter, as a customer does who looks at its screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from terminal.counter import Counter
from terminal.view import CounterView

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
    """Wait until every device works and the host is reached. Raises NotReadyError."""
    try:
        await until(counter, lambda view: not _unready(view), READY_S)
    except TimeoutError as error:
        raise NotReadyError("; ".join(_unready(counter.view))) from error


def _unready(view: CounterView) -> list[str]:
    """Return what does not work, and its cure."""
    found = []
    for device in view.devices:
        if device.state not in _DEVICES_READY:
            colon = "" if device.address.endswith(":") else ":"  # an address may end with one: "sim:"
            cure = f" ({device.cure})" if device.cure else ""
            found.append(f"{device.address}{colon} {device.text or device.state}{cure}")
    if not view.online:
        found.append(f"the host: {view.network or 'not reached'}")
    return found
