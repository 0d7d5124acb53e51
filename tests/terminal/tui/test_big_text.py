import pytest

from terminal.tui.widgets.big_text import amount_lines, headline_lines, tight_headline_lines
from terminal.tui.widgets.pixel_font import (
    LARGE_DIGITS,
    LETTERS,
    SMALL_DIGITS,
    FontTable,
    half_pixels,
    solid,
    text_pixels,
)
from terminal.tui.widgets.result_style import DEFERRED, RESULT_STYLES


@pytest.mark.parametrize(("font", "height"), [(LARGE_DIGITS, 7), (SMALL_DIGITS, 5), (LETTERS, 5)])
def test_every_glyph_is_a_rectangle_and_none_is_used_twice(font: FontTable, height: int) -> None:
    for name, glyph in font.items():
        assert len(glyph) == height, name
        assert len({len(row) for row in glyph}) == 1, name
        assert set("".join(glyph)) <= {"#", "."}, name
    # In five rows the letters O and S may look like 0 and 5; digits among themselves may not.
    digits = [glyph for name, glyph in font.items() if name.isdigit()]
    assert len(set(digits)) == 10


def test_fonts_have_all_that_is_written_with_them() -> None:
    assert set("0123456789.") <= set(LARGE_DIGITS) & set(SMALL_DIGITS)
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") <= set(LETTERS)


@pytest.mark.parametrize("digits", range(1, 13))
def test_an_amount_of_up_to_twelve_digits_is_drawn_large_at_80_columns(digits: int) -> None:
    text = f"{int('9' * digits) / 100:.2f}"
    lines = amount_lines(text, 52, 5)
    assert lines != [text]
    assert max(map(len, lines)) <= 52
    assert len(lines) <= 5


def test_a_short_amount_is_larger_than_a_long_one() -> None:
    assert len(amount_lines("12.50", 52, 5)) == 5
    assert len(amount_lines("12.50", 76, 8)) == 7
    assert len(amount_lines("1234567890.12", 52, 5)) < 5


def test_what_the_font_lacks_is_written_plainly() -> None:
    assert amount_lines("12,50", 52, 5) == ["12,50"]
    assert headline_lines("已付款", 50, 9) == ["已付款"]


@pytest.mark.parametrize("draw", [headline_lines, tight_headline_lines])
def test_headlines_break_between_words_and_fit(draw: object) -> None:
    for text in ("APPROVED", "APPROVED OFFLINE", "NOT AUTHORISED YET", "DECLINED", "DO NOT CHARGE AGAIN"):
        assert callable(draw)
        lines = draw(text, 54, 11)
        assert len(lines) >= 3, text
        assert max(map(len, lines)) <= 54


def test_a_headline_without_space_is_written_plainly() -> None:
    assert headline_lines("APPROVED", 20, 9) == ["APPROVED"]
    assert headline_lines("DO NOT CHARGE AGAIN", 54, 5) == ["DO NOT CHARGE AGAIN"]


def test_an_odd_row_of_pixels_keeps_the_text_on_its_last_line() -> None:
    pixels = text_pixels("1", SMALL_DIGITS, 1)
    assert pixels is not None
    assert half_pixels(pixels)[-1] == "▄█▄"


def test_full_blocks_become_reversed_blanks() -> None:
    content = solid(["██ █", "▄"])
    assert content.plain == "    \n▄"
    assert [(span.start, span.end) for span in content.spans] == [(0, 2), (3, 4)]


def test_results_share_neither_shape_nor_words_nor_class() -> None:
    styles = [*RESULT_STYLES.values(), DEFERRED]
    assert len({style.shape for style in styles}) == len(styles)
    assert len({style.words for style in styles}) == len(styles)
    assert len({style.css_class for style in styles}) == len(styles)
    assert len({style.sign for style in styles}) == len(styles)
