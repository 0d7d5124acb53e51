"""Opens a workshop for a command: whatever of the terminal can be had, with the faults said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from drivers.address import DeviceAddress
from drivers.errors import DeviceError
from drivers.registry import drivers
from offline_queue.errors import QueueError
from offline_queue.store import Store
from terminal import enrolment
from terminal.config import Config, ConfigError, Devices, load
from terminal.delivery import Delivery
from terminal.devices.inventory import KINDS, addresses, discover
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceState
from terminal.diagnostics.apart import apart
from terminal.diagnostics.asking import NotAskedError, ask_worker
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.host_client import HttpHost
from terminal.http import client
from terminal.log import LogRing
from terminal.set_up import QUEUE_FILE, open_store
from terminal.signals import to_the_end
from terminal.store_worker import StoreWorker

DISCOVER_S = 10.0
"""For how long devices are looked for, in seconds."""
SETTLE_S = 15.0
"""For how long devices may take to open before a probe looks at them, in seconds."""


@asynccontextmanager
async def open_workshop(
    home: Path, *, logs: LogRing | None = None, deliver: bool = True
) -> AsyncIterator[Workshop]:
    """Open configuration, keys, queue, host, delivery and devices; all is closed at the end.

    Devices that are discovered stand in where none is configured.

    Args:
        home: The terminal's folder.
        logs: What remembers the log's last lines.
        deliver: Whether what waits in the queue is delivered meanwhile, as the cashier's screen does.
    """
    config, config_fault = _config(home)
    async with AsyncExitStack() as stack:
        devices = config.devices if config is not None else Devices()
        if not any(getattr(devices, field.name) for field in fields(devices)):
            devices = await apart(_discovered, timeout_s=DISCOVER_S, otherwise=Devices())
        pool = DevicePool(devices, lambda: None)
        workshop = Workshop(home, pool, config=config, config_fault=config_fault)
        if logs is not None:
            workshop.logs = logs
        pool.start()
        stack.callback(pool.close)
        if config is None:
            workshop.enrolment_fault = workshop.store_fault = "the configuration can't be used"
            workshop.store_elsewhere = True
        else:
            _open_enrolment(workshop, home, config)
        if config is not None and workshop.enrolment is not None:
            await _open_store(workshop, stack, config, workshop.enrolment)
            await _open_host(workshop, stack, config, workshop.enrolment, deliver=deliver)
        yield workshop


class SeveralKindsError(Exception):
    """An address is that of several devices that could be meant; the message names what they are."""


@asynccontextmanager
async def open_device(
    home: Path, config: Config | None, address: DeviceAddress, ability: type = object
) -> AsyncIterator[Workshop]:
    """Open a workshop for one device, and nothing else.

    An address may be that of a reader and a printer and more, such as ``sim:``: then it is the one that has
    the ability.

    Raises KeyError where no driver is for it; SeveralKindsError.
    """
    kinds = _kinds(config, address)
    if len(kinds) > 1:
        async with _opened(home, config, address, kinds) as workshop:
            kinds = [kind for kind in kinds if await _has(workshop, kind, ability)] or kinds[:1]
    if len(kinds) > 1:
        raise SeveralKindsError(f"{address} is a {' and a '.join(kinds)}, each of which can do it")
    async with _opened(home, config, address, kinds) as workshop:
        yield workshop


@asynccontextmanager
async def _opened(
    home: Path, config: Config | None, address: DeviceAddress, kinds: Sequence[str]
) -> AsyncIterator[Workshop]:
    devices = Devices(**{f"{kind}s": (address,) for kind in kinds})
    workshop = Workshop(home, DevicePool(devices, lambda: None), config=config)
    workshop.pool.start()
    try:
        await settled(workshop)
        yield workshop
    finally:
        workshop.pool.close()


async def _has(workshop: Workshop, kind: str, ability: type) -> bool:
    (worker,) = workshop.pool.kinds[kind]
    try:
        return await ask_worker(worker, lambda device, lease: isinstance(device, ability))
    except (NotAskedError, DeviceError):
        return False


def _kinds(config: Config | None, address: DeviceAddress) -> list[str]:
    """Return what a device may be: as it is configured, else what the drivers of its scheme are for."""
    devices = config.devices if config is not None else None
    configured = [kind for kind in KINDS if address in addresses(devices, kind)]
    found = configured or [kind for kind, category in KINDS.items() if address.scheme in drivers(category)]
    if not found:
        raise KeyError(address.scheme)
    return found


async def settled(workshop: Workshop) -> None:
    """Wait until every device is open, or has failed to be."""
    workers = [worker for workers in workshop.pool.kinds.values() for worker in workers]
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    while any(worker.status.state is DeviceState.OPENING for worker in workers):
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.02)


def _config(home: Path) -> tuple[Config | None, str]:
    try:
        return load(home / CONFIG_FILE), ""
    except ConfigError as error:
        return None, str(error)


def _discovered() -> Devices:
    return Devices(**{f"{kind}s": discover(kind) for kind in KINDS})


def _open_enrolment(workshop: Workshop, home: Path, config: Config) -> None:
    try:
        workshop.enrolment = enrolment.load(home, config.terminal.id)
    except ConfigError as error:
        workshop.enrolment_fault = str(error)
        workshop.store_fault, workshop.store_elsewhere = "this terminal is not enrolled", True


async def _open_store(workshop: Workshop, stack: AsyncExitStack, config: Config, pins: Enrolment) -> None:
    if not (workshop.home / QUEUE_FILE).exists():
        # Looking on makes no files: whoever looks may not be who the terminal runs as.
        workshop.store_fault = "there is no queue yet; the first payment makes it"
        workshop.store_elsewhere = True
        return
    store = StoreWorker(lambda: open_store(workshop.home, config, pins))
    try:
        await store.call(Store.status)
    except QueueError as error:
        in_use = isinstance(error.__cause__, BlockingIOError)
        workshop.store_fault = f"{error}{_IN_USE if in_use else ''}"
        workshop.store_elsewhere = in_use
        store.close()
        return
    workshop.store = store
    stack.callback(store.close)


_IN_USE = ": the cashier's screen, most likely"


async def _open_host(
    workshop: Workshop, stack: AsyncExitStack, config: Config, pins: Enrolment, *, deliver: bool
) -> None:
    try:
        http = client(config.host.ca_file)
    except ConfigError:
        return  # the network's probe says it
    stack.push_async_callback(http.aclose)
    workshop.host = HttpHost(config.host.url, pins, http)
    if workshop.store is None or not deliver:
        return
    workshop.delivery = Delivery(workshop.store, workshop.host, _nobody, _nobody)
    workshop.delivery.start()
    workshop.delivery.wake()
    delivery = workshop.delivery
    stack.push_async_callback(lambda: to_the_end(delivery.stop()))


async def _nobody(*_: Any) -> None:
    """Nobody shows the queue at every change: whoever looks asks."""
