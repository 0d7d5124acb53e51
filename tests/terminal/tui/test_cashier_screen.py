import asyncio
from dataclasses import replace

import pytest
from textual.widget import Widget

from terminal.actions import CounterActions, CounterRefusal
from terminal.money import Money
from terminal.tui.cashier.entry import AmountEntry
from terminal.tui.widgets.big_text import BigText
from terminal.tui.widgets.devices_panel import DevicesPanel
from terminal.tui.widgets.receipt_panel import ReceiptPanel
from terminal.tui.widgets.result_panel import ResultPanel
from terminal.tui.widgets.result_style import DEFERRED, RESULT_STYLES, result_style
from terminal.tui.widgets.status_bar import TRAINING_TEXT
from terminal.view import Outcome, Phase
from tests.pictures.make import demo_keys
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import text_of, words_of

SIZES = [(80, 24), (120, 40)]


def amount(app: CountingApp) -> str:
    return app.screen.query_one("#amount", BigText).text


def test_the_fake_satisfies_the_protocol(counter: FakeCounter) -> None:
    actions: CounterActions = counter
    assert actions.view.phase is Phase.IDLE


# The amount


@pytest.mark.parametrize(
    ("keys", "minor"),
    [
        ("", 0),
        ("1", 1),
        ("1250", 1250),
        ("0012", 12),
        ("0", 0),
        ("123456789012", 123456789012),
        ("1234567890123", 123456789012),
    ],
)
def test_an_entry_takes_twelve_digits_and_no_leading_zeros(keys: str, minor: int) -> None:
    entry = AmountEntry()
    taken = [entry.add(key) for key in keys]
    assert all(taken[:12])
    assert not any(taken[12:])
    assert entry.money("EUR") == Money(minor, "EUR")
    assert entry.take("EUR") == Money(minor, "EUR")
    assert not entry


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("", "0.00"),
        ("1250", "12.50"),
        ("*12*", "12.00"),
        # People who type the point get what they mean: it is not a digit and not 00.
        ("12.50", "12.50"),
        ("12345678901*", "123456789.01"),
    ],
)
async def test_digits_run_in_from_the_right(app: CountingApp, keys: str, shown: str) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*keys)
        assert amount(app) == shown


async def test_a_currency_without_decimals_has_none(counter: FakeCounter, app: CountingApp) -> None:
    counter.show(samples.in_phase(Phase.IDLE, Money(0, "JPY")))
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter")
        await app.cashier.runner.settle()
    assert counter.charged == [Money(1250, "JPY")]


async def test_backspace_takes_one_digit_and_escape_all(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "backspace")
        assert amount(app) == "1.25"
        await pilot.press("escape", "backspace")
        assert amount(app) == "0.00"
    assert counter.calls == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_keypad_can_be_clicked(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        keys = list(app.screen.query("Keypad .pad-key"))
        for index in (0, 1, 9, 10, 11):  # 1, 2, 00, 0, back
            await pilot.click(keys[index])
            await pilot.pause()
        assert amount(app) == "12.00"
        await pilot.click("#pad-charge")
        await pilot.pause()
        await app.cashier.runner.settle()
    assert counter.charged == [Money(1200, "EUR")]


# Keys and actions


async def test_enter_charges_what_was_typed(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "12.50"
    assert counter.charged == [Money(1250, "EUR")]


@pytest.mark.parametrize("key", ["enter", "f2", "q", "f3"])
async def test_nothing_typed_is_not_charged(app: CountingApp, counter: FakeCounter, key: str) -> None:
    async with app.run_test() as pilot:
        await pilot.press(key)
        assert "Type an amount first" in words_of(app)
    assert counter.calls == []


@pytest.mark.parametrize("key", ["q", "f3"])
async def test_a_code_for_an_amount_typed_charges_first(
    app: CountingApp, counter: FakeCounter, key: str
) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"1250", key)
        await app.cashier.runner.settle()
    assert counter.calls == ["charge", "show_qr"]


@pytest.mark.parametrize(
    ("key", "phase", "call"),
    [
        ("q", Phase.ARMED, "show_qr"),
        ("escape", Phase.ARMED, "cancel"),
        ("f4", Phase.SHOWING_QR, "cancel"),
        ("escape", Phase.CUSTOMER_CONFIRMS, "cancel"),
        ("escape", Phase.ASKING, "cancel"),
        ("o", Phase.IDLE, "cycle_offline_mode"),
        ("f5", Phase.ARMED, "cycle_offline_mode"),
        ("a", Phase.DONE, "retry"),
        ("f8", Phase.DONE, "retry"),
        ("s", Phase.IDLE, "sync_now"),
        ("f6", Phase.ARMED, "sync_now"),
    ],
)
async def test_a_key_asks_the_counter(
    app: CountingApp, counter: FakeCounter, key: str, phase: Phase, call: str
) -> None:
    counter.show(samples.in_phase(phase))
    async with app.run_test() as pilot:
        await pilot.press(key)
        await app.cashier.runner.settle()
    assert counter.calls == [call]


@pytest.mark.parametrize("key", ["enter", "escape", "f2", "f4"])
async def test_a_key_dismisses_a_result(app: CountingApp, counter: FakeCounter, key: str) -> None:
    counter.show(samples.with_result("declined"))
    async with app.run_test() as pilot:
        await pilot.press(key)
        await app.cashier.runner.settle()
    assert counter.calls == ["next_customer"]


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in (Phase.IDLE, Phase.DONE)])
async def test_digits_and_enter_do_nothing_while_an_order_is_open(
    app: CountingApp, counter: FakeCounter, phase: Phase
) -> None:
    counter.show(samples.in_phase(phase))
    async with app.run_test() as pilot:
        before = amount(app)
        await pilot.press("5", "enter")
        await app.cashier.runner.settle()
        assert amount(app) == before
        assert "Starting" in words_of(app) or "open order" in words_of(app)
    assert counter.calls == []


