"""Lines that fit the paper, by the width that characters have on it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.page import Align, Page, Pair, Part, QrCode, Rule, Text
from drivers.printers.layout import Line, lay_out
from drivers.printers.script import Cell, Script

SCRIPT = Script()


def text_of(cells: tuple[Cell, ...]) -> str:
    return b"".join(cell.data for cell in cells).decode("gb18030")


def lines(*parts: Part, columns: int = 32) -> list[Line]:
    return [line for line in lay_out(Page(parts), columns, SCRIPT) if isinstance(line, Line)]


def texts(*parts: Part, columns: int = 32) -> list[str]:
    return [text_of(line.cells) for line in lines(*parts, columns=columns)]


def test_a_long_text_is_broken_at_its_spaces() -> None:
    assert texts(Text("The Riverside Tea House and Bakery of the Old Harbour")) == [
        "The Riverside Tea House and",
        "Bakery of the Old Harbour",
    ]


def test_a_word_that_just_fits_is_not_broken() -> None:
    assert texts(Text("x" * 32)) == ["x" * 32]
    assert texts(Text("x" * 32 + " y")) == ["x" * 32, "y"]


def test_a_word_without_a_space_is_cut() -> None:
    assert texts(Text("x" * 40)) == ["x" * 32, "x" * 8]


def test_chinese_is_broken_anywhere_and_counts_twice() -> None:
    assert texts(Text("河边茶馆" * 5)) == ["河边茶馆" * 4, "河边茶馆"]
    assert texts(Text("a" + "茶" * 16)) == ["a" + "茶" * 15, "茶"]


def test_large_text_has_half_the_room() -> None:
    assert texts(Text("Riverside Tea House", large=True)) == ["Riverside Tea", "House"]
    assert [line.columns for line in lines(Text("茶" * 9, large=True))] == [32, 4]


def test_an_empty_text_is_an_empty_line() -> None:
    assert texts(Text(""), Text("   ")) == ["", ""]


def test_how_it_looks_stays_with_every_line() -> None:
    for line in lines(Text("word " * 20, Align.RIGHT, bold=True, large=True)):
        assert (line.align, line.bold, line.large) == (Align.RIGHT, True, True)


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_a_pair_reaches_from_edge_to_edge(columns: int) -> None:
    for pair in (Pair("合计", "12.50"), Pair("合计", "12.50", bold=True, large=True)):
        (line,) = lines(pair, columns=columns)
        assert line.columns == columns
        assert text_of(line.cells).split() == ["合计", "12.50"]
        assert (line.bold, line.large) == (pair.bold, pair.large)


def test_a_value_that_is_too_long_stands_under_its_name() -> None:
    assert texts(Pair("Name", "v" * 27)) == ["Name " + "v" * 27]
    name, value = lines(Pair("Name", "v" * 28))
    assert (text_of(name.cells), name.align) == ("Name", Align.LEFT)
    assert (text_of(value.cells), value.align) == ("v" * 28, Align.RIGHT)


def test_a_rule_is_as_wide_as_the_paper() -> None:
    assert texts(Rule(), columns=42) == ["-" * 42]


def test_a_code_is_passed_on() -> None:
    assert list(lay_out(Page((QrCode("T1"),)), 32, SCRIPT)) == [QrCode("T1")]


ANY = st.text(st.sampled_from("ab é茶边￥ —Ж"), max_size=80)


@settings(deadline=None)
@given(ANY, ANY, st.booleans(), st.integers(16, 80))
def test_nothing_is_wider_than_the_paper_and_nothing_is_lost(
    name: str, value: str, large: bool, columns: int
) -> None:
    drawn = lines(Text(name, large=large), Pair(name, value, large=large), columns=columns)
    assert all(line.columns <= columns for line in drawn)

    def dense(*cells: Cell) -> bytes:
        return b"".join(cell.data for cell in cells if not cell.is_space)

    whole = (*SCRIPT.cells(name), *SCRIPT.cells(name), *SCRIPT.cells(value))
    assert dense(*(cell for line in drawn for cell in line.cells)) == dense(*whole)
