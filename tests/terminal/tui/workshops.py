"""Workshops for tests and pictures of the technician's screen: simulated devices, and broken ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App
from textual.pilot import Pilot

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from simulators.world import SimulatedWorld
from terminal import enrolment
from terminal.config import Devices, load
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceWorker
from terminal.diagnostics.workshop import Workshop
from terminal.home import CONFIG_FILE
from terminal.tui.widgets.line import Line
from tests.terminal.counter_shop import Shop
from tests.terminal.tui.screen_cells import text_of, words_of

T = TypeVar("T")

PRINTER = "sim:technician"
"""The printer that a lent workshop has."""


def nothing() -> None:
    """Stand for whoever would be told."""


def devices(*, readers: str = "", scanners: str = "", printers: str = "") -> Devices:
    """Return addresses, written with `` | `` between them."""

    def parsed(text: str) -> tuple[DeviceAddress, ...]:
        return tuple(parse(each) for each in text.split(" | ") if each)

    return Devices(readers=parsed(readers), scanners=parsed(scanners), printers=parsed(printers))


def worker_of(address: str, open_device: Callable[[DeviceAddress], Any]) -> DeviceWorker[Any]:
    """Return the worker of a device that *open_device* opens."""
    return DeviceWorker(parse(address), open_device, nothing)


def failing(reason: Reason, hint: str) -> Callable[[DeviceAddress], Any]:
    """Return what opens a device that can't be opened."""

    def open_device(address: DeviceAddress) -> Any:
        raise DeviceUnavailableError(address, reason, hint)

    return open_device


@contextmanager
def workshop_of(
    home: Path,
    configured: Devices | None = None,
    *,
    readers: tuple[DeviceWorker[Any], ...] = (),
    **parts: Any,
) -> Iterator[Workshop]:
    """Give a workshop on these devices, and close them at the end."""
    pool = DevicePool(configured or Devices(), nothing)
    pool.readers = (*readers, *pool.readers)
    pool.start()
    try:
        yield Workshop(home, pool, **parts)
    finally:
        pool.close()


@asynccontextmanager
async def lent_workshop(
    home: Path, *, tap: str = "visa-approve"
) -> AsyncIterator[tuple[Workshop, SimulatedWorld]]:
    """Give what a counter in a simulated world lends, after one tap, and the world."""
    shop = Shop(home)
    try:
        shop.pins = await enrolment.enrol(shop.home, shop.config)
        simulated = (parse("sim:"),)
        around = Devices(
            readers=simulated,
            scanners=load(home / CONFIG_FILE).devices.scanners[:1],
            printers=(parse(PRINTER),),
            displays=simulated,
            sounders=simulated,
        )
        async with shop.run(devices=around) as counter:
            await shop.tap(counter, "12.50", tap)
            yield counter.workshop, shop.world
    finally:
        shop.world.stop()


async def until(pilot: Pilot[None], what: Callable[[], T]) -> T:
    """Wait until *what* is true, and return it."""
    for _ in range(100):
        found = what()
        if found:
            return found
        await pilot.pause(0.05)
    raise AssertionError(f"never came:\n{text_of(pilot.app)}")


def told(app: App[None]) -> str:
    """Return every text on the screen, each in one line however it is broken, masked texts and all."""
    lines = (str(line.content) for line in app.screen.query(Line) if line.display)
    return " ".join((words_of(app), *(" ".join(each.split()) for each in lines)))


async def until_shown(pilot: Pilot[None], *words: str) -> str:
    """Wait until the screen has all these words, large or small, and return its text without line breaks."""

    def shown() -> str:
        text = told(pilot.app)
        return text if all(word.lower() in text.lower() for word in words) else ""

    return await until(pilot, shown)