async def test_one_charge_at_a_time(app: CountingApp, counter: FakeCounter) -> None:
    counter.gate = asyncio.Event()
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter", "enter", "q", "7")
        assert amount(app) == "12.50"
        counter.gate.set()
        await app.cashier.runner.settle()
    assert counter.charged == [Money(1250, "EUR")]
    assert counter.calls == ["charge"]


async def test_digits_typed_during_a_charge_do_not_spoil_a_refused_amount(
    app: CountingApp, counter: FakeCounter
) -> None:
    counter.gate = asyncio.Event()
    counter.refusal = CounterRefusal("Not now")
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter", "7")
        counter.gate.set()
        await app.cashier.runner.settle()
        assert amount(app) == "12.50"


async def test_escape_during_a_charge_cancels_it_once_and_for_all(
    app: CountingApp, counter: FakeCounter
) -> None:
    counter.gate = asyncio.Event()
    counter.refusal = CounterRefusal("Not now")
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter", "escape")
        counter.gate.set()
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.00"
    assert counter.calls == ["charge", "cancel"]


async def test_an_action_does_not_run_twice_at_a_time(app: CountingApp, counter: FakeCounter) -> None:
    counter.gate = asyncio.Event()
    counter.show(samples.in_phase(Phase.ARMED))
    async with app.run_test() as pilot:
        await pilot.press("escape", "escape", "s", "s")
        counter.gate.set()
        await app.cashier.runner.settle()
    assert counter.calls == ["cancel", "sync_now"]


# The next customer


@pytest.mark.parametrize("name", ["approved", "unknown"])
async def test_a_digit_after_a_result_begins_the_next_amount(
    app: CountingApp, counter: FakeCounter, name: str
) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter")
        await app.cashier.runner.settle()
        counter.show(samples.with_result(name))
        await pilot.pause()
        await pilot.press("7", "5")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.75"
        await pilot.press("enter")
        await app.cashier.runner.settle()
    assert counter.calls == ["charge", "next_customer", "charge"]
    assert counter.charged == [Money(1250, "EUR"), Money(75, "EUR")]


async def test_digits_typed_while_the_result_goes_are_kept(app: CountingApp, counter: FakeCounter) -> None:
    counter.gate = asyncio.Event()
    counter.show(samples.with_result("approved"))
    async with app.run_test() as pilot:
        await pilot.press("7")
        # The queue's figures change in between.
        counter.show(replace(counter.view, queue=samples.WAITING_QUEUE))
        await pilot.press("5")
        counter.gate.set()
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.75"
    assert counter.calls == ["next_customer"]


async def test_digits_are_forgotten_when_the_result_stays(app: CountingApp, counter: FakeCounter) -> None:
    counter.show(samples.with_result("unknown"))
    counter.refusal = CounterRefusal("Read the message first")
    async with app.run_test() as pilot:
        await pilot.press("7")
        await app.cashier.runner.settle()
        assert "Read the message first" in words_of(app)
        counter.show(samples.in_phase(Phase.IDLE))
        await pilot.pause()
        assert amount(app) == "0.00"


