"""What an earlier run left open is resolved under its own key: query, then reverse."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping

from offline_queue.record import Record, RecordKind
from offline_queue.rows import AttemptRow
from offline_queue.store import Store
from terminal.channels.channel import Case, Channel
from terminal.money import Money
from terminal.payment.attempt import CANCELLED, Attempt
from terminal.payment.attempt_events import Action, Plan, State
from terminal.payment.runner import AttemptRunner
from terminal.store_worker import StoreWorker

logger = logging.getLogger(__name__)

NewRunner = Callable[[Case, Channel, Attempt], AttemptRunner]


async def recover(
    store: StoreWorker, channels: Mapping[str, Channel], new_runner: NewRunner, now_ms: int
) -> list[tuple[AttemptRunner, tuple[Action, ...]]]:
    """Return a runner with its first actions for each attempt that is open or watched.

    An attempt whose channel is not set up any more stays open and is logged: only that channel can
    tell what became of it.
    """
    found = []
    for row, records in await store.call(_open):
        if row.damaged:
            logger.error("attempt %s can't be resolved: a record of it was changed", row.key)
            continue
        name = str(row.summary.get("channel", "card"))
        channel = channels.get(name)
        if channel is None:
            logger.error("attempt %s can't be resolved: channel %r is not set up", row.key, name)
            continue
        plan = _what_is_left(channel.plan, row, records, now_ms)
        cancelled = row.summary.get("reason") == CANCELLED
        attempt, first = Attempt.resume(plan, row.state, live=row.live, cancelled=cancelled)
        case = Case(row.key, row.order_id, Money(row.amount_minor, row.currency), None)
        runner = new_runner(case, channel, attempt)
        reversals = [record for record in records if record.kind is RecordKind.REVERSAL]
        runner.restore(row.intent, reversals[-1] if reversals else None)
        found.append((runner, first))
        logger.info("attempt %s was left in state %r and is resolved now", row.key, row.state)
    return found


def _open(store: Store) -> list[tuple[AttemptRow, tuple[Record, ...]]]:
    """Return the attempts that are open, and the closed ones that may be or have been paid late."""
    unfinished = (store.attempts_in(state.value) for state in (State.WATCHING, State.REVERSING))
    rows = {row.key: row for group in (store.open_attempts(), *unfinished) for row in group}
    return [(row, () if row.damaged else store.records(row.key)) for row in rows.values()]


def _what_is_left(plan: Plan, row: AttemptRow, records: tuple[Record, ...], now_ms: int) -> Plan:
    """Return the plan with the rest of the time for which an expired code is watched."""
    if row.state != State.WATCHING.value:
        return plan
    watched_s = max(0.0, (now_ms - records[-1].time_ms) / 1000)
    return dataclasses.replace(plan, watch_s=max(0.0, plan.watch_s - watched_s))
