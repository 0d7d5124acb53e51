"""What became of the orders: the list on the screen, and notices of what happened apart from it."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from offline_queue.rows import AttemptRow, OrderRow
from offline_queue.store import Store
from terminal.channels.channel import Case
from terminal.config import Config
from terminal.money import Money
from terminal.payment.attempt import Result, State
from terminal.store_worker import StoreWorker
from terminal.view import Outcome, PaymentLine

SHOWN = 20
"""How many orders the screen lists."""

_PAID = {Outcome.APPROVED, Outcome.APPROVED_OFFLINE}


class History:
    """The newest orders of this terminal, as the store has them."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lines: tuple[PaymentLine, ...] = ()
        self._notices: deque[str] = deque(maxlen=SHOWN)
        self._paid: set[str] = set()
        self._next_order = 1

    async def load(self, store: StoreWorker) -> None:
        """Read the newest orders. An offline payment that the host has declined becomes a notice."""
        rows = await store.call(_newest)
        if rows:
            self._next_order = max(self._next_order, _number(rows[0][0].order_id) + 1)
        before = {line.order: line for line in self._lines}
        self._lines = tuple(line for order, attempts in rows if (line := self._line(order, attempts)))
        for line in self._lines:
            earlier = before.get(line.order)
            if line.note == _HOST_DECLINED and (earlier is None or earlier.note != _HOST_DECLINED):
                self._notices.appendleft(
                    f"Order {line.order}: the host declined the offline payment. Not paid!"
                )

    def next_order(self) -> int:
        """Return the number of a new order. One that is not used is lost, never used twice."""
        number = self._next_order
        self._next_order += 1
        return number

    def paid(self, order: str) -> bool:
        """Tell whether an attempt has paid this order."""
        return order in self._paid

    def note(self, case: Case, result: Result) -> None:
        """Remember an outcome before the list is read again."""
        if result.outcome in _PAID:
            self._paid.add(case.order)

    def notice(self, case: Case, result: Result) -> None:
        """Tell of an outcome that nobody was waiting for."""
        amount = case.amount.format(self._config.shop.locale)
        words = f"Order {case.order}, {amount}: {result.outcome.value}"
        self._notices.appendleft(f"{words} ({result.reason})" if result.reason else words)

    def lines(self) -> tuple[PaymentLine, ...]:
        """Return the newest orders, newest first."""
        return self._lines

    def notices(self) -> tuple[str, ...]:
        """Return the notices, newest first."""
        return tuple(self._notices)

    def _line(self, order: OrderRow, attempts: tuple[tuple[AttemptRow, int], ...]) -> PaymentLine | None:
        """Return an order's line by its best attempt; None for an order that nothing was shown for."""
        known = [(row, ms, _outcome(row)) for row, ms in attempts if row.state != State.ARMED.value and ms]
        if not known:
            return None
        row, time_ms, outcome = next((entry for entry in known if entry[2] in _PAID), known[-1])
        if outcome in _PAID:
            self._paid.add(order.order_id)
        return PaymentLine(
            order=order.order_id,
            time=f"{datetime.fromtimestamp(time_ms / 1000).astimezone():%H:%M:%S}",
            amount=Money(order.amount_minor, order.currency),
            channel=str(row.summary.get("channel", "")),
            outcome=outcome,
            note=_note(row),
            attempt=row.key,
        )


_HOST_DECLINED = "HOST DECLINED"


def _newest(store: Store) -> list[tuple[OrderRow, tuple[tuple[AttemptRow, int], ...]]]:
    rows = []
    for order in store.orders(SHOWN):
        attempts = store.attempts(order.order_id)
        times = [records[0].time_ms if (records := store.records(row.key)) else 0 for row in attempts]
        rows.append((order, tuple(zip(attempts, times, strict=True))))
    return rows


def _outcome(row: AttemptRow) -> Outcome:
    name = str(row.summary.get("outcome", ""))
    return Outcome[name.upper()] if name else Outcome.UNKNOWN


def _note(row: AttemptRow) -> str:
    if row.live:
        return "being resolved"
    if row.settled == "declined":
        return _HOST_DECLINED
    if row.summary.get("deferred"):
        return "host approved" if row.settled else "waits for host"
    return "late" if row.summary.get("late") else ""


def _number(order: str) -> int:
    digits = order.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0
