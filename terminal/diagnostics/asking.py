"""Puts one question to a device, in the device's own thread, and gives up after a while.

A device's jobs are standing: one that raises is done again on a device opened anew. A probe is to be
answered once instead, also with "it failed".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from drivers.address import DeviceAddress
from drivers.errors import DeviceTimeoutError
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from terminal.diagnostics.workshop import Workshop

ASK_S = 5.0
"""For how long an answer is waited for, in seconds."""

T = TypeVar("T")


class NotAskedError(Exception):
    """The device can't be asked now; the message is its condition in words."""


async def ask(
    workshop: Workshop,
    address: DeviceAddress,
    work: Callable[[Any, Lease], T],
    *,
    timeout_s: float = ASK_S,
) -> T:
    """Have a device do some work once, and return what came of it.

    Raises what *work* raises; NotAskedError for a device that is not open, and KeyError for one that is not
    there; DeviceTimeoutError after *timeout_s*.
    """
    return await ask_worker(workshop.pool.worker(address), work, timeout_s=timeout_s)


async def ask_worker(
    worker: DeviceWorker[Any], work: Callable[[Any, Lease], T], *, timeout_s: float = ASK_S
) -> T:
    """The same for a device by its worker: two kinds of device may have one address, such as ``sim:``."""
    status = worker.status
    if status.state not in (DeviceState.READY, DeviceState.BUSY):
        raise NotAskedError(status.text or status.state.value)

    def once(device: Any, lease: Lease) -> tuple[T | None, Exception | None]:
        try:
            return work(device, lease), None
        except Exception as error:  # noqa: BLE001  it is the caller's
            return None, error

    job = worker.submit(once)
    try:
        async with asyncio.timeout(timeout_s):
            result, error = await asyncio.wrap_future(job.future)
    except TimeoutError as late:
        raise DeviceTimeoutError(f"{status.address} does not answer within {timeout_s:g} s") from late
    finally:
        job.cancel()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is no error, so it is work's own
