"""An attempt's state in the store: the terminal's word for it, and whether its outcome is still open."""

from __future__ import annotations

import apsw

from offline_queue.errors import AttemptClosedError, UnknownAttemptError
from offline_queue.record import Record, RecordKind


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
    """Move the record's attempt along with it, and return the attempt's number."""
    number, live, amount_minor = find_attempt(cursor, record.attempt)
    if record.kind is RecordKind.INTENT and not live:
        raise AttemptClosedError(f"attempt {record.attempt} is closed")
    set_state(cursor, number, state, closes)
    if record.kind is RecordKind.RESULT and record.summary.get("outcome") == "approved_offline":
        cursor.execute("UPDATE attempts SET offline_minor = ? WHERE number = ?", (amount_minor, number))
    return number
