"""Lines of text from the key events of a scanner that types. No device, no clock: each event has its time.

Events are struct input_event of Linux: seconds and microseconds as long, type and code of 16 bits, value
of 32, all in the machine's own order. A line ends with Enter or Tab. Characters come as keys with Shift,
Caps Lock and AltGr, as Ctrl and a key for control characters, or as Alt and a number on the keypad; of
those only ASCII is taken, because what a higher number means is for each system to say.

A scanner types faster than anyone can. A line with a pause of `HAND_GAP_S` in it is nobody's code: a
person typed it, or the scanner broke off. So is a line of which the kernel lost events (SYN_DROPPED).
Caps Lock counts as the device itself has pressed it: a light on another keyboard says nothing of it.
"""

from __future__ import annotations

import struct

from drivers.scanners.keyboard_layouts import Layout
from drivers.scanners.line_assembler import LINE_GAP_S, MAX_LINE_BYTES

HAND_GAP_S = 0.1
"""Slower than this from key to key is a person, in seconds; scanners take 1 to 40 ms."""
HAND_KEYS = 4
"""So many keys in a row typed slowly mean that a person sits at this keyboard."""
SURE_KEYS = 8
"""A line of so many keys at a scanner's speed means that it is a scanner after all."""
NOT_TEXT = "\x00"
"""Stands in a line for a key that types no character."""

EVENT = struct.Struct("@llHHi")
_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3
_UP, _DOWN = 0, 1
_ENDS = {28, 96, 15}
_SHIFTS, _CONTROLS, _METAS = {42, 54}, {29, 97}, {125, 126}
_ALT, _ALT_GR, _CAPS_LOCK = 56, 100, 58
_SILENT = {_CAPS_LOCK, 69, 70}
_HELD = _SHIFTS | _CONTROLS | _METAS | {_ALT, _ALT_GR}
_KEYPAD = dict(
    zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73, 83, 74, 78, 55, 98), "0123456789.-+*/", strict=True)
)
_LINE_ENDS = "\r\n"
_STX, _ETX = "\x02", "\x03"


class KeyReader:
    """The line that is being typed.

    Args:
        layout: What the scanner was told to type for.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._raw = b""
        self._held: set[int] = set()
        self._caps = False
        self._alt_number = ""
        self._half: list[str] = []
        self._broken = False
        self._lost = False
        self._last_s = float("-inf")
        self._slow_keys = 0
        self.typed_by_hand = False
        """Whether a person seems to sit at this keyboard."""

    def feed(self, raw: bytes) -> list[str]:
        """Take the next bytes of the device; return the lines that they complete, none empty."""
        self._raw += raw
        whole = len(self._raw) // EVENT.size * EVENT.size
        events, self._raw = self._raw[:whole], self._raw[whole:]
        lines = []
        for seconds, microseconds, kind, code, value in EVENT.iter_unpack(events):
            if kind == _EV_SYN:
                self._synchronise(code)
            elif kind == _EV_KEY and not self._lost:
                line = self._key(code, value, seconds + microseconds / 1e6)
                if line:
                    lines.append(line)
        return lines

    def _synchronise(self, code: int) -> None:
        if code == _SYN_DROPPED:
            # What was pressed and released since is not known.
            self._lost = self._broken = True
            self._held.clear()
            self._alt_number = ""
        elif code == _SYN_REPORT:
            self._lost = False

    def _key(self, code: int, value: int, now_s: float) -> str:
        """Take one key; return the line where it ends one."""
        if value == _DOWN:
            self._look_at_pause(now_s)
        if code in _HELD:
            return self._hold(code, value)
        if value != _DOWN:
            return ""
        if code == _CAPS_LOCK:
            self._caps = not self._caps
        if code in _SILENT:
            return ""
        if _ALT in self._held and code in _KEYPAD and _KEYPAD[code].isdigit():
            self._alt_number += _KEYPAD[code]
            return ""
        return self._end() if code in _ENDS else self._type(self._letter(code))

    def _hold(self, code: int, value: int) -> str:
        if value == _DOWN:
            self._held.add(code)
        elif value == _UP:
            self._held.discard(code)
            if code == _ALT and self._alt_number:
                number, self._alt_number = int(self._alt_number[:9]), ""
                return self._type(chr(number) if number < 0x80 else NOT_TEXT)
        return ""

    def _letter(self, code: int) -> str:
        if self._held & _METAS or _ALT in self._held:
            return NOT_TEXT
        if code in _KEYPAD:
            return _KEYPAD[code]
        if self._held & _CONTROLS:
            plain = self._layout.plain.get(code, NOT_TEXT).upper()
            return chr(ord(plain) & 0x1F) if "@" <= plain <= "_" else NOT_TEXT
        if _ALT_GR in self._held:
            return self._layout.alt_gr.get(code, NOT_TEXT)
        shift = bool(self._held & _SHIFTS)
        is_letter = (
            self._layout.plain.get(code, "").isalpha() and self._layout.shifted.get(code, "").isalpha()
        )
        table = self._layout.shifted if shift != (self._caps and is_letter) else self._layout.plain
        return table.get(code, NOT_TEXT)

    def _type(self, letter: str) -> str:
        if letter in _LINE_ENDS:
            return self._end()
        # Of a line that is too long, one character more than the longest is kept: enough to tell.
        if len(self._half) <= MAX_LINE_BYTES:
            self._half.append(letter)
        return ""

    def _end(self) -> str:
        line = "" if self._broken else "".join(self._half)
        self._half.clear()
        self._broken = False
        if self.typed_by_hand and len(line) < SURE_KEYS:
            return ""
        if len(line) >= SURE_KEYS:
            self.typed_by_hand = False
            self._slow_keys = 0
        return line.removeprefix(_STX).removesuffix(_ETX)

    def _look_at_pause(self, now_s: float) -> None:
        pause_s, self._last_s = now_s - self._last_s, now_s
        if not (self._half or self._broken or self._held):
            return
        if HAND_GAP_S <= pause_s:
            self._broken = True
            self._slow_keys += 1
            self.typed_by_hand = self.typed_by_hand or self._slow_keys >= HAND_KEYS
        if pause_s > LINE_GAP_S:
            self._half.clear()
            self._broken = False
