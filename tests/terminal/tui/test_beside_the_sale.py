"""The cashier's keys for receipts and for the technician's screen."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from terminal import operators as module
from terminal.actions import CounterRefusal
from terminal.operators import Operators, Role
from terminal.tui.cashier.pin_screen import PinScreen
from terminal.tui.cashier.technician_door import TechnicianDoor
from terminal.tui.keys_screen import KeysScreen
from terminal.view import DeviceView, Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp, HandClock
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import words_of


def on_top(app: CountingApp) -> object:
    """Return the screen that is seen."""
    return app.screen


async def enter(app: CountingApp, pilot: Pilot[None], digits: str) -> None:
    """Type a PIN and wait until it has been checked, in a task of its own."""
    asked = on_top(app)
    assert isinstance(asked, PinScreen)
    await pilot.press(*digits, "enter")
    await asked._runner.settle()
    await pilot.pause()


class Behind(Screen[None]):
    """What is behind the door."""


@pytest.fixture
def operators(tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Operators:
    monkeypatch.setattr(module, "_COST", 2**13)
    operators = Operators(tmp_path, clock)
    operators.add("Bob", Role.CASHIER, "1771")
    return operators


@pytest.fixture
def app(counter: FakeCounter, clock: HandClock, operators: Operators) -> CountingApp:
    return CountingApp(
        counter, clock_s=clock, door=TechnicianDoor(operators, Behind, "The demo's PIN is 2580")
    )


class Printer:
    """Stands for the peripherals: says what it is told to say."""

    def __init__(self) -> None:
        self.answer: str | Exception = "Printing the receipt"
        self.asked = 0
        self.drawn = 0

    def print_receipt(self) -> str:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tell(self, listener: object) -> None:
        self.listener = listener

    def redraw(self) -> None:
        self.drawn += 1


@pytest.mark.parametrize("key", ["i", "f11"])
async def test_a_key_prints_the_receipt_and_says_what_becomes_of_it(counter: FakeCounter, key: str) -> None:
    printer = Printer()
    app = CountingApp(counter, peripherals=printer)  # type: ignore[arg-type]  # as much as is needed
    counter.show(samples.with_result("approved"))
    async with app.run_test() as pilot:
        await pilot.press(key)
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "Printing the receipt" in words_of(app)
        printer.answer = CounterRefusal("The printer is not ready: out of paper.")
        await pilot.press(key)
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "out of paper" in words_of(app)
        assert printer.asked == 2


async def test_without_a_printer_the_key_says_so(app: CountingApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("i")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "No printer" in words_of(app)


async def test_without_a_technician_the_key_names_the_command(app: CountingApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "tillside operators add NAME --role technician" in words_of(app)
        assert on_top(app) is app.cashier


@pytest.mark.parametrize(("key", "role"), [("m", Role.TECHNICIAN), ("f12", Role.SUPERVISOR)])
async def test_a_pin_opens_the_door_and_is_never_shown(
    app: CountingApp, operators: Operators, role: Role, key: str
) -> None:
    operators.add("Tess", role, "2580")
    async with app.run_test() as pilot:
        await pilot.press(key)
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "The demo's PIN is 2580" in words_of(app)
        await pilot.press(*"2581", "backspace", "0")
        words = words_of(app)
        assert "● ● ● ●" in words
        assert words.count("2580") == 1
        await enter(app, pilot, "")
        assert isinstance(on_top(app), Behind)
        app.pop_screen()
        await pilot.pause()
        assert on_top(app) is app.cashier


async def test_a_wrong_pin_a_cashiers_and_a_lock_out_stay_outside(
    app: CountingApp, operators: Operators
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        for digits, words in [("0000", "Wrong PIN: 4 more"), ("1771", "Bob is a cashier")]:
            await enter(app, pilot, digits)
            assert words in words_of(app)
            assert "● ●" not in words_of(app)
        for _ in range(5):
            await enter(app, pilot, "0000")
        await enter(app, pilot, "2580")
        assert "Too many wrong PINs: wait 30 s" in words_of(app)
        assert isinstance(on_top(app), PinScreen)
        await pilot.press("escape")
        assert on_top(app) is app.cashier


async def test_a_check_that_takes_long_holds_up_no_key_and_opens_nothing_behind_who_left(
    app: CountingApp, operators: Operators, tmp_path: Path
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        asked = on_top(app)
        assert isinstance(asked, PinScreen)
        with (tmp_path / "operators.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            await pilot.press(*"2580", "enter", "1", "2")
            assert "● ●" in words_of(app)
            await pilot.press("enter", "escape", "7")
            assert on_top(app) is app.cashier
            assert "€0.07" in words_of(app)
            await pilot.press("f1")
            keys = on_top(app)
            assert isinstance(keys, KeysScreen)
        await asked._runner.settle()
        await pilot.pause()
        assert on_top(app) is keys


async def test_digits_typed_during_a_check_stay_when_it_fails(
    app: CountingApp, operators: Operators, tmp_path: Path
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        asked = on_top(app)
        assert isinstance(asked, PinScreen)
        with (tmp_path / "operators.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            await pilot.press(*"0000", "enter")
            assert "Checking" in words_of(app)
            await pilot.press(*"258")
        await asked._runner.settle()
        await pilot.pause()
        assert "Wrong PIN: 4 more" in words_of(app)
        await enter(app, pilot, "0")
        assert isinstance(on_top(app), Behind)


async def test_enter_without_a_pin_is_no_try(app: CountingApp, operators: Operators) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        await enter(app, pilot, "")
        await enter(app, pilot, "0000")
        assert "Wrong PIN: 4 more" in words_of(app)


@pytest.mark.parametrize("phase", [Phase.ARMED, Phase.REVERSING])
async def test_the_door_is_shut_while_there_is_an_order(
    app: CountingApp, counter: FakeCounter, operators: Operators, phase: Phase
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    counter.show(samples.in_phase(phase))
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "between orders only" in words_of(app)
        assert on_top(app) is app.cashier


async def test_a_result_is_read_before_the_door_opens(
    app: CountingApp, counter: FakeCounter, clock: HandClock, operators: Operators
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    counter.show(samples.with_result("unknown"))
    async with app.run_test() as pilot:
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "Read the result first" in words_of(app)
        clock.turn(5)
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert isinstance(on_top(app), PinScreen)


async def test_an_amount_begun_before_a_visit_does_not_meet_the_next_customer(
    app: CountingApp, operators: Operators
) -> None:
    operators.add("Tess", Role.TECHNICIAN, "2580")
    async with app.run_test() as pilot:
        await pilot.press("1", "2")
        assert "€0.12" in words_of(app)
        await pilot.press("m")
        await app.cashier.runner.settle()
        await pilot.pause()
        await enter(app, pilot, "2580")
        app.pop_screen()
        await pilot.pause()
        assert "€0.12" not in words_of(app)


async def test_after_a_visit_the_customer_reads_what_the_counter_shows(counter: FakeCounter) -> None:
    printer = Printer()
    app = CountingApp(counter, peripherals=printer)  # type: ignore[arg-type]  # as much as is needed
    async with app.run_test() as pilot:
        await app.push_screen(Behind())
        await pilot.pause()
        before = printer.drawn
        app.pop_screen()
        await pilot.pause()
        assert printer.drawn == before + 1


@pytest.mark.parametrize(("state", "bells"), [("ready", 0), ("unavailable", 1)])
async def test_the_bell_is_left_to_a_sounder_that_works(
    app: CountingApp, counter: FakeCounter, state: str, bells: int
) -> None:
    device = DeviceView("sound-card:", "sounder", state, "sound", "")
    async with app.run_test() as pilot:
        counter.show(replace(samples.in_phase(Phase.CARD_READ), devices=(device,)))
        await pilot.pause()
        assert app.bells == bells


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("printer", "● printer printing TM-T88"),
        ("display", "✓ display TM-T88"),
        ("sounder", "✓ sounder TM-T88"),
    ],
)
async def test_what_is_busy_for_a_moment_does_not_flicker(
    app: CountingApp, counter: FakeCounter, kind: str, line: str
) -> None:
    counter.show(replace(samples.IDLE, devices=(DeviceView("x:", kind, "busy", "TM-T88", ""),)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert line in words_of(app)
