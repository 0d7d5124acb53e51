"""The simulated printer's engine: what it prints, what it tells, and that nothing kills it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulators.printer_commands import CommandReader
from simulators.printer_engine import PrinterEngine
from simulators.printer_page import Code, Feed, Raster, TextLine


@pytest.fixture
def engine() -> PrinterEngine:
    return PrinterEngine(columns=32)


def ask(engine: PrinterEngine, data: bytes) -> bytes:
    answers = bytearray()
    engine.receive(data, answers.extend)
    return bytes(answers)


def lines(engine: PrinterEngine) -> list[TextLine]:
    return [item for item in engine.pages[-1].items if isinstance(item, TextLine)]


class TestText:
    def test_a_line_is_printed_when_it_ends(self, engine: PrinterEngine) -> None:
        engine.receive(b"abc")
        assert not engine.pages
        engine.receive(b"\n")
        assert engine.pages[0].lines == ("abc",)
        assert not engine.pages[0].cut

    @pytest.mark.parametrize(
        ("page", "data", "text"),
        [
            (0, b"\x82\x9d", "é¥"),
            (16, b"\x80", "€"),
            (19, b"\xd5", "€"),
            (17, b"\x8f\xe0", "Пр"),
            (1, b"\xb1", "ｱ"),
        ],
    )
    def test_code_pages(self, engine: PrinterEngine, page: int, data: bytes, text: str) -> None:
        engine.receive(b"\x1bt" + bytes([page]) + data + b"\n")
        assert lines(engine)[0].text == text

    def test_chinese_while_it_is_on(self, engine: PrinterEngine) -> None:
        chinese = "茶".encode("gb18030")
        engine.receive(b"\x1c&" + chinese + b"a\x1c." + b"\x82\n")
        assert lines(engine)[0].text == "茶aé"
        assert lines(engine)[0].width == (2 + 1 + 1) * 12

    def test_chinese_of_four_bytes_that_come_one_by_one(self, engine: PrinterEngine) -> None:
        for byte in b"\x1c&" + "㐀".encode("gb18030") + b"\n":
            engine.receive(bytes([byte]))
        assert lines(engine)[0].text == "㐀"

    def test_printers_sold_in_china_start_with_it(self) -> None:
        engine = PrinterEngine(chinese=True)
        engine.receive("茶\n".encode("gb18030"))
        assert engine.pages[0].text == "茶"

    def test_half_a_character_is_unreadable(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1c&\xb2\x1c.a\n")
        assert lines(engine)[0].text == "\ufffda"

    def test_a_line_that_is_too_long_goes_on_in_the_next(self, engine: PrinterEngine) -> None:
        engine.receive(b"x" * 33 + b"\n")
        assert engine.pages[0].lines == ("x" * 32, "x")

    def test_styles(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1bE\x01a\x1bE\x00\x1d!\x11b\x1b-\x01\x1dB\x01c\x1b!\x00d\n")
        a, b, c, d = (glyph.style for glyph in lines(engine)[0].glyphs)
        assert (a.bold, b.bold) == (True, False)
        assert (b.width, b.height) == (2, 2)
        assert (c.underlined, c.inverse) == (True, True)
        assert (d.width, d.underlined) == (1, False)

    def test_alignment(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1ba\x01a\n\x1ba\x02b\n\x1ba\x00c\n")
        assert [line.align for line in lines(engine)] == [1, 2, 0]

    def test_resetting_forgets_the_line_and_the_style(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1bE\x01\x1ba\x01lost\x1b@kept\n")
        (line,) = lines(engine)
        assert (line.text, line.align, line.glyphs[0].style.bold) == ("kept", 0, False)


class TestPictures:
    def test_a_code(self, engine: PrinterEngine) -> None:
        engine.receive(
            b"\x1d(k\x03\x001C\x04\x1d(k\x03\x001E1" + b"\x1d(k\x05\x001P0T1" + b"\x1d(k\x03\x001Q0"
        )
        assert engine.pages[0].items == (Code("T1", 4, "M", 0, 21 * 4),)

    def test_a_code_that_does_not_fit_is_told(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1d(k\x03\x001C\x10\x1d(k\x23\x001P0" + b"x" * 32 + b"\x1d(k\x03\x001Q0")
        assert not engine.pages
        assert "does not fit" in engine.remarks[0]

    def test_a_raster(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1dv0\x00\x02\x00\x03\x00" + b"\xff\x00" * 3)
        assert engine.pages[0].items == (Raster(2, 3, b"\xff\x00" * 3),)

    def test_status_is_no_command_within_a_picture(self, engine: PrinterEngine) -> None:
        assert ask(engine, b"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01") == b""


class TestPaper:
    def test_a_cut_ends_a_page(self, engine: PrinterEngine) -> None:
        engine.receive(b"a\n\x1bd\x06\x1dV\x01b\n\x1dVB\x00c\x1bi")
        assert [page.text for page in engine.pages] == ["a", "b", "c"]
        assert engine.pages[0].items[-1] == Feed(6 * 30)

    def test_paper_that_ends_in_the_middle(self, engine: PrinterEngine) -> None:
        engine.load_paper(2)
        engine.receive(b"a\nb\nc\nd\n\x1dV\x00")
        assert engine.pages[0].text == "a\nb"
        assert ask(engine, b"\x10\x04\x01\x10\x04\x02\x10\x04\x04") == b"\x1a\x32\x7e"
        engine.load_paper()
        assert engine.pages[0].text == "a\nb\nc\nd"

    def test_nothing_is_lost_where_it_ended_within_a_long_text(self, engine: PrinterEngine) -> None:
        text = "茶边" * 40
        engine.load_paper(1)
        engine.receive(b"\x1c&" + text.encode("gb18030") + b"\n")
        assert len(engine.pages[0].lines) == 1
        engine.load_paper()
        assert "".join(engine.pages[0].lines) == text

    def test_it_runs_low_before_it_ends(self, engine: PrinterEngine) -> None:
        engine.load_paper(21)
        assert ask(engine, b"\x10\x04\x04") == b"\x12"
        engine.receive(b"a\nb\n")
        assert ask(engine, b"\x10\x04\x04") == b"\x1e"

    def test_what_comes_under_an_open_cover_waits(self, engine: PrinterEngine) -> None:
        engine.open_cover()
        assert ask(engine, b"a\n\x1dr\x01\x10\x04\x02") == b"\x16"
        assert not engine.pages
        engine.close_cover()
        assert engine.pages[0].text == "a"

    def test_an_answer_that_had_to_wait_comes_when_it_is_printed(self, engine: PrinterEngine) -> None:
        answers = bytearray()
        engine.set_offline()
        engine.receive(b"a\n\x1dr\x01", answers.extend)
        assert answers == b""
        engine.set_offline(False)
        assert answers == b"\x00"


class TestDrawer:
    def test_a_pulse_opens_it_and_its_pin_tells(self, engine: PrinterEngine) -> None:
        assert ask(engine, b"\x10\x04\x01") == b"\x12"
        assert ask(engine, b"\x1bp\x00\x32\x32\x10\x04\x01") == b"\x16"
        engine.close_drawer()
        assert not engine.drawer_open
        assert engine.drawer_pulses == 1

    def test_the_pulse_in_real_time_works_offline(self, engine: PrinterEngine) -> None:
        engine.remove_paper()
        engine.receive(b"\x10\x14\x01\x00\x01")
        assert engine.drawer_open


class TestWhatItTells:
    def test_its_name(self, engine: PrinterEngine) -> None:
        assert ask(engine, b"\x1dIC") == b"_Simulated receipt printer\0"

    @pytest.mark.parametrize(
        ("data", "remark"),
        [
            (b"\x1bX", "ESC X is not known: 1b 58"),
            (b"\x1f", "0x1F is not known: 1f"),
            (b"\x10\x07", "DLE 0x07 is not known: 10 07"),
            (b"\x1dk\x04123\x00", "GS k is not simulated"),
            (b"\x1d(L\x02\x0002", "GS ( L is not simulated"),
            (b"\x1bt\x63", "ESC t 99: no such code page"),
            (b"a\x1ba\x01", "ESC a in the middle of a line"),
            (b"\x1ba\x07", "ESC a 7: no such alignment"),
        ],
    )
    def test_what_it_does_not_do_is_told(self, engine: PrinterEngine, data: bytes, remark: str) -> None:
        engine.receive(data)
        assert list(engine.remarks) == [remark]

    def test_what_it_does_is_not(self, engine: PrinterEngine) -> None:
        engine.receive(b"\x1b@\x1c.\x1bM\x00\x1d!\x00\x1bE\x00\x1ba\x00\x1bt\x00\x1b2\x1dH\x00abc\n\x1da\x00")
        assert not engine.remarks


COMMANDS = st.sampled_from(
    [b"\x1b", b"\x1d", b"\x1c", b"\x10\x04", b"\x1d(k", b"\x1dv0\x00", b"\x1c&", b"\x1dV"]
)


@settings(deadline=None)
@given(st.lists(COMMANDS | st.binary(max_size=12), max_size=30))
@example([b"\x1d(k\x03\x001C\x04", b"\x1d(k\x02\x001Q"])
@example([b"\x1dv0\x00\x00\x00\x00\x00", b"\x1b@"])
@example([b"\x1d8L\xff\xff\xff\x7f", b"abc\n"])
def test_whatever_comes_it_stays_alive(pieces: list[bytes]) -> None:
    engine = PrinterEngine(columns=32)
    engine.load_paper(40)
    for piece in pieces:
        engine.receive(piece)
    engine.load_paper()
    # Whatever was half told is over when the line is: a new connection starts afresh.
    engine.disconnect()
    engine.forget_pages()
    assert ask(engine, b"\x10\x04\x04") == b"\x12"
    engine.receive(b"\x1b@\x1c.alive\n\x1dV\x00")
    assert engine.pages[-1].lines == ("alive",)


@settings(deadline=None)
@given(st.lists(COMMANDS | st.binary(max_size=12), max_size=20).map(b"".join), st.integers(1, 5))
def test_commands_are_the_same_however_the_bytes_are_cut(data: bytes, size: int) -> None:
    def joined(pieces: list[bytes]) -> list[tuple[str, bytes]]:
        reader = CommandReader()
        found: list[tuple[str, bytes]] = []
        for command in (each for piece in pieces for each in reader.feed(piece)):
            if command.is_text and found and found[-1][0] == "text":
                found[-1] = ("text", found[-1][1] + command.data)
            else:
                found.append(("text" if command.is_text else "command", command.data))
        return found

    assert joined([data]) == joined([data[at : at + size] for at in range(0, len(data), size)])


def test_a_command_of_endless_length_is_refused(engine: PrinterEngine) -> None:
    engine.receive(b"\x1dv0\x00\xff\xff\xff\xff" + b"still here\n")
    assert "GS v is not known" in engine.remarks[0]
    assert engine.pages[-1].lines[-1].endswith("still here")
