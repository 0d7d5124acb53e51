"""What must not come twice: fingerprints, and how far the counter of each source of them has come.

The store can't tell what a fingerprint stands for. It is remembered in the transaction of the record that
it comes with, so after a crash both are there or neither. Only the newest are kept, by their order and not
by a clock, which may be put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import apsw

from offline_queue.database import Database
from offline_queue.errors import SeenBeforeError

FINGERPRINT_BYTES: Final = 16
KEPT: Final = 20_000
"""How many fingerprints are remembered: more than a busy counter sees in weeks, some 3 MB."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that counts once.

    Args:
        fingerprint: Names it; 16 bytes that nobody but the terminal can make.
        source: Names what it came from, in the same form.
        counter: What the source's own counter said. It is not negative.
    """

    fingerprint: bytes
    source: bytes
    counter: int

    def __post_init__(self) -> None:
        if len(self.fingerprint) != FINGERPRINT_BYTES or len(self.source) != FINGERPRINT_BYTES:
            raise ValueError(f"a fingerprint has {FINGERPRINT_BYTES} bytes")
        if self.counter < 0:
            raise ValueError("a counter is not negative")


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is remembered that bears on a sighting.

    Args:
        seen: Whether the same has come before.
        highest: The highest counter that its source has shown before, None for a source that is new.
    """

    seen: bool
    highest: int | None


def remember(cursor: apsw.Cursor, sighting: Sighting, time_ms: int) -> None:
    """Write a sighting down, and forget the oldest ones.

    Raises:
        SeenBeforeError: It has come before.
    """
    cursor.execute(
        "INSERT INTO seen (fingerprint, source, counter, time_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (sighting.fingerprint, sighting.source, sighting.counter, time_ms),
    )
    if cursor.connection.changes() == 0:
        raise SeenBeforeError("the same has come before")
    cursor.execute("DELETE FROM seen WHERE number <= ?", (cursor.connection.last_insert_rowid() - KEPT,))


def recall(database: Database, sighting: Sighting) -> Recollection:
    """Return what is remembered. Only `remember` settles whether it has come before."""
    with database.reading() as cursor:
        seen = cursor.execute("SELECT 1 FROM seen WHERE fingerprint = ?", (sighting.fingerprint,)).get
        highest = cursor.execute("SELECT max(counter) FROM seen WHERE source = ?", (sighting.source,)).get
    return Recollection(seen is not None, highest)
