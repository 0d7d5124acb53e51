"""Today's payments, newest first."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.line import Line
from terminal.tui.widgets.result_style import RESULT_STYLES
from terminal.view import Outcome, PaymentLine

_STYLES = {
    Outcome.APPROVED: "bold $success",
    Outcome.APPROVED_OFFLINE: "bold $warning",
    Outcome.DECLINED: "bold $error",
    Outcome.UNKNOWN: "bold $accent",
}


def payment_line(payment: PaymentLine) -> Content:
    """Return time, amount, sign, channel and note of one payment."""
    return Content.assemble(
        (payment.time, "$text-muted"),
        f" {payment.amount.plain():>9} ",
        (RESULT_STYLES[payment.outcome].sign, _STYLES[payment.outcome]),
        f" {payment.channel}",
        (f" {payment.note}" if payment.note else "", "$text-muted"),
    )


class PaymentsPanel(Line):
    """One line a payment; lines that don't fit are cut off, the newest stay."""

    payments: reactive[tuple[PaymentLine, ...] | None] = reactive(None)

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Payments"

    def watch_payments(self, payments: tuple[PaymentLine, ...] | None) -> None:
        """Draw them."""
        lines = [payment_line(payment) for payment in payments or ()]
        self.update(Content("\n").join(lines) if lines else Content.styled("none yet", "$text-muted"))
