"""A page's bytes, command by command."""

import numpy as np
import pytest
import zxingcpp

from drivers.page import Align, Page, Pair, QrCode, Text
from drivers.printers.render import Paper, drawer_pulse, render
from drivers.printers.script import Script
from simulators.printer_engine import PrinterEngine
from simulators.printer_page import Raster
from simulators.printer_paper import draw

START = b"\x1b@\x1c."
NORMAL = b"\x1d!\x00\x1bE\x00\x1ba\x00"
CUT = b"\x1bd\x06\x1dV\x01"


def body(page: Page, paper: Paper | None = None) -> bytes:
    data = b"".join(render(page, paper or Paper()))
    assert data.startswith(START)
    return data.removeprefix(START)


def test_what_an_earlier_page_left_is_undone_first() -> None:
    assert body(Page((), cut=False)) == b""


def test_a_line_is_set_sent_and_ended() -> None:
    assert body(Page((Text("a"),), cut=False)) == NORMAL + b"a\n"


def test_only_what_changes_is_told() -> None:
    page = Page((Text("a"), Text("b"), Text("c", Align.CENTRE, bold=True, large=True)), cut=False)
    assert body(page) == NORMAL + b"a\nb\n\x1d!\x11\x1bE\x01\x1ba\x01c\n"


def test_a_right_aligned_line() -> None:
    assert body(Page((Text("a", Align.RIGHT),), cut=False)) == b"\x1d!\x00\x1bE\x00\x1ba\x02a\n"


def test_chinese_is_switched_on_and_off_around_code_pages() -> None:
    page = Page((Text("茶é茶"), Text("边")), cut=False)
    assert body(page) == (
        NORMAL + b"\x1c&\xb2\xe8" + b"\x1c.\x1bt\x00\x82" + b"\x1c&\xb2\xe8\n" + b"\xb1\xdf\n"
    )


def test_a_code_page_is_chosen_once() -> None:
    assert body(Page((Text("é"), Text("é")), cut=False)) == NORMAL + b"\x1bt\x00\x82\n\x82\n"


def test_a_page_is_cut_where_there_is_a_cutter() -> None:
    assert body(Page(())) == NORMAL + CUT
    assert body(Page(()), Paper(cuts=False)) == NORMAL + b"\x1bd\x06"


def test_a_code_is_the_printers_own() -> None:
    assert body(Page((QrCode("T1"),), cut=False)) == (
        b"\x1d!\x00\x1bE\x00\x1ba\x01"
        b"\x1d(k\x04\x001A2\x00"
        b"\x1d(k\x03\x001C\x06"
        b"\x1d(k\x03\x001E1"
        b"\x1d(k\x05\x001P0T1"
        b"\x1d(k\x03\x001Q0\n"
    )


def test_a_code_as_a_picture_is_dots_from_the_left() -> None:
    data = body(Page((QrCode("T1"),), cut=False), Paper(qr_as_picture=True))
    # 21 modules of 6 dots are 126: sixteen bytes, the last two dots white. The finder is seven modules.
    assert data.startswith(b"\x1d!\x00\x1bE\x00\x1ba\x01\x1dv0\x00\x10\x00\x7e\x00\xff\xff\xff\xff\xff\xc0")
    assert data[17:33][-1] & 0x03 == 0


def test_a_long_code_gets_smaller_modules() -> None:
    # 300 letters take version 13 at level M: 69 modules, and a quiet zone of 4 at either side.
    data = body(Page((QrCode("x" * 300),), cut=False), Paper(columns=32))
    assert data[data.index(b"1C") + 2] == 32 * 12 // (69 + 8)


def test_a_code_that_no_paper_holds_is_printed_as_text() -> None:
    data = body(Page((QrCode("x" * 3000),), cut=False))
    assert b"(k" not in data
    assert data.count(b"x") == 3000


@pytest.mark.parametrize("as_picture", [False, True])
@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("text", ["T1-00000001", "https://example.test/" + "a" * 200])
def test_a_code_can_be_read_from_the_paper(as_picture: bool, columns: int, text: str) -> None:
    engine = PrinterEngine(columns=columns)
    paper = Paper(columns=columns, qr_as_picture=as_picture)
    engine.receive(b"".join(render(Page((QrCode(text),)), paper)))
    (page,) = engine.pages
    assert any(isinstance(item, Raster) for item in page.items) == as_picture
    (read,) = zxingcpp.read_barcodes(np.asarray(draw(page).convert("L")))
    assert read.text == text
    assert engine.remarks == ()


def test_no_control_character_of_a_code_reaches_the_wire() -> None:
    assert b"\x10\x04" not in body(Page((QrCode("a\x10\x04\x01b"),), cut=False))


def test_what_a_printer_can_not_write_is_told() -> None:
    assert b"?12" in body(Page((Pair("合", "茶12"),)), Paper(script=Script(chinese=False)))


def test_the_drawer_opens_by_a_pulse_of_a_tenth_of_a_second_on_pin_2() -> None:
    assert drawer_pulse() == b"\x1bp\x00\x32\x32"


def test_the_library_writes_nothing_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    body(Page((Text("茶"), QrCode("T1"))), Paper(qr_as_picture=True))
    assert capsys.readouterr() == ("", "")
