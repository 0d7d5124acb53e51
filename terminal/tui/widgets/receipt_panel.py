"""The receipt as it would be printed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.line import Line
from terminal.view import ResultView


class ReceiptPanel(VerticalScroll, can_focus=False):
    """Shows the last result's receipt and says when it belongs to an earlier customer."""

    result: reactive[ResultView | None] = reactive(None)
    past: reactive[bool] = reactive(False)
    locale = ""
    """How the amount in the title is written; set before the result."""

    def compose(self) -> ComposeResult:
        """The paper."""
        yield Line(id="receipt-paper")

    def on_mount(self) -> None:
        """Name the panel."""
        self._entitle()

    def watch_result(self, result: ResultView | None) -> None:
        """Draw another receipt from its first line."""
        paper = self.query_one("#receipt-paper", Line)
        self.set_class(result is None, "-none")
        paper.update("\n".join(result.receipt) if result else "")
        self.scroll_home(animate=False)
        self._entitle()

    def watch_past(self) -> None:
        """Say whose receipt it is."""
        self._entitle()

    def _entitle(self) -> None:
        title = "Receipt"
        if self.result is not None:
            title = "Last receipt" if self.past else "Receipt"
            title = f"{title} {amount_text(self.result.amount, self.locale)}"
        self.border_title = title
        self.set_class(self.past, "-past")
