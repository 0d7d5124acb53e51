"""Waiting for the counter, as a customer does who looks at its screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from terminal.counter import Counter
from terminal.view import CounterView

PATIENCE_S = 20.0
"""For how long a scripted customer waits for anything, in seconds."""


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
