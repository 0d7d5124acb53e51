from dataclasses import replace

import pytest

from terminal.tui.cashier.app import CashierApp
from terminal.tui.cashier.bindings import KEYPAD_BINDINGS, SALE_BINDINGS, DemoKeyError, demo_bindings
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.keys_screen import KeysScreen
from terminal.view import DeviceView
from tests.pictures.make import demo_keys
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import text_of, words_of

CASHIER = [*KEYPAD_BINDINGS, *SALE_BINDINGS]


async def nothing() -> None:
    pass


def demo_key(key: str, name: str = "tap") -> DemoKey:
    return DemoKey(key, name, "tap", "The customer taps a card", nothing)


@pytest.mark.parametrize("binding", [*CASHIER, *KeysScreen.BINDINGS], ids=lambda binding: str(binding.id))
def test_every_key_can_be_listed_and_remapped(binding: object) -> None:
    assert getattr(binding, "id", None)
    assert getattr(binding, "tooltip", None)


def test_no_key_and_no_id_is_used_twice() -> None:
    keys = [key for binding in CASHIER for key in binding.key.split(",")]
    assert len(keys) == len(set(keys))
    assert len({binding.id for binding in CASHIER}) == len(CASHIER)


def test_no_key_needs_alt_and_digits_are_the_amounts_alone() -> None:
    for binding in CASHIER:
        keys = binding.key.split(",")
        assert not any("alt+" in key for key in keys)
        if any(key.isdigit() for key in keys):
            assert str(binding.id).startswith("amount.digit-")


@pytest.mark.parametrize("key", ["q", "o", "enter", "5", "f1"])
def test_a_demo_key_can_not_take_one_of_the_cashiers(key: str) -> None:
    with pytest.raises(DemoKeyError, match=key):
        demo_bindings([demo_key(key)])


def test_a_demo_key_can_not_be_given_twice() -> None:
    with pytest.raises(DemoKeyError):
        demo_bindings([demo_key("t"), demo_key("t", "code")])


async def test_demo_keys_have_their_own_strip_and_run(counter: FakeCounter) -> None:
    pressed: list[str] = []

    async def tap() -> None:
        pressed.append("tap")

    app = CashierApp(counter, demo_keys=[DemoKey("t", "tap", "tap", "The customer taps a card", tap)])
    async with app.run_test(size=(80, 24)) as pilot:
        lines = text_of(app).splitlines()
        assert "Simulated customer" in lines[-1]
        assert "t tap" in lines[-1]
        assert "Enter Charge" in lines[-2]
        await pilot.press("t")
        await app.cashier.runner.settle()
        await pilot.click("#demo-keys #demo-tap")
        await app.cashier.runner.settle()
    assert pressed == ["tap", "tap"]


@pytest.mark.parametrize("width", [80, 100, 120, 160])
async def test_a_long_strip_breaks_into_rows(counter: FakeCounter, width: int) -> None:
    keys = demo_keys()
    async with CashierApp(counter, demo_keys=keys).run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        words = words_of(pilot.app)
        strip = pilot.app.screen.query_one("#demo-keys")
        rows = strip.size.height
    assert "Simulated customer" in words
    for key in keys:
        assert f"{key.key} {key.label}" in words
    assert rows == (2 if width < 120 else 1)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("mode", ["prefer online", "force offline"])
@pytest.mark.parametrize("online", [True, False])
async def test_all_demo_keys_are_whole_beside_a_code(
    counter: FakeCounter, size: tuple[int, int], mode: str, online: bool
) -> None:
    view = replace(samples.showing_qr(samples.ALIPAY_TEXT), offline_mode=mode)
    app = CashierApp(counter, demo_keys=demo_keys())
    async with app.run_test(size=size) as pilot:
        counter.show(view if online else samples.offline(view))
        await pilot.pause()
        words = words_of(app)
        side = app.screen.query_one("#qr-side")
        for key in demo_keys():
            assert f"{key.key} {key.label}" in words
            assert side.region.contains_region(app.screen.query_one(f"#qr #demo-{key.id}").region)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("state", ["ready", "busy"])