async def test_no_amount_survives_its_order(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test() as pilot:
        for name in samples.RESULT_NAMES:
            await pilot.press(*"125", "enter")
            await app.cashier.runner.settle()
            counter.show(samples.with_result(name))
            counter.show(samples.in_phase(Phase.IDLE))
            await pilot.pause()
            assert amount(app) == "0.00"


async def test_an_order_from_elsewhere_wipes_what_was_typed(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"99")
        counter.show(samples.in_phase(Phase.ARMED))
        await pilot.pause()
        assert amount(app) == "12.50"
        counter.show(samples.in_phase(Phase.IDLE))
        await pilot.pause()
        assert amount(app) == "0.00"


# Refusals and faults


async def test_a_refusal_is_shown_and_the_amount_kept(app: CountingApp, counter: FakeCounter) -> None:
    counter.refusal = CounterRefusal("More than EUR 50.00 offline is not allowed")
    async with app.run_test() as pilot:
        await pilot.press(*"9900", "enter")
        await app.cashier.runner.settle()
        assert "! More than EUR 50.00 offline is not allowed" in words_of(app)
        assert amount(app) == "99.00"
        await pilot.press("backspace")
        assert "not allowed" not in words_of(app)
        await pilot.press("enter")
        await app.cashier.runner.settle()
    assert counter.charged == [Money(990, "EUR")]


async def test_any_other_error_is_named_without_its_content_and_the_till_goes_on(
    app: CountingApp, counter: FakeCounter, caplog: pytest.LogCaptureFixture
) -> None:
    card = "476173900101" + "0119"
    counter.refusal = ValueError(f"bad card {card}")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"100", "enter")
        await app.cashier.runner.settle()
        assert "Charge failed (ValueError)" in words_of(app)
        assert card not in text_of(app)
        await pilot.press("enter")
        await app.cashier.runner.settle()
    assert counter.charged == [Money(100, "EUR")]
    assert "ValueError" in caplog.text
    assert "fake_counter.py" in caplog.text
    assert card not in caplog.text


async def test_changing_the_offline_mode_names_the_risk(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        for mode, words in (
            ("require online", "no payment is taken without the host"),
            ("force offline", "declined later is the shop's loss"),
        ):
            await pilot.press("o")
            await app.cashier.runner.settle()
            await pilot.pause()
            assert f"{mode.capitalize()}:" in words_of(app)
            assert words in words_of(app)


# What is shown


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", samples.RESULT_NAMES)
@pytest.mark.parametrize("online", [True, False])
async def test_a_result_has_its_words_sign_amount_and_reason(
    counter: FakeCounter, size: tuple[int, int], name: str, online: bool
) -> None:
    view = samples.with_result(name)
    assert view.result is not None
    # The demo's keys take two rows of the little space there is.
    app = CountingApp(counter, demo_keys=demo_keys())
    async with app.run_test(size=size) as pilot:
        counter.show(view if online else samples.offline(view))
        await pilot.pause()
        words = words_of(app)
        panel = app.screen.query_one(ResultPanel)
        style = result_style(view.result.outcome, view.result.deferred)
        assert panel.has_class(style.css_class)
        assert f"{style.sign} {style.words}" in words
        # Line breaks, the receipt and the panels stand between the words of a sentence.
        assert set(view.result.detail.split()) <= set(words.split())
        assert panel.query_one("#result-headline", BigText).text == view.result.headline
        assert panel.query_one("#result-amount", BigText).text == "EUR 12.50"
        assert "order 1042" in words
        for part in panel.query("#result-words > *"):
            assert panel.region.contains_region(part.region), part.id
            assert part.size.height > 0, part.id


async def test_no_result_shows_another_ones_words(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        for name in (*samples.RESULT_NAMES, *reversed(samples.RESULT_NAMES)):
            view = samples.with_result(name)
            assert view.result is not None
            counter.show(view)
            await pilot.pause()
            words = words_of(app)
            assert ("✓ APPROVED" in words) is (name == "approved")
            assert ("↓ APPROVED OFFLINE" in words) is (name == "approved-offline")
            assert ("NOT AUTHORISED YET" in words) is (name == "deferred")
            assert ("✗ DECLINED" in words) is (name == "declined")
            assert ("DO NOT CHARGE AGAIN" in words) is (name == "unknown")
            looks = {style.css_class for style in (*RESULT_STYLES.values(), DEFERRED)}
            assert len(looks & app.screen.query_one(ResultPanel).classes) == 1


def test_only_a_deferred_offline_result_says_so() -> None:
    assert result_style(Outcome.APPROVED, True).words == "APPROVED"
    assert "NOT AUTHORISED YET" in result_style(Outcome.APPROVED_OFFLINE, True).words
    assert "NOT AUTHORISED" not in result_style(Outcome.APPROVED_OFFLINE, False).words


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
        for part in ("3 not sent", "oldest 4 min", "2 of 20", "37.50 of 500.00", "at most 50.00"):
            assert part in words
        counter.show(replace(samples.IDLE, queue=samples.FULL_QUEUE))
        await pilot.pause()
        words = words_of(app)
        for part in ("! disk full: no offline", "9 not sent", "1 refused by the host", "17 of 20"):
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
    assert "31.00 ↓ card deferred" in words
    assert "1299.00 ✗ card" in words
    assert "6.40 ? card reversed" in words
    assert "• Order 1037 was paid late" in words


async def test_the_receipt_is_shown_on_request(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        assert "There is no receipt yet" in words_of(app)
        counter.show(samples.with_result("approved"))
        await pilot.pause()
        assert "A0000000031010" not in words_of(app)
        await pilot.press("r")
        assert "A0000000031010" in words_of(app)
        assert "✓ APPROVED" in words_of(app)
        await pilot.press("enter")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert "A0000000031010" not in words_of(app)
        await pilot.press("r")
        assert "Last receipt EUR 12.50" in words_of(app)


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
