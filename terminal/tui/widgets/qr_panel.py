"""The dynamic code with its amount and countdown; takes the whole window, so it brings its own marks."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import BigText, amount_lines
from terminal.tui.widgets.key_strip import KeyStrip, KeyTable, StripKey
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.message_line import MessageLine
from terminal.tui.widgets.qr_code import QrCode
from terminal.tui.widgets.status_bar import TRAINING_TEXT, USUAL_MODE, ModeLine, network_text, offline_text
from terminal.view import CounterView, QrView

SOON_S = 30
"""From here on the countdown is drawn as a warning."""
_BAR = 30
_COLUMN = 16
"""Room for a demo key and its label, at least."""


def countdown_text(qr: QrView) -> str:
    """Return a bar and the time left, such as ``████──── 1:23``."""
    left = max(0, qr.seconds_left)
    # Never empty while the code still counts.
    filled = -(-_BAR * left // max(1, qr.lifetime_s))
    bar = "━" * min(_BAR, filled) + "╌" * (_BAR - min(_BAR, filled))
    return f"{bar}\n{left // 60}:{left % 60:02d} left" if left else f"{bar}\nexpired"


class QrPanel(Horizontal):
    """The code on the left, everything else on the right."""

    def __init__(self, keys: Sequence[StripKey], demo_keys: Sequence[StripKey], *, id: str) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._demo_keys = demo_keys

    def compose(self) -> ComposeResult:
        """Code; shop, marks, amount, countdown, keys."""
        yield QrCode(id="qr-code")
        with Vertical(id="qr-side"):
            yield Line(id="qr-shop")
            yield Line(TRAINING_TEXT, id="qr-training", classes="training-mark")
            yield ModeLine(id="qr-mode")
            yield Line(id="qr-network")
            yield Line(id="qr-wallet")
            yield BigText(amount_lines, id="qr-amount")
            yield Line(id="qr-countdown")
            yield Line(id="qr-prompt")
            yield MessageLine(id="qr-message")
            yield KeyStrip(self._keys, id="qr-keys")
            if self._demo_keys:
                yield KeyTable(self._demo_keys, title="Simulated customer", column=_COLUMN, id="qr-demo-keys")

    @property
    def message(self) -> MessageLine:
        """The line for messages while this panel covers the screen's own."""
        return self.query_one("#qr-message", MessageLine)

    def show(self, view: CounterView) -> None:
        """Draw a view that has a code."""
        if view.qr is None:
            return
        self.query_one("#qr-code", QrCode).text = view.qr.text
        self.query_one("#qr-shop", Line).update(f"{view.shop} · {view.terminal_id}")
        self.query_one("#qr-training").set_class(not view.training, "-none")
        mode = self.query_one("#qr-mode", ModeLine)
        mode.show(view.offline_mode)
        mode.set_class(view.offline_mode == USUAL_MODE, "-usual")
        network = self.query_one("#qr-network", Line)
        network.update(network_text(view) if view.online else offline_text(view))
        network.set_class(not view.online, "-offline")
        amount = amount_text(view.amount, view.locale)
        self.query_one("#qr-wallet", Line).update(
            Content.assemble("Scan with ", (view.qr.wallet, "bold"), f" to pay {amount}")
        )
        self.query_one("#qr-amount", BigText).text = view.amount.plain()
        countdown = self.query_one("#qr-countdown", Line)
        countdown.update(countdown_text(view.qr))
        countdown.set_class(view.qr.seconds_left <= SOON_S, "-soon")
        self.query_one("#qr-prompt", Line).update(view.prompt)
