import asyncio
from dataclasses import replace

import pytest

from terminal.actions import CounterActions, CounterRefusal
from terminal.money import Money
from terminal.tui.cashier.entry import AmountEntry
from terminal.tui.cashier.result_guard import SEEN_AFTER_S
from terminal.tui.widgets.big_text import BigText
from terminal.view import Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp, HandClock
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
        ("a", Phase.DONE, "retry"),
        ("f8", Phase.DONE, "retry"),
        ("s", Phase.IDLE, "sync_now"),
        ("f6", Phase.ARMED, "sync_now"),
    ],
)
async def test_a_key_asks_the_counter(
    app: CountingApp, counter: FakeCounter, clock: HandClock, key: str, phase: Phase, call: str
) -> None:
    counter.show(replace(samples.in_phase(phase), queue=samples.WAITING_QUEUE))
    async with app.run_test() as pilot:
        clock.turn(SEEN_AFTER_S + 0.01)
        await pilot.press(key)
        await app.cashier.runner.settle()
    assert counter.calls == [call]


@pytest.mark.parametrize("key", ["enter", "escape", "f2", "f4"])
async def test_a_key_dismisses_a_result(
    app: CountingApp, counter: FakeCounter, clock: HandClock, key: str
) -> None:
    counter.show(samples.with_result("declined"))
    async with app.run_test() as pilot:
        clock.turn(SEEN_AFTER_S + 0.01)
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
    counter.show(replace(samples.in_phase(Phase.ARMED), queue=samples.WAITING_QUEUE))
    async with app.run_test() as pilot:
        await pilot.press("escape", "escape", "s", "s")
        counter.gate.set()
        await app.cashier.runner.settle()
    assert counter.calls == ["cancel", "sync_now"]


# The next customer


@pytest.mark.parametrize("name", ["approved", "unknown"])
async def test_a_digit_after_a_result_begins_the_next_amount(
    app: CountingApp, counter: FakeCounter, clock: HandClock, name: str
) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"1250", "enter")
        await app.cashier.runner.settle()
        counter.show(samples.with_result(name))
        await pilot.pause()
        clock.turn(SEEN_AFTER_S + 0.01)
        await pilot.press("7", "5")
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.75"
        await pilot.press("enter")
        await app.cashier.runner.settle()
    assert counter.calls == ["charge", "next_customer", "charge"]
    assert counter.charged == [Money(1250, "EUR"), Money(75, "EUR")]


async def test_digits_typed_while_the_result_goes_are_kept(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    counter.gate = asyncio.Event()
    counter.show(samples.with_result("approved"))
    async with app.run_test() as pilot:
        clock.turn(SEEN_AFTER_S + 0.01)
        await pilot.press("7")
        # The queue's figures change in between.
        counter.show(replace(counter.view, queue=samples.WAITING_QUEUE))
        await pilot.press("5")
        counter.gate.set()
        await app.cashier.runner.settle()
        await pilot.pause()
        assert amount(app) == "0.75"
    assert counter.calls == ["next_customer"]


async def test_digits_are_forgotten_when_the_result_stays(
    app: CountingApp, counter: FakeCounter, clock: HandClock
) -> None:
    counter.show(samples.with_result("unknown"))
    counter.refusal = CounterRefusal("Read the message first")
    async with app.run_test() as pilot:
        clock.turn(SEEN_AFTER_S + 0.01)
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
