"""The terminal's store: orders, attempts and records, each change durable before it is reported.

The caller owns the thread: all methods of a store are called from one. Times are handed in, no clock is
read, and nothing is ordered by time. Nothing is ever dropped.

A store whose chain is damaged still opens, tells what is wrong and can be read, but takes nothing new.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any, Final

import apsw

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.attempts import check_unpaid, find_attempt, follow_record, set_state
from offline_queue.database import Database, Reserve
from offline_queue.delivery import TakenOver, acknowledged, check_ours, take_over
from offline_queue.errors import (
    AttemptClosedError,
    CardDataError,
    ChainBrokenError,
    LiveAttemptError,
    OrderMismatchError,
    SchemaError,
    UnknownAttemptError,
)
from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.rows import AttemptRow, OrderRow, QueueStatus, find_attempts, find_records
from offline_queue.sealing import Sealer
from offline_queue.sightings import Recollection, Sighting, recall, remember
from offline_queue.signing import PublicKey, Signer
from offline_queue.summary import Summary, looks_like_card_number
from offline_queue.verification import VerifyReport, check_chain

DEFAULT_LIMIT_BYTES: Final = 256 * 1024 * 1024

# What ends a payment may use space that is kept from new ones.
_ENDS_BUSINESS: Final = {RecordKind.RESULT, RecordKind.REVERSAL, RecordKind.VOID}

_TERMINAL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class Store:
    """The records of one terminal. `open` makes it."""

    def __init__(
        self, database: Database, terminal_id: str, signer: Signer, sealer: Sealer, host_key: PublicKey | None
    ) -> None:
        self._database = database
        self._terminal_id = terminal_id
        self._signer = signer
        self._sealer = sealer
        self._host_key = host_key
        self._sequence, self._head = self._tip()
        self._damage = self._check_unsent()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        terminal_id: str,
        signer: Signer,
        sealer: Sealer,
        host_key: PublicKey | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> Store:
        """Open the store at `path`, creating or migrating it.

        Args:
            path: The database file; a log and a lock file lie beside it.
            terminal_id: 1 to 32 letters, digits, `.`, `_`, `-`; part of every attempt's key.
            signer: Signs the records.
            sealer: Seals their secret parts to the host.
            host_key: The host's pinned signing key. With it, acknowledgements are verified here once more.
            limit_bytes: The most that the database file may grow to.

        Raises:
            StoreUnavailableError: In use by another process, no permission, no space, or damaged.
            SchemaError: Not a store of this terminal, or one of a later version of the program.
        """
        if not _TERMINAL_ID.fullmatch(terminal_id):
            raise SchemaError(
                f"a terminal id is 1 to 32 letters, digits, '.', '_' or '-', not {terminal_id!r}"
            )
        database = Database.open(path, limit_bytes=limit_bytes)
        try:
            _claim(database, terminal_id)
            return cls(database, terminal_id, signer, sealer, host_key)
        except BaseException:
            database.close()
            raise

    def open_order(self, order_id: str, amount_minor: int, currency: str) -> None:
        """Write down what is owed. The same order again changes nothing.

        Raises:
            OrderMismatchError: The number is taken by an order with another amount or currency.
        """
        if amount_minor < 0:
            raise ValueError("an order's amount is not negative")
        _refuse_card_number(order_id)
        self._check_sound()
        with self._database.transaction(Reserve.NEW_BUSINESS) as cursor:
            known = cursor.execute("SELECT amount_minor, currency FROM orders WHERE id = ?", (order_id,)).get
            if known is None:
                cursor.execute(
                    "INSERT INTO orders (id, amount_minor, currency) VALUES (?, ?, ?)",
                    (order_id, amount_minor, currency),
                )
            elif known != (amount_minor, currency):
                raise OrderMismatchError(
                    f"order {order_id} is already there, with another amount or currency"
                )

    def begin_attempt(self, order_id: str, *, state: str) -> str:
        """Mint the key of a new attempt at paying the order, and return it once it is durable.

        A part of the key is random: a store restored from an old copy counts from an old number, and a
        key that had been used before would be taken for the old payment by every host.

        Raises:
            LiveAttemptError: The order has an attempt whose outcome is still open.
            OrderPaidError: An attempt has paid the order.
            UnknownAttemptError: There is no such order.
        """
        self._check_sound()
        with self._database.transaction(Reserve.NEW_BUSINESS) as cursor:
            order = cursor.execute("SELECT number FROM orders WHERE id = ?", (order_id,)).get
            if order is None:
                raise UnknownAttemptError(f"there is no order {order_id}")
            check_unpaid(cursor, order, order_id)
            last = cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'attempts'").get or 0
            key = f"{self._terminal_id}-{last + 1:08d}-{secrets.token_hex(3)}"
            try:
                cursor.execute(
                    "INSERT INTO attempts (number, key, order_number, state, live) VALUES (?, ?, ?, ?, 1)",
                    (last + 1, key, order, state),
                )
            except apsw.ConstraintError as error:
                raise LiveAttemptError(f"order {order_id} has an attempt that is still open") from error
        return key

    def move_attempt(self, attempt: str, *, state: str, closes: bool = False) -> None:
        """Change an attempt's state without a record.

        Raises:
            AttemptClosedError: Its outcome is known; it can only be moved to another state that `closes`.
        """
        with self._database.transaction(Reserve.UNDER_WAY) as cursor:
            number, live, _ = find_attempt(cursor, attempt)
            if not live and not closes:
                raise AttemptClosedError(f"attempt {attempt} is closed")
            set_state(cursor, number, state, closes)

    def append(
        self,
        kind: RecordKind,
        *,
        attempt: str,
        state: str,
        closes: bool,
        secret: bytes,
        summary: Summary,
        time_ms: int,
        sighting: Sighting | None = None,
    ) -> Record:
        """Write a record and its attempt's new state, in one transaction; durable when it returns.

        Args:
            kind: What the record says.
            attempt: The attempt it belongs to, or empty; then `state` and `closes` mean nothing.
            state: The attempt's new state.
            closes: Whether its outcome is now known. A closed attempt stays closed.
            secret: For the host only; sealed here. Empty for nothing.
            summary: Masked and plain.
            time_ms: When it happened, in milliseconds since 1970.
            sighting: What the record rests on, where that counts once.

        Raises:
            SeenBeforeError: The sighting has come before. Not written.
            CardDataError: The summary holds something that looks like a full card number.
            QueueFullError, StoreUnavailableError: Not written.
            CommitUnknownError: Written or not: the store must be opened again and read back.
            AttemptClosedError: An intent for an attempt that is over.
            OrderPaidError: A yes to an attempt whose order is paid, or being paid, by another. Not written.
            ChainBrokenError: The chain is damaged; nothing can be added to it.
        """
        self._check_sound()
        record = Record.create(
            signer=self._signer,
            sealer=self._sealer,
            terminal_id=self._terminal_id,
            sequence=self._sequence + 1,
            previous_head=self._head,
            kind=kind,
            attempt=attempt,
            time_ms=time_ms,
            summary=summary,
            secret=secret,
        )
        reserve = Reserve.UNDER_WAY if kind in _ENDS_BUSINESS else Reserve.NEW_BUSINESS
        with self._database.transaction(reserve) as cursor:
            number = follow_record(cursor, record, state, closes) if attempt else None
            _insert(cursor, record, number)
            if sighting is not None:
                remember(cursor, sighting, time_ms)
        self._sequence, self._head = record.sequence, record.head
        return record

    def recall(self, sighting: Sighting) -> Recollection:
        """Return what is remembered that bears on a sighting."""
        return recall(self._database, sighting)

    def open_attempts(self) -> tuple[AttemptRow, ...]:
        """Return the attempts whose outcome is not known, oldest first: the work of a restart."""
        return find_attempts(self._database, "WHERE a.live = 1 ORDER BY a.number")

    def attempts_in(self, state: str) -> tuple[AttemptRow, ...]:
        """Return the attempts that the terminal left in a state, open or closed, oldest first."""
        return find_attempts(self._database, "WHERE a.state = ? ORDER BY a.number", state)

    def orders(self, limit: int) -> tuple[OrderRow, ...]:
        """Return the newest orders, newest first."""
        with self._database.reading() as cursor:
            rows = cursor.execute(
                "SELECT id, amount_minor, currency FROM orders ORDER BY number DESC LIMIT ?", (limit,)
            )
            return tuple(OrderRow(*row) for row in rows)

    def attempts(self, order_id: str) -> tuple[AttemptRow, ...]:
        """Return the order's attempts, oldest first."""
        return find_attempts(self._database, "WHERE o.id = ? ORDER BY a.number", order_id)

    def attempt(self, key: str) -> AttemptRow | None:
        """Return one attempt by its key."""
        return next(iter(find_attempts(self._database, "WHERE a.key = ?", key)), None)

    def record(self, sequence: int) -> Record | None:
        """Return one record."""
        return next(iter(find_records(self._database, "WHERE sequence = ?", sequence)), None)

    def records(self, attempt: str) -> tuple[Record, ...]:
        """Return the attempt's records, oldest first."""
        return find_records(
            self._database,
            "WHERE attempt_number = (SELECT number FROM attempts WHERE key = ?) ORDER BY sequence",
            attempt,
        )

    def quarantined(self, limit: int) -> tuple[tuple[Record, str], ...]:
        """Return records that the host holds but refused to act on, with its reason, oldest first."""
        with self._database.reading() as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(
                "SELECT sequence, reason FROM quarantine ORDER BY sequence LIMIT ?", (limit,)
            ).fetchall()
        return tuple(
            (find_records(self._database, "WHERE sequence = ?", sequence)[0], reason)
            for sequence, reason in rows
        )

    def unsent(self, limit: int) -> tuple[Record, ...]:
        """Return the first records that the host has not acknowledged, in order.

        Raises:
            ChainBrokenError: One of them was changed or is missing.
        """
        through, _ = self._acknowledged()
        records = find_records(self._database, "WHERE sequence > ? ORDER BY sequence LIMIT ?", through, limit)
        for expected, record in enumerate(records, through + 1):
            if record.sequence != expected:
                raise ChainBrokenError(f"record {expected} is missing")
        return records

    def acknowledge(self, acknowledgement: Acknowledgement) -> TakenOver:
        """Take over what the host acknowledges: delivered, refused, settled. An older one changes nothing.

        Raises:
            ChainBrokenError: It names a head or a sequence that is not ours.
            AcknowledgementError: For another terminal, or at odds with what was acknowledged before.
            SignatureError: Not signed by the host's pinned key.
        """
        if self._host_key is not None:
            acknowledgement.verify_signature(self._host_key)
        check_ours(self._database, self._terminal_id, self._sequence, acknowledgement)
        before, _ = self._acknowledged()
        if acknowledgement.through < before:
            return TakenOver(0, (), ())
        with self._database.transaction(Reserve.HOSTS_WORD) as cursor:
            return take_over(cursor, acknowledgement, before)

    def status(self) -> QueueStatus:
        """Return the queue at a glance."""
        through, _ = self._acknowledged()
        with self._database.reading() as cursor:
            quarantined = cursor.execute("SELECT count(*) FROM quarantine").get
            oldest = cursor.execute("SELECT time_ms FROM records WHERE sequence = ?", (through + 1,)).get
            offline = cursor.execute(
                "SELECT coalesce(sum(deferred), 0), coalesce(sum(offline_minor * deferred), 0),"
                " coalesce(sum(1 - deferred), 0), coalesce(sum(offline_minor * (1 - deferred)), 0),"
                " min(offline_ms) FROM attempts WHERE offline_minor IS NOT NULL AND settled IS NULL"
            ).get
        return QueueStatus(
            unsent=self._sequence - through,
            quarantined=quarantined,
            oldest_unsent_ms=oldest,
            sequence=self._sequence,
            head=self._head,
            deferred_count=offline[0],
            deferred_total_minor=offline[1],
            approved_count=offline[2],
            approved_total_minor=offline[3],
            oldest_offline_ms=offline[4],
            bytes_used=self._database.bytes_used(),
            damage=self._damage,
        )

    def verify(self, *, signatures: bool) -> VerifyReport:
        """Check every record against the chain, and the last signature; or every signature as well."""
        return self._verify(0, genesis_head(self._terminal_id), signatures=signatures)

    def verify_part(self, after: int, head: bytes, limit: int, *, signatures: bool) -> VerifyReport:
        """Check the next records after a sequence where the head was `head`: a long chain, part by part.

        The first part goes after 0, with an empty head. The chain has ended where a part is shorter than
        `limit`.
        """
        start = head or genesis_head(self._terminal_id)
        return self._verify(after, start, signatures=signatures, limit=limit)

    def close(self) -> None:
        """Give the file free. The store can't be used afterwards."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _tip(self) -> tuple[int, bytes]:
        with self._database.reading() as cursor:
            row = cursor.execute("SELECT sequence, head FROM records ORDER BY sequence DESC LIMIT 1").get
        return row if row is not None else (0, genesis_head(self._terminal_id))

    def _acknowledged(self) -> tuple[int, bytes]:
        return acknowledged(self._database, self._terminal_id)

    def _check_sound(self) -> None:
        if self._damage:
            raise ChainBrokenError(f"the queue takes nothing new: {self._damage}")

    def _check_unsent(self) -> str:
        """Return what is wrong with the records that the host does not hold yet, or empty."""
        through, head = self._acknowledged()
        if through > self._sequence:
            return f"the host holds {through} records, but only {self._sequence} are here"
        if through == self._sequence and head != self._head:
            return f"record {through} is not the one that the host acknowledged"
        damage = self._verify(through, head, signatures=False).damage
        return f"record {damage[0].sequence}: {damage[0].fault}" if damage else ""

    def _verify(self, after: int, head: bytes, *, signatures: bool, limit: int = -1) -> VerifyReport:
        return check_chain(
            self._database,
            self._signer.public_key,
            self._terminal_id,
            after=after,
            head=head,
            last=self._sequence,
            signatures=signatures,
            limit=limit,
        )


def _claim(database: Database, terminal_id: str) -> None:
    """Write the terminal's id into a new store, or compare it with the one in an old store."""
    with database.reading() as cursor:
        owner = cursor.execute("SELECT terminal_id FROM store").get
    if owner is None:
        with database.transaction(Reserve.HOSTS_WORD) as cursor:
            cursor.execute("INSERT INTO store (id, terminal_id) VALUES (1, ?)", (terminal_id,))
    elif owner != terminal_id:
        raise SchemaError(f"{database.path} belongs to terminal {owner}, not {terminal_id}")


def _insert(cursor: apsw.Cursor, record: Record, attempt_number: int | None) -> None:
    cursor.execute(
        "INSERT INTO records (sequence, kind, attempt_number, time_ms, body, previous_head, head, key_id,"
        " signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.sequence,
            record.kind.value,
            attempt_number,
            record.time_ms,
            record.body,
            record.previous_head,
            record.head,
            record.key_id,
            record.signature,
        ),
    )


def _refuse_card_number(order_id: str) -> None:
    if looks_like_card_number(order_id):
        raise CardDataError("the order's number looks like a full card number")
