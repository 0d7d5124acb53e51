"""What the host has taken over, as the store remembers it.

The newest acknowledgement is kept with the host's signature. It only ever moves forward, and only along
the terminal's own chain: one that names another head means that somebody has another chain under this
terminal's name, and nothing of it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from offline_queue.acknowledgement import Acknowledgement, Refusal
from offline_queue.database import Database
from offline_queue.errors import AcknowledgementError, ChainBrokenError
from offline_queue.record import genesis_head


def acknowledged(database: Database, terminal_id: str) -> tuple[int, bytes]:
    """Return the last sequence that the host holds, and the chain's head there."""
    with database.reading() as cursor:
        row = cursor.execute("SELECT through, head FROM delivery").get
    return row if row is not None else (0, genesis_head(terminal_id))


def check_ours(database: Database, terminal_id: str, last: int, acknowledgement: Acknowledgement) -> None:
    """Raise unless the acknowledgement is of this terminal's own chain, whose last sequence is `last`."""
    through = acknowledgement.through
    if acknowledgement.terminal_id != terminal_id:
        raise AcknowledgementError(f"an acknowledgement for terminal {acknowledgement.terminal_id}")
    if any(refusal.sequence > through for refusal in acknowledgement.refused):
        raise AcknowledgementError("an acknowledgement that refuses what it does not acknowledge")
    if through > last:
        raise ChainBrokenError(f"the host holds {through} records, but only {last} are here")
    with database.reading() as cursor:
        head = cursor.execute("SELECT head FROM records WHERE sequence = ?", (through,)).get
    if acknowledgement.head != (head if through else genesis_head(terminal_id)):
        raise ChainBrokenError(f"the host has another chain at record {through}")


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What an acknowledgement brought that was not known before.

    Attributes:
        records: How many records it newly acknowledges.
        declined: Attempts that were approved offline and have now been declined.
        refused: Records that the host holds and will not act on.
    """

    records: int
    declined: tuple[str, ...]
    refused: tuple[Refusal, ...]


def take_over(cursor: apsw.Cursor, acknowledgement: Acknowledgement, before: int) -> TakenOver:
    """Write down what is delivered, refused and settled; `before` is what was acknowledged until now.

    Raises:
        AcknowledgementError: It settles an attempt that is not here, or otherwise than before.
    """
    cursor.execute(
        "INSERT INTO delivery (id, through, head, acknowledgement) VALUES (1, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET through = excluded.through, head = excluded.head,"
        " acknowledgement = excluded.acknowledgement",
        (acknowledgement.through, acknowledgement.head, acknowledgement.encode()),
    )
    refused = tuple(refusal for refusal in acknowledgement.refused if _quarantine(cursor, refusal))
    settled = [attempt for attempt, fate in acknowledgement.settled.items() if _settle(cursor, attempt, fate)]
    declined = tuple(attempt for attempt in settled if acknowledgement.settled[attempt] == "declined")
    return TakenOver(acknowledgement.through - before, declined, refused)


def _quarantine(cursor: apsw.Cursor, refusal: Refusal) -> bool:
    """Put a record into quarantine; tell whether it was not there yet."""
    cursor.execute(
        "INSERT INTO quarantine (sequence, reason) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (refusal.sequence, refusal.reason),
    )
    return cursor.connection.changes() > 0


def _settle(cursor: apsw.Cursor, attempt: str, fate: str) -> bool:
    """Write down an attempt's fate; tell whether it is news. A declined one pays its order no more."""
    row = cursor.execute("SELECT settled FROM attempts WHERE key = ?", (attempt,)).fetchone()
    if row is None:
        raise AcknowledgementError(f"the host settles attempt {attempt}, which is not here")
    if row[0] not in (None, fate):
        raise AcknowledgementError(f"the host had {row[0]} attempt {attempt}, and now has {fate} it")
    cursor.execute(
        "UPDATE attempts SET settled = ?, paid = paid AND ? WHERE key = ?",
        (fate, fate == "approved", attempt),
    )
    return row[0] is None
