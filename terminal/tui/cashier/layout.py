"""What stands where on the cashier's screen, and how a view is drawn on it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import Screen

from terminal.money import Money
from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import BigText, amount_lines
from terminal.tui.widgets.devices_panel import DevicesPanel
from terminal.tui.widgets.key_strip import KeyStrip, StripKey
from terminal.tui.widgets.keypad import Keypad
from terminal.tui.widgets.lights import Lights
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.message_line import MessageKind, MessageLine
from terminal.tui.widgets.notices_panel import NoticesPanel
from terminal.tui.widgets.payments_panel import PaymentsPanel
from terminal.tui.widgets.qr_panel import QrPanel
from terminal.tui.widgets.queue_panel import QueuePanel
from terminal.tui.widgets.receipt_panel import ReceiptPanel
from terminal.tui.widgets.result_panel import ResultPanel
from terminal.tui.widgets.status_bar import TRAINING_TEXT, StatusBar, offline_text
from terminal.view import CounterView, Phase

_PHASE_CLASSES = {phase: f"-{phase.replace(' ', '-').lower()}" for phase in Phase}
_QR_KEYS = ("sale-cancel", "app-keys")


class CashierLayout(Screen[None], inherit_bindings=False):
    """Amount, lights, prompt, keypad; devices, queue, payments, receipt; results and codes over them."""

    def __init__(self, keys: Sequence[StripKey], demo_keys: Sequence[StripKey]) -> None:
        super().__init__()
        self._keys = keys
        self._demo_keys = demo_keys

    def compose(self) -> ComposeResult:
        """Marks on top, the work in the middle, messages and keys below; the code over all."""
        yield StatusBar(id="status")
        yield Line(TRAINING_TEXT, id="training", classes="training-mark")
        yield Line(id="offline")
        with Container(id="body"):
            with Container(id="amount-panel"):
                with Vertical(id="amount-side"):
                    yield Line(id="amount-text")
                    yield Lights(id="lights")
                yield BigText(amount_lines, id="amount")
            yield Line(id="prompt")
            yield ResultPanel(id="result")
            yield Keypad(id="keypad")
            with Container(id="state"):
                yield DevicesPanel(id="devices", classes="panel")
                yield QueuePanel(id="queue", classes="panel")
            with Vertical(id="history"):
                yield ReceiptPanel(id="receipt", classes="panel")
                yield PaymentsPanel(id="payments", classes="panel")
                yield NoticesPanel(id="notices", classes="panel")
        yield MessageLine(id="message")
        yield KeyStrip(self._keys, id="keys")
        if self._demo_keys:
            yield KeyStrip(self._demo_keys, title="Simulated customer", id="demo-keys")
        yield QrPanel([key for key in self._keys if key.id in _QR_KEYS], self._demo_keys, id="qr")

    def show_view(self, view: CounterView) -> None:
        """Draw everything but the amount."""
        self._show_marks(view)
        self._show_sale(view)
        self._show_panels(view)

    def show_amount(self, amount: Money, view: CounterView) -> None:
        """Draw the amount typed, or that of the order."""
        digits = self.query_one("#amount", BigText)
        digits.text = amount.plain()
        digits.set_class(amount.minor == 0, "-zero")
        self.query_one("#amount-text", Line).update(amount_text(amount, view.locale))
        ready = view.phase is Phase.IDLE and amount.minor > 0
        self.query_one("#pad-charge").set_class(not ready, "-shut")

    def show_message(self, text: str, kind: MessageKind) -> None:
        """Draw the message line, on the code's panel too."""
        self.query_one("#message", MessageLine).show(text, kind)
        self.query_one(QrPanel).message.show(text, kind)

    def _show_marks(self, view: CounterView) -> None:
        self.set_class(view.training, "-training")
        self.set_class(not view.online, "-offline")
        trouble = view.queue.alarm or view.queue.quarantined or any(each.cure for each in view.devices)
        self.set_class(bool(trouble), "-trouble")
        self.query_one("#offline", Line).update(offline_text(view))
        self.query_one(StatusBar).show(view)

    def _show_sale(self, view: CounterView) -> None:
        self.set_class(view.phase is Phase.DONE and view.result is not None, "-done")
        self.set_class(view.qr is not None, "-code")
        # A class on one widget restyles that widget; on the screen it would restyle a hundred,
        # which costs 20 ms in the middle of a tap.
        prompt = self.query_one("#prompt", Line)
        prompt.update(view.prompt)
        for phase, name in _PHASE_CLASSES.items():
            prompt.set_class(phase is view.phase, name)
        self.query_one(Keypad).set_class(view.phase not in (Phase.IDLE, Phase.DONE), "-shut")
        self.query_one(Lights).pattern = view.lights
        self.query_one(ResultPanel).show(view.result, view.locale)
        self.query_one(QrPanel).show(view)
        done = view.phase is Phase.DONE
        labels = (
            ("sale-charge", "Next" if done else "Charge"),
            ("sale-cancel", "Clear" if view.phase is Phase.IDLE else "Next" if done else "Cancel"),
        )
        self.query_one("#keys", KeyStrip).relabel(labels)

    def _show_panels(self, view: CounterView) -> None:
        self.query_one(DevicesPanel).devices = view.devices
        self.query_one(QueuePanel).shown = (view.queue, view.locale)
        self.query_one(PaymentsPanel).shown = (view.payments, view.locale)
        self.query_one(NoticesPanel).notices = view.notices
        receipt = self.query_one(ReceiptPanel)
        receipt.locale = view.locale
        if view.result is not None:
            receipt.result = view.result
        receipt.past = view.result is None
