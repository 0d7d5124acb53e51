"""A page as ESC/POS commands, line by line.

The commands are the library's; the drawing of a QR code as a picture is not, as the library's prints a
warning on the screen for every picture on a printer whose width it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import qrcode  # type: ignore[import-untyped]
from qrcode.exceptions import DataOverflowError  # type: ignore[import-untyped]

from drivers.page import Align, Page, QrCode, Text
from drivers.printers.layout import Line, lay_out
from drivers.printers.library import Dummy, constants
from drivers.printers.script import CHINESE, Cell, Script, printable

CHINESE_ON = b"\x1c&"
CHINESE_OFF = b"\x1c."
DOTS_A_COLUMN = 12
"""The width of font A's characters."""

_LARGEST_MODULE = 6
_QUIET_MODULES = 4
_ALIGN = {Align.LEFT: "left", Align.CENTRE: "center", Align.RIGHT: "right"}


@dataclass(frozen=True, slots=True)
class Paper:
    """How one printer is set up.

    Args:
        columns: Characters a line in font A: 32 on paper of 58 mm, 42 or 48 on 80 mm.
        script: What it can write.
        cuts: Whether it has a cutter; without one, the paper is fed so that it can be torn off.
        qr_as_picture: Whether QR codes are drawn here, for printers that can't.
    """

    columns: int = 42
    script: Script = field(default_factory=Script)
    cuts: bool = True
    qr_as_picture: bool = False


def render(page: Page, paper: Paper) -> Iterator[bytes]:
    """Return the bytes of a page, a line or a code at a time. What is set is undone at the start."""
    pen = _Pen(paper)
    yield pen.start()
    for part in lay_out(page, paper.columns, paper.script):
        if isinstance(part, Line):
            yield pen.line(part)
        else:
            yield from pen.qr(part)
    if page.cut:
        yield pen.cut()


def drawer_pulse() -> bytes:
    """Return the command that opens the drawer: a pulse on pin 2, where all drawers are."""
    dummy = Dummy()
    dummy.cashdraw(2)
    return bytes(dummy.output)


class _Pen:
    """Knows what the printer was told last, and says only what changes."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._printer = Dummy()
        self._page: int | None = None
        self._style: tuple[Align, bool, bool] | None = None

    def start(self) -> bytes:
        self._printer.hw("INIT")
        # Printers sold in China start with their Chinese characters on.
        self._printer._raw(CHINESE_OFF)
        return self._taken()

    def line(self, line: Line) -> bytes:
        self._set(line.align, line.bold, line.large)
        for cell in line.cells:
            self._write(cell)
        self._printer._raw(b"\n")
        return self._taken()

    def qr(self, code: QrCode) -> Iterator[bytes]:
        text = printable(code.text)
        matrix = _matrix(text)
        dots = self._paper.columns * DOTS_A_COLUMN
        module = min(_LARGEST_MODULE, dots // (len(matrix) + 2 * _QUIET_MODULES)) if matrix else 0
        if not module:
            # No code that size fits the paper: a person can still read what it says.
            for part in lay_out(Page((Text(code.text),)), self._paper.columns, self._paper.script):
                if isinstance(part, Line):
                    yield self.line(part)
            return
        self._set(Align.CENTRE, False, False)
        if self._paper.qr_as_picture:
            self._printer._raw(_raster(matrix, module))
        else:
            self._printer.qr(text, ec=constants.QR_ECLEVEL_M, size=module, native=True)
        self._printer._raw(b"\n")
        yield self._taken()

    def cut(self) -> bytes:
        self._set(Align.LEFT, False, False)
        if self._paper.cuts:
            self._printer.cut(mode="PART")
        else:
            self._printer.print_and_feed(6)
        return self._taken()

    def _set(self, align: Align, bold: bool, large: bool) -> None:
        if self._style == (align, bold, large):
            return
        self._style = (align, bold, large)
        size = 2 if large else 1
        # This command for the size, and not `ESC !`, as it holds for Chinese characters too.
        self._printer.set(align=_ALIGN[align], bold=bold, custom_size=True, width=size, height=size)

    def _write(self, cell: Cell) -> None:
        if cell.page is not None and cell.page != self._page:
            if cell.page == CHINESE:
                self._printer._raw(CHINESE_ON)
            else:
                leave = CHINESE_OFF if self._page == CHINESE else b""
                self._printer._raw(leave + constants.CODEPAGE_CHANGE + bytes([cell.page]))
            self._page = cell.page
        self._printer._raw(cell.data)

    def _taken(self) -> bytes:
        data = bytes(self._printer.output)
        self._printer.clear()
        return data


def _matrix(text: str) -> list[list[bool]]:
    """Return the modules of a QR code without quiet zone; none for a text that no code holds."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    # The library says so in one way or the other, by how far it got.
    except (DataOverflowError, ValueError):
        return []
    matrix: list[list[bool]] = code.get_matrix()
    return matrix if text else []


def _raster(matrix: list[list[bool]], module: int) -> bytes:
    """Return the `GS v 0` that draws a code, each module of so many dots."""
    width = (len(matrix) * module + 7) // 8
    rows = []
    for modules in matrix:
        bits = "".join(("1" if dark else "0") * module for dark in modules).ljust(width * 8, "0")
        rows.append(int(bits, 2).to_bytes(width, "big") * module)
    height = len(matrix) * module
    return bytes(
        constants.S_RASTER_N + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"".join(rows)
    )
