from dataclasses import replace

import pytest
from textual.widget import Widget

from terminal.config import OfflineMode
from terminal.tui.cashier.mode_text import mode_question, mode_text
from terminal.tui.widgets.status_bar import ModeLine
from terminal.view import Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import cells_of, words_of

QUESTION = "o again for"


@pytest.mark.parametrize("key", ["o", "f5"])
@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.DONE])
async def test_the_mode_changes_at_the_second_press_only(
    app: CountingApp, counter: FakeCounter, key: str, phase: Phase
) -> None:
    counter.show(samples.in_phase(phase))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await app.cashier.runner.settle()
        assert counter.calls == []
        assert "? o again for FORCE OFFLINE: the bank is asked later; the shop bears declines" in words_of(
            app
        )
        await pilot.press(key)
        await app.cashier.runner.settle()
        await pilot.pause()
        assert counter.calls == ["cycle_offline_mode"]
        assert "› Force offline: the bank is asked later" in words_of(app)
        # A third press asks again.
        await pilot.press(key)
        await app.cashier.runner.settle()
        assert "REQUIRE ONLINE: no payment is taken without the host" in words_of(app)
    assert counter.calls == ["cycle_offline_mode"]


@pytest.mark.parametrize("key", ["5", "z", "up", "backspace", "escape", "r", "s", "f1"])
async def test_any_other_key_ends_the_question(app: CountingApp, counter: FakeCounter, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o", key)
        if key == "f1":
            await pilot.press("f1")
        assert QUESTION not in words_of(app)
        await pilot.press("o")
        await app.cashier.runner.settle()
        assert QUESTION in words_of(app)
    assert counter.calls == []


async def test_another_phase_ends_the_question(app: CountingApp, counter: FakeCounter) -> None:
    counter.show(samples.in_phase(Phase.DONE))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o")
        counter.show(samples.in_phase(Phase.IDLE))
        await pilot.pause()
        assert QUESTION not in words_of(app)
        await pilot.press("o")
        await app.cashier.runner.settle()
    assert counter.calls == []


async def test_other_figures_do_not_end_the_question(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o")
        counter.show(replace(counter.view, queue=samples.WAITING_QUEUE))
        await pilot.pause()
        await pilot.press("o")
        await app.cashier.runner.settle()
    assert counter.calls == ["cycle_offline_mode"]


async def test_a_click_asks_and_a_second_one_does_it(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click("#queue-mode")
        await pilot.pause()
        assert counter.calls == []
        await pilot.click("#queue-mode")
        await pilot.pause()
        await app.cashier.runner.settle()
    assert counter.calls == ["cycle_offline_mode"]


@pytest.mark.parametrize("phase", [each for each in Phase if each not in (Phase.IDLE, Phase.DONE)])
async def test_the_mode_stays_while_an_order_is_open(
    app: CountingApp, counter: FakeCounter, phase: Phase
) -> None:
    counter.show(samples.in_phase(phase))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o", "o")
        await app.cashier.runner.settle()
        assert "! The offline mode can change between orders only" in words_of(app)
    assert counter.calls == []


@pytest.mark.parametrize("mode", list(OfflineMode))
def test_a_question_means_what_is_said_afterwards_and_fits_on_a_line(mode: OfflineMode) -> None:
    modes = list(OfflineMode)
    following = modes[(modes.index(mode) + 1) % len(modes)]
    question = mode_question(mode.value, "o")
    assert following.upper() in question
    assert question.partition(": ")[2] == mode_text(following.value).partition(": ")[2]
    assert len(f"? {question}") <= 78


def colours(app: CountingApp, widget: Widget) -> set[tuple[str, str]]:
    """Return the colours of a widget's characters and what is behind them."""
    region = widget.region
    rows = cells_of(app)[region.y : region.bottom]
    cells = (cell for row in rows for cell in row[region.x : region.right])
    return {(str(style.color), str(style.bgcolor)) for character, style in cells if character.strip()}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_force_offline_is_as_loud_as_offline(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        counter.show(replace(samples.offline(samples.IDLE), offline_mode="force offline"))
        await pilot.pause()
        assert "▲ FORCE OFFLINE ▲ OFFLINE" in words_of(app)
        mode, network = (app.screen.query_one(name) for name in ("#status-mode", "#status-network"))
        assert colours(app, mode) == colours(app, network)
        counter.show(replace(samples.IDLE, offline_mode="require online"))
        await pilot.pause()
        assert "REQUIRE ONLINE ● ONLINE" in words_of(app)
        assert mode.has_class("-required")
        assert not mode.has_class("-forced")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_mode_is_shown_beside_a_code(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        for mode, words in (
            ("force offline", "▲ FORCE OFFLINE"),
            ("require online", "REQUIRE ONLINE"),
            ("prefer online", ""),
        ):
            counter.show(replace(samples.showing_qr(samples.ALIPAY_TEXT), offline_mode=mode))
            await pilot.pause()
            line = app.screen.query_one("#qr-mode", ModeLine)
            assert line.display is bool(words)
            assert words in words_of(app)
            assert line.has_class("-forced") is (mode == "force offline")
