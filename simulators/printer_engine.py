"""A simulated receipt printer without its wire: bytes in, answers out, pages kept.

It takes the commands that receipts are made of: text in code pages and GB18030, alignment, bold,
underlined and inverse, sizes, QR codes, raster pictures, cutting, the drawer, real-time status, status in
order, its name. What it does not know, and what it knows and can't show, is told in `remarks`.

Out of paper, with its cover open or switched offline, it prints nothing, keeps what comes, and still
answers `DLE EOT`. It goes on where it stopped. Thread-safe.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition

import qrcode  # type: ignore[import-untyped]
from qrcode.exceptions import DataOverflowError  # type: ignore[import-untyped]

from simulators.printer_commands import Command, CommandReader
from simulators.printer_page import (
    DOTS_A_COLUMN,
    DOTS_A_LINE,
    Code,
    Feed,
    Glyph,
    Item,
    PrintedPage,
    Raster,
    Style,
    TextLine,
)
from simulators.printer_text import TextDecoder

logger = logging.getLogger(__name__)

LOW_LINES = 20
"""Lines that are left when the sensor beside the roll notices."""
KEPT_PAGES = 100
KEPT_REMARKS = 1000
BUFFER_COMMANDS = 100_000
"""What comes beyond it while the printer is offline is lost, and told."""
_NAMES = {65: "1.0 sim", 66: "Tillside", 67: "Simulated receipt printer", 68: "SIM00001"}
_CORRECTIONS = {48: "L", 49: "M", 50: "Q", 51: "H"}

Answer = Callable[[bytes], None]


def _no_answer(_: bytes) -> None:
    """Drop it: nobody is connected."""


class PrinterEngine:
    """A printer.

    Args:
        columns: Characters a line: 32, 42 or 48.
        answers: Whether it answers `DLE EOT`; some old print servers have no way back.
        answers_in_order: Whether it answers `GS r` and `GS I`; some cheap printers do not.
        chinese: Whether its Chinese characters are on when it starts, as they are on printers sold in China.
    """

    def __init__(
        self,
        *,
        columns: int = 42,
        answers: bool = True,
        answers_in_order: bool = True,
        chinese: bool = False,
    ) -> None:
        self.columns = columns
        self._answers = answers
        self._answers_in_order = answers and answers_in_order
        self._chinese_at_start = chinese
        self._changed = Condition()
        self._reader = CommandReader()
        self._queue: deque[Command] = deque()
        self._answer: Answer = _no_answer
        self._pages: deque[PrintedPage] = deque(maxlen=KEPT_PAGES)
        self._items: list[Item] = []
        self._remarks: deque[str] = deque(maxlen=KEPT_REMARKS)
        self._dots_left: int | None = None
        self._out = False
        self._low = False
        self._cover_open = False
        self._switched_offline = False
        self._drawer_open = False
        self._drawer_pulses = 0
        self._reset()

    # What a person at the printer sees and does.

    @property
    def pages(self) -> tuple[PrintedPage, ...]:
        """The pages so far, oldest first; the last may be unfinished (`cut` is False)."""
        with self._changed:
            unfinished = (PrintedPage(tuple(self._items), self.columns, cut=False),) if self._items else ()
            return (*self._pages, *unfinished)

    @property
    def finished_pages(self) -> tuple[PrintedPage, ...]:
        """The pages that have been cut off, oldest first; the same objects at every look."""
        with self._changed:
            return tuple(self._pages)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What it could not do as it was told, oldest first."""
        with self._changed:
            return tuple(self._remarks)

    @property
    def drawer_open(self) -> bool:
        """Whether the drawer is open; it opens by a pulse, and people close it."""
        with self._changed:
            return self._drawer_open

    @property
    def drawer_pulses(self) -> int:
        """How often the drawer was told to open."""
        with self._changed:
            return self._drawer_pulses

    def close_drawer(self) -> None:
        """Push the drawer shut."""
        with self._changed:
            self._drawer_open = False
            self._changed.notify_all()

    def load_paper(self, lines: int | None = None) -> None:
        """Put in a roll that has paper for so many lines; without a number it never ends."""
        with self._changed:
            self._dots_left = None if lines is None else lines * DOTS_A_LINE
            self._out = lines == 0
            self._low = False
            self._work()

    def remove_paper(self) -> None:
        """Take the roll out."""
        self.load_paper(0)

    def set_paper_low(self, low: bool = True) -> None:
        """Make the sensor beside the roll notice that there is little left, or not."""
        with self._changed:
            self._low = low

    def open_cover(self) -> None:
        """Open the cover; what is being printed stops."""
        with self._changed:
            self._cover_open = True

    def close_cover(self) -> None:
        """Close it; the printer goes on."""
        with self._changed:
            self._cover_open = False
            self._work()

    def set_offline(self, offline: bool = True) -> None:
        """Switch the printer offline, or online again."""
        with self._changed:
            self._switched_offline = offline
            self._work()

    def wait_for_pages(self, count: int, timeout_s: float = 5.0) -> tuple[PrintedPage, ...]:
        """Wait until so many pages have been cut off, and return the pages. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._pages) >= count, timeout_s):
                raise TimeoutError(f"{len(self._pages)} pages were printed, not {count}")
        return self.pages

    def forget_pages(self) -> None:
        """Sweep up what has been printed, and the remarks."""
        with self._changed:
            self._pages.clear()
            self._items.clear()
            self._remarks.clear()

    # What comes down the wire.

    def receive(self, data: bytes, answer: Answer = _no_answer) -> None:
        """Take bytes; what the printer says to them, now or later, goes to *answer*. Never raises."""
        with self._changed:
            self._answer = answer
            for command in self._reader.feed(data):
                if command.is_real_time:
                    self._at_once(command)
                elif len(self._queue) < BUFFER_COMMANDS:
                    self._queue.append(command)
                    self._print()
                else:
                    self._remark("buffer full: a command was lost")
            self._changed.notify_all()

    def disconnect(self) -> None:
        """Nobody listens any more, and half a command goes."""
        with self._changed:
            self._answer = _no_answer
            self._reader = CommandReader()

    @property
    def _online(self) -> bool:
        return not (self._out or self._cover_open or self._switched_offline)

    def _work(self) -> None:
        self._print()
        self._changed.notify_all()

    def _print(self) -> None:
        while self._queue and self._online:
            # A command that the paper did not last for is done again when there is some.
            if self._carry_out(self._queue[0]):
                self._queue.popleft()

    def _at_once(self, command: Command) -> None:
        kind, number = command.data[1], command.data[2]
        if kind == 0x04 and number in (1, 2, 3, 4):
            if self._answers:
                self._answer(bytes([self._real_time_status(number)]))
        elif kind == 0x14 and number == 1:
            self._pulse()
        elif kind == 0x14 and number == 8:
            self._queue.clear()
        else:
            self._remark(f"{command.name} {number} is not simulated")

    def _real_time_status(self, number: int) -> int:
        low, out = self._paper_is_low(), self._out
        bits = {
            1: 0x04 * self._drawer_open | 0x08 * (not self._online),
            2: 0x04 * self._cover_open | 0x20 * out,
            3: 0,
            4: 0x0C * (low or out) | 0x60 * out,
        }
        return 0x12 | bits[number]

    def _paper_is_low(self) -> bool:
        return self._low or (self._dots_left is not None and self._dots_left < LOW_LINES * DOTS_A_LINE)

    def _remark(self, text: str) -> None:
        self._remarks.append(text)
        logger.info("simulated printer: %s", text)

    def _reset(self) -> None:
        self._style = Style()
        self._align = 0
        self._pitch = DOTS_A_LINE
        self._decoder = TextDecoder(chinese=self._chinese_at_start)
        self._line: list[Glyph] = []
        self._qr_module = 3
        self._qr_correction = "L"
        self._qr_text: str | None = None

    def _carry_out(self, command: Command) -> bool:
        """Do one command; False if the paper did not last for it."""
        if command.is_text:
            return self._text(command.data)
        if not command.known:
            self._remark(f"{command.name} is not known: {command.data.hex(' ')}")
            return True
        mark, data = command.data[0], command.data[1:]
        if mark < 0x10 or mark == 0x18:
            return self._control(mark)
        letter, rest = chr(data[0]), data[1:]
        done = {0x1B: self._escape, 0x1C: self._chinese_command, 0x1D: self._group}[mark](letter, rest)
        if done is None:
            self._remark(f"{command.name} is not simulated")
            return True
        return done

    # Text.

    def _text(self, data: bytes) -> bool:
        # One character at a time, each kept by the queue until the line that it began has been printed.
        left = deque(data)
        while left:
            decoder = self._decoder.copy()
            for char, columns in decoder.decode(left.popleft()):
                glyph = Glyph(char, columns, self._style)
                if sum(each.dots for each in self._line) + glyph.dots > self.columns * DOTS_A_COLUMN:
                    if not self._end_line():
                        self._queue[0] = Command(bytes([data[len(data) - len(left) - 1], *left]))
                        return False
                self._line.append(glyph)
            self._decoder = decoder
        return True

    def _end_line(self) -> bool:
        if not self._put(TextLine(tuple(self._line), self._align, self._pitch)):
            return False
        self._line.clear()
        return True

    def _flush(self) -> bool:
        return not self._line or self._end_line()

    def _put(self, item: Item) -> bool:
        """Print an item; False, and nothing of it, if the paper ends before."""
        if self._dots_left is not None:
            if item.height > self._dots_left:
                self._out = True
                return False
            self._dots_left -= item.height
        self._items.append(item)
        return True

    def _control(self, mark: int) -> bool:
        if mark == 0x0A:
            return self._end_line()
        if mark == 0x09:
            columns = sum(glyph.columns for glyph in self._line)
            self._line += [Glyph(" ", 1, self._style)] * (8 - columns % 8)
        elif mark == 0x0C:
            self._remark("FF is for page mode, which is not simulated")
        return True

    # Commands; None means that it is not simulated.

    def _escape(self, letter: str, rest: bytes) -> bool | None:
        first = rest[0] if rest else 0
        match letter:
            case "@":
                self._line.clear()
                self._reset()
            case "!":
                self._style = Style(
                    bold=bool(first & 0x08),
                    underlined=bool(first & 0x80),
                    inverse=self._style.inverse,
                    width=1 + bool(first & 0x20),
                    height=1 + bool(first & 0x10),
                )
            case "E" | "G":
                self._change(bold=bool(first & 1))
            case "-":
                self._change(underlined=first in (1, 2, 49, 50))
            case "a":
                return self._set_align(first)
            case "t":
                if not self._decoder.select(first):
                    self._remark(f"ESC t {first}: no such code page")
            case "2":
                self._pitch = DOTS_A_LINE
            case "3":
                self._pitch = max(first, 1)
            case "d":
                return self._feed(first * self._pitch)
            case "J":
                return self._feed(first)
            case "p":
                self._pulse()
            case "i" | "m":
                return self._cut()
            case "v":
                self._say(bytes([0x03 * self._paper_is_low()]))
            case "u":
                self._say(bytes([self._drawer_open]))
            case "M" | "R" | " " | "{" | "r" | "V" | "U" | "T" | "=" | "c" if not any(rest[-1:]):
                # Set to what it is already.
                pass
            case _:
                return None
        return True

    def _chinese_command(self, letter: str, rest: bytes) -> bool | None:
        match letter:
            case "&":
                self._decoder.chinese = True
            case ".":
                self._decoder.chinese = False
            case "W":
                size = 2 if rest[0] & 1 else 1
                self._change(width=size, height=size)
            case "!":
                self._change(width=1 + bool(rest[0] & 4), height=1 + bool(rest[0] & 8))
            case _:
                return None
        return True

    def _group(self, letter: str, rest: bytes) -> bool | None:
        first = rest[0] if rest else 0
        match letter:
            case "!":
                self._change(width=1 + (first >> 4 & 7), height=1 + (first & 7))
            case "B":
                self._change(inverse=bool(first & 1))
            case "V":
                return self._group_cut(rest)
            case "(" if first == ord("k"):
                return self._code(rest[3:])
            case "v":
                return self._raster(rest)
            case "r" if first in (1, 2, 49, 50):
                paper = 0x03 * self._paper_is_low()
                self._say(bytes([paper if first in (1, 49) else self._drawer_open]))
            case "I" if first in _NAMES:
                self._say(b"_" + _NAMES[first].encode() + b"\0")
            case "I" if first in (1, 2, 3, 49, 50, 51):
                self._say(bytes([{1: 0x20, 2: 0x02, 3: 0x01}[first & 3]]))
            case "a" if not first:
                # Automatic status is off.
                pass
            case "L" | "h" | "w" | "f" | "H" if letter != "L" or not any(rest):
                pass
            case _:
                return None
        return True

    def _say(self, data: bytes) -> None:
        if self._answers_in_order:
            self._answer(data)

    def _change(
        self,
        *,
        bold: bool | None = None,
        underlined: bool | None = None,
        inverse: bool | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        old = self._style
        self._style = Style(
            old.bold if bold is None else bold,
            old.underlined if underlined is None else underlined,
            old.inverse if inverse is None else inverse,
            width or old.width,
            height or old.height,
        )

    def _set_align(self, number: int) -> bool:
        # Takes effect at the beginning of a line only.
        if self._line:
            self._remark("ESC a in the middle of a line")
        elif number & 0x0F <= 2 and number in (0, 1, 2, 48, 49, 50):
            self._align = number & 0x0F
        else:
            self._remark(f"ESC a {number}: no such alignment")
        return True

    def _feed(self, dots: int) -> bool:
        return self._flush() and (not dots or self._put(Feed(dots)))

    def _group_cut(self, rest: bytes) -> bool:
        if rest[0] in (65, 66, 97, 98, 103, 104):
            return self._feed(rest[1]) and self._cut()
        if rest[0] in (0, 1, 48, 49):
            return self._cut()
        self._remark(f"GS V {rest[0]}: no such cut")
        return True

    def _cut(self) -> bool:
        if not self._flush():
            return False
        self._pages.append(PrintedPage(tuple(self._items), self.columns))
        self._items.clear()
        return True

    def _pulse(self) -> None:
        self._drawer_open = True
        self._drawer_pulses += 1

    def _raster(self, rest: bytes) -> bool:
        # 0, mode, width in bytes, height: the mode doubles width and height.
        if not self._flush():
            return False
        width, height = int.from_bytes(rest[2:4], "little"), int.from_bytes(rest[4:6], "little")
        if rest[1] not in (0, 48):
            self._remark(f"GS v 0 {rest[1]}: drawn in normal size")
        if not width or not height:
            self._remark("GS v 0 without a picture")
            return True
        if width * 8 > self.columns * DOTS_A_COLUMN + 7:
            self._remark(f"a picture of {width * 8} dots is cut off at the edge of the paper")
        return self._put(Raster(width, height, rest[6:], self._align))

    def _code(self, body: bytes) -> bool | None:
        """Do `GS ( k` for QR codes: its body has kind, function and parameters."""
        if len(body) < 3 or body[0] != 49:
            return None
        function, rest = body[1], body[2:]
        if function == 67:
            if 1 <= rest[0] <= 16:
                self._qr_module = rest[0]
        elif function == 69:
            self._qr_correction = _CORRECTIONS.get(rest[0], self._qr_correction)
        elif function == 80:
            self._qr_text = rest[1:].decode("utf-8", "replace")
        elif function == 81:
            return self._print_code()
        elif function != 65:
            return None
        return True

    def _print_code(self) -> bool:
        if not self._qr_text:
            self._remark("GS ( k: there is no code to print")
            return True
        size = _qr_size(self._qr_text, self._qr_correction) * self._qr_module
        if not 0 < size <= self.columns * DOTS_A_COLUMN:
            # A real one prints nothing either, and says nothing.
            self._remark(
                f"a QR code of {size} dots does not fit the paper" if size else "too much for a QR code"
            )
            return True
        code = Code(self._qr_text, self._qr_module, self._qr_correction, self._align, size)
        return self._flush() and self._put(code)


def _qr_size(text: str, correction: str) -> int:
    """Return how many modules wide a code is, without quiet zone; 0 if no code holds the text."""
    try:
        return len(qr_matrix(text, correction))
    except (DataOverflowError, ValueError):
        return 0


def qr_matrix(text: str, correction: str) -> list[list[bool]]:
    """Return the modules of a QR code, without quiet zone."""
    levels = {
        "L": qrcode.constants.ERROR_CORRECT_L,
        "M": qrcode.constants.ERROR_CORRECT_M,
        "Q": qrcode.constants.ERROR_CORRECT_Q,
        "H": qrcode.constants.ERROR_CORRECT_H,
    }
    code = qrcode.QRCode(error_correction=levels[correction], border=0)
    code.add_data(text)
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    return matrix
