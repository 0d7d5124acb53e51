"""The technician's screen for pictures: a reader that fails, both benches, the way to the host, a tap."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

from drivers.errors import Reason
from simulators.world import SimulatedWorld
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.app import TechnicianApp
from tests.terminal.tui.workshops import failing, lent_workshop, until_shown, worker_of

CURE = "sudo systemctl enable --now pcscd.socket"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is done before the picture is taken: keys, and what is waited for after them."""

    keys: tuple[str, ...]
    words: tuple[str, ...]
    shows: str = ""
    """A card or a code that is held before the till."""
    wait_s: float = 0.5
    """How long it goes on before the picture is taken."""


SCENES = {
    "technician-fault": Scene((), (CURE,)),
    "technician-reader": Scene(
        ("2", "i", "enter", "escape", "s"),
        ("card in the field", "9000 fine", "100 of 100"),
        "mastercard-approve",
    ),
    "technician-camera": Scene(("3",), ("Alipay", "a second with picture"), "pays", 4.0),
    "technician-network": Scene(("5",), ("alipay", "all is well")),
    "technician-taps": Scene(("9",), ("PROCESSING",)),
}


async def svg_of(name: str, size: tuple[int, int], svg: Callable[[App[None]], str]) -> str:
    """Run the app through a scene and return its screen."""
    scene = SCENES[name]
    with tempfile.TemporaryDirectory() as folder:
        async with _workshop(name, Path(folder)) as (workshop, world):
            app = TechnicianApp(workshop)
            async with app.run_test(size=size) as pilot:
                await _play(pilot, scene, world)
                return svg(app)


async def _play(pilot: Pilot[None], scene: Scene, world: SimulatedWorld) -> None:
    if scene.keys[:1] == ("2",):
        world.hold_card(scene.shows)
    elif scene.shows:
        world.show_code(scene.shows)
    await pilot.press(*scene.keys[:1])
    await until_shown(pilot, *scene.words[:1])
    await pilot.press(*scene.keys[1:])
    await until_shown(pilot, *scene.words)
    await pilot.pause(scene.wait_s)


@asynccontextmanager
async def _workshop(name: str, home: Path) -> AsyncIterator[tuple[Workshop, SimulatedWorld]]:
    async with lent_workshop(home) as (workshop, world):
        if name == "technician-fault":
            broken = worker_of("pcsc:ACS ACR122U 00 00", failing(Reason.SERVICE_DOWN, CURE))
            broken.start()
            workshop.pool.readers = (broken, *workshop.pool.readers)
        yield workshop, world
