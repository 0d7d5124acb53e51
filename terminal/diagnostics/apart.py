"""Does blocking work in a thread of its own that is left behind when it takes too long.

An executor would hold the program at its exit for a driver or a service that never answers.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def apart(work: Callable[[], T], *, timeout_s: float, otherwise: T) -> T:
    """Return what *work* returns; *otherwise* when it takes too long. Raises what it raises."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def tell(set_it: Callable[[], None]) -> None:
        # Whoever waited may have gone, and the loop with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if result.done() else set_it())

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001  it is the caller's
            tell(lambda error=error: result.set_exception(error))  # type: ignore[misc]
        else:
            tell(lambda: result.set_result(value))

    threading.Thread(target=run, name="apart", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            return await result
    except TimeoutError:
        logger.warning("a probe took more than %g s and is left behind", timeout_s)
        return otherwise
