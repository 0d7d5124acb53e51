"""The other panes, on what a counter in a simulated world lends."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.display_in_process import GLASS
from simulators.in_process_printer import printer
from simulators.sounder import EARS
from simulators.world import SimulatedWorld
from terminal import log
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.app import TechnicianApp
from tests.terminal.tui.screen_cells import words_of
from tests.terminal.tui.workshops import lent_workshop, until, until_shown


@pytest.fixture
async def lent(tmp_path: Path) -> AsyncIterator[tuple[Workshop, SimulatedWorld]]:
    async with lent_workshop(tmp_path) as lent:
        yield lent


async def test_each_pane_shows_what_it_is_for(lent: tuple[Workshop, SimulatedWorld]) -> None:
    workshop, _ = lent
    async with TechnicianApp(workshop).run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await until_shown(pilot, "The way to the host", "TCP", "TLS", "the host answers, signed by its key")
        await pilot.press("6")
        await until_shown(pilot, "2 records", "waits to be sent", "all is well")
        await pilot.press("v")
        await until_shown(pilot, "2 of 2 records: each one sound, each signature right", "100%")
        await pilot.press("e")
        await until_shown(pilot, "0 records")
        await pilot.press("7")
        await until_shown(pilot, "terminal key", "Ed25519")
        await pilot.press("9")
        shown = await until_shown(pilot, "SELECT 2PAY.SYS.DDF01", "→ 9000", "online request", " ms")
        assert "4761" not in shown
        await pilot.press("d")
        await until_shown(pilot, "6F File Control Information (FCI) Template")


async def test_a_network_that_is_cut_is_told_with_the_step(lent: tuple[Workshop, SimulatedWorld]) -> None:
    workshop, world = lent
    world.set_network(False)
    async with TechnicianApp(workshop).run_test() as pilot:
        await until_shown(pilot, "5✗Network", "✗ network · 5 devices work")
        await pilot.press("5")
        shown = await until_shown(pilot, "✗ TCP", "– echo", "cure:", "fault")
        assert "✓ name" in shown
        assert "all is well" not in shown
        world.set_network(True)
        await until(pilot, lambda: "running" not in words_of(pilot.app))
        await pilot.press("r")
        await until_shown(pilot, "✓ TCP", "the host answers")
        await until(pilot, lambda: "✗ network" not in words_of(pilot.app))


async def test_printer_display_and_sounder_are_tried(
    lent: tuple[Workshop, SimulatedWorld], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "terminal.technician")
    workshop, _ = lent
    paper, heard = printer("technician"), len(EARS.heard)
    paper.forget_pages()
    async with TechnicianApp(workshop).run_test() as pilot:
        await pilot.press("4")
        await until_shown(pilot, "paper enough", "cover closed")
        await pilot.press("p")
        await until_shown(pilot, "✓ test page printed")
        assert len(paper.finished_pages) == 1
        paper.remove_paper()
        try:
            await until_shown(pilot, "✗ out of paper", "cure: put in a new roll")
        finally:
            paper.load_paper()
        await until_shown(pilot, "✓ 5 devices work")
        await pilot.press("o")
        await until_shown(pilot, "drawer: told to open")
        assert "printer sim:technician: drawer" in caplog.text
        assert "printer sim:technician: test page" in caplog.text
        await pilot.press("down", "p")
        await until_shown(pilot, "display filled: 20 columns, 2 rows")
        assert "12345678901234567890" in [lines[0] for lines in GLASS.history]
        await pilot.press("o")
        await until_shown(pilot, "Choose a printer")
        await pilot.press("down", "p", "p")
        await until_shown(pilot, "played: card read", "played: alert")
        assert len(EARS.heard) == heard + 2


async def test_the_log_is_shown_with_a_level_for_each_driver(
    lent: tuple[Workshop, SimulatedWorld], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "terminal.technician")
    workshop, _ = lent
    root = logging.getLogger()
    root.addHandler(workshop.logs)
    name = "drivers.displays.serial_display"
    try:
        async with TechnicianApp(workshop).run_test(size=(120, 40)) as pilot:
            logging.getLogger("terminal.counter").error("a card 4761739001010119 was seen")
            await pilot.press("8")
            shown = await until_shown(pilot, "ERROR", "counter: a card", "displays.serial_display")
            assert "4761739001010119" not in shown
            log.set_level(name, "INFO")
            await pilot.press("down", "down", "down", "down", "down", "plus")
            await until_shown(pilot, f"{name}: from DEBUG on")
            assert f"log level of {name}: DEBUG" in caplog.text
            assert logging.getLogger(name).level == logging.DEBUG
            await pilot.press("minus")
            await until(pilot, lambda: logging.getLogger(name).level == logging.INFO)
            await pilot.press("o")
            await until_shown(pilot, "nothing was logged")
            await pilot.press("o", "w")
            await until_shown(pilot, "everything, warnings and errors", "counter: a card")
    finally:
        log.set_level(name, "")
        root.removeHandler(workshop.logs)
