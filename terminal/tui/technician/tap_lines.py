"""The commands of one tap, each with its time as a number and as a bar."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from terminal.payment.tap_trace import TapTrace, TracedCommand
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.findings import took, wrap
from terminal.tui.widgets.line import FittedLines

_BAR = 12
_WIDE = 60
"""From this width on the bars have their whole length."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(part: float, width: int) -> str:
    """Return a bar of *part* of *width* columns, to an eighth of a column."""
    eighths = round(max(0.0, min(1.0, part)) * width * 8)
    return f"{'█' * (eighths // 8)}{_EIGHTHS[eighths % 8].strip()}" or "▏"


class TapLines(FittedLines):
    """Commands, with or without the answers."""

    _tap: TapTrace | None = None
    _answers = True

    def show(self, tap: TapTrace, *, answers: bool) -> None:
        """Draw a tap."""
        self._tap, self._answers = tap, answers
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them."""
        if self._tap is None:
            return Content("")
        longest = max((each.card_ms for each in self._tap.commands), default=0.0)
        return Content("\n").join(
            line for each in self._tap.commands for line in self._command(each, longest, width)
        )

    def _command(self, command: TracedCommand, longest: float, width: int) -> Iterator[Content]:
        head, *answers = command.text.splitlines()
        if not self._answers and answers:
            head = f"{head} → {answers[0].removeprefix('< ').partition(' ')[0]}"
        time = f"{took(command.card_ms):>9}"
        columns = _BAR if width >= _WIDE else _BAR // 2
        room = max(10, width - len(time) - columns - 3)
        drawn = bar(command.card_ms / longest if longest else 0.0, columns)
        rows = wrap(head.removeprefix("> "), room)
        yield Content.assemble((f"{rows[0]:<{room}}", "bold"), " ", time, " ", (drawn, "$primary"))
        for row in rows[1:]:
            yield Content.styled(row, "bold")
        if self._answers:
            for answer in answers:
                text = answer.removeprefix("< ")
                indent = len(text) - len(text.lstrip()) + 2
                for row in wrap(text.strip(), max(10, width - indent)):
                    yield Content.styled(f"{' ' * indent}{row}", MUTED)
