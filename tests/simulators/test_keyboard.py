"""The simulated scanner that types: its events, and its device where this machine has uinput."""

import select

import evdev
import pytest
from evdev import ecodes

from simulators.keyboard import EVENT, KeyboardScanner, events, presses, typed


def test_events_are_reports_that_evdev_can_name() -> None:
    found = [evdev.InputEvent(*event) for event in EVENT.iter_unpack(typed("a", end=""))]
    assert [event.type for event in found] == 2 * [ecodes.EV_MSC, ecodes.EV_KEY, ecodes.EV_SYN]
    keys = [evdev.KeyEvent(event) for event in found if event.type == ecodes.EV_KEY]
    assert [(str(key.keycode), key.keystate) for key in keys] == [("KEY_A", 1), ("KEY_A", 0)]
    assert found[-1].timestamp() > found[0].timestamp()


def test_capitals_are_held_with_shift_and_numbers_with_alt() -> None:
    def names(text: str, *, alt: bool = False) -> list[tuple[str, int]]:
        return [(str(ecodes.KEY[code]), value) for code, value in presses(text, end="", alt=alt)]

    assert names("A") == [("KEY_LEFTSHIFT", 1), ("KEY_A", 1), ("KEY_A", 0), ("KEY_LEFTSHIFT", 0)]
    assert [name for name, value in names("A", alt=True) if value] == [
        *("KEY_LEFTALT", "KEY_KP0", "KEY_KP6", "KEY_KP5")
    ]


def test_what_no_us_keyboard_types_is_an_error() -> None:
    with pytest.raises(KeyError):
        typed("付")


def test_no_key_is_left_held() -> None:
    held: set[int] = set()
    for code, value in presses("Ab!\x1d", end="TAB"):
        (held.add if value else held.discard)(code)
    assert not held
    assert events(iter(())) == b""


def test_an_unplugged_scanner_says_so() -> None:
    with pytest.raises(RuntimeError, match="start"):
        KeyboardScanner().scan("281")


def test_a_machine_without_uinput_says_what_lacks() -> None:
    missing = KeyboardScanner.missing()
    if not missing:
        pytest.skip("this machine has uinput")
    with pytest.raises(OSError, match="uinput") as raised:
        KeyboardScanner().start()
    assert str(raised.value) == missing


def test_types_on_a_real_device_where_there_is_uinput() -> None:
    if missing := KeyboardScanner.missing():
        pytest.skip(missing)
    with KeyboardScanner() as scanner:
        device = evdev.InputDevice(scanner.path)
        scanner.scan("2")
        assert select.select([device.fd], [], [], 10)[0]
        assert ecodes.KEY_2 in [event.code for event in device.read()]
        device.close()
