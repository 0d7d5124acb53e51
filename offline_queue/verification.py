"""Checks a stored chain: every link by its hash, and the last signature or all of them.

One good signature vouches for everything before it: the last record's own number, and no gap before it,
also say that every other record is in its place. So the fast form reads no bodies but the last, and still
finds any change to what was signed. Only the full form finds a change to an older signature itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from offline_queue.database import Database
from offline_queue.errors import QueueError
from offline_queue.record import chain_head
from offline_queue.rows import stored_record
from offline_queue.signing import PublicKey


@dataclass(frozen=True, slots=True)
class Damage:
    """One fault in the chain."""

    sequence: int
    fault: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a look at records gave; `head` is the chain's as the last of them has it, to go on from."""

    records: int
    signatures_checked: int
    damage: tuple[Damage, ...]
    head: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.damage


def check_chain(
    database: Database,
    key: PublicKey,
    terminal_id: str,
    *,
    after: int,
    head: bytes,
    last: int,
    signatures: bool,
    limit: int = -1,
) -> VerifyReport:
    """Check the records that follow on sequence `after`, where the chain's head was `head`.

    A fault does not end the check: what follows is compared with what the faulty record claims.

    Args:
        database: Where the records are.
        key: What signed them.
        terminal_id: Whose they are.
        after: The sequence before the first one to check.
        head: The chain's head there.
        last: The last sequence there is; its signature is always checked.
        signatures: Whether to check the other signatures too.
        limit: How many records to look at; without it all.
    """
    damage: list[Damage] = []
    checked = count = 0
    expected = after + 1
    with database.reading() as cursor:
        for row in cursor.execute(
            "SELECT sequence, body, previous_head, head, key_id, signature FROM records"
            " WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        ):
            sequence, *stored = row
            if sequence != expected:
                damage.append(Damage(expected, f"missing up to {sequence - 1}"))
                head = stored[1]
            signing_key = key if signatures or sequence == last else None
            fault = _fault(stored, (sequence, terminal_id), head, signing_key)
            if fault:
                damage.append(Damage(sequence, fault))
            head, expected = stored[2], sequence + 1
            checked, count = checked + (signing_key is not None), count + 1
    return VerifyReport(count, checked, tuple(damage), head)


def _fault(stored: list[object], place: tuple[int, str], head: bytes, key: PublicKey | None) -> str:
    """Return what is wrong with one stored record that should follow on `head`, or empty.

    With a key, its body and signature are checked too.
    """
    body, previous_head, own_head = stored[:3]
    if not isinstance(body, bytes) or chain_head(head, body) != own_head or previous_head != head:
        return "it was changed, or does not follow on the one before it"
    if key is None:
        return ""
    try:
        record = stored_record(*stored)
        if (record.sequence, record.terminal_id) != place:
            return "it is out of its place"
        record.verify_signature(key)
    except QueueError as error:
        return str(error)
    return ""
