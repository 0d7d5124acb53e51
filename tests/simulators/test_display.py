"""The simulated pole display, met by plain pyserial and by bytes as manuals write them."""

from pathlib import Path
from typing import Literal

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.address import parse
from simulators import display_picture
from simulators.display import PoleDisplay
from simulators.display_memory import DisplayMemory

CD5220: Literal["cd5220"] = "cd5220"
ESCPOS: Literal["escpos"] = "escpos"


def fed(protocol: Literal["cd5220", "escpos"], data: bytes, columns: int = 5) -> DisplayMemory:
    memory = DisplayMemory(protocol, columns, 2, "cp437")
    memory.feed(data)
    return memory


class TestCd5220:
    def test_lines_are_written_whole(self) -> None:
        memory = fed(CD5220, b"old text\x1bQAab\r\x1bQBc\r")
        assert memory.lines == ("ab   ", "c    ")
        assert memory.unknown == []

    def test_behind_a_line_it_is_deaf_until_clr(self) -> None:
        memory = fed(CD5220, b"\x1bQAab\r\x1b*\x01xyz\x1bl\x01\x02")
        assert (memory.lines[0], memory.brightness) == ("ab   ", 4)
        memory.feed(b"\x0c\x1b*\x01xyz")
        assert (memory.lines[0], memory.brightness) == ("xyz  ", 1)

    def test_can_clears_the_cursors_line_alone(self) -> None:
        assert fed(CD5220, b"abcde123\x1bl\x02\x01\x18x").lines == ("x    ", "123  ")

    def test_a_line_that_is_too_long_is_no_command(self) -> None:
        assert fed(CD5220, b"\x1bQAabcdefghi\r").unknown == [b"\x1bQA"]

    def test_epsons_commands_are_unknown_to_it(self) -> None:
        memory = fed(CD5220, b"\x1f$\x01\x02Hi")
        assert memory.unknown
        assert "Hi" in memory.lines[0]


class TestEscPos:
    def test_the_cursor_goes_where_it_is_told_and_wraps(self) -> None:
        assert fed(ESCPOS, b"\x1f$\x05\x01ab\x1f$\x05\x02yz").lines == ("z   a", "b   y")

    def test_home_line_feed_and_return(self) -> None:
        assert fed(ESCPOS, b"ab\x0a\x0dc\x0bZ").lines == ("Zb   ", "c    ")

    def test_brightness_cursor_and_table(self) -> None:
        memory = fed(ESCPOS, b"\x1fX\x02\x1fC\x00\x1bt\x13")
        assert (memory.brightness, memory.cursor_shown, memory.table) == (2, False, 19)

    def test_what_can_not_be_is_kept_as_unknown(self) -> None:
        assert fed(ESCPOS, b"\x1f$\x09\x01\x1fX\x05\x1bZ").unknown == [b"\x09\x01", b"\x05", b"\x1bZ"]

    def test_initialising_forgets_everything(self) -> None:
        memory = fed(ESCPOS, b"abc\x1fX\x01\x1b@")
        assert (memory.lines, memory.brightness) == (("     ",) * 2, 4)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.integers(1, 7), st.sampled_from([CD5220, ESCPOS]))
def test_it_does_not_matter_how_bytes_are_cut_into_pieces(
    data: bytes, size: int, protocol: Literal["cd5220", "escpos"]
) -> None:
    whole, pieces = fed(protocol, data), fed(protocol, b"")
    for at in range(0, len(data), size):
        pieces.feed(data[at : at + size])
    assert (pieces.lines, pieces.brightness, pieces.unknown) == (
        whole.lines,
        whole.brightness,
        whole.unknown,
    )
    assert all(len(line) == 5 for line in whole.lines)


def test_it_shows_what_comes_over_its_line() -> None:
    with PoleDisplay() as display, serial.Serial(display.path, 9600) as line:
        line.write(b"\x1bQATotal 12.50\r")
        assert display.wait_for(lambda lines: lines[0].rstrip() == "Total 12.50")
        assert display.received == b"\x1bQATotal 12.50\r"
        assert parse(display.address).scheme == "serial-display"


def test_plugged_in_again_it_is_empty() -> None:
    display = PoleDisplay()
    display.start()
    with serial.Serial(display.path, 9600) as line:
        line.write(b"Hi")
        assert display.wait_for(lambda lines: "Hi" in lines[0])
    display.stop()
    display.stop()
    with display:
        assert display.lines == (" " * 20,) * 2


@pytest.mark.parametrize("brightness", [1, 4])
def test_its_picture_is_brighter_where_text_is(tmp_path: Path, brightness: int) -> None:
    display_picture.save(tmp_path / "full.png", ["#" * 20, "#" * 20], brightness)
    display_picture.save(tmp_path / "empty.png", [" " * 20, " " * 20], brightness)
    full, empty = (Image.open(tmp_path / name).convert("L") for name in ("full.png", "empty.png"))
    assert full.size == empty.size
    assert full.size[0] > full.size[1]
    assert sum(full.tobytes()) > sum(empty.tobytes())


def test_the_dimmer_the_darker(tmp_path: Path) -> None:
    light = [sum(display_picture.draw(["Total"], level).convert("L").tobytes()) for level in (1, 2, 3, 4)]
    assert light == sorted(set(light))
