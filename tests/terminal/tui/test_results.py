from dataclasses import replace
from itertools import combinations

import pytest
from rich.console import RenderableType
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen

from terminal.money import Money
from terminal.present_order import SIGN
from terminal.tui.widgets.big_text import headline_lines, tight_headline_lines
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.pixel_font import solid, wide_pixels
from terminal.tui.widgets.result_panel import ResultPanel
from terminal.tui.widgets.result_style import ALL_STYLES, CANCELLED, result_style
from terminal.tui.widgets.result_words import ResultWords, result_words
from terminal.view import Outcome, Phase, ResultView
from tests.pictures.make import demo_keys
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import cells_of, text_of, words_of

SIZES = [(80, 24), (120, 40)]


def result_named(name: str, amount: Money = samples.AMOUNT) -> ResultView:
    result = samples.with_result(name, amount).result
    assert result is not None
    return result


def words_shown(app: CountingApp) -> str:
    widget = app.screen.query_one(ResultWords)
    return " ".join(" ".join(strip.text for strip in widget.render_lines(widget.size.region)).split())


def drawn_large(headline: str, size: Size) -> list[str]:
    large = [draw(headline, size.width, 99) for draw in (headline_lines, tight_headline_lines)]
    return [solid(lines).plain for lines in large if lines != [headline]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", samples.RESULT_NAMES)
@pytest.mark.parametrize("online", [True, False])
async def test_a_result_shows_all_its_words_and_its_shape(
    counter: FakeCounter, size: tuple[int, int], name: str, online: bool
) -> None:
    result, view = result_named(name), samples.with_result(name)
    # The demo's keys take two rows of the little space there is.
    app = CountingApp(counter, demo_keys=demo_keys())
    async with app.run_test(size=size) as pilot:
        counter.show(view if online else samples.offline(view))
        await pilot.pause()
        panel = app.screen.query_one(ResultPanel)
        style = result_style(result)
        assert panel.has_class(style.css_class)
        # `==` would compare the text alone, and a shape is all blanks.
        shape = app.screen.query_one("#result-shape", Line).content
        assert isinstance(shape, Content)
        assert shape.is_same(solid(wide_pixels(style.shape)))
        words = words_shown(app)
        assert f"{style.sign} {style.words}" in words
        assert result.detail in words
        again = "a: try again · " if result.outcome is Outcome.DECLINED else ""
        assert f"Card · order RIV-1042 · {again}Enter or a digit: next customer" in words
        content = result_words(result, "en_GB", *panel.query_one(ResultWords).size).plain
        large = drawn_large(result.headline, panel.query_one(ResultWords).size)
        assert any("\n".join(line.rstrip() for line in each.split("\n")) for each in large)
        assert any(each in content for each in large)
        assert content.count("\n") < panel.query_one(ResultWords).size.height


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", samples.RESULT_NAMES)
async def test_a_signature_stands_out_where_one_is_asked_for(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int], name: str
) -> None:
    async with app.run_test(size=size) as pilot:
        result = replace(
            result_named(name), detail=f"{SIGN} {result_named('deferred').detail}", emphasis=SIGN
        )
        counter.show(replace(samples.offline(samples.with_result(name)), result=result))
        await pilot.pause()
        words = app.screen.query_one(ResultWords)
        assert result.detail in words_shown(app)
        strips = words.render_lines(words.size.region)
        bright = [part.text for strip in strips for part in strip if part.style and part.style.reverse]
        assert SIGN in " ".join(" ".join(bright).split())


async def test_a_result_after_another_looks_as_it_looks_alone(counter: FakeCounter) -> None:
    alone = {}
    for name in samples.RESULT_NAMES:
        fresh = CountingApp(FakeCounter(samples.with_result(name)))
        async with fresh.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            alone[name] = cells_of(fresh)
    app = CountingApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        walk = (name for pair in combinations(samples.RESULT_NAMES, 2) for name in (*pair, pair[0]))
        before = ""
        for name in walk:  # which has every result after every other
            if name != before:
                counter.show(samples.in_phase(Phase.IDLE))
                counter.show(samples.with_result(name))
                await pilot.pause()
                assert cells_of(app) == alone[name], f"{name} after {before}"
            before = name


