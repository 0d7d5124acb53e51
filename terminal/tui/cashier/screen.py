"""The cashier's screen.

It draws a `CounterView` and asks a `CounterActions`; it decides nothing about payments. The one
thing it owns is the amount being typed. That amount is forgotten the moment it is charged and
whenever the counter is neither idle nor being made idle by the cashier, so it can't meet the next
customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen

from terminal.actions import CounterActions
from terminal.money import Money
from terminal.tui.cashier.bindings import (
    KEYPAD_BINDINGS,
    SALE_BINDINGS,
    demo_bindings,
    listed,
    strip_keys,
)
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.cashier.entry import AmountEntry
from terminal.tui.cashier.runner import ActionRunner
from terminal.tui.keys_screen import KeysScreen
from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.big_text import BigText, amount_lines
from terminal.tui.widgets.click_key import ClickKey
from terminal.tui.widgets.devices_panel import DevicesPanel
from terminal.tui.widgets.key_strip import KeyStrip
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


class CashierScreen(Screen[None], inherit_bindings=False):
    """Amount, lights, prompt, keypad; devices, queue, payments, receipt; results and codes over them."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYPAD_BINDINGS, *SALE_BINDINGS]

    class ViewChanged(Message):
        """The counter published another view."""

        def __init__(self, view: CounterView) -> None:
            super().__init__()
            self.view = view

    def __init__(
        self, counter: CounterActions, demo_keys: Sequence[DemoKey], keymap: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._counter = counter
        self._view = counter.view
        self._demo = {demo.id: demo for demo in demo_keys}
        self._keymap = keymap
        self._entry = AmountEntry()
        self._charging: Money | None = None
        self._dismissing = False
        self._unsubscribe: Callable[[], None] | None = None
        self.runner = ActionRunner(self.say)

    def compose(self) -> ComposeResult:
        """Marks on top, the work in the middle, messages and keys below; the code over all."""
        demo = demo_bindings(self._demo.values())
        visible = [binding for binding in SALE_BINDINGS if binding.show]
        keys = strip_keys(visible, self._keymap, all_keys=False)
        demo_keys = strip_keys(demo, self._keymap, all_keys=False)
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
        yield KeyStrip(keys, id="keys")
        if demo_keys:
            yield KeyStrip(demo_keys, title="Simulated customer", id="demo-keys")
        yield QrPanel([key for key in keys if key.id in _QR_KEYS], demo_keys, id="qr")

    def on_mount(self) -> None:
        """Draw the counter and follow it."""
        self._unsubscribe = self._counter.subscribe(self._publish)
        self._draw(self._counter.view, first=True)

    def on_unmount(self) -> None:
        """Stop following the counter."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _publish(self, view: CounterView) -> None:
        self.post_message(self.ViewChanged(view))

    def on_cashier_screen_view_changed(self, message: ViewChanged) -> None:
        """Draw what the counter published."""
        self._draw(message.view)

    # Drawing

    def _draw(self, view: CounterView, *, first: bool = False) -> None:
        before, self._view = self._view, view
        live = self._counter.view.phase
        if live is not Phase.IDLE and not (live is Phase.DONE and self._dismissing):
            self._entry.clear()
        if view.phase is not before.phase:
            self.say("")
            if view.phase is Phase.CARD_READ:
                # The tone of the specification: the card was read. Results have no bell.
                self.app.bell()
            if before.phase is Phase.DONE:
                self.remove_class("-receipt-turned")
        if view.offline_mode != before.offline_mode:
            self.say(_mode_text(view.offline_mode))
        with self.app.batch_update():
            self._draw_marks(view)
            self._draw_sale(view)
            self._draw_panels(view)

    def _draw_marks(self, view: CounterView) -> None:
        self.set_class(view.training, "-training")
        self.set_class(not view.online, "-offline")
        trouble = view.queue.alarm or view.queue.quarantined or any(each.cure for each in view.devices)
        self.set_class(bool(trouble), "-trouble")
        self.query_one("#offline", Line).update(offline_text(view))
        self.query_one(StatusBar).show(view)

    def _draw_sale(self, view: CounterView) -> None:
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
        self.query_one(ResultPanel).result = view.result
        self.query_one(QrPanel).show(view)
        self._draw_amount()
        done = view.phase is Phase.DONE
        labels = (
            ("sale-charge", "Next" if done else "Charge"),
            ("sale-cancel", "Clear" if view.phase is Phase.IDLE else "Next" if done else "Cancel"),
        )
        self.query_one("#keys", KeyStrip).relabel(labels)

    def _draw_amount(self) -> None:
        amount = self._view.amount
        if self._view.phase is Phase.IDLE:
            amount = self._charging or self._entry.money(amount.currency)
        digits = self.query_one("#amount", BigText)
        digits.text = amount.plain()
        digits.set_class(amount.minor == 0, "-zero")
        self.query_one("#amount-text", Line).update(amount_text(amount))
        ready = self._view.phase is Phase.IDLE and amount.minor > 0
        self.query_one("#pad-charge").set_class(not ready, "-shut")

    def _draw_panels(self, view: CounterView) -> None:
        self.query_one(DevicesPanel).devices = view.devices
        self.query_one(QueuePanel).queue = view.queue
        self.query_one(PaymentsPanel).payments = view.payments
        self.query_one(NoticesPanel).notices = view.notices
        receipt = self.query_one(ReceiptPanel)
        if view.result is not None:
            receipt.result = view.result
        receipt.past = view.result is None

    def say(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
        """Show one line until the next key or the next phase."""
        if self.is_mounted:
            self.query_one("#message", MessageLine).show(text, kind)
            self.query_one(QrPanel).message.show(text, kind)

    def _refuse(self, text: str) -> None:
        # No bell: on this screen a bell means "card read" and nothing else.
        self.say(text, MessageKind.REFUSAL)

    # Keys

    def on_click_key_pressed(self, message: ClickKey.Pressed) -> None:
        """Do what the key of that name does."""
        message.stop()
        self.call_later(self.run_action, message.action)

    def action_digits(self, digits: str) -> None:
        """Add to the amount. After a result: dismiss it and begin the next amount."""
        self.say("")
        phase = self._view.phase
        if phase is Phase.DONE:
            self._dismiss()
        elif phase is not Phase.IDLE:
            self._refuse(f"{_busy_text(phase)}; the amount can't change now")
            return
        elif self._charging is not None:
            return
        if not self._entry.add(digits):
            self._refuse("No more digits fit")
        self._draw_amount()

    def action_backspace(self) -> None:
        """Take the last digit away."""
        self.say("")
        self._entry.backspace()
        self._draw_amount()

    def action_charge(self) -> None:
        """Charge what is typed; after a result: next customer."""
        self.say("")
        phase = self._view.phase
        if phase is Phase.DONE:
            self._dismiss()
        elif phase is not Phase.IDLE:
            self._refuse(f"{_busy_text(phase)}; Esc cancels")
        elif self._has_amount():
            self.runner.run("Charge", self._charge)

    def action_show_qr(self) -> None:
        """Show the order's code; with an amount typed and no order: charge it first."""
        self.say("")
        if self._view.phase is not Phase.IDLE:
            self.runner.run("Showing the code", self._counter.show_qr)
        elif self._has_amount():
            self.runner.run("Charge", self._charge_and_show_qr)

    def action_cancel(self) -> None:
        """Clear what is typed, cancel the order, or dismiss the result: whichever there is."""
        self.say("")
        phase = self._view.phase
        self._entry.clear()
        charging, self._charging = self._charging, None
        if phase is Phase.DONE:
            self._dismiss()
        elif phase is not Phase.IDLE or charging is not None:
            self.runner.run("Cancel", self._counter.cancel)
        self._draw_amount()

    def action_retry(self) -> None:
        """Try the declined order again, by another card or code."""
        self.say("")
        self._entry.clear()
        self.runner.run("Trying again", self._counter.retry)

    def action_offline_mode(self) -> None:
        """Go to the next offline mode."""
        self.say("")
        self.runner.run("Changing the offline mode", self._counter.cycle_offline_mode)

    def action_sync(self) -> None:
        """Deliver the queue now."""
        self.say("Sending the queue …")
        self.runner.run("Sending the queue", self._counter.sync_now)

    def action_receipt(self) -> None:
        """Show or hide the receipt."""
        self.say("")
        if self.query_one(ReceiptPanel).result is None:
            self._refuse("There is no receipt yet")
            return
        self.toggle_class("-receipt-turned")

    def action_scroll_receipt(self, lines: int) -> None:
        """Scroll the receipt."""
        self.query_one(ReceiptPanel).scroll_relative(y=lines, animate=False)

    def action_keys(self) -> None:
        """List all keys."""
        self.app.push_screen(KeysScreen(listed(self._keymap, demo_bindings(self._demo.values()))))

    def action_quit(self) -> None:
        """Leave at once."""
        self.app.exit()

    def action_how_to_quit(self) -> None:
        """Say how to leave."""
        self.say("F10 or Ctrl+Q leaves")

    def action_demo(self, name: str) -> None:
        """Do what the demo's key does."""
        self.say("")
        self.runner.run(self._demo[name].label, self._demo[name].run)

    def action_nothing(self) -> None:
        """Do nothing; for a strip's title."""

    # The typed amount on its way to the counter

    def _has_amount(self) -> bool:
        if self._charging is None and not self._entry:
            self._refuse("Type an amount first")
        return bool(self._entry)

    async def _charge(self) -> None:
        amount = self._charging = self._entry.take(self._view.amount.currency)
        typed = str(amount.minor)
        try:
            await self._counter.charge(amount)
        except BaseException:
            # Refused: the cashier may want to correct it, unless Escape has cleared it meanwhile.
            if self._counter.view.phase is Phase.IDLE and self._charging is amount:
                self._entry.add(typed)
            raise
        finally:
            self._charging = None
            self._draw_amount()

    async def _charge_and_show_qr(self) -> None:
        await self._charge()
        await self._counter.show_qr()

    def _dismiss(self) -> None:
        if self._counter.view.phase is not Phase.DONE:
            return
        if self.runner.run("Next customer", self._next_customer):
            self._dismissing = True

    async def _next_customer(self) -> None:
        try:
            await self._counter.next_customer()
        finally:
            self._dismissing = False
            if self._counter.view.phase is not Phase.IDLE:
                self._entry.clear()


def cashier_screen(
    counter: CounterActions, demo_keys: Sequence[DemoKey], keymap: Mapping[str, str]
) -> CashierScreen:
    """Return the screen with the demo's keys bound beside the cashier's."""

    class DemoCashierScreen(CashierScreen):
        """The same with the demo's keys, remappable like all others."""

        BINDINGS: ClassVar[list[BindingType]] = [*demo_bindings(demo_keys)]

    return DemoCashierScreen(counter, demo_keys, keymap)


def _busy_text(phase: Phase) -> str:
    return "Starting" if phase is Phase.STARTING else "There is an open order"


def _mode_text(mode: str) -> str:
    if mode == "require online":
        return f"{mode.capitalize()}: no payment is taken without the host"
    return f"{mode.capitalize()}: a stored payment that is declined later is the shop's loss"
