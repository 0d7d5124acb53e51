"""One SQLite file, one connection, one process: opening, migrating and writing it durably.

Write-ahead log with synchronous FULL: one sync a transaction. A write ends in one of three ways. It
returns: durable. It raises StoreUnavailableError or QueueFullError: absent, for the statement failed
before the commit. It raises CommitUnknownError: the commit itself failed, which says nothing about what
is on the disk, so the connection refuses everything that follows.

Checkpoints are made here and not by SQLite's own hook, which ignores their failure: after a failed sync
the kernel may forget pages that the next sync then calls written. For the same reason, opening copies the
whole log into the database anew, so that what is read back after a failure is also on the disk.

Space is refused in steps, to new business first: by a limit on the file's pages, and by a reserve on the
disk (see ballast.py) for when the disk itself is full.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib import resources
from pathlib import Path

import apsw

from offline_queue.ballast import Ballast
from offline_queue.errors import (
    CommitUnknownError,
    QueueFullError,
    SchemaError,
    StoreUnavailableError,
)

# Older ones can corrupt a database when a log is reset while another connection writes.
# https://www.sqlite.org/wal.html, "The WAL-Reset Bug".
OLDEST_SQLITE = (3, 51, 3)

APPLICATION_ID = 0x544C5351  # "TLSQ"
PAGE_BYTES = 4096
CHECKPOINT_PAGES = 100


class Reserve(IntEnum):
    """What a transaction must leave free of the pages allowed to the file, by what it is for."""

    NEW_BUSINESS = 320
    UNDER_WAY = 64
    HOSTS_WORD = 0


class Database:
    """The only connection to a store's file. `open` makes it; the caller owns it until `close`."""

    def __init__(self, path: Path, connection: apsw.Connection, lock: int, limit_pages: int) -> None:
        self.path = path
        self.connection = connection
        self._lock = lock
        self._limit_pages = limit_pages
        self._reserve: Reserve | None = None
        self._log_pages = 0
        self._unusable = ""
        self._ballast = Ballast(path)
        self._full = not self._ballast.take_in()
        connection.set_wal_hook(self._remember_log_pages)

    @classmethod
    def open(cls, path: Path, *, limit_bytes: int) -> Database:
        """Open or create the file, take it for this process alone, and bring its schema up to date.

        Raises:
            StoreUnavailableError: In use by another process, no permission, no space, or damaged.
            SchemaError: Not a store, or one of a later version of the program.
        """
        check_sqlite(apsw.sqlite_lib_version())
        lock = _lock(path)
        try:
            with _translated(path):
                connection = _connect(path)
                try:
                    _migrate(path, connection)
                    # RESTART, not TRUNCATE: the log keeps its space on the disk for the next records.
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                except BaseException:
                    connection.close(True)
                    raise
        except BaseException:
            os.close(lock)
            raise
        return cls(path, connection, lock, limit_bytes // PAGE_BYTES)

    @contextmanager
    def transaction(self, reserve: Reserve) -> Iterator[apsw.Cursor]:
        """Run the block's statements as one transaction that is durable when the block is left.

        Args:
            reserve: What the transaction is for, and so how much space it must leave free.
        """
        self._check_usable()
        if self._full and reserve is Reserve.NEW_BUSINESS and not self._room_again():
            raise QueueFullError(f"{self.path}: no space left on the disk")
        with _translated(self.path):
            self._keep_free(reserve)
            cursor = self.connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                # Some errors have made SQLite roll back already.
                if self.connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        self._commit(cursor)
        self._checkpoint_when_due()

    @contextmanager
    def reading(self) -> Iterator[apsw.Cursor]:
        """Run the block's queries."""
        self._check_usable()
        with _translated(self.path):
            yield self.connection.cursor()

    def bytes_used(self) -> int:
        """Return the size of the data in the file, free pages left out."""
        with self.reading() as cursor:
            pages = cursor.execute("PRAGMA page_count").get - cursor.execute("PRAGMA freelist_count").get
            return int(pages * PAGE_BYTES)

    def close(self) -> None:
        """Close the file and give it free for another process. What is durable stays so."""
        try:
            self.connection.close(True)
        finally:
            os.close(self._lock)

    def _check_usable(self) -> None:
        if self._unusable:
            raise CommitUnknownError(
                f"{self.path}: {self._unusable}. The store must be opened again and read back."
            )

    def _keep_free(self, reserve: Reserve) -> None:
        if reserve is not self._reserve:
            limit = max(1, self._limit_pages - reserve)
            self.connection.cursor().execute(f"PRAGMA max_page_count = {limit}")
            self._reserve = reserve

    def _overboard(self) -> None:
        self._full = True
        self._ballast.drop()

    def _room_again(self) -> bool:
        """Tell whether a full disk has room again, for the log's copy and for the reserve."""
        try:
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error:
            return False
        self._full = not self._ballast.take_in()
        return not self._full

    def _commit(self, cursor: apsw.Cursor) -> None:
        try:
            cursor.execute("COMMIT")
        except apsw.Error as error:
            if isinstance(error, apsw.FullError):
                self._overboard()
            self._unusable = f"a commit failed ({error})"
            raise CommitUnknownError(
                f"{self.path}: {self._unusable}; what it wrote may be there or not. "
                "The store must be opened again and read back."
            ) from error

    def _checkpoint_when_due(self) -> None:
        if self._log_pages < CHECKPOINT_PAGES:
            return
        try:
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.FullError:
            # No room to grow the database: the log keeps everything, and is tried again next time.
            self._overboard()
        except apsw.Error as error:
            # The transaction is durable in the log. Opening again repeats the copy from there.
            self._unusable = f"a checkpoint failed ({error})"

    def _remember_log_pages(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK


def check_sqlite(version: str) -> None:
    """Raise StoreUnavailableError for an SQLite that can corrupt a write-ahead log."""
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreUnavailableError(
            f"SQLite {version} can corrupt a store; {oldest} or later is needed: pip install --upgrade apsw"
        )


def _lock(path: Path) -> int:
    """Take the lock file beside the store, or say who has it. Only its lock counts: it is never deleted."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"can't use {path}: {error.strerror or error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
        os.close(lock)
        raise StoreUnavailableError(f"{path} is in use by process {holder or 'unknown'}") from error
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        # The number is only for the message above; a full disk must not keep the store shut.
        pass
    return lock


def _connect(path: Path) -> apsw.Connection:
    try:
        # Created here, so that the file and the log beside it are readable by their owner only.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreUnavailableError(f"can't use {path}: {error.strerror or error}") from error
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        _configure(path, connection)
    except BaseException:
        connection.close(True)
        raise
    return connection


def _configure(path: Path, connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    # Closing must not touch the log: it may be closed because writing fails.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.wal_autocheckpoint(0)
    cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    cursor.execute("PRAGMA locking_mode = EXCLUSIVE")
    found = cursor.execute("PRAGMA application_id").get
    empty = cursor.execute("SELECT count(*) FROM sqlite_schema").get == 0
    if found != APPLICATION_ID and not (found == 0 and empty):
        raise SchemaError(f"{path} is a database of something else")
    if cursor.execute("PRAGMA journal_mode = WAL").get != "wal":
        raise StoreUnavailableError(f"{path}: its file system does not support a write-ahead log")
    for setting in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
    ):
        cursor.execute(f"PRAGMA {setting}")
    cursor.execute("PRAGMA temp_store = MEMORY")


def migrations() -> list[tuple[int, str]]:
    """Return the schema's steps as (version, SQL), in order."""
    folder = resources.files("offline_queue.schema")
    files = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name
    )
    return [(int(item.name[:4]), item.read_text("utf-8")) for item in files]


def _migrate(path: Path, connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    steps = migrations()
    version = cursor.execute("PRAGMA user_version").get
    if version > steps[-1][0]:
        raise SchemaError(
            f"{path} was written by a later version of the program "
            f"(schema {version}, this one knows {steps[-1][0]}): install that version again"
        )
    for number, sql in steps:
        if number > version:
            cursor.execute(
                f"BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {number};"
                f"PRAGMA application_id = {APPLICATION_ID}; COMMIT"
            )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, in words that say what to do."""
    try:
        yield
    except apsw.FullError as error:
        raise QueueFullError(f"{path}: no space left, on the disk or in the queue's limit") from error
    except apsw.BusyError as error:
        raise StoreUnavailableError(f"{path} is in use by another process") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreUnavailableError(
            f"{path} is damaged ({error}); keep the file and call for help"
        ) from error
    except apsw.ReadOnlyError as error:
        raise StoreUnavailableError(
            f"{path} can't be written: its folder or file system is read-only"
        ) from error
    except apsw.Error as error:
        raise StoreUnavailableError(f"{path} can't be read or written ({error})") from error
