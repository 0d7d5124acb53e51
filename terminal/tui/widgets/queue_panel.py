"""The offline queue in figures: what is not delivered, and how near the limits are."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.amount import age_text, amount_text
from terminal.tui.widgets.line import Line
from terminal.view import QueueView

_NEAR = 0.8
"""Share of a limit from which on it is shown as a warning."""


def _limit_style(used: int, limit: int) -> str:
    if used >= limit:
        return "bold $error"
    return "bold $warning" if used >= _NEAR * limit else ""


def queue_lines(queue: QueueView) -> Content:
    """Return the queue as lines, the alarm first."""
    lines: list[Content] = []
    if queue.alarm:
        lines.append(Content.styled(f"! {queue.alarm}", "bold $error"))
    if queue.unsent:
        lines.append(
            Content.assemble(
                (f"{queue.unsent} not sent", "bold $warning"), f", oldest {age_text(queue.oldest_s)}"
            )
        )
    else:
        lines.append(Content.assemble(("✓ ", "$success"), "all sent"))
    if queue.quarantined:
        lines.append(Content.styled(f"✗ {queue.quarantined} refused by the host", "bold $error"))
    count = f"{queue.deferred_count} of {queue.limit_count}"
    total = f"{amount_text(queue.deferred_total)} of {queue.limit_total.plain()}"
    lines.append(
        Content.assemble("deferred ", (count, _limit_style(queue.deferred_count, queue.limit_count)))
    )
    lines.append(
        Content.assemble("  ", (total, _limit_style(queue.deferred_total.minor, queue.limit_total.minor)))
    )
    lines.append(Content.styled(f"  each at most {queue.limit_each.plain()}", "$text-muted"))
    return Content("\n").join(lines)


class QueuePanel(Line):
    """Unsent, oldest, deferred against the limits, alarm."""

    queue: reactive[QueueView | None] = reactive(None)

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Offline queue"

    def watch_queue(self, queue: QueueView | None) -> None:
        """Draw it."""
        if queue is not None:
            self.set_class(bool(queue.alarm or queue.quarantined), "-alarm")
            self.update(queue_lines(queue))
