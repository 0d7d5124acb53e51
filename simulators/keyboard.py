"""A simulated scanner that types: key events as the kernel gives them, and a keyboard on uinput.

`typed` makes the bytes of struct input_event, which any machine can do. `KeyboardScanner` plugs a real
input device into this machine by uinput, where it has that and this user may: `missing` says what lacks.

    with KeyboardScanner() as scanner:
        device = open_scanner(parse(scanner.address))
        scanner.scan("281234567890123456")
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Self

import evdev
from evdev import ecodes

EVENT = struct.Struct("@llHHi")
"""struct input_event: seconds, microseconds, type, code, value."""
DOWN, UP = 1, 0
_UINPUT = "/dev/uinput"
_GAP_S = 0.004
# US keyboard: the keys beside letters and digits, by their names in input-event-codes.h.
_SIGNS = {
    " ": "SPACE",
    "-": "MINUS",
    "=": "EQUAL",
    "[": "LEFTBRACE",
    "]": "RIGHTBRACE",
    ";": "SEMICOLON",
    "'": "APOSTROPHE",
    "`": "GRAVE",
    "\\": "BACKSLASH",
    ",": "COMMA",
    ".": "DOT",
    "/": "SLASH",
}
_WITH_SHIFT = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))
_CONTROL = {"\x02": "b", "\x03": "c", "\x1d": "]"}

Press = tuple[int, int]
"""A key code, and DOWN or UP."""


def presses(text: str, *, end: str = "ENTER", alt: bool = False) -> Iterator[Press]:
    """Yield what a scanner presses for a text on a US keyboard.

    Args:
        text: ASCII, and control characters that have a Ctrl key.
        end: The key that it is set up to press at the end; empty for none.
        alt: Whether it holds Alt and types each character's number on the keypad.

    Raises KeyError for a character that a US keyboard does not type.
    """
    for letter in text:
        yield from _by_number(letter) if alt else _by_key(letter)
    if end:
        yield from _stroke(end)


def _by_key(letter: str) -> Iterator[Press]:
    holding = "LEFTSHIFT" if letter.isupper() or letter in _WITH_SHIFT else ""
    holding = "LEFTCTRL" if letter in _CONTROL else holding
    plain = _CONTROL.get(letter, _WITH_SHIFT.get(letter, letter.lower()))
    name = plain.upper() if plain.isascii() and plain.isalnum() else _SIGNS[plain]
    yield from _holding(holding, _stroke(name))


def _by_number(letter: str) -> Iterator[Press]:
    strokes = [press for digit in f"{ord(letter):03d}" for press in _stroke(f"KP{digit}")]
    yield from _holding("LEFTALT", iter(strokes))


def _holding(name: str, strokes: Iterator[Press]) -> Iterator[Press]:
    if name:
        yield key(name), DOWN
    yield from strokes
    if name:
        yield key(name), UP


def _stroke(name: str) -> Iterator[Press]:
    yield key(name), DOWN
    yield key(name), UP


def key(name: str) -> int:
    """Return the code of a key by its name, such as ENTER."""
    code = ecodes.ecodes[f"KEY_{name}"]
    assert isinstance(code, int)  # noqa: S101 - a table of the library
    return code


def events(strokes: Iterator[Press], *, start_s: float = 1000.0, gap_s: float = _GAP_S) -> bytes:
    """Return key events as the kernel gives them, one report for each, evenly spaced in time."""
    raw = bytearray()
    for number, (code, value) in enumerate(strokes):
        now_us = round((start_s + number * gap_s) * 1e6)
        when = divmod(now_us, 1_000_000)
        raw += EVENT.pack(*when, ecodes.EV_MSC, ecodes.MSC_SCAN, 0x70000 + code)
        raw += EVENT.pack(*when, ecodes.EV_KEY, code, value)
        raw += EVENT.pack(*when, ecodes.EV_SYN, ecodes.SYN_REPORT, 0)
    return bytes(raw)


def typed(
    text: str, *, end: str = "ENTER", alt: bool = False, start_s: float = 1000.0, gap_s: float = _GAP_S
) -> bytes:
    """Return the events of a scanner that types a text; see `presses`."""
    return events(presses(text, end=end, alt=alt), start_s=start_s, gap_s=gap_s)


class KeyboardScanner:
    """A scanner that types, on an input device of this machine. Not thread-safe: one caller scans.

    Args:
        name: What the device calls itself.
    """

    def __init__(self, name: str = "Tillside simulated scanner") -> None:
        self._name = name
        self._device: evdev.UInput | None = None
        self._path = ""

    @staticmethod
    def missing() -> str:
        """Return what keeps this machine from it, or nothing."""
        if not os.path.exists(_UINPUT):
            return f"no {_UINPUT} here: sudo modprobe uinput"
        if not os.access(_UINPUT, os.W_OK):
            return f"no permission for {_UINPUT}: sudo usermod -aG input $USER, then log in again"
        return ""

    @property
    def path(self) -> str:
        """The input device to open, once started."""
        return self._path

    @property
    def address(self) -> str:
        """The device address of this scanner, once started: ``keyboard-scanner:PATH``."""
        return f"keyboard-scanner:{self._path}"

    def start(self) -> None:
        """Plug the scanner in. Raises OSError, with `missing`, where that can't be."""
        if missing := self.missing():
            raise OSError(missing)
        keys = [code for code in range(1, ecodes.KEY_COMPOSE + 1) if code in ecodes.KEY]
        self._device = evdev.UInput({ecodes.EV_KEY: keys}, name=self._name)
        if self._device.device is None:
            raise OSError(f"the kernel made no device for {self._name}: ls -l /dev/input")
        self._path = str(self._device.device.path)

    def stop(self) -> None:
        """Pull the plug. Stopping twice is allowed."""
        if self._device is not None:
            self._device.close()
        self._device = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def scan(self, text: str, end: str = "ENTER", *, alt: bool = False) -> None:
        """Type a text, as a scanner does after a good read."""
        if self._device is None:
            raise RuntimeError("the scanner is not plugged in: call start()")
        for code, value in presses(text, end=end, alt=alt):
            self._device.write(ecodes.EV_KEY, code, value)
            self._device.syn()
