"""Starts the simulated world and a terminal in it, for a script or for a person."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from terminal import enrolment, home, log
from terminal.config import Config, load
from terminal.demo.folder import write_config
from terminal.demo.play import Player, StepReport, play_all
from terminal.demo.script import Step
from terminal.demo.world import Pace, World, find
from terminal.operators import TECHNICAL, Operators, Role
from terminal.signals import to_the_end

DEMO_PIN = "2580"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running world with an enrolled terminal in it."""

    world: World
    config: Config
    enrolment: enrolment.Enrolment
    reader: str


@asynccontextmanager
async def stage(folder: Path, reader: str, pace: Pace) -> AsyncIterator[Stage]:
    """Start a world and enrol a terminal; end everything that was started."""
    world = find()
    try:
        config = _set_up(world, folder, reader, pace)
        pins = await enrolment.enrol(folder, config)
        yield Stage(world, config, pins, str(config.devices.readers[0]))
    finally:
        world.stop()


def _set_up(world: World, folder: Path, reader: str, pace: Pace) -> Config:
    """Start the world and write its configuration into the terminal's home."""
    config = load(write_config(folder, world.start(folder, reader, pace)))
    log.start(folder / home.LOG_FILE, config.log.level)
    return config


def _add_technician(folder: Path) -> None:
    """Make sure that somebody may open the technician's screen."""
    operators = Operators(folder)
    if not operators.roles & TECHNICAL:
        operators.add("Demo technician", Role.TECHNICIAN, DEMO_PIN)


async def play(folder: Path, reader: str, steps: tuple[Step, ...], *, as_json: bool) -> bool:
    """Play a script and print a line a step. Returns whether all came out as the script says."""

    def tell(report: StepReport) -> None:
        print(report.json() if as_json else report.text(), flush=True)  # noqa: T201  the output

    async with stage(folder, reader, Pace.SCRIPT) as its:
        for note in its.world.notes:
            print(note, file=sys.stderr)  # noqa: T201  the output
        player = Player(its.config, folder, its.enrolment, its.world, its.reader)
        return await play_all(player, steps, tell)


async def screen(folder: Path, reader: str) -> int:
    """Open the cashier's screen with the keys of a simulated customer; returns 0, or 1 after a crash."""
    from terminal.counter import Counter
    from terminal.demo.keys import DemoCustomer
    from terminal.tui.cashier.till import show_till

    async with stage(folder, reader, Pace.PERSON) as its:
        _add_technician(folder)
        counter = Counter(its.config, folder, its.enrolment)
        try:
            await counter.start()
            keys = DemoCustomer(counter, its.world).keys()
            note = f"In this demo the technician's PIN is {DEMO_PIN}"
            return await show_till(counter, its.config, folder, demo_keys=keys, note=note)
        finally:
            await to_the_end(counter.stop())
