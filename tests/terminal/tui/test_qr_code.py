import numpy as np
import pytest
import zxingcpp

from terminal.tui.widgets.qr_code import bordered, half_strips, qr_matrix, qr_strips, wide_strips
from terminal.tui.widgets.qr_panel import countdown_text
from terminal.view import QrView
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import Image, pixels_of, strips_of, words_of

TEXTS = (samples.ALIPAY_TEXT, "weixin://wxpay/bizpayurl?pr=qnZ0uPH", samples.MPM_TEXT)


def read(image: Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("border", [2, 4])
@pytest.mark.parametrize("draw", [wide_strips, half_strips])
def test_a_drawn_code_reads_back(text: str, border: int, draw: object) -> None:
    assert callable(draw)
    # On black, so that the code's own border is all the white there is.
    image = np.pad(pixels_of(draw(bordered(qr_matrix(text), border))), 24)
    assert read(image) == [text]


def test_the_longest_measured_payload_takes_45_by_23_cells() -> None:
    assert len(samples.MPM_TEXT.encode()) == 165
    strips = half_strips(bordered(qr_matrix(samples.MPM_TEXT), 2))
    assert (strips[0].cell_length, len(strips)) == (45, 23)


def test_the_border_never_gets_narrower_than_two_modules() -> None:
    assert qr_strips(samples.MPM_TEXT, 45, 23) is not None
    assert qr_strips(samples.MPM_TEXT, 44, 23) is None
    assert qr_strips(samples.MPM_TEXT, 45, 22) is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_code_reads_back_from_the_whole_screen_in_any_theme(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        for theme in ("tillside", "textual-light"):
            app.theme = theme
            for text in TEXTS:
                counter.show(samples.showing_qr(text))
                await pilot.pause()
                assert read(pixels_of(strips_of(app))) == [text]
        words = words_of(app)
    assert "1:14 left" in words
    assert "Alipay" in words
    assert "SIMULATED" in words
    assert "Esc Cancel" in words


async def test_a_window_too_small_says_so(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(72, 20)) as pilot:
        counter.show(samples.showing_qr(samples.MPM_TEXT))
        await pilot.pause()
        assert "too small" in words_of(app)


async def test_a_refusal_is_seen_beside_the_code(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.showing_qr(samples.ALIPAY_TEXT))
        await pilot.press("5")
        assert "open order" in words_of(app)


@pytest.mark.parametrize(
    ("left", "words", "filled"),
    [(120, "2:00 left", 30), (61, "1:01 left", 16), (1, "0:01 left", 1), (0, "expired", 0)],
)
def test_the_countdown_shows_time_and_bar(left: int, words: str, filled: int) -> None:
    bar, text = countdown_text(QrView("x", "Alipay", left, 120)).split("\n")
    assert text == words
    assert bar.count("━") == filled
    assert len(bar) == 30
