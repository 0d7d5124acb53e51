"""An attempt's state in the store: the terminal's word for it, and whether its outcome is still open."""

from __future__ import annotations

import apsw

from offline_queue.errors import AttemptClosedError, OrderPaidError, UnknownAttemptError
from offline_queue.record import Record, RecordKind

_PAID = ("approved", "approved_offline")


def find_attempt(cursor: apsw.Cursor, key: str) -> tuple[int, bool, int]:
    """Return the attempt's number, whether it is open, and its order's amount."""
    row = cursor.execute(
        "SELECT a.number, a.live, o.amount_minor FROM attempts a"
        " JOIN orders o ON o.number = a.order_number WHERE a.key = ?",
        (key,),
    ).get
    if row is None:
        raise UnknownAttemptError(f"there is no attempt {key}")
    number, live, amount_minor = row
    return number, bool(live), amount_minor


def set_state(cursor: apsw.Cursor, number: int, state: str, closes: bool) -> None:
    """Give the attempt a new state, and close it for good if its outcome is now known."""
    cursor.execute(
        "UPDATE attempts SET state = ?, live = live AND NOT ? WHERE number = ?", (state, closes, number)
    )


def follow_record(cursor: apsw.Cursor, record: Record, state: str, closes: bool) -> int:
    """Move the record's attempt along with it, and return the attempt's number.

    Raises:
        AttemptClosedError: An intent for an attempt that is over, or a reversal or a no for one that has
            paid: giving money back is a void or a refund.
        OrderPaidError: A yes to an attempt whose order another attempt has paid, or a late yes to one
            whose order another attempt is paying.
    """
    number, live, amount_minor = find_attempt(cursor, record.attempt)
    if record.kind is RecordKind.INTENT and not live:
        raise AttemptClosedError(f"attempt {record.attempt} is closed")
    outcome = record.summary.get("outcome")
    undoes = record.kind is RecordKind.REVERSAL or (record.kind is RecordKind.RESULT and outcome not in _PAID)
    if undoes and cursor.execute("SELECT paid FROM attempts WHERE number = ?", (number,)).get:
        raise AttemptClosedError(f"attempt {record.attempt} has paid; that is not undone by a {record.kind}")
    if record.kind is RecordKind.RESULT:
        _set_paid(cursor, number, outcome in _PAID)
        if outcome == "approved_offline":
            # Approved without the host is what says so; whatever else was taken offline, nobody has approved.
            deferred = record.summary.get("deferred") is not False
            cursor.execute(
                "UPDATE attempts SET offline_minor = ?, offline_ms = ?, deferred = ? WHERE number = ?",
                (amount_minor, record.time_ms, deferred, number),
            )
    set_state(cursor, number, state, closes)
    return number


def check_unpaid(cursor: apsw.Cursor, order_number: int, order_id: str) -> None:
    """Raise OrderPaidError if an attempt has paid the order."""
    if cursor.execute("SELECT 1 FROM attempts WHERE order_number = ? AND paid = 1", (order_number,)).get:
        raise OrderPaidError(f"order {order_id} is paid")


def _set_paid(cursor: apsw.Cursor, number: int, paid: bool) -> None:
    others = cursor.execute(
        "SELECT 1 FROM attempts a JOIN attempts b ON b.order_number = a.order_number AND b.number <> a.number"
        " WHERE a.number = ? AND (b.paid = 1 OR b.live = 1)",
        (number,),
    ).get
    if paid and others:
        raise OrderPaidError("another attempt has paid this order, or is paying it")
    cursor.execute("UPDATE attempts SET paid = ? WHERE number = ?", (paid, number))
