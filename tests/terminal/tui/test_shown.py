from dataclasses import replace

import pytest
from textual.widget import Widget

from terminal.tui.widgets.big_text import BigText
from terminal.tui.widgets.devices_panel import DevicesPanel
from terminal.tui.widgets.receipt_panel import ReceiptPanel
from terminal.tui.widgets.status_bar import TRAINING_TEXT
from terminal.view import Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp, HandClock
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import text_of, words_of

SIZES = [(80, 24), (120, 40)]


def amount(app: CountingApp) -> str:
    return app.screen.query_one("#amount", BigText).text


@pytest.mark.parametrize("size", SIZES)
async def test_the_training_mark_is_always_there(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    views = [samples.in_phase(phase) for phase in Phase if phase is not Phase.DONE]
    views += [samples.with_result(name) for name in samples.RESULT_NAMES]
    views += [samples.offline(view) for view in views]
    views += [samples.showing_qr(samples.ALIPAY_TEXT), samples.showing_qr(samples.MPM_TEXT)]
    async with app.run_test(size=size) as pilot:
        for view in views:
            counter.show(view)
            await pilot.pause()
            text = text_of(app)
            if view.qr is None:
                assert TRAINING_TEXT in text
            else:
                assert "SIMULATED – no real money; not" in text
                assert "certified, test cards only" in text


async def test_a_real_shop_has_no_training_mark(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test() as pilot:
        for view in (samples.IDLE, samples.showing_qr(samples.ALIPAY_TEXT)):
            counter.show(replace(view, training=False))
            await pilot.pause()
            assert "SIMULATED" not in text_of(app)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.DONE])
async def test_each_phase_shows_prompt_amount_and_network(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int], phase: Phase
) -> None:
    view = samples.in_phase(phase)
    async with app.run_test(size=size) as pilot:
        counter.show(view)
        await pilot.pause()
        words = words_of(app)
        assert view.prompt in words
        assert "● ONLINE" in words
        assert "Corner Market · T-0001" in words
        assert amount(app) == view.amount.plain()
        counter.show(samples.offline(view))
        await pilot.pause()
        assert "▲ OFFLINE: host refuses the connection" in words_of(app)
        assert "ONLINE" not in words_of(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_failing_device_shows_reason_and_cure(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        counter.show(replace(samples.IDLE, devices=samples.FAILED_DEVICES))
        await pilot.pause()
        panel = app.screen.query_one(DevicesPanel)
        lines = [strip.text for strip in panel.render_lines(panel.outer_size.region)]
        state = " ".join(" ".join(lines).replace("│", " ").split())
        assert "✗ scanner unavailable" in state
        assert "no permission for /dev/ttyACM0" in state
        assert "cure: sudo usermod -aG dialout till" in state
        assert "✓ reader ACS ACR122U PICC" in state


@pytest.mark.parametrize("size", SIZES)
async def test_the_queue_shows_what_is_owed_and_the_limits(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        counter.show(samples.offline(samples.IDLE))
        await pilot.pause()
        words = words_of(app)
        for part in ("3 records not sent", "4 min", "2 of 20", "€37.50 of €500.00", "at most €50.00"):
            assert part in words
        counter.show(replace(samples.IDLE, queue=samples.FULL_QUEUE))
        await pilot.pause()
        words = words_of(app)
        for part in (
            "! disk full: no offline",
            "9 records not sent",
            "1 record refused by the host",
            "17 of 20",
        ):
            assert part in words


async def test_texts_from_outside_are_not_markup(app: CountingApp, counter: FakeCounter) -> None:
    nasty = "[red]x[/] [/nope] [@click=app.quit]y"
    async with app.run_test(size=(120, 40)) as pilot:
        counter.show(replace(samples.IDLE, notices=(nasty,), prompt=nasty, network=nasty, shop=nasty))
        await pilot.pause()
        assert text_of(app).count("[red]x[/]") >= 3


async def test_payments_and_notices_are_listed(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        counter.show(replace(samples.IDLE, notices=("Order 1037 was paid late",)))
        await pilot.pause()
        words = words_of(app)
    assert "€31.00 ↓ Card" in words
    assert "€1,299.00 ✗ Card HOST DECLINED" in words
    assert "€6.40 ? Card" in words
    assert "• Order 1037 was paid late" in words


async def test_the_receipt_is_shown_on_request(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        assert "There is no receipt yet" in words_of(app)
        counter.show(samples.with_result("approved"))
        await pilot.pause()
        assert "A0000000031010" not in words_of(app)
        await pilot.press("r")
        assert "A0000000031010" in words_of(app)
        assert "✓ APPROVED" in words_of(app)
        clock.turn(1)
        await pilot.press("enter")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "A0000000031010" not in words_of(app)
        await pilot.press("r")
        assert "Last receipt €12.50" in words_of(app)


async def test_a_wide_screen_shows_the_receipt_at_once(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        counter.show(samples.with_result("approved"))
        await pilot.pause()
        assert "A0000000031010" in words_of(app)
        await pilot.press("r")
        assert "A0000000031010" not in words_of(app)


async def test_a_long_receipt_scrolls(app: CountingApp, counter: FakeCounter) -> None:
    view = samples.with_result("approved")
    assert view.result is not None
    receipt = tuple(f"line {number}" for number in range(60))
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(replace(view, result=replace(view.result, receipt=receipt)))
        await pilot.press("r", "down")
        await pilot.pause()
        assert app.screen.query_one(ReceiptPanel).scroll_y == 3
        await pilot.press("up")
        await pilot.pause()
        assert app.screen.query_one(ReceiptPanel).scroll_y == 0


def waiting_to_draw(app: CountingApp) -> list[str | None]:
    return [widget.id for widget in app.screen.walk_children(Widget) if widget._repaint_required]


async def test_a_view_that_changes_nothing_draws_nothing(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.in_phase(Phase.ARMED))
        await pilot.pause()
        assert waiting_to_draw(app) == []
        app.cashier._draw(counter.view)
        assert waiting_to_draw(app) == []
        app.cashier._draw(replace(counter.view, prompt="Another prompt"))
        assert waiting_to_draw(app) == ["prompt"]
