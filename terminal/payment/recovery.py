"""What an earlier run left open is resolved under its own key: query, then reverse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from offline_queue.record import Record, RecordKind
from offline_queue.rows import AttemptRow
from offline_queue.store import Store
from terminal.channels.channel import Case, Channel
from terminal.money import Money
from terminal.payment.attempt import Action, Attempt, State
from terminal.payment.runner import AttemptRunner
from terminal.store_worker import StoreWorker

logger = logging.getLogger(__name__)

NewRunner = Callable[[Case, Channel, Attempt], AttemptRunner]


async def recover(
    store: StoreWorker, channels: Mapping[str, Channel], new_runner: NewRunner
) -> list[tuple[AttemptRunner, tuple[Action, ...]]]:
    """Return a runner with its first actions for each attempt that is open or watched.

    An attempt whose channel is not set up any more stays open and is logged: only that channel can
    tell what became of it.
    """
    found = []
    for row, records in await store.call(_open):
        name = str(row.summary.get("channel", "card"))
        channel = channels.get(name)
        if channel is None:
            logger.error("attempt %s can't be resolved: channel %r is not set up", row.key, name)
            continue
        attempt, first = Attempt.resume(channel.plan, row.state)
        case = Case(row.key, row.order_id, Money(row.amount_minor, row.currency), None)
        runner = new_runner(case, channel, attempt)
        reversals = [record for record in records if record.kind is RecordKind.REVERSAL]
        runner.restore(row.intent, reversals[-1] if reversals else None)
        found.append((runner, first))
        logger.info("attempt %s was left in state %r and is resolved now", row.key, row.state)
    return found


def _open(store: Store) -> list[tuple[AttemptRow, tuple[Record, ...]]]:
    rows = (*store.open_attempts(), *store.attempts_in(State.WATCHING.value))
    return [(row, store.records(row.key)) for row in rows]
