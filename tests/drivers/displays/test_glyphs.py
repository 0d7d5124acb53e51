"""Text for displays: what is replaced, what is cut off, and that no command gets through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.displays.glyphs import CODE_PAGES, fitted


@pytest.mark.parametrize(
    ("text", "code_page", "shown"),
    [
        ("Total", "cp437", "Total     "),
        ("Too long for it", "cp437", "Too long f"),
        ("€12.50", "cp437", "EUR12.50  "),
        ("€12.50", "cp858", "€12.50    "),
        ("€12.50", "cp1252", "€12.50    "),
        ("Café crème", "cp866", "Cafe creme"),
        ("Łódź", "cp437", "Lódz      "),
        ("Łódź", "cp852", "Łódź      "),
        ("Straße", "cp866", "Strasse   "),
        ("“Tea” …", "cp437", '"Tea" ... '),
        ("12\u00a050\u202fkr", "cp437", "12 50 kr  "),
        ("½ ﬁ①", "cp437", "½ fi1     "),
        ("茶馆", "cp437", "??        "),
        ("Чай", "cp866", "Чай       "),
        ("cafe\u0301", "cp437", "café      "),
        ("a\u200bb\ufeff", "cp437", "ab        "),
    ],
)
def test_what_a_display_lacks_is_shown_so_that_it_can_be_read(text: str, code_page: str, shown: str) -> None:
    assert fitted(text, 10, code_page).decode(code_page) == shown


@pytest.mark.parametrize(
    "text", ["a\x1b@b", "a\rb", "a\nb", "a\x0cb", "a\x7fb", "a\x1f$b", "a\x85b", "a\x00b"]
)
def test_a_command_in_a_text_becomes_a_space(text: str) -> None:
    line = fitted(text, 6, "cp437")
    assert not set(line) & {*range(0x20), 0x7F}
    assert line.startswith(b"a ")


@settings(deadline=None)
@given(st.text(), st.integers(1, 40), st.sampled_from(CODE_PAGES))
def test_every_text_fills_the_row_and_holds_no_command(text: str, columns: int, code_page: str) -> None:
    line = fitted(text, columns, code_page)
    assert len(line) == columns
    assert not set(line) & {*range(0x20), 0x7F}
    assert "\ufffd" not in line.decode(code_page, "replace")


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("Total         €12.50", 20, "Total       EUR12.50"),
        ("Total   €12.50", 14, "Total EUR12.50"),
        ("Total €12.50", 12, "Total EUR12."),
        ("  €1", 4, " EUR"),
        ("Total          12.50", 10, "Total     "),
    ],
)
def test_an_amount_at_the_end_stays_whole_as_long_as_there_is_a_gap(
    text: str, columns: int, shown: str
) -> None:
    assert fitted(text, columns, "cp437").decode() == shown


def test_a_character_of_two_bytes_is_never_cut_in_two() -> None:
    assert fitted("合计12", 5, "gb2312").decode("gb2312") == "合计1"
    assert fitted("合计合", 5, "gb2312").decode("gb2312") == "合计 "
