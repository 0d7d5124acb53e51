"""Key events to text: raw input_event bytes, made by the simulator with its own tables, in every cut."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.scanners.key_events import HAND_GAP_S, HAND_KEYS, NOT_TEXT, KeyReader
from drivers.scanners.keyboard_layouts import LAYOUTS
from drivers.scanners.line_assembler import LINE_GAP_S, MAX_LINE_BYTES
from simulators.keyboard import DOWN, EVENT, UP, events, key, typed

PAY_CODE = "281234567890123456"
ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


def reader(layout: str = "us") -> KeyReader:
    return KeyReader(LAYOUTS[layout])


def strokes(*names: str) -> list[tuple[int, int]]:
    return [(key(name), value) for name in names for value in (DOWN, UP)]


@given(ASCII, st.booleans(), st.sampled_from(["ENTER", "TAB", "KPENTER"]))
def test_what_is_typed_comes_out(text: str, alt: bool, end: str) -> None:
    assert reader().feed(typed(text, alt=alt, end=end)) == [text]


@given(st.lists(ASCII, max_size=4), st.lists(st.integers(0, 20000), max_size=8))
def test_lines_come_out_whole_wherever_the_bytes_are_cut(texts: list[str], cuts: list[int]) -> None:
    raw = b"".join(typed(text, start_s=1000.0 + 60 * at) for at, text in enumerate(texts))
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    keys = reader()
    assert [line for a, b in pairwise(edges) for line in keys.feed(raw[a:b])] == texts


@given(st.binary(max_size=2000))
def test_any_bytes_are_lines_or_nothing(raw: bytes) -> None:
    assert all(reader().feed(raw))


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 4]), st.integers(0, 260), st.integers(-1, 3)), max_size=200)
)
def test_any_events_are_lines_without_ends(made: list[tuple[int, int, int]]) -> None:
    keys = reader()
    raw = b"".join(EVENT.pack(1000, at, kind, code, value) for at, (kind, code, value) in enumerate(made))
    assert all(line and not set(line) & set("\r\n") for line in keys.feed(raw))
    # Whatever was held or half typed is over when a scanner starts afresh.
    keys.feed(events(iter((code, UP) for code in range(260)), start_s=2000))
    keys.feed(typed("", start_s=2010))
    caps = keys._caps
    assert keys.feed(typed(PAY_CODE, start_s=2020)) == [PAY_CODE]
    assert caps == keys._caps


def test_events_are_as_the_kernel_has_them() -> None:
    assert EVENT.size == 2 * struct.calcsize("l") + 8


def test_a_line_without_an_end_is_never_a_code() -> None:
    keys = reader()
    assert keys.feed(typed("2812", end="")) == []
    assert keys.feed(typed(PAY_CODE, start_s=1000 + 5)) == [PAY_CODE]


def test_keys_that_are_held_down_type_once() -> None:
    held = [(key("2"), DOWN), (key("2"), 2), (key("2"), 2), (key("2"), UP)]
    assert reader().feed(events(iter(held + strokes("8", "ENTER")))) == ["28"]


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    assert reader().feed(events(iter(strokes("CAPSLOCK", "A", "1", "CAPSLOCK", "B", "ENTER")))) == ["A1b"]
    shifted = [(key("LEFTSHIFT"), DOWN), *strokes("A", "1"), (key("LEFTSHIFT"), UP)]
    assert reader().feed(events(iter([*strokes("CAPSLOCK"), *shifted, *strokes("ENTER")]))) == ["a!"]


def test_two_shifts_are_one_until_both_are_released() -> None:
    both = [(key("LEFTSHIFT"), DOWN), (key("RIGHTSHIFT"), DOWN), (key("LEFTSHIFT"), UP), *strokes("A")]
    rest = [(key("RIGHTSHIFT"), UP), *strokes("A", "ENTER")]
    assert reader().feed(events(iter(both + rest))) == ["Aa"]


def test_numbers_on_the_keypad_need_no_num_lock() -> None:
    assert reader().feed(events(iter(strokes("NUMLOCK", "KP2", "KP8", "KPDOT", "ENTER")))) == ["28."]


def test_alt_and_a_number_may_be_pressed_all_at_once() -> None:
    # As scanners do in one report of the boot protocol: all keys down, then all up. 083 is S.
    names = ("LEFTALT", "KP0", "KP8", "KP3")
    chord = [(key(name), value) for value in (DOWN, UP) for name in names]
    assert reader().feed(events(iter([*chord, *strokes("ENTER")]))) == ["S"]


@pytest.mark.parametrize("number", ["0233", "48144", "999999999999"])
def test_alt_and_a_number_that_means_something_else_everywhere_is_no_text(number: str) -> None:
    digits = [press for digit in number for press in strokes(f"KP{digit}")]
    held = [(key("LEFTALT"), DOWN), *digits, (key("LEFTALT"), UP)]
    assert reader().feed(events(iter([*held, *strokes("ENTER")]))) == [NOT_TEXT]


def test_alt_and_13_is_enter() -> None:
    assert reader().feed(typed("28\r", alt=True, end="")) == ["28"]


def test_gs1_separators_come_as_ctrl_and_stx_and_etx_come_off() -> None:
    assert reader().feed(typed("]C101\x1d21")) == ["]C101\x1d21"]
    assert reader().feed(typed("\x02281234\x03")) == ["281234"]


@pytest.mark.parametrize("name", ["F1", "LEFT", "DELETE", "VOLUMEUP"])
def test_a_key_without_a_character_is_no_text(name: str) -> None:
    assert reader().feed(events(iter(strokes("1", name, "ENTER")))) == [f"1{NOT_TEXT}"]


def test_after_lost_events_the_line_is_nobodys() -> None:
    keys = reader()
    raw = typed(PAY_CODE)
    lost = EVENT.pack(1000, 0, 0, 3, 0)
    at = 10 * 3 * EVENT.size
    assert keys.feed(raw[:at] + lost + raw[at:]) == []
    assert keys.feed(typed(PAY_CODE, start_s=1001)) == [PAY_CODE]


def test_events_between_loss_and_the_next_report_are_left_out() -> None:
    keys = reader()
    keys.feed(EVENT.pack(1000, 0, 0, 3, 0) + EVENT.pack(1000, 0, 1, key("LEFTSHIFT"), DOWN))
    keys.feed(EVENT.pack(1000, 1, 0, 0, 0))
    keys.feed(events(iter(strokes("ENTER")), start_s=1000.01))
    assert keys.feed(typed("abc", start_s=1001)) == ["abc"]


def test_a_line_with_a_persons_pause_in_it_is_nobodys() -> None:
    keys = reader()
    assert keys.feed(typed("2812", end="") + typed("3456", start_s=1000 + 8 * 0.004 + HAND_GAP_S)) == []
    assert keys.feed(typed(PAY_CODE, start_s=1010)) == [PAY_CODE]
    assert not keys.typed_by_hand


@pytest.mark.parametrize("gap_s", [HAND_GAP_S / 2, 0.09, 0.2, LINE_GAP_S, 3.0])
def test_a_keyboard_typed_slowly_is_a_persons_until_a_scanner_types(gap_s: float) -> None:
    keys = reader()
    assert keys.feed(typed("2812345678", gap_s=gap_s)) == []
    assert keys.typed_by_hand
    assert keys.feed(typed("28", start_s=1100)) == []
    assert keys.typed_by_hand
    assert keys.feed(typed(PAY_CODE, start_s=1200)) == [PAY_CODE]
    assert not keys.typed_by_hand


def test_a_few_slow_keys_are_not_yet_a_person() -> None:
    keys = reader()
    keys.feed(typed("2" * HAND_KEYS, end="", gap_s=HAND_GAP_S))
    assert not keys.typed_by_hand


def test_a_flood_fills_no_memory() -> None:
    keys = reader()
    (line,) = keys.feed(typed("7" * (MAX_LINE_BYTES + 500), gap_s=0.0))
    assert len(line) == MAX_LINE_BYTES + 1


GERMAN = {"z": "Y", "y": "Z", "ß": "MINUS", "-": "SLASH", "ü": "LEFTBRACE", "#": "BACKSLASH"}
FRENCH = {"a": "Q", "q": "A", "w": "Z", "m": "SEMICOLON", "&": "1", "à": "0"}


@pytest.mark.parametrize(("layout", "names"), [("de", GERMAN), ("fr", FRENCH)], ids=["German", "French"])
def test_other_layouts_have_their_letters_elsewhere(layout: str, names: dict[str, str]) -> None:
    made = events(iter([press for name in names.values() for press in strokes(name)] + strokes("ENTER")))
    assert reader(layout).feed(made) == ["".join(names)]


def test_digits_need_shift_in_france_and_brackets_alt_gr_in_germany() -> None:
    digit = [(key("LEFTSHIFT"), DOWN), *strokes("2", "8"), (key("LEFTSHIFT"), UP), *strokes("ENTER")]
    assert reader("fr").feed(events(iter(digit))) == ["28"]
    bracket = [(key("RIGHTALT"), DOWN), *strokes("9"), (key("RIGHTALT"), UP), *strokes("ENTER")]
    assert reader("de").feed(events(iter(bracket))) == ["]"]
    assert reader("us").feed(events(iter(bracket))) == [NOT_TEXT]
