"""Puts the parts of a page into lines that fit the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.page import Align, Page, Pair, QrCode, Rule, Text
from drivers.printers.script import Cell, Script


@dataclass(frozen=True, slots=True)
class Line:
    """One line on the paper."""

    cells: tuple[Cell, ...]
    align: Align = Align.LEFT
    bold: bool = False
    large: bool = False

    @property
    def columns(self) -> int:
        """How many columns of the paper it takes."""
        return _columns(self.cells) * (2 if self.large else 1)


def lay_out(page: Page, columns: int, script: Script) -> Iterator[Line | QrCode]:
    """Return a page's lines, each of so many *columns* at most, and its QR codes."""
    for part in page.parts:
        match part:
            case QrCode():
                yield part
            case Rule():
                yield Line(script.cells("-" * columns))
            case Text():
                room = columns // 2 if part.large else columns
                for cells in wrapped(script.cells(part.text), room):
                    yield Line(cells, part.align, part.bold, part.large)
            case Pair():
                yield from _pair(part, columns, script)


def _pair(pair: Pair, columns: int, script: Script) -> Iterator[Line]:
    room = columns // 2 if pair.large else columns
    name, value = script.cells(pair.name), script.cells(pair.value)
    gap = room - _columns(name) - _columns(value)
    if gap >= 1:
        yield Line((*name, *script.cells(" " * gap), *value), Align.LEFT, pair.bold, pair.large)
        return
    for cells in wrapped(name, room):
        yield Line(cells, Align.LEFT, pair.bold, pair.large)
    for cells in wrapped(value, room):
        yield Line(cells, Align.RIGHT, pair.bold, pair.large)


def wrapped(cells: Sequence[Cell], columns: int) -> list[tuple[Cell, ...]]:
    """Return lines that fit, broken at spaces or beside wide characters where that is possible.

    Spaces at a break and at the end are left out; there is one line at least. Each cell must fit.
    """
    lines = []
    rest = tuple(cells)
    while _columns(rest) > columns:
        end = _fitting(rest, columns)
        # A space right after what fits ends the line as well as one within.
        breaks = [at for at in range(1, end + 1) if _may_break(rest, at)]
        at = breaks[-1] if breaks else end
        lines.append(_without_spaces_at_end(rest[:at]))
        rest = _without_spaces_at_start(rest[at:])
    last = _without_spaces_at_end(rest)
    return [line for line in lines if line] + ([last] if last or not any(lines) else [])


def _may_break(cells: Sequence[Cell], at: int) -> bool:
    before, after = cells[at - 1], cells[at]
    return before.is_space or after.is_space or before.columns == 2 or after.columns == 2


def _fitting(cells: Sequence[Cell], columns: int) -> int:
    taken = 0
    for count, cell in enumerate(cells):
        taken += cell.columns
        if taken > columns:
            return count
    return len(cells)


def _columns(cells: Sequence[Cell]) -> int:
    return sum(cell.columns for cell in cells)


def _without_spaces_at_end(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    while cells and cells[-1].is_space:
        cells = cells[:-1]
    return cells


def _without_spaces_at_start(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    while cells and cells[0].is_space:
        cells = cells[1:]
    return cells
