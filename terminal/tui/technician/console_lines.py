"""Commands to a card and its answers, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content

from terminal.benches.console import Exchange, Row
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.findings import took, wrap
from terminal.tui.widgets.line import UNLIMITED, FittedLines


def exchange_lines(exchange: Exchange, width: int) -> Iterator[Content]:
    """Yield one exchange in *width* columns: the command with its time, the status, the data objects."""
    time = took(exchange.ms)
    for index, part in enumerate(wrap(exchange.command, max(10, width - 12))):
        head = Content.assemble(("› " if not index else "  ", "bold $primary"), (part, "bold"))
        if not index:
            gap = " " * max(1, width - head.cell_length - len(time))
            head = Content.assemble(head, gap, (time, MUTED))
        yield head
    fine = exchange.status.startswith(("9000", "61"))
    for part in wrap(exchange.status, width - 2):
        yield Content.assemble(("‹ ", "$success" if fine else "$warning"), part)
    yield from row_lines(exchange.rows, width, 2)


def row_lines(rows: Iterable[Row], width: int, indent: int = 0) -> Iterator[Content]:
    """Yield data objects, what is inside one indented below it."""
    for row in rows:
        lead = " " * (indent + 2 * row.depth)
        name = f"{row.name}: " if row.text else row.name
        for index, part in enumerate(wrap(f"{name}{row.text}", max(10, width - len(lead) - 2))):
            named = len(name) if not index else 0
            yield Content.assemble(
                lead, "" if not index else "  ", (part[:named], MUTED if row.text else ""), part[named:]
            )


class ConsoleLines(FittedLines):
    """What was sent and what came back, newest last."""

    _exchanges: tuple[Exchange, ...] = ()
    _empty = ""

    def show(self, exchanges: Sequence[Exchange], empty: str = "") -> None:
        """Draw these."""
        self._exchanges, self._empty = tuple(exchanges), empty
        self.redraw()

    def newest_top(self) -> int:
        """Return the row on which the newest exchange begins."""
        width = self.size.width or UNLIMITED
        return sum(len(list(exchange_lines(each, width))) + 1 for each in self._exchanges[:-1])

    def lines(self, width: int) -> Content:
        """Return them, a blank line between two."""
        if not self._exchanges:
            return Content("\n").join(Content.styled(part, MUTED) for part in wrap(self._empty, width))
        blocks = (Content("\n").join(exchange_lines(each, width)) for each in self._exchanges)
        return Content("\n\n").join(blocks)


class RowLines(FittedLines):
    """Data objects alone."""

    _rows: tuple[Row, ...] = ()

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these."""
        self._rows = tuple(rows)
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them."""
        return Content("\n").join(row_lines(self._rows, width))
