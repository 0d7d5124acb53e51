"""The cashier's screen.

It draws a `CounterView` and asks a `CounterActions`; it decides nothing about payments. The one
thing it owns is the amount being typed. That amount is forgotten the moment it is charged and
whenever the counter is neither idle nor being made idle by the cashier, so it can't meet the next
customer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Key
from textual.message import Message

from terminal.actions import CounterActions, CounterRefusal
from terminal.money import Money
from terminal.operators import Operator, OperatorError
from terminal.peripherals.peripherals import Peripherals
from terminal.tui.cashier.bindings import (
    CLEAR_ID,
    KEYPAD_BINDINGS,
    MODE_ID,
    SALE_BINDINGS,
    demo_bindings,
    key_name,
    keys_of,
    listed,
    strip_keys,
)
from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.cashier.entry import AmountEntry
from terminal.tui.cashier.layout import CashierLayout
from terminal.tui.cashier.mode_text import mode_question, mode_text
from terminal.tui.cashier.pin_screen import PinScreen
from terminal.tui.cashier.result_guard import ResultGuard
from terminal.tui.cashier.runner import ActionRunner
from terminal.tui.cashier.technician_door import TechnicianDoor
from terminal.tui.keys_screen import KeysScreen
from terminal.tui.leave import LEAVE_TEXT
from terminal.tui.widgets.click_key import ClickKey
from terminal.tui.widgets.message_line import MessageKind
from terminal.tui.widgets.notices_panel import NoticesPanel
from terminal.tui.widgets.queue_panel import records_text
from terminal.tui.widgets.receipt_panel import ReceiptPanel
from terminal.view import CounterView, Phase

logger = logging.getLogger(__name__)


class _About(Enum):
    """What the message line is about, where that matters for what comes next."""

    ANYTHING = auto()
    NEXT_MODE = auto()
    SENDING = auto()


class CashierScreen(CashierLayout, inherit_bindings=False):
    """Draws the counter and asks it."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYPAD_BINDINGS, *SALE_BINDINGS]

    class ViewChanged(Message):
        """The counter published another view."""

        def __init__(self, view: CounterView) -> None:
            super().__init__()
            self.view = view

    def __init__(
        self,
        counter: CounterActions,
        demo_keys: Sequence[DemoKey],
        keymap: Mapping[str, str],
        clock_s: Callable[[], float],
    ) -> None:
        demo = strip_keys(demo_bindings(demo_keys), keymap, all_keys=False)
        visible = [binding for binding in SALE_BINDINGS if binding.show]
        super().__init__(strip_keys(visible, keymap, all_keys=False), demo)
        self._counter = counter
        self._view = counter.view
        self._demo = {demo.id: demo for demo in demo_keys}
        self._keymap = keymap
        self._entry = AmountEntry()
        self._charging: Money | None = None
        self._dismissing = False
        self._guard = ResultGuard(clock_s)
        self._about = _About.ANYTHING
        self._unsubscribe: Callable[[], None] | None = None
        self.runner = ActionRunner(self.say)
        self.peripherals: Peripherals | None = None
        self.door: TechnicianDoor | None = None

    def on_mount(self) -> None:
        """Draw the counter and follow it."""
        if self.peripherals is not None:
            self.peripherals.tell(lambda text: self.say(text, MessageKind.ERROR))
        self.query_one(NoticesPanel).entitle(key_name(keys_of(CLEAR_ID, self._keymap)[0]))
        self._unsubscribe = self._counter.subscribe(self._publish)
        self._draw(self._counter.view)

    def on_unmount(self) -> None:
        """Stop following the counter."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def on_screen_resume(self) -> None:
        """Begin to count anew how long a result could be seen: another screen lay over it."""
        self._guard.uncovered()
        if self.peripherals is not None:
            self.peripherals.redraw()

    def _publish(self, view: CounterView) -> None:
        self.post_message(self.ViewChanged(view))

    def on_cashier_screen_view_changed(self, message: ViewChanged) -> None:
        """Draw what the counter published."""
        self._draw(message.view)

    # Drawing

    def _draw(self, view: CounterView) -> None:
        before, self._view = self._view, view
        self._guard.show(view)
        live = self._counter.view.phase
        if live is not Phase.IDLE and not (live is Phase.DONE and self._dismissing):
            self._entry.clear()
        if view.phase is not before.phase:
            self.say("")
            if view.phase is Phase.CARD_READ and not _sounds(view):
                # The tone of the specification: the card was read. Results have no bell.
                self.app.bell()
            if before.phase is Phase.DONE:
                self.remove_class("-receipt-turned")
        if view.offline_mode != before.offline_mode:
            self.say(mode_text(view.offline_mode))
        if self._about is _About.SENDING and not view.queue.unsent:
            self.say("")
        with self.app.batch_update():
            self.show_view(view)
            self._draw_amount()

    def _draw_amount(self) -> None:
        amount = self._view.amount
        if self._view.phase is Phase.IDLE:
            amount = self._charging or self._entry.money(amount.currency)
        self.show_amount(amount, self._view)

    def say(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
        """Show one line until the next key or the next phase."""
        self._about = _About.ANYTHING
        if self.is_mounted:
            self.show_message(text, kind)

    def _refuse(self, text: str) -> None:
        # No bell: on this screen a bell means "card read" and nothing else.
        self.say(text, MessageKind.REFUSAL)

    # Keys

    def on_key(self, event: Key) -> None:
        """End the question about the offline mode at any key but its own."""
        if self._about is _About.NEXT_MODE and event.key not in keys_of(MODE_ID, self._keymap):
            self.say("")

    def on_click_key_pressed(self, message: ClickKey.Pressed) -> None:
        """Do what the key of that name does."""
        message.stop()
        self.call_later(self.run_action, message.action)

    def action_digits(self, digits: str) -> None:
        """Add to the amount. After a result: dismiss it and begin the next amount."""
        self.say("")
        phase = self._view.phase
        if phase is Phase.DONE:
            if not self._dismiss():
                return
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
        if self._may_dismiss():
            self._entry.clear()
            self.runner.run("Trying again", self._counter.retry)

    def action_offline_mode(self) -> None:
        """Say what the next offline mode means; pressed again: go to it."""
        asked = self._about is _About.NEXT_MODE
        self.say("")
        if self._view.phase not in (Phase.IDLE, Phase.DONE):
            self._refuse("The offline mode can change between orders only")
        elif asked:
            self.runner.run("Changing the offline mode", self._counter.cycle_offline_mode)
        else:
            key = key_name(keys_of(MODE_ID, self._keymap)[0])
            self.say(mode_question(self._view.offline_mode, key), MessageKind.QUESTION)
            self._about = _About.NEXT_MODE

    def action_sync(self) -> None:
        """Deliver the queue now."""
        unsent = self._view.queue.unsent
        if not unsent:
            self.say("Nothing to send")
            return
        self.say(f"{'Sending' if self._view.online else 'Trying to send'} {records_text(unsent)} …")
        self._about = _About.SENDING
        self.runner.run("Sending the queue", self._counter.sync_now)

    def action_clear_notices(self) -> None:
        """Put the notices away; the counter keeps them."""
        self.say("" if self.query_one(NoticesPanel).clear() else "There are no notices")

    def action_receipt(self) -> None:
        """Show or hide the receipt."""
        self.say("")
        if self.query_one(ReceiptPanel).result is None:
            self._refuse("There is no receipt yet")
            return
        self.toggle_class("-receipt-turned")

    def action_print_receipt(self) -> None:
        """Print the last result's receipt."""
        self.say("")
        self.runner.run("Printing", self._print_receipt)

    def action_technician(self) -> None:
        """Ask for a PIN, and open the technician's screen for who may see it."""
        self.say("")
        if self._view.phase not in (Phase.IDLE, Phase.DONE) or self._charging is not None:
            self._refuse("The technician's screen opens between orders only")
        elif self._may_dismiss():
            self.runner.run("The technician's screen", self._ask_for_pin)

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
        self.say(LEAVE_TEXT)

    def action_demo(self, name: str) -> None:
        """Do what the demo's key does."""
        self.say("")
        self.runner.run(self._demo[name].label, self._demo[name].run)

    def action_nothing(self) -> None:
        """Do nothing; for a strip's title."""

    # What stands beside the sale

    async def _print_receipt(self) -> None:
        if self.peripherals is None:
            raise CounterRefusal("No printer is set up on this screen")
        self.say(self.peripherals.print_receipt())

    async def _ask_for_pin(self) -> None:
        if self.door is None:
            raise CounterRefusal("This screen has no way to the technician's")
        try:
            refusal = self.door.refusal()
        except OperatorError as error:
            raise CounterRefusal(str(error)) from error
        if refusal:
            raise CounterRefusal(refusal)
        self.app.push_screen(PinScreen(self.door), self._let_in)

    def _let_in(self, operator: Operator | None) -> None:
        if operator is not None and self.door is not None:
            logger.info("technician's screen: opened by %s (%s)", operator.name, operator.role)
            self._entry.clear()
            self._draw_amount()
            self.app.push_screen(self.door.open())

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

    def _may_dismiss(self) -> bool:
        if self._guard.holds():
            self.say("Read the result first, please")
            return False
        return True

    def _dismiss(self) -> bool:
        """Make the counter idle; False when the result has not been on the screen for long enough."""
        if not self._may_dismiss():
            return False
        live = self._counter.view.phase is Phase.DONE
        if live and self.runner.run("Next customer", self._next_customer):
            self._dismissing = True
        return True

    async def _next_customer(self) -> None:
        try:
            await self._counter.next_customer()
        finally:
            self._dismissing = False
            if self._counter.view.phase is not Phase.IDLE:
                self._entry.clear()


def cashier_screen(
    counter: CounterActions,
    demo_keys: Sequence[DemoKey],
    keymap: Mapping[str, str],
    clock_s: Callable[[], float],
) -> CashierScreen:
    """Return the screen with the demo's keys bound beside the cashier's."""

    class DemoCashierScreen(CashierScreen):
        """The same with the demo's keys, remappable like all others."""

        BINDINGS: ClassVar[list[BindingType]] = [*demo_bindings(demo_keys)]

    return DemoCashierScreen(counter, demo_keys, keymap, clock_s)


def _sounds(view: CounterView) -> bool:
    """Tell whether a sounder plays the tone: two at once are one too many."""
    return any(each.kind == "sounder" and each.state in ("ready", "busy") for each in view.devices)


def _busy_text(phase: Phase) -> str:
    return "Starting" if phase is Phase.STARTING else "There is an open order"
