from dataclasses import replace

import pytest

from terminal.tui.cashier.result_guard import SEEN_AFTER_S
from terminal.tui.widgets.big_text import BigText
from terminal.view import Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp, HandClock
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import words_of


def amount(app: CountingApp) -> str:
    return app.screen.query_one("#amount", BigText).text


@pytest.mark.parametrize("key", ["enter", "escape", "f2", "f4", "7", "asterisk", "a"])
@pytest.mark.parametrize("name", ["approved", "declined", "unknown"])
async def test_a_key_pressed_just_before_the_result_does_not_dismiss_it(
    app: CountingApp, counter: FakeCounter, clock: HandClock, key: str, name: str
) -> None:
    counter.show(samples.in_phase(Phase.ASKING))
    async with app.run_test() as pilot:
        clock.turn(60)
        counter.show(samples.with_result(name))
        await pilot.pause()
        clock.turn(SEEN_AFTER_S - 0.01)
        await pilot.press(key)
        await app.cashier.runner.settle()
        assert counter.calls == []
        assert "Read the result first" in words_of(app)
        # What was typed is dropped whole: the next digits are an amount of their own.
        clock.turn(0.02)
        await pilot.press("1", "2")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.12"
    assert counter.calls == ["next_customer"]


async def test_a_click_does_not_dismiss_a_result_just_shown(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    counter.show(samples.with_result("declined"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click("#sale-cancel")
        await pilot.pause()
        await app.cashier.runner.settle()
        assert counter.calls == []
        clock.turn(SEEN_AFTER_S + 0.01)
        await pilot.click("#sale-cancel")
        await pilot.pause()
        await app.cashier.runner.settle()
    assert counter.calls == ["next_customer"]


async def test_a_result_that_takes_anothers_place_counts_anew(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    async with app.run_test() as pilot:
        counter.show(samples.with_result("declined"))
        await pilot.pause()
        clock.turn(60)
        counter.show(samples.with_result("approved"))
        await pilot.pause()
        await pilot.press("enter")
        await app.cashier.runner.settle()
        assert counter.calls == []
        # The same with other figures around it is no other result.
        clock.turn(SEEN_AFTER_S + 0.01)
        counter.show(replace(counter.view, queue=samples.WAITING_QUEUE))
        await pilot.pause()
        await pilot.press("enter")
        await app.cashier.runner.settle()
    assert counter.calls == ["next_customer"]


async def test_a_result_under_the_list_of_keys_was_not_seen(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    async with app.run_test() as pilot:
        await pilot.press("f1")
        counter.show(samples.with_result("declined"))
        await pilot.pause()
        clock.turn(60)
        await pilot.press("escape", "escape")
        await app.cashier.runner.settle()
    assert counter.calls == []
