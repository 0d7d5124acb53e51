"""What the store tells about orders, attempts, records and itself, and how it finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offline_queue.database import Database
from offline_queue.errors import ChainBrokenError, RecordError
from offline_queue.record import Record
from offline_queue.summary import Summary


@dataclass(frozen=True, slots=True)
class OrderRow:
    """What a customer owed; `currency` as the terminal named it."""

    order_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try to pay an order.

    Attributes:
        state: The terminal's word for where it stands.
        live: Whether its outcome is still open.
        settled: What the host said of an offline approval: "approved", "declined", or empty so far.
        intent: The first intent record, if one was written.
        summary: That of the attempt's last record, empty without one.
        damaged: One of its records was changed; then `intent` and `summary` are empty.
    """

    key: str
    order_id: str
    state: str
    live: bool
    settled: str
    amount_minor: int
    currency: str
    intent: Record | None
    summary: Summary
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue at a glance.

    Attributes:
        unsent: Records that the host has not acknowledged.
        quarantined: Records that the host holds but refused to act on.
        oldest_unsent_ms: Time of the first unsent record, or None when all is delivered.
        sequence: Last sequence number used; 0 in a new store.
        head: The chain's head there.
        deferred_count: Payments taken offline that nobody has approved, and whose fate the host has not told.
        deferred_total_minor: Their sum: what is at risk.
        approved_count: Payments that were approved offline, and whose fate the host has not told.
        approved_total_minor: Their sum.
        oldest_offline_ms: When the oldest of both was taken, or None.
        bytes_used: Size of the store's data.
        damage: Empty, or what is wrong with the chain; then nothing can be added.
    """

    unsent: int
    quarantined: int
    oldest_unsent_ms: int | None
    sequence: int
    head: bytes
    deferred_count: int
    deferred_total_minor: int
    approved_count: int
    approved_total_minor: int
    oldest_offline_ms: int | None
    bytes_used: int
    damage: str


_RECORD = "SELECT body, previous_head, head, key_id, signature FROM records"
_ATTEMPT = (
    "SELECT a.number, a.key, o.id, a.state, a.live, coalesce(a.settled, ''), o.amount_minor,"
    " o.currency FROM attempts a JOIN orders o ON o.number = a.order_number"
)


def stored_record(*row: object) -> Record:
    """Return the record in a row of `records`; ChainBrokenError if it was changed."""
    match row:
        case (bytes(body), bytes(previous_head), bytes(head), str(key_id), bytes(signature)):
            return Record.from_stored(
                body=body, previous_head=previous_head, head=head, key_id=key_id, signature=signature
            )
    raise RecordError("a stored record has columns of the wrong type")


def find_records(database: Database, where: str, *bindings: str | int) -> tuple[Record, ...]:
    """Return the records that an SQL condition names."""
    with database.reading() as cursor:
        return tuple(stored_record(*row) for row in cursor.execute(f"{_RECORD} {where}", bindings))


def find_attempts(database: Database, where: str, *bindings: str | int) -> tuple[AttemptRow, ...]:
    """Return the attempts (`a`) that an SQL condition names, with their orders (`o`) and records."""
    with database.reading() as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(f"{_ATTEMPT} {where}", bindings).fetchall()
    return tuple(_attempt_row(database, *row) for row in rows)


def _attempt_row(
    database: Database,
    number: int,
    key: str,
    order_id: str,
    state: str,
    live: int,
    settled: str,
    amount_minor: int,
    currency: str,
) -> AttemptRow:
    of_attempt = "WHERE attempt_number = ?"
    intent: tuple[Record, ...] = ()
    last: tuple[Record, ...] = ()
    damaged = False
    try:
        intent = find_records(database, f"{of_attempt} AND kind = 'intent' ORDER BY sequence LIMIT 1", number)
        last = find_records(database, f"{of_attempt} ORDER BY sequence DESC LIMIT 1", number)
    except (ChainBrokenError, RecordError):
        # One bad record must not hide the other attempts from whoever has to resolve them.
        damaged = True
    return AttemptRow(
        key=key,
        order_id=order_id,
        state=state,
        live=bool(live),
        settled=settled,
        amount_minor=amount_minor,
        currency=currency,
        intent=intent[0] if intent and not damaged else None,
        summary=last[0].summary if last and not damaged else {},
        damaged=damaged,
    )
