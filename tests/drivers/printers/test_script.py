"""How text becomes bytes: the code page that has it, Chinese as GB18030, and never a control character."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.printers.script import CHINESE, Cell, Script, code_pages, printable


def sent(text: str, script: Script | None = None) -> list[tuple[int | None, bytes]]:
    return [(cell.page, cell.data) for cell in (script or Script()).cells(text)]


def test_ascii_needs_no_code_page() -> None:
    assert sent("a~") == [(None, b"a"), (None, b"~")]


def test_a_letter_is_sent_in_the_first_page_that_has_it() -> None:
    assert sent("é") == [(0, b"\x82")]
    assert sent("€") == [(16, b"\x80")]
    assert sent("Ж") == [(17, b"\x86")]


def test_the_page_is_kept_while_it_has_what_follows() -> None:
    assert [page for page, _ in sent("€é")] == [16, 16]


def test_a_printer_with_one_page_gets_no_other() -> None:
    assert sent("€Ж", Script("CP858")) == [(19, b"\xd5"), (None, b"?")]


def test_an_accent_is_left_out_rather_than_its_letter() -> None:
    assert sent("ő", Script("CP437")) == [(None, b"o")]


def test_an_accent_that_comes_alone_joins_its_letter() -> None:
    assert sent("e\u0301") == [(0, b"\x82")]


def test_an_accent_without_a_letter_of_its_own_is_left_out() -> None:
    assert sent("a\u0335") == [(None, b"a")]


def test_chinese_takes_two_columns_and_its_own_mode() -> None:
    assert Script().cells("茶") == (Cell(CHINESE, b"\xb2\xe8", 2),)
    assert sent("￥") == [(CHINESE, b"\xa3\xa4")]


def test_rare_chinese_takes_four_bytes() -> None:
    assert sent("㐀") == [(CHINESE, "㐀".encode("gb18030"))]


def test_punctuation_goes_with_chinese_and_letters_do_not() -> None:
    assert [page for page, _ in sent("“茶”é¥")] == [CHINESE, CHINESE, CHINESE, 0, 0]
    assert [page for page, _ in sent("“a”")] == [16, None, 16]


def test_a_printer_without_chinese_says_that_something_is_missing() -> None:
    assert sent("茶", Script(chinese=False)) == [(None, b"?")]


def test_a_picture_character_is_a_question_mark() -> None:
    assert Script().cells("🍵") == (Cell(None, b"?", 1),)


def test_line_ends_and_spaces_of_all_kinds_are_spaces() -> None:
    assert printable("a\tb\nc\u3000d\u00a0e\u2028f") == "a b c d e f"


def test_controls_and_formats_are_left_out() -> None:
    assert printable("a\x1b@b\x10\x04\x01c\u200dd\ud800e\x7ff\x9bg") == "a@bcdefg"


@settings(deadline=None)
@given(st.text(max_size=40), st.sampled_from(["", *code_pages()]), st.booleans())
@example("\x1b茶\x10\x04\x01", "", True)
def test_no_text_reaches_the_wire_as_a_command(text: str, page: str, chinese: bool) -> None:
    for cell in Script(page, chinese).cells(text):
        assert min(cell.data) >= 0x20
        assert 0x7F not in cell.data
        assert cell.columns in (1, 2)


def test_every_page_of_the_table_can_be_written() -> None:
    assert {"CP437", "CP850", "CP858", "CP1252", "CP866"} <= set(code_pages())
    for name in code_pages():
        Script(name).cells("é€ЖΩא")
