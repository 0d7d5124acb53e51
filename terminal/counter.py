"""The counter: one order at a time, from amount to outcome, with everything around it.

Runs on one event loop. Devices and the store have threads of their own; whatever they tell arrives on
the loop. Screens read `view`, which is made anew at every change.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path

import httpx

from drivers.protocols import Code
from emv.config import EmvConfig, default_config
from emv.kernel import Transaction
from emv.outcome import UiRequest
from emv.sensitive import SensitiveBytes
from offline_queue.errors import QueueError
from offline_queue.record import Record
from offline_queue.rows import QueueStatus
from offline_queue.store import Store
from terminal.actions import CounterRefusal
from terminal.channels.alipay import AlipayCode, AlipayGateway, AlipayQr
from terminal.channels.card import CardChannel
from terminal.channels.channel import Case, Channel
from terminal.config import Config, OfflineMode
from terminal.delivery import Delivery
from terminal.devices.pool import DevicePool
from terminal.enrolment import Enrolment
from terminal.history import History
from terminal.host_client import HttpHost
from terminal.http import client
from terminal.money import Money, numeric_code
from terminal.money import exponent as currency_exponent
from terminal.payment.arming import Arming
from terminal.payment.attempt import Attempt, Presented, Result, State
from terminal.payment.instrument import Instrument
from terminal.payment.offline_policy import Exposure, refusal
from terminal.payment.recovery import recover
from terminal.payment.routing import route
from terminal.payment.runner import AttemptRunner
from terminal.payment.tap import Tapped, instrument
from terminal.present_order import PresentOrder, result_view
from terminal.receipt.receipt import lines
from terminal.store_worker import StoreWorker
from terminal.view import (
    CounterView,
    LightPattern,
    Outcome,
    Phase,
    QrView,
    QueueView,
)

logger = logging.getLogger(__name__)

QUEUE_FILE = "queue.db"

_NO_STATUS = QueueStatus(0, 0, None, 0, b"", 0, 0, 0, "")


class Counter:
    """One terminal at work. `start` it, use it, `stop` it; all on one event loop."""

    def __init__(self, config: Config, home: Path, enrolment: Enrolment) -> None:
        self._config = config
        self._mode = config.offline.mode
        self._store = StoreWorker(lambda: open_store(home, config, enrolment))
        self._host_http = client(config.host.ca_file)
        self._host = HttpHost(config.host.url, enrolment, self._host_http)
        self._delivery = Delivery(self._store, self._host, self._queue_changed)
        self._http: list[httpx.AsyncClient] = [self._host_http]
        self._channels = {channel.name: channel for channel in self._make_channels()}
        self._pool = DevicePool(config.devices, self._device_changed)
        self._history = History(config)
        self._emv = _emv_config(config)
        self._listeners: list[Callable[[CounterView], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._status = _NO_STATUS
        self._store_fault = ""
        self._order = PresentOrder(Money(0, config.shop.currency))
        self._card_in_field = False
        self._started = False
        self.view = self._make_view()

    # --- life

    async def start(self) -> None:
        """Open the store and the devices, resolve what an earlier run left open, begin to deliver."""
        self._loop = asyncio.get_running_loop()
        await self._refresh_status()
        if not self._store_fault:
            await self._history.load(self._store)
            for runner, first in await recover(self._store, self._channels, self._new_runner):
                self._spawn(runner.run(first))
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
        if self._phase() not in (Phase.IDLE, Phase.DONE):
            raise CounterRefusal("Finish or cancel the present order first.")
        if amount.minor <= 0:
            raise CounterRefusal("Type an amount first.")
        await self._arm(amount, f"{self._config.terminal.id}-{self._history.next_order()}")

    async def retry(self) -> None:
        """Try again to pay the order that was declined, by another card or code."""
        order = self._order
        if order.runner is None or order.result is None or order.result.outcome is not Outcome.DECLINED:
            raise CounterRefusal("There is no declined order to try again.")
        await self._arm(order.amount, order.runner.case.order)

    async def show_qr(self) -> None:
        """Show a code for the customer to scan, in place of waiting for a tap."""
        channel = self._channels.get("alipay-qr")
        if not self._order.waits:
            raise CounterRefusal("A code can be shown while the terminal waits for the customer.")
        if channel is None:
            raise CounterRefusal("No wallet is set up on this terminal.")
        await self._present(channel, Instrument(channel.name, SensitiveBytes(b"")))

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
        """Go on to the next offline mode."""
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
            return store.begin_attempt(order, "", state=State.ARMED.value)

        try:
            key = await self._store.call(begin)
        except QueueError as error:
            await self._refresh_status()
            raise CounterRefusal(f"The terminal can't record a payment: {error}") from error
        self._order = PresentOrder(amount)
        runner = self._new_runner(Case(key, order, amount, None), self._channels["card"], Attempt())
        self._order.runner = runner
        self._order.lights = LightPattern.READY
        self._spawn(runner.run())
        self._order.arming = Arming(
            self._pool,
            self._emv,
            self._new_transaction,
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
            order_paid=lambda: self._history.paid(case.order) or self._in_hand(case),
            on_change=lambda _: self._changed(),
            on_finish=self._finished,
        )

    def _in_hand(self, case: Case) -> bool:
        """Tell whether another attempt at the same order is under way."""
        runner = self._order.runner
        return (
            runner is not None
            and runner.case.order == case.order
            and runner.case.key != case.key
            and runner.attempt.state is not State.DONE
        )

    def _new_transaction(self) -> Transaction:
        """Return the payment as the next card is told of it. Called on a reader's thread."""
        now = datetime.now().astimezone()
        return Transaction(
            amount_minor=self._order.amount.minor,
            currency=numeric_code(self._order.amount.currency),
            currency_exponent=currency_exponent(self._order.amount.currency),
            date=now.date(),
            time=now.time(),
            unpredictable_number=secrets.token_bytes(4),
            sequence_counter=self._status.sequence % 10**8,
        )

    def _reader_shows(self, request: UiRequest, words: str) -> None:
        self._order.reader_shows(request, words)
        self._changed()

    def _tapped(self, tapped: Tapped) -> None:
        logger.info("tap: %s in %.0f ms", tapped.outcome.kind.value, tapped.total_ms)
        self._spawn(self._present(self._channels["card"], instrument(tapped.outcome)))

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
        self._spawn(self._present(channel, Instrument(channel.name, secret)))
        return True

    async def _present(self, channel: Channel, shown: Instrument) -> None:
        order = self._order
        runner = order.runner
        if runner is None or order.taken:
            return
        order.taken = True
        order.disarm()
        offline = "this payment needs the network"
        if channel.deferrable:
            await self._refresh_status()
            offline = self._store_fault or refusal(
                self._config, self._mode, self._exposure(), self._order.amount
            )
        force = channel.deferrable and self._mode is OfflineMode.FORCE_OFFLINE
        if force and offline:
            # Within limits or not, a terminal that is set to offline does not ask the host.
            offline = f"the terminal is set to offline; {offline}"
        runner.present(channel, shown, Presented(channel.plan, shown.refusal, offline, force))

    def _finished(self, runner: AttemptRunner, result: Result, record: Record | None) -> None:
        """Take an outcome that is durable. Nobody has seen or heard it before this."""
        self._history.note(runner.case, result)
        self._delivery.wake()
        self._spawn(self._queue_changed())
        if runner is not self._order.runner or self._order.result is not None:
            self._history.notice(runner.case, result)
        if runner is self._order.runner:
            self._order.finish(result_view(runner, result, self._receipt(runner, result, record)))
        self._changed()

    # --- the queue

    async def _queue_changed(self) -> None:
        await self._refresh_status()
        if not self._store_fault:
            await self._history.load(self._store)
        self._changed()

    async def _refresh_status(self) -> None:
        try:
            self._status = await self._store.call(lambda store: store.status())
            self._store_fault = self._status.damage
        except QueueError as error:
            self._store_fault = str(error)

    def _exposure(self) -> Exposure:
        total = Money(self._status.deferred_total_minor, self._config.shop.currency)
        return Exposure(self._status.deferred_count, total, self._oldest_s())

    def _oldest_s(self) -> int:
        oldest_ms = self._status.oldest_unsent_ms
        return max(0, int(time.time() - oldest_ms / 1000)) if oldest_ms is not None else 0

    # --- the view

    def _changed(self) -> None:
        self.view = self._make_view()
        for listener in tuple(self._listeners):
            listener(self.view)

    def _device_changed(self) -> None:
        """Called from a device's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed)

    async def _tick(self) -> None:
        """Count down, and find out stuck devices, which can't tell themselves."""
        while True:
            await asyncio.sleep(0.5)
            devices, qr = self._pool.views(), self._qr()
            if devices != self.view.devices or qr != self.view.qr:
                self._changed()

    def _phase(self) -> Phase:
        return self._order.phase() if self._started else Phase.STARTING

    def _prompt(self) -> str:
        if not self._started:
            return "Starting"
        if self._card_in_field and self._order.waits:
            return "Take the last card off the reader"
        return self._order.prompt()

    def _qr(self) -> QrView | None:
        return self._order.qr(self._loop.time()) if self._loop is not None else None

    def _receipt(self, runner: AttemptRunner, result: Result, record: Record | None) -> tuple[str, ...]:
        return lines(
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
            queue=self._queue_view(),
            payments=self._history.lines(),
            notices=self._history.notices(),
            attempt=order.runner.case.key if order.runner else "",
        )

    def _queue_view(self) -> QueueView:
        offline = self._config.offline
        return QueueView(
            unsent=self._status.unsent,
            oldest_s=self._oldest_s(),
            quarantined=self._status.quarantined,
            deferred_count=self._status.deferred_count,
            deferred_total=Money(self._status.deferred_total_minor, self._config.shop.currency),
            limit_count=offline.limit_count,
            limit_total=self._config.money(offline.limit_total),
            limit_each=self._config.money(offline.limit_each),
            alarm=self._store_fault or self._delivery.alarm,
        )

    # --- parts

    def _make_channels(self) -> list[Channel]:
        channels: list[Channel] = [CardChannel(self._host)]
        alipay = self._config.alipay
        if alipay is not None:
            http = client(alipay.ca_file)
            self._http.append(http)
            gateway = AlipayGateway(alipay, http, lambda: datetime.now().astimezone())
            channels.append(AlipayCode(gateway, alipay, self._config.shop.name))
            channels.append(AlipayQr(gateway, alipay, self._config.shop.name))
        return channels

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of the counter failed", exc_info=error)


def open_store(home: Path, config: Config, enrolment: Enrolment) -> Store:
    """Open a terminal's queue. Raises QueueError."""
    return Store.open(
        home / QUEUE_FILE,
        terminal_id=config.terminal.id,
        signer=enrolment.key,
        sealer=enrolment.sealer,
        host_key=enrolment.host_key,
    )


def _emv_config(config: Config) -> EmvConfig:
    currency = numeric_code(config.shop.currency)
    return default_config(config.shop.country, currency, merchant_name=config.shop.name)
