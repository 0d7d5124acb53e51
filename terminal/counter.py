"""The counter: one order at a time, from amount to outcome, with everything around it.

Runs on one event loop. Devices and the store have threads of their own; whatever they tell arrives on
the loop. Screens read `view`, which is made anew at every change.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from pathlib import Path

from drivers.protocols import Code
from emv.background import Background
from emv.kernel import Transaction
from emv.outcome import UiRequest
from emv.sensitive import SensitiveBytes
from offline_queue.delivery import TakenOver
from offline_queue.errors import OrderPaidError, QueueError
from offline_queue.record import Record
from offline_queue.store import Store
from terminal.actions import CounterRefusal
from terminal.channels.channel import Case, Channel
from terminal.config import Config, OfflineMode
from terminal.delivery import Delivery
from terminal.devices.pool import DevicePool
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.history import History
from terminal.host_client import HttpHost
from terminal.http import client
from terminal.money import Money
from terminal.payment import split_sales
from terminal.payment.arming import Arming
from terminal.payment.attempt import Attempt
from terminal.payment.attempt_events import (
    Presented,
    Result,
    State,
)
from terminal.payment.card_memory import PURPOSE, CardMemory, finding
from terminal.payment.floor_limit import online_only
from terminal.payment.instrument import Instrument
from terminal.payment.offline_policy import refusal
from terminal.payment.recovery import recover
from terminal.payment.routing import route
from terminal.payment.runner import AttemptRunner
from terminal.payment.tap import Tapped, instrument
from terminal.payment.transaction import new_transaction
from terminal.payment.unpredictable import UnpredictableNumbers
from terminal.present_order import PresentOrder, result_view
from terminal.queue_figures import QueueFigures
from terminal.receipt.receipt import Receipt
from terminal.set_up import emv_config, make_channels, open_store
from terminal.store_worker import StoreWorker
from terminal.view import (
    CounterView,
    LightPattern,
    Outcome,
    Phase,
    QrView,
)

logger = logging.getLogger(__name__)


class Counter:
    """One terminal at work. `start` it, use it, `stop` it; all on one event loop."""

    def __init__(self, config: Config, home: Path, enrolment: Enrolment) -> None:
        self._config = config
        self._mode = config.offline.mode
        self._store = StoreWorker(lambda: open_store(home, config, enrolment))
        self._host_http = client(config.host.ca_file)
        self._host = HttpHost(config.host.url, enrolment, self._host_http)
        self._delivery = Delivery(self._store, self._host, self._queue_changed, self._taken_over)
        channels, connections = make_channels(config, self._host)
        self._http = [self._host_http, *connections]
        self._channels = {channel.name: channel for channel in channels}
        self._pool = DevicePool(config.devices, self._device_changed)
        self.workshop = Workshop(
            home,
            self._pool,
            config=config,
            enrolment=enrolment,
            store=self._store,
            host=self._host,
            delivery=self._delivery,
            in_order=lambda: self._phase() not in (Phase.IDLE, Phase.DONE),
        )
        self._history = History(config, {name: its.label for name, its in self._channels.items()})
        self._emv = emv_config(config)
        self._emv_online = online_only(self._emv)
        self._background = Background()
        self._memory = CardMemory(enrolment.key.derive(PURPOSE))
        self._unpredictable_numbers = UnpredictableNumbers()
        self._listeners: list[Callable[[CounterView], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._figures = QueueFigures(config)
        self._settling = asyncio.Lock()
        self._settled_in = False
        """Whether what an earlier run left open is known and being resolved."""
        self._opening = False
        self._order = PresentOrder(Money(0, config.shop.currency))
        self._card_in_field = False
        self._started = False
        self.view = self._make_view()

    # --- life

    async def start(self) -> None:
        """Open the store and the devices, resolve what an earlier run left open, begin to deliver."""
        self._loop = asyncio.get_running_loop()
        await self._settle_in()
        self._pool.start()
        self._delivery.start()
        self._delivery.wake()
        self._spawn(self._tick())
        self._started = True
        self._changed()

    async def stop(self) -> None:
        """Close everything. What is open is resolved at the next start."""
        self._order.disarm()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._delivery.stop()
        self._pool.close()
        self._store.close()
        for http in self._http:
            await http.aclose()

    def subscribe(self, listener: Callable[[CounterView], None]) -> Callable[[], None]:
        """Call *listener* with every new view; call what is returned to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- what the cashier does

    async def charge(self, amount: Money) -> None:
        """Open an order and arm every reader and scanner."""
        if self._opening or self._phase() not in (Phase.IDLE, Phase.DONE):
            raise CounterRefusal("Finish or cancel the present order first.")
        if amount.minor <= 0:
            raise CounterRefusal("Type an amount first.")
        await self._arm(amount, f"{self._config.terminal.id}-{self._history.next_order()}")

    async def retry(self) -> None:
        """Try again to pay the order that was declined, by another card or code."""
        order = self._order
        declined = order.result is not None and order.result.outcome is Outcome.DECLINED
        if self._opening or order.runner is None or not declined:
            raise CounterRefusal("There is no declined order to try again.")
        await self._arm(order.amount, order.runner.case.order)

    async def show_qr(self) -> None:
        """Show a code for the customer to scan, in place of waiting for a tap."""
        showing = (channel for channel in self._channels.values() if channel.pending is Phase.SHOWING_QR)
        channel = next(showing, None)
        if not self._order.waits:
            raise CounterRefusal("A code can be shown while the terminal waits for the customer.")
        if channel is None:
            raise CounterRefusal("No wallet is set up on this terminal.")
        self._present(channel, Instrument(SensitiveBytes(b"")))

    async def cancel(self) -> None:
        """Give up the present attempt; one that was sent is undone."""
        if self._order.runner is not None and self._order.result is None:
            self._order.disarm()
            self._order.runner.cancel()

    async def next_customer(self) -> None:
        """Clear the result away."""
        if self._phase() is Phase.DONE:
            self._order = PresentOrder(Money(0, self._config.shop.currency))
            self._changed()

    async def cycle_offline_mode(self) -> None:
        """Go on to the next offline mode. Not while an order is open: it has begun under the present one."""
        if self._phase() not in (Phase.IDLE, Phase.DONE):
            raise CounterRefusal("The offline mode can change between orders only.")
        modes = list(OfflineMode)
        self._mode = modes[(modes.index(self._mode) + 1) % len(modes)]
        logger.warning("offline mode: %s", self._mode.value)
        self._changed()

    async def sync_now(self) -> None:
        """Deliver the queue now."""
        self._delivery.force()

    # --- an order's way

    async def _arm(self, amount: Money, order: str) -> None:
        def begin(store: Store) -> str:
            store.open_order(order, amount.minor, amount.currency)
            return store.begin_attempt(order, state=State.ARMED.value)

        if not self._settled_in:
            raise CounterRefusal(f"The terminal can't record a payment: {self._figures.fault}")
        self._opening = True
        try:
            key = await self._store.call(begin)
        except OrderPaidError as error:
            raise CounterRefusal("This order has been paid.") from error
        except QueueError as error:
            await self._queue_changed()
            raise CounterRefusal(f"The terminal can't record a payment: {error}") from error
        finally:
            self._opening = False
        self._order = PresentOrder(amount)
        runner = self._new_runner(Case(key, order, amount, None), self._channels["card"], Attempt())
        self._order.runner = runner
        self._order.lights = LightPattern.READY
        self._spawn(runner.run())
        self._order.arming = Arming(
            self._pool,
            self._emv_online if self._offline_refusal(amount) else self._emv,
            lambda: self._new_transaction(amount),
            self._background,
            self.workshop.taps,
            on_ui=self._reader_shows,
            on_tap=self._tapped,
            on_card_stays=self._card_stays,
            on_code=self._scanned,
        )
        self._order.arming.start()
        self._changed()

    def _new_runner(self, case: Case, channel: Channel, attempt: Attempt) -> AttemptRunner:
        return AttemptRunner(
            case,
            channel,
            attempt,
            self._store,
            now_ms=lambda: int(time.time() * 1000),
            on_change=lambda _: self._changed(),
            on_finish=self._finished,
        )

    def _new_transaction(self, amount: Money) -> Transaction:
        """Return the payment as the next card is told of it. Called on a reader's thread."""
        return new_transaction(amount, self._unpredictable_numbers, self._figures.sequence)

    def _reader_shows(self, request: UiRequest, words: str) -> None:
        self._order.reader_shows(request, words)
        self._changed()

    def _tapped(self, tapped: Tapped) -> None:
        outcome = tapped.outcome
        logger.info("tap: %s in %.0f ms (%s)", outcome.kind.value, tapped.total_ms, outcome.reason)
        shown = instrument(tapped.outcome)
        if not shown.refusal:
            shown = dataclasses.replace(shown, sighting=self._memory.sighting(tapped.outcome))
        if shown.approved:
            split_sales.note(self._background, tapped.outcome, self._order.amount.minor)
        self._present(self._channels["card"], shown)

    def _card_stays(self, stays: bool) -> None:
        self._card_in_field = stays
        self._changed()

    def _scanned(self, code: Code) -> bool:
        rule = route(code.text)
        channel = self._channels.get(rule.channel) if rule is not None else None
        if rule is None or channel is None:
            what = f"a {rule.wallet} code, which is not taken here" if rule else "no payment code"
            self._order.words = f"That is {what}"
            self._changed()
            return False
        secret = SensitiveBytes(code.text.strip().encode())
        self._present(channel, Instrument(secret))
        return True

    def _present(self, channel: Channel, shown: Instrument) -> None:
        """Pay with what the customer has shown. Only the first thing counts."""
        order = self._order
        if order.runner is None or order.taken:
            return
        order.taken = True
        order.disarm()
        self._spawn(self._weigh(order.runner, channel, shown))

    async def _weigh(self, runner: AttemptRunner, channel: Channel, shown: Instrument) -> None:
        """Find out whether it may be taken offline, and hand it to the attempt."""
        offline = "this payment needs the network"
        if channel.deferrable:
            await self._figures.refresh(self._store)
            offline = self._offline_refusal(runner.case.amount)
            shown = await self._remembered(shown)
        force = channel.deferrable and self._mode is OfflineMode.FORCE_OFFLINE
        presented = Presented(channel.plan, shown.refusal, offline, force, shown.approved)
        runner.present(channel, shown, presented)

    def _offline_refusal(self, amount: Money) -> str:
        """Return why nothing may be taken without the host, or empty where it may."""
        trouble = self._figures.fault or self._delivery.alarm
        return trouble or refusal(self._config, self._mode, self._figures.exposure(), amount)

    async def _remembered(self, shown: Instrument) -> Instrument:
        """Compare with what the card has shown before; a finding goes into the payment's records."""
        if shown.refusal:
            return shown
        if shown.sighting is None:
            unproved = "the card approved offline without a number, counter and cryptogram"
            return dataclasses.replace(shown, refusal=unproved) if shown.approved else shown
        try:
            remembered = await self._store.call(partial(Store.recall, sighting=shown.sighting))
        except QueueError:
            return shown  # what can't be read can't be written either, and then nothing is taken
        found = finding(shown.sighting, remembered)
        if not found:
            return shown
        logger.warning("%s", found)
        return dataclasses.replace(shown, summary={**shown.summary, "finding": found})

    def _finished(self, runner: AttemptRunner, result: Result, record: Record | None) -> None:
        """Take an outcome that is durable. Nobody has seen or heard it before this."""
        self._delivery.wake()
        self._spawn(self._queue_changed())
        order = self._order
        ended = order.result is not None
        if runner is not order.runner or ended:
            self._history.notice(runner.case, result)
        # Another attempt at the order on the screen may have been paid late, after this one was declined.
        same = order.runner is not None and order.runner.case.order == runner.case.order
        if runner is order.runner or (same and ended and result.outcome is Outcome.APPROVED):
            order.runner = runner
            order.finish(result_view(runner, result, self._receipt(runner, result, record)))
        self._changed()

    # --- the queue

    async def _settle_in(self) -> None:
        """Read what an earlier run left, and go on with it. Until that has been done nothing is charged."""
        async with self._settling:
            if not self._settled_in:
                await self._read_what_was_left()

    async def _read_what_was_left(self) -> None:
        await self._figures.refresh(self._store)
        if self._figures.fault and not self._figures.sequence:
            return
        try:
            await self._history.load(self._store)
            left = await recover(self._store, self._channels, self._new_runner, int(time.time() * 1000))
        except QueueError as error:
            self._figures.fault = str(error)
            return
        for runner, first in left:
            self._spawn(runner.run(first))
        self._settled_in = True

    async def _queue_changed(self) -> None:
        if not self._settled_in:
            await self._settle_in()
        else:
            await self._figures.refresh(self._store)
            try:
                await self._history.load(self._store)
            except QueueError as error:
                self._figures.fault = str(error)
        self._changed()

    async def _taken_over(self, taken: TakenOver) -> None:
        await self._history.notice_taken_over(self._store, taken)
        self._changed()

    # --- the view

    def _changed(self) -> None:
        self.view = self._make_view()
        for listener in tuple(self._listeners):
            try:
                listener(self.view)
            except Exception:
                logger.exception("a screen failed to draw")

    def _device_changed(self) -> None:
        """Called from a device's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed)

    async def _tick(self) -> None:
        """Count down, and find out stuck devices, which can't tell themselves."""
        while True:
            await asyncio.sleep(0.5)
            if not self._settled_in:
                await self._queue_changed()
            devices, qr = self._pool.views(), self._qr()
            if devices != self.view.devices or qr != self.view.qr:
                self._changed()

    def _phase(self) -> Phase:
        return self._order.phase() if self._started else Phase.STARTING

    def _prompt(self) -> str:
        if not self._started:
            return "Starting"
        if not self._settled_in:
            return "The queue can't be used: nothing is taken"
        if self._order.waits and not self._order.words:
            if self._card_in_field:
                return "Take the last card off the reader"
            if not self._delivery.online:
                return self._offline_prompt()
        return self._order.prompt()

    def _offline_prompt(self) -> str:
        if self._mode is OfflineMode.REQUIRE_ONLINE:
            return "OFFLINE: nothing can be taken"
        limit = self._config.money(self._config.offline.limit_each)
        return f"OFFLINE: tap a card, at most {limit.format(self._config.shop.locale)}"

    def _qr(self) -> QrView | None:
        return self._order.qr(self._loop.time()) if self._loop is not None else None

    def _receipt(self, runner: AttemptRunner, result: Result, record: Record | None) -> Receipt:
        return Receipt(
            self._config,
            order=runner.case.order,
            amount=runner.case.amount,
            channel=runner.channel.label,
            result=result,
            facts=runner.case.instrument.summary if runner.case.instrument else {},
            record=record,
            when=datetime.now().astimezone(),
        )

    def _make_view(self) -> CounterView:
        order = self._order
        return CounterView(
            phase=self._phase(),
            shop=self._config.shop.name,
            terminal_id=self._config.terminal.id,
            training=self._config.shop.simulated,
            amount=order.amount,
            order=order.runner.case.order if order.runner else "",
            prompt=self._prompt(),
            lights=order.lights,
            online=self._delivery.online,
            network=self._delivery.network,
            offline_mode=self._mode.value,
            qr=self._qr(),
            result=order.result,
            devices=self._pool.views(),
            queue=self._figures.view(self._delivery.alarm),
            payments=self._history.lines(),
            notices=self._history.notices(),
            attempt=order.runner.case.key if order.runner else "",
            locale=self._config.shop.locale,
        )

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of the counter failed", exc_info=error)
