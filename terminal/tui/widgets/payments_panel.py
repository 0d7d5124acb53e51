"""Today's payments, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.line import FittedLines
from terminal.tui.widgets.result_style import DEFERRED, RESULT_STYLES
from terminal.view import Outcome, PaymentLine

_STYLES = {
    Outcome.APPROVED: "bold $success",
    Outcome.APPROVED_OFFLINE: "bold $warning",
    Outcome.DECLINED: "bold $error",
    Outcome.UNKNOWN: "bold $accent",
}
_TIME = 5
"""Columns of ``18:59``."""


def payment_lines(payment: PaymentLine, amount: str, width: int) -> Content:
    """Return time, amount, sign, channel and note of one payment; a long note has a line of its own.

    A note in capitals, such as ``HOST DECLINED``, is a warning.
    """
    sign = (DEFERRED if payment.deferred else RESULT_STYLES[payment.outcome]).sign
    head = Content.assemble(
        (f"{payment.time:<{_TIME}}", "$text-muted"),
        f" {amount} ",
        (sign, _STYLES[payment.outcome]),
        f" {payment.channel}" if payment.channel else "",
    )
    if not payment.note:
        return head
    note = Content.styled(payment.note, "bold $error" if payment.note.isupper() else "$text-muted")
    fits = head.cell_length + 1 + note.cell_length <= width
    return Content.assemble(head, " " if fits else "\n".ljust(_TIME + 2), note)


def payments_text(payments: Sequence[PaymentLine], locale: str, width: int) -> Content:
    """Return all payments, their amounts in one column."""
    amounts = [amount_text(payment.amount, locale) for payment in payments]
    column = max(map(len, amounts), default=0)
    lines = (
        payment_lines(payment, amount.rjust(column), width)
        for payment, amount in zip(payments, amounts, strict=True)
    )
    return Content("\n").join(lines) if payments else Content.styled("none yet", "$text-muted")


class PaymentsPanel(FittedLines):
    """The newest payments; those that don't fit are cut off."""

    shown: reactive[tuple[tuple[PaymentLine, ...], str] | None] = reactive(None)
    """The payments, and the locale of their amounts."""

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Payments"

    def watch_shown(self) -> None:
        """Draw them."""
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return the list."""
        return Content("") if self.shown is None else payments_text(*self.shown, width)
