"""What became of the orders: the list on the screen, and notices of what happened apart from it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from offline_queue.delivery import TakenOver
from offline_queue.errors import QueueError
from offline_queue.record import Record
from offline_queue.rows import AttemptRow, OrderRow
from offline_queue.store import Store
from terminal.channels.channel import Case
from terminal.config import Config
from terminal.money import Money
from terminal.payment.attempt_events import Result, State
from terminal.store_worker import StoreWorker
from terminal.view import Outcome, PaymentLine

logger = logging.getLogger(__name__)

SHOWN = 20
"""How many orders the screen lists."""

_PAID = {Outcome.APPROVED, Outcome.APPROVED_OFFLINE}
_HOST_DECLINED = "HOST DECLINED"
_HOST_REFUSED = "HOST REFUSED"


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt as the list needs it."""

    row: AttemptRow
    records: tuple[Record, ...]
    refused: bool

    @property
    def by_card(self) -> bool:
        """Whether the card approved it by itself. It stays that, also when the host has booked it."""
        facts = self.row.summary
        offline = facts.get("outcome") == Outcome.APPROVED_OFFLINE.name.lower()
        return offline and facts.get("deferred") is False and self.row.settled != "declined"

    @property
    def outcome(self) -> Outcome:
        if self.by_card:
            return Outcome.APPROVED_OFFLINE
        name = self.row.settled or str(self.row.summary.get("outcome", ""))
        return Outcome[name.upper()] if name else Outcome.UNKNOWN

    @property
    def note(self) -> str:
        row = self.row
        if row.live:
            return "being resolved"
        if row.settled == "declined":
            return _HOST_DECLINED
        if self.refused:
            return _HOST_REFUSED
        if self.by_card:
            return "host booked" if row.settled else "card approved"
        if row.summary.get("deferred"):
            return "host approved" if row.settled else "waits for host"
        return "late" if row.summary.get("late") else ""


class History:
    """The newest orders of this terminal, as the store has them.

    Args:
        config: The terminal's.
        labels: What channels are called on screens, by their names in records.
    """

    def __init__(self, config: Config, labels: Mapping[str, str]) -> None:
        self._config = config
        self._labels = labels
        self._lines: tuple[PaymentLine, ...] = ()
        self._notices: deque[str] = deque(maxlen=SHOWN)
        self._next_order = 1

    async def load(self, store: StoreWorker) -> None:
        """Read the newest orders. Raises QueueError where the store can't be read at all."""
        orders = await store.call(_newest)
        if orders:
            self._next_order = max(self._next_order, _number(orders[0][0].order_id) + 1)
        lines = (self._line(order, tries) for order, tries in orders)
        self._lines = tuple(line for line in lines if line is not None)

    def next_order(self) -> int:
        """Return the number of a new order. One that is not used is lost, never used twice."""
        number = self._next_order
        self._next_order += 1
        return number

    def notice(self, case: Case, result: Result) -> None:
        """Tell of an outcome that nobody was waiting for."""
        words = f"{self._name(case.order, case.amount)}: {result.outcome.value}"
        self._notices.appendleft(f"{words} ({result.reason})" if result.reason else words)

    async def notice_taken_over(self, store: StoreWorker, taken: TakenOver) -> None:
        """Tell of offline payments that the host has declined, and of records that it refuses."""
        for key in taken.declined:
            name = await self._name_of(store, key)
            self._notices.appendleft(f"{name}: the host declined the offline payment. Not paid!")
        for refusal in taken.refused:
            words = f"the host refuses record {refusal.sequence} ({refusal.reason})"
            self._notices.appendleft(f"{words}; it is kept in quarantine")

    def lines(self) -> tuple[PaymentLine, ...]:
        """Return the newest orders, newest first."""
        return self._lines

    def notices(self) -> tuple[str, ...]:
        """Return the notices, newest first."""
        return tuple(self._notices)

    async def _name_of(self, store: StoreWorker, attempt: str) -> str:
        try:
            row = await store.call(partial(Store.attempt, key=attempt))
        except QueueError:
            row = None
        if row is None:
            return f"Attempt {attempt}"
        return self._name(row.order_id, Money(row.amount_minor, row.currency))

    def _name(self, order: str, amount: Money) -> str:
        return f"Order {order}, {amount.format(self._config.shop.locale)}"

    def _line(self, order: OrderRow, tries: tuple[_Try, ...] | None) -> PaymentLine | None:
        """Return an order's line by its best attempt; None for an order that nothing was shown for."""
        amount = Money(order.amount_minor, order.currency)
        if tries is None:
            return PaymentLine(order.order_id, "", amount, "", Outcome.UNKNOWN, "RECORD DAMAGED")
        known = [its for its in tries if its.row.state != State.ARMED.value and its.records]
        if not known:
            return None
        best = next((its for its in known if its.outcome in _PAID), known[-1])
        return PaymentLine(
            order=order.order_id,
            time=f"{datetime.fromtimestamp(best.records[0].time_ms / 1000).astimezone():%H:%M}",
            amount=amount,
            channel=self._labels.get(name := str(best.row.summary.get("channel", "")), name),
            outcome=best.outcome,
            note=best.note,
            attempt=best.row.key,
            deferred=best.outcome is Outcome.APPROVED_OFFLINE and not best.by_card,
        )


def _newest(store: Store) -> list[tuple[OrderRow, tuple[_Try, ...] | None]]:
    """Return the newest orders with their attempts; None for one whose records are damaged."""
    refused = _refused(store)
    found: list[tuple[OrderRow, tuple[_Try, ...] | None]] = []
    for order in store.orders(SHOWN):
        try:
            tries = []
            for row in store.attempts(order.order_id):
                records = store.records(row.key)
                tries.append(_Try(row, records, any(record.sequence in refused for record in records)))
            found.append((order, tuple(tries)))
        except QueueError as error:
            logger.error("order %s: %s", order.order_id, error)
            found.append((order, None))
    return found


def _refused(store: Store) -> set[int]:
    """Return the sequences in quarantine; none where one of those records is damaged itself."""
    try:
        return {record.sequence for record, _ in store.quarantined(SHOWN)}
    except QueueError as error:
        logger.error("quarantine: %s", error)
        return set()


def _number(order: str) -> int:
    digits = order.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0