@pytest.mark.parametrize("message", ["", "A refusal whose reason takes a second line, as some do. " * 2])
async def test_with_demo_keys_all_is_visible_at_80_columns(
    counter: FakeCounter, online: bool, state: str, message: str
) -> None:
    devices = [*samples.READY_DEVICES, DeviceView("s", "scanner", "ready", "http://127.0.0.1:38101/", "")]
    view = replace(samples.IDLE, devices=tuple(replace(each, state=state) for each in devices))
    app = CashierApp(counter, demo_keys=demo_keys())
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(view if online else samples.offline(view))
        app.cashier.say(message)
        await pilot.pause()
        lines = text_of(app).splitlines()
        keypad = app.screen.query_one("#keypad").region
        keys = [" ".join(line[: keypad.right].split()) for line in lines]
        for row in ("1 2 3", "4 5 6", "7 8 9", "00 0 ←", "CHARGE"):
            assert any(row in each for each in keys), row
        words = words_of(app)
        for part in ("Enter Charge", "t tap card", "n network"):
            assert part in words
        # A message of two lines may cover the last line of the limits until the next key.
        if not message:
            assert "deferred" in words
            assert "each at most €50.00" in words
            state_column = app.screen.query_one("#state").region
            for panel in app.screen.query("#state > *"):
                assert state_column.contains_region(panel.region), panel.id


async def test_labels_survive_a_resize(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.with_result("approved"))
        await pilot.pause()
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert "Enter Next" in words_of(app)
        assert "F10 Quit" in words_of(app)


async def test_without_demo_keys_there_is_no_strip(app: CountingApp) -> None:
    async with app.run_test(size=(80, 24)):
        assert "Simulated customer" not in text_of(app)


@pytest.mark.parametrize("key", ["f1", "question_mark"])
@pytest.mark.parametrize("closing", ["escape", "f1", "enter"])
async def test_the_list_of_keys_opens_and_closes(app: CountingApp, key: str, closing: str) -> None:
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press(key)
        words = words_of(app)
        for binding in CASHIER[10:]:
            assert binding.tooltip in words
        await pilot.press(closing)
        assert app.screen is app.cashier


async def test_keys_can_be_remapped_and_are_shown_so(counter: FakeCounter) -> None:
    app = CashierApp(counter, keymap={"sale.qr": "w"})
    async with app.run_test(size=(80, 24)) as pilot:
        assert "w QR" in text_of(app)
        await pilot.press("1", "q", "w")
        await app.cashier.runner.settle()
    assert counter.calls == ["charge", "show_qr"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_cashiers_keys_fit_on_their_line(app: CountingApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size):
        last = text_of(app).splitlines()[-1]
    assert " ".join(last.split()) == (
        "Enter Charge q QR Esc Clear o Offline s Sync r Receipt F1 Keys F10 Quit"
    )


@pytest.mark.parametrize("key", ["f10", "ctrl+q"])
async def test_leaving_asks_nothing(app: CountingApp, counter: FakeCounter, key: str) -> None:
    async with app.run_test() as pilot:
        assert counter.listeners == 1
        await pilot.press(key)
        await pilot.pause()
        assert app.return_code == 0
    assert counter.listeners == 0


@pytest.mark.parametrize("key", ["f10", "ctrl+q"])
async def test_leaving_works_over_the_list_of_keys(app: CountingApp, counter: FakeCounter, key: str) -> None:
    async with app.run_test() as pilot:
        await pilot.press("f1", key)
        await pilot.pause()
        assert app.return_code == 0
    assert counter.listeners == 0


async def test_ctrl_c_says_how_to_leave_over_the_list_of_keys(app: CountingApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("f1", "ctrl+c")
        await pilot.pause()
        assert isinstance(app.screen, KeysScreen)
        assert "F10 or Ctrl+Q leaves" in words_of(app)


async def test_a_remapped_key_leaves_everywhere(counter: FakeCounter) -> None:
    app = CashierApp(counter, keymap={"app.quit": "f12"})
    async with app.run_test() as pilot:
        await pilot.press("f1", "f10")
        assert app.return_code is None
        await pilot.press("f12")
        await pilot.pause()
        assert app.return_code == 0


async def test_ctrl_c_says_how_to_leave(app: CountingApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("ctrl+c")
        assert "F10 or Ctrl+Q leaves" in words_of(app)