async def test_a_line_with_the_same_text_in_other_colours_is_drawn_anew(app: CountingApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        line = app.screen.query_one("#prompt", Line)
        line.update(solid(["██  "]))
        await pilot.pause()
        before = cells_of(app)
        line.update(solid(["  ██"]))
        await pilot.pause()
        assert cells_of(app) != before
        line.update("    ")
        await pilot.pause()
        assert cells_of(app) != before


class RecordingApp(CountingApp):
    """Keeps what each frame with a result shows."""

    def __init__(self, counter: FakeCounter) -> None:
        super().__init__(counter)
        self.frames: list[str] = []

    def _display(self, screen: Screen[None], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if renderable is None or self._batch_count or screen is not self.screen:
            return
        if screen.query_one(ResultWords).size.width:
            self.frames.append(text_of(self))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", samples.RESULT_NAMES)
async def test_the_first_frame_of_a_result_is_right_already(
    counter: FakeCounter, size: tuple[int, int], name: str
) -> None:
    app = RecordingApp(counter)
    async with app.run_test(size=size) as pilot:
        counter.show(samples.in_phase(Phase.ASKING))
        await pilot.pause()
        app.frames.clear()
        counter.show(samples.with_result(name))
        await pilot.pause()
        last = app.screen.query_one(ResultWords)
        rows = [strip.text.rstrip() for strip in last.render_lines(last.size.region)]
    assert app.frames
    for frame in app.frames:
        for row in rows:
            assert row in frame


@pytest.mark.parametrize("name", ["declined", "cancelled", "not-paid"])
async def test_title_large_words_and_shape_of_what_was_not_paid_agree(
    app: CountingApp, counter: FakeCounter, name: str
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.with_result(name))
        await pilot.pause()
        words = words_of(app)
        panel = app.screen.query_one(ResultPanel)
        assert ("DECLINED" in words) is (name == "declined")
        assert ("✗ NOT PAID" in words) is (name == "not-paid")
        assert ("■ CANCELLED" in words) is (name == "cancelled")
        assert panel.has_class("-cancelled") is (name == "cancelled")
        assert panel.has_class("-declined") is (name != "cancelled")


async def test_no_result_shows_another_ones_words(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        for name in (*samples.RESULT_NAMES, *reversed(samples.RESULT_NAMES)):
            counter.show(samples.with_result(name))
            await pilot.pause()
            words = words_of(app)
            assert ("✓ APPROVED" in words) is (name in ("approved", "signature"))
            assert ("☑ APPROVED OFFLINE" in words) is (name == "approved-offline")
            assert ("NOT AUTHORISED YET" in words) is (name == "deferred")
            assert ("✗ DECLINED" in words) is (name == "declined")
            assert ("DO NOT CHARGE AGAIN" in words) is (name == "unknown")
            looks = {style.css_class for style in ALL_STYLES}
            assert len(looks & app.screen.query_one(ResultPanel).classes) == 1


def test_only_a_deferred_offline_result_says_so() -> None:
    approved, offline = result_named("approved"), result_named("approved-offline")
    assert result_style(replace(approved, deferred=True)).words == "APPROVED"
    assert "NOT AUTHORISED YET" in result_style(replace(offline, deferred=True)).words
    assert "NOT AUTHORISED" not in result_style(offline).words


def test_only_what_the_cashier_ended_looks_cancelled() -> None:
    for name in samples.RESULT_NAMES:
        assert (result_style(result_named(name)).shape == CANCELLED.shape) is (name == "cancelled")
    # A host's own words can't make an approval look like anything else.
    odd = replace(result_named("approved"), headline="CANCELLED")
    assert result_style(odd).css_class == "-approved"


@pytest.mark.parametrize(
    ("locale", "currency", "shown"),
    [("en_GB", "EUR", "€12.50"), ("de_DE", "EUR", "12,50 €"), ("zh_CN", "CNY", "¥12.50")],
)
def test_the_amount_of_a_result_is_written_as_the_shop_writes_it(
    locale: str, currency: str, shown: str
) -> None:
    result = result_named("approved", Money(1250, currency))
    large = solid(headline_lines(shown, 52, 99)).plain
    assert large != shown
    assert large in result_words(result, locale, 52, 24).plain
    assert shown in result_words(result, locale, 52, 8).plain
