"""The offline queue in figures: what is not delivered, and how near the limits are."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.amount import age_text, amount_text
from terminal.tui.widgets.line import FittedLines
from terminal.view import QueueView

_NEAR = 0.8
"""Share of a limit from which on it is shown as a warning."""


def records_text(count: int) -> str:
    """Return ``1 record`` or ``3 records``: records are not payments, of which one makes several."""
    return f"{count} record{'' if count == 1 else 's'}"


def _limit_style(used: int, limit: int) -> str:
    if used >= limit:
        return "bold $error"
    return "bold $warning" if used >= _NEAR * limit else ""


def _unsent(queue: QueueView, width: int) -> Content:
    count, age = f"{records_text(queue.unsent)} not sent", age_text(queue.oldest_s)
    words = next((words for words in (f", oldest {age}", f", {age}") if len(count + words) <= width), "")
    return Content.assemble((count, "bold $warning"), words)


def _waiting(queue: QueueView, locale: str) -> list[Content]:
    """Return what was taken offline against the limits, and how much of it the cards approved, if any."""
    count, total = queue.deferred_count + queue.approved_count, queue.deferred_total + queue.approved_total
    counted = f"{count} of {queue.limit_count}"
    summed = f"{amount_text(total, locale)} of {amount_text(queue.limit_total, locale)}"
    lines = [
        Content.assemble(
            "offline " if queue.approved_count else "deferred ",
            (counted, _limit_style(count, queue.limit_count)),
        ),
        Content.assemble("  ", (summed, _limit_style(total.minor, queue.limit_total.minor))),
    ]
    if queue.approved_count:
        lines.append(Content(f"  approved {queue.approved_count}, deferred {queue.deferred_count}"))
    return lines


def queue_lines(queue: QueueView, locale: str, width: int) -> Content:
    """Return the queue as lines, the alarm first."""
    lines: list[Content] = []
    if queue.alarm:
        lines.append(Content.styled(f"! {queue.alarm}", "bold $error"))
    if queue.unsent:
        lines.append(_unsent(queue, width))
    else:
        lines.append(Content.assemble(("✓ ", "$success"), "all sent"))
    if queue.quarantined:
        refused = f"✗ {records_text(queue.quarantined)} refused by the host"
        lines.append(Content.styled(refused, "bold $error"))
    lines += _waiting(queue, locale)
    lines.append(Content.styled(f"  each at most {amount_text(queue.limit_each, locale)}", "$text-muted"))
    return Content("\n").join(lines)


class QueuePanel(FittedLines):
    """Unsent, oldest, deferred against the limits, alarm."""

    shown: reactive[tuple[QueueView, str] | None] = reactive(None)
    """The queue, and the locale of its amounts."""

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Offline queue"

    def watch_shown(self) -> None:
        """Draw it."""
        if self.shown is not None:
            queue, _ = self.shown
            self.set_class(bool(queue.alarm or queue.quarantined), "-alarm")
            self.redraw()

    def lines(self, width: int) -> Content:
        """Return its figures."""
        return Content("") if self.shown is None else queue_lines(*self.shown, width)
