"""What the simulated host keeps: terminals, records, attempts, bookings and alarms, in one SQLite file.

Uniqueness is the database's: a record by (terminal, sequence), an attempt by (terminal, attempt), a
sale by (terminal, attempt). One connection, one transaction a request.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS terminals (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, signing_key BLOB NOT NULL,
    through INTEGER NOT NULL, head BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS records (
    terminal TEXT NOT NULL REFERENCES terminals (id), sequence INTEGER NOT NULL, attempt TEXT NOT NULL,
    kind TEXT NOT NULL, head BLOB NOT NULL, encoded BLOB NOT NULL, refusal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (terminal, sequence)
) STRICT;
CREATE INDEX IF NOT EXISTS records_of_attempt ON records (terminal, attempt);
CREATE TABLE IF NOT EXISTS attempts (
    terminal TEXT NOT NULL, attempt TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('approved', 'declined', 'reversed')),
    code TEXT NOT NULL, authorisation TEXT NOT NULL, message TEXT NOT NULL,
    fate TEXT NOT NULL DEFAULT '' CHECK (fate IN ('', 'approved', 'declined')),
    issuer_data TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (terminal, attempt)
) STRICT;
CREATE TABLE IF NOT EXISTS bookings (
    number INTEGER PRIMARY KEY, terminal TEXT NOT NULL, attempt TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund')), order_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('card', 'wallet')),
    authorisation TEXT NOT NULL, reversed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_sale_an_attempt ON bookings (terminal, attempt) WHERE kind = 'sale';
CREATE TABLE IF NOT EXISTS alarms (
    number INTEGER PRIMARY KEY, terminal TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Terminal:
    """An enrolled terminal and how far its chain has come here."""

    terminal_id: str
    name: str
    signing_key: bytes
    through: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """The host's word on an attempt.

    Attributes:
        fate: What an acknowledgement says of an offline approval.
        issuer_data: The issuer's answer to the card's cryptogram, tag 91 in hex; empty if there is none.
    """

    result: str
    code: str
    authorisation: str
    message: str
    fate: str
    issuer_data: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """A line of the statement.

    Attributes:
        kind: "sale" or "refund"; the amount is positive in both.
        source: "card" for what the host authorised or the card approved, "wallet" for what it was told.
        authorisation: The issuer's approval code.
    """

    terminal_id: str
    order_id: str
    attempt: str
    kind: str
    amount_minor: int
    currency: str
    source: str
    authorisation: str
    reversed: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person must look at."""

    terminal_id: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it was first received."""

    kind: str
    head: bytes
    encoded: bytes
    refusal: str


class Books:
    """The storage. Methods that change anything belong inside `transaction`."""

    def __init__(self, path: Path | None) -> None:
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _SCHEMA)
        self._lock = threading.RLock()
        self._add_missing_column()

    def _add_missing_column(self) -> None:
        """Bring books that are older than the issuer's data for the card up to date."""
        columns = {row[1] for row in self._connection.execute("PRAGMA table_info(attempts)")}
        if "issuer_data" not in columns:
            self._connection.execute("ALTER TABLE attempts ADD COLUMN issuer_data TEXT NOT NULL DEFAULT ''")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the block's changes one: all are kept, or with an exception none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add_terminal(self, terminal: Terminal) -> None:
        """Enrol a terminal that is not enrolled yet."""
        self._run(
            "INSERT INTO terminals (id, name, signing_key, through, head) VALUES (?, ?, ?, ?, ?)",
            *(terminal.terminal_id, terminal.name, terminal.signing_key, terminal.through, terminal.head),
        )

    def terminal(self, terminal_id: str) -> Terminal | None:
        """Return an enrolled terminal."""
        return next((terminal for terminal in self.terminals() if terminal.terminal_id == terminal_id), None)

    def terminals(self) -> tuple[Terminal, ...]:
        """Return all enrolled terminals."""
        rows = self._run("SELECT id, name, signing_key, through, head FROM terminals ORDER BY id")
        return tuple(Terminal(*row) for row in rows)

    def advance(self, terminal_id: str, through: int, head: bytes) -> None:
        """Note how far the terminal's chain has come."""
        self._run("UPDATE terminals SET through = ?, head = ? WHERE id = ?", through, head, terminal_id)

    def keep(self, terminal_id: str, sequence: int, attempt: str, kept: Kept) -> None:
        """Keep a record that is not here yet."""
        self._run(
            "INSERT INTO records (terminal, sequence, attempt, kind, head, encoded)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(terminal_id, sequence, attempt, kept.kind, kept.head, kept.encoded),
        )

    def kept(self, terminal_id: str, sequence: int) -> Kept | None:
        """Return the record with this number."""
        rows = self._run(
            "SELECT kind, head, encoded, refusal FROM records WHERE terminal = ? AND sequence = ?",
            *(terminal_id, sequence),
        )
        return Kept(*rows[0]) if rows else None

    def intent(self, terminal_id: str, attempt: str) -> bytes | None:
        """Return the attempt's first intent record, encoded."""
        rows = self._run(
            "SELECT encoded FROM records WHERE terminal = ? AND attempt = ? AND kind = 'intent'"
            " ORDER BY sequence LIMIT 1",
            *(terminal_id, attempt),
        )
        return bytes(rows[0][0]) if rows else None

    def refuse(self, terminal_id: str, sequence: int, reason: str) -> None:
        """Note that a kept record was not acted on."""
        self._run(
            "UPDATE records SET refusal = ? WHERE terminal = ? AND sequence = ?",
            reason,
            terminal_id,
            sequence,
        )

    def attempt(self, terminal_id: str, attempt: str) -> Attempt | None:
        """Return the host's word on an attempt, if it has given one."""
        rows = self._run(
            "SELECT result, code, authorisation, message, fate, issuer_data FROM attempts"
            " WHERE terminal = ? AND attempt = ?",
            *(terminal_id, attempt),
        )
        return Attempt(*rows[0]) if rows else None

    def set_attempt(self, terminal_id: str, attempt: str, word: Attempt) -> None:
        """Give the host's word on an attempt, in place of an earlier one."""
        self._run(
            "INSERT OR REPLACE INTO attempts (terminal, attempt, result, code, authorisation, message, fate,"
            " issuer_data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(terminal_id, attempt, word.result, word.code, word.authorisation, word.message, word.fate),
            word.issuer_data,
        )

    def book(self, booking: Booking) -> None:
        """Book, or take back the reversal of a sale: an attempt has one line at most."""
        self._run(
            "INSERT INTO bookings (terminal, order_id, attempt, kind, amount_minor, currency, source,"
            " authorisation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (terminal, attempt) WHERE kind = 'sale'"
            " DO UPDATE SET reversed = 0 WHERE reversed = 1",
            *(booking.terminal_id, booking.order_id, booking.attempt, booking.kind, booking.amount_minor),
            *(booking.currency, booking.source, booking.authorisation),
        )

    def unbook(self, terminal_id: str, attempt: str) -> None:
        """Reverse the attempt's sale, if it is booked; the line stays in the statement."""
        self._run(
            "UPDATE bookings SET reversed = 1 WHERE terminal = ? AND attempt = ? AND kind = 'sale'",
            *(terminal_id, attempt),
        )

    def source_of_sale(self, terminal_id: str, attempt: str) -> str:
        """Return where the attempt's sale came from, or empty where none is booked."""
        rows = self._run(
            "SELECT source FROM bookings"
            " WHERE terminal = ? AND attempt = ? AND kind = 'sale' AND NOT reversed",
            *(terminal_id, attempt),
        )
        return str(rows[0][0]) if rows else ""

    def sales_of_order(self, terminal_id: str, order_id: str) -> set[str]:
        """Return the attempts under which an order is booked."""
        rows = self._run(
            "SELECT attempt FROM bookings"
            " WHERE terminal = ? AND order_id = ? AND kind = 'sale' AND NOT reversed",
            *(terminal_id, order_id),
        )
        return {row[0] for row in rows}

    def statement(self) -> tuple[Booking, ...]:
        """Return every line, reversed ones included, in order of booking."""
        rows = self._run(
            "SELECT terminal, order_id, attempt, kind, amount_minor, currency, source, authorisation,"
            " reversed FROM bookings ORDER BY number"
        )
        return tuple(replace(Booking(*row), reversed=bool(row[-1])) for row in rows)

    def raise_alarm(self, alarm: Alarm) -> None:
        """Note something for a person to look at."""
        self._run(
            "INSERT INTO alarms (terminal, kind, detail) VALUES (?, ?, ?)",
            *(alarm.terminal_id, alarm.kind, alarm.detail),
        )

    def alarms(self) -> tuple[Alarm, ...]:
        """Return all alarms, oldest first."""
        return tuple(
            Alarm(*row) for row in self._run("SELECT terminal, kind, detail FROM alarms ORDER BY number")
        )

    def _run(self, sql: str, *bindings: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, bindings).fetchall()
