"""Disks that fill up, fail and lie; two processes; records changed behind the program's back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from offline_queue.acknowledgement import Refusal
from offline_queue.database import CHECKPOINT_PAGES, PAGE_BYTES, Reserve, check_sqlite, migrations
from offline_queue.errors import (
    ChainBrokenError,
    CommitUnknownError,
    QueueFullError,
    SchemaError,
    StoreUnavailableError,
)
from offline_queue.record import RecordKind
from tests.offline_queue.conftest import Counter
from tests.offline_queue.faulty_disk import FaultyDisk, faulty_disk

CHILD = [sys.executable, str(Path(__file__).with_name("appending_process.py"))]


@contextmanager
def raw(counter: Counter) -> Iterator[apsw.Connection]:
    """Open the file as somebody who edits it would, with the log copied into it and emptied."""
    counter.close()
    connection = apsw.Connection(str(counter.path))
    connection.execute("SELECT count(*) FROM records").fetchall()  # until then it does not know of the log
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    try:
        yield connection
    finally:
        connection.close()


def repeat(times: int, action: Callable[[], object]) -> None:
    for _ in range(times):
        action()


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    def works(operation: str, file: str) -> None: ...

    with faulty_disk(works) as disk:
        yield disk


def test_a_full_queue_takes_no_new_business_but_ends_what_is_under_way(counter: Counter) -> None:
    counter.limit_bytes = (Reserve.NEW_BUSINESS + 100) * PAGE_BYTES
    attempt = counter.attempt()
    counter.append(RecordKind.INTENT, attempt, state="asked")
    with pytest.raises(QueueFullError, match="no space left"):
        repeat(100, lambda: counter.append(secret=bytes(10_000)))
    full = counter.store.status()
    with pytest.raises(QueueFullError):
        counter.append(secret=bytes(10_000))
    assert counter.store.status() == full

    counter.append(RecordKind.RESULT, attempt, state="done", closes=True, secret=bytes(10_000))
    with pytest.raises(QueueFullError):
        repeat(200, lambda: counter.append(RecordKind.RESULT, attempt, secret=bytes(10_000)))
    refused = tuple(Refusal(sequence, "no " * 1000) for sequence in range(1, 21))
    counter.store.acknowledge(counter.acknowledgement(full.sequence, refused=refused))
    assert counter.store.status().quarantined == 20
    assert counter.store.status().unsent == counter.store.status().sequence - full.sequence
    assert counter.reopen().verify(signatures=True).ok
    assert counter.path.stat().st_size <= counter.limit_bytes


def append_until_full(counter: Counter) -> None:
    """As the terminal does it: after a commit that failed, open again and read back."""
    written = list(counter.store.unsent(10_000))
    for _ in range(5000):
        try:
            written.append(counter.append())
        except CommitUnknownError:
            counter.reopen()
            there = counter.store.unsent(10_000)
            assert list(there[: len(written)]) == written
            written = list(there)
        except QueueFullError:
            return
    raise AssertionError("the disk is never full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or not mount:
        pytest.skip("mounting a small disk needs root and mount(8)")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_takes_no_new_business_but_ends_what_is_under_way(small_disk: Path) -> None:
    counter = Counter(small_disk / "queue.sqlite")
    attempt = counter.attempt()
    counter.append(RecordKind.INTENT, attempt, state="asked")
    filler = small_disk / "filler"
    with filler.open("wb") as file, pytest.raises(OSError, match="No space left"):
        repeat(10_000_000, lambda: os.write(file.fileno(), bytes(4096)))
    append_until_full(counter)
    store = counter.store
    sequence = store.status().sequence
    for _ in range(3):
        with pytest.raises(QueueFullError, match="no space left on the disk"):
            counter.append()
        with pytest.raises(QueueFullError):
            counter.attempt()
    assert store.open_attempts()[0].key == attempt
    counter.append(RecordKind.RESULT, attempt, state="done", closes=True, secret=bytes(10_000))
    for through in range(1, sequence, 10):
        store.acknowledge(counter.acknowledgement(through, refused=(Refusal(through, "no"),)))
    assert counter.reopen().status().sequence == sequence + 1
    append_until_full(counter)

    sequence = counter.store.status().sequence - 1
    filler.unlink()
    assert counter.append().sequence == sequence + 2
    assert counter.attempt()
    assert counter.store.verify(signatures=True).ok
    counter.close()


def test_a_log_that_can_not_be_copied_for_want_of_space_stops_new_business_only(
    counter: Counter, disk: FaultyDisk
) -> None:
    attempt = counter.attempt()

    def full(operation: str, file: str) -> None:
        if (operation, file) == ("write", "database"):
            raise apsw.FullError("no space left")

    works, disk.before = disk.before, full
    with pytest.raises(QueueFullError, match="no space left on the disk"):
        repeat(CHECKPOINT_PAGES, lambda: counter.append(secret=bytes(5000)))
    counter.append(RecordKind.RESULT, attempt, state="done", closes=True)
    disk.before = works
    sequence = counter.store.status().sequence
    assert counter.append().sequence == sequence + 1
    assert counter.reopen().verify(signatures=True).ok


def test_a_statement_that_fails_leaves_nothing_behind(counter: Counter, disk: FaultyDisk) -> None:
    """The new order's page can't be made, long before the commit."""
    counter.limit_bytes = PAGE_BYTES
    with pytest.raises(QueueFullError):
        repeat(1000, counter.attempt)
    assert counter.store.status().sequence == 0


@pytest.mark.parametrize("operation", ["write", "sync"])
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError, apsw.ReadOnlyError])
def test_a_failed_commit_is_unknown_and_stops_the_store(
    counter: Counter, disk: FaultyDisk, operation: str, error: type[apsw.Error]
) -> None:
    attempt = counter.attempt()
    sequence = counter.append(RecordKind.INTENT, attempt, state="asked").sequence

    def fail(what: str, file: str) -> None:
        if what == operation:
            raise error("the disk has failed")

    works, disk.before = disk.before, fail
    with pytest.raises(CommitUnknownError, match="opened again and read back"):
        counter.append(RecordKind.RESULT, attempt, state="done", closes=True)
    disk.before = works
    for use in (
        counter.append,
        counter.store.status,
        counter.store.open_attempts,
        lambda: counter.store.unsent(1),
        lambda: counter.store.move_attempt(attempt, state="again"),
    ):
        with pytest.raises(CommitUnknownError):
            use()

    store = counter.reopen()
    written = store.record(sequence + 1)
    row = store.attempt(attempt)
    assert row is not None
    assert row.state == ("done" if written else "asked"), "record and state are one"
    assert written is not None if operation == "sync" else written is None
    assert counter.append().sequence == sequence + (2 if written else 1)
    assert store.verify(signatures=True).ok


def test_what_is_read_back_after_a_failed_sync_is_synced_anew(counter: Counter, disk: FaultyDisk) -> None:
    counter.append()
    operations: list[tuple[str, str]] = []

    def fail_once(operation: str, file: str) -> None:
        operations.append((operation, file))
        if operation == "sync" and len(operations) < 20:
            disk.before = lambda operation, file: operations.append((operation, file))
            raise apsw.IOError("the disk has failed")

    disk.before = fail_once
    with pytest.raises(CommitUnknownError):
        counter.append()
    operations.clear()
    assert counter.reopen().status().sequence == 2
    assert ("write", "database") in operations
    assert operations[-1] == ("sync", "database")


def test_a_failed_checkpoint_loses_nothing_and_stops_the_store(counter: Counter, disk: FaultyDisk) -> None:
    def fail(operation: str, file: str) -> None:
        if (operation, file) == ("sync", "database"):
            raise apsw.IOError("the disk has failed")

    counter.append()
    works, disk.before = disk.before, fail
    written = []
    with pytest.raises(CommitUnknownError, match="checkpoint"):
        repeat(CHECKPOINT_PAGES, lambda: written.append(counter.append(secret=bytes(5000))))
    assert written
    disk.before = works
    assert list(counter.reopen().unsent(1000))[1:] == written
    assert counter.store.verify(signatures=True).ok


def test_the_log_stays_short(counter: Counter) -> None:
    for _ in range(200):
        counter.append()
    log = counter.path.with_name("queue.sqlite-wal")
    assert log.stat().st_size < 2 * CHECKPOINT_PAGES * PAGE_BYTES


def test_one_sync_a_record(counter: Counter, disk: FaultyDisk) -> None:
    counter.append()
    syncs: list[str] = []
    disk.before = lambda operation, file: syncs.append(file) if operation == "sync" else None
    for _ in range(5):
        counter.append()
    assert syncs == ["log"] * 5


def test_a_second_process_is_told_who_has_the_store(counter: Counter, tmp_path: Path) -> None:
    counter.append()
    taking = f"""
import sys; from pathlib import Path; from offline_queue.database import Database
database = Database.open(Path({str(counter.path)!r}), limit_bytes=10**7)
print("open", flush=True); sys.stdin.read()
"""
    counter.close()
    child = subprocess.Popen(
        [sys.executable, "-c", taking], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(StoreUnavailableError, match=f"{counter.path} is in use by process {child.pid}"):
            counter.reopen()
        child.kill()
    assert counter.reopen().status().sequence == 1


def test_a_second_opening_in_the_same_process_is_refused_too(counter: Counter) -> None:
    counter.append()
    other = Counter(counter.path, counter.signer, counter.opener, counter.host)
    with pytest.raises(StoreUnavailableError, match="in use by process"):
        other.reopen()
    assert counter.append().sequence == 2


def test_another_program_that_holds_the_file_is_named_in_words(counter: Counter) -> None:
    """Such as a database browser, which knows nothing of our lock file."""
    counter.append()
    counter.close()
    browser = apsw.Connection(str(counter.path))
    browser.execute("BEGIN; SELECT * FROM records")
    with pytest.raises(StoreUnavailableError, match="is in use by another process"):
        counter.reopen()
    browser.close()
    assert counter.reopen().status().sequence == 1


def test_no_other_program_writes_while_the_store_is_open(counter: Counter) -> None:
    counter.append()
    browser = apsw.Connection(str(counter.path))
    with pytest.raises(apsw.BusyError):
        browser.execute("UPDATE orders SET amount_minor = 0")
    browser.close()
    assert counter.append().sequence == 2


@pytest.mark.parametrize(
    "path", ["/proc/queue.sqlite", "/proc/no/such/queue.sqlite", "/dev/null/queue.sqlite"]
)
def test_a_place_that_takes_no_file_is_named(path: str) -> None:
    with pytest.raises(StoreUnavailableError, match=f"can't use {path}"):
        Counter(Path(path)).reopen()


def test_a_disk_that_turns_read_only_is_named(counter: Counter, disk: FaultyDisk) -> None:
    counter.append()
    counter.close()

    def fail(operation: str, file: str) -> None:
        raise apsw.ReadOnlyError("read-only file system")

    disk.before = fail
    with pytest.raises(StoreUnavailableError, match="read-only"):
        counter.reopen()


def test_an_sqlite_with_the_wal_reset_bug_is_refused() -> None:
    for version in ("3.40.1", "3.51.2"):
        with pytest.raises(StoreUnavailableError, match=f"SQLite {version} can corrupt"):
            check_sqlite(version)
    for version in ("3.51.3", "3.54.1", "4.0.0"):
        check_sqlite(version)


def test_a_store_of_a_later_version_is_refused(counter: Counter) -> None:
    counter.append()
    with raw(counter) as connection:
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(SchemaError, match="later version"):
        counter.reopen()


def test_a_database_of_something_else_is_refused(counter: Counter) -> None:
    counter.path.parent.mkdir()
    diary = apsw.Connection(str(counter.path))
    diary.execute("CREATE TABLE diary (day TEXT)")
    diary.close()
    with pytest.raises(SchemaError, match="something else"):
        counter.reopen()


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_records_are_final_for_sql_too(counter: Counter) -> None:
    counter.append()
    with raw(counter) as connection:
        for sql in ("UPDATE records SET time_ms = 0", "DELETE FROM records"):
            with pytest.raises(apsw.ConstraintError, match="records are final"):
                connection.execute(sql)


def edit(sql: str) -> Callable[[apsw.Connection], object]:
    triggers = "DROP TRIGGER records_are_final_update; DROP TRIGGER records_are_final_delete;"
    return lambda connection: connection.execute(triggers + sql).fetchall()


EDITS = {
    "a byte of a body": edit(
        "UPDATE records SET body = CAST(substr(body, 1, 20) || x'00' || substr(body, 22) AS BLOB)"
    ),
    "a head": edit("UPDATE records SET head = zeroblob(32) WHERE sequence = 3"),
    "a link": edit("UPDATE records SET previous_head = zeroblob(32) WHERE sequence = 3"),
    "the last signature": edit("UPDATE records SET signature = zeroblob(64) WHERE sequence = 5"),
    "a record taken out": edit("DELETE FROM records WHERE sequence = 3"),
    "a record put in again": edit(
        "INSERT INTO records SELECT 6, kind, attempt_number, time_ms, body, previous_head, head, key_id,"
        " signature FROM records WHERE sequence = 3"
    ),
    "two records swapped": edit(
        "PRAGMA ignore_check_constraints = ON;"
        "UPDATE records SET sequence = -sequence WHERE sequence IN (3, 4);"
        "UPDATE records SET sequence = 7 + sequence WHERE sequence < 0"
    ),
    "acknowledged records cut off": edit("DELETE FROM records WHERE sequence >= 2"),
}


@pytest.mark.parametrize("change", EDITS)
def test_an_edit_is_noticed_and_nothing_is_added(counter: Counter, change: str) -> None:
    for _ in range(5):
        counter.append(secret=b"")
    counter.store.acknowledge(counter.acknowledgement(2))
    with raw(counter) as connection:
        EDITS[change](connection)
    store = counter.reopen()
    assert store.status().damage
    assert not store.verify(signatures=False).ok or change == "acknowledged records cut off"
    with pytest.raises(ChainBrokenError, match="takes nothing new"):
        counter.append()
    with pytest.raises(ChainBrokenError):
        counter.attempt()


def test_another_head_than_the_one_acknowledged_is_noticed(counter: Counter) -> None:
    for _ in range(2):
        counter.append()
    counter.store.acknowledge(counter.acknowledgement(2))
    with raw(counter) as connection:
        edit("UPDATE records SET head = zeroblob(32) WHERE sequence = 2")(connection)
    assert "not the one that the host acknowledged" in counter.reopen().status().damage
    with pytest.raises(ChainBrokenError):
        counter.append()


def test_a_record_taken_out_is_named_and_the_rest_is_checked(counter: Counter) -> None:
    for _ in range(5):
        counter.append()
    with raw(counter) as connection:
        edit("DELETE FROM records WHERE sequence IN (2, 3)")(connection)
    report = counter.reopen().verify(signatures=True)
    assert [(damage.sequence, damage.fault) for damage in report.damage] == [(2, "missing up to 3")]
    assert report.records == 3


def test_records_moved_up_are_out_of_their_place(counter: Counter) -> None:
    for _ in range(3):
        counter.append()
    with raw(counter) as connection:
        edit(
            "DELETE FROM records WHERE sequence = 1; UPDATE records SET sequence = 1 WHERE sequence = 2;"
            "UPDATE records SET sequence = 2 WHERE sequence = 3"
        )(connection)
    report = counter.reopen().verify(signatures=True)
    faults = [(damage.sequence, damage.fault) for damage in report.damage]
    assert faults == [
        (1, "it was changed, or does not follow on the one before it"),
        (2, "it is out of its place"),
    ]


def test_a_changed_record_among_the_acknowledged_is_found_by_verifying(counter: Counter) -> None:
    for _ in range(5):
        counter.append(secret=b"")
    counter.store.acknowledge(counter.acknowledgement(4))
    with raw(counter) as connection:
        edit("UPDATE records SET body = zeroblob(10) WHERE sequence = 2")(connection)
    report = counter.reopen().verify(signatures=False)
    assert (report.records, [damage.sequence for damage in report.damage]) == (5, [2])
    assert counter.append().sequence == 6


def test_a_forged_signature_in_the_middle_is_found_by_the_full_check_only(counter: Counter) -> None:
    for _ in range(3):
        counter.append()
    with raw(counter) as connection:
        edit("UPDATE records SET signature = zeroblob(64) WHERE sequence = 2")(connection)
    store = counter.reopen()
    fast, full = store.verify(signatures=False), store.verify(signatures=True)
    assert (fast.ok, fast.signatures_checked) == (True, 1)
    assert ([damage.sequence for damage in full.damage], full.signatures_checked) == ([2], 3)


def test_no_bit_of_a_record_on_the_disk_can_turn_unnoticed(counter: Counter) -> None:
    records = [counter.append(secret=b"") for _ in range(2)]
    with raw(counter):
        pass
    content = counter.path.read_bytes()
    for part in (records[0].body, records[0].head, records[1].previous_head, records[1].signature):
        at = content.index(part)
        for offset in range(0, len(part), 7):
            changed = bytearray(content)
            changed[at + offset] ^= 1 << offset % 8
            counter.path.write_bytes(changed)
            store = counter.reopen()
            assert store.status().damage
            assert not store.verify(signatures=True).ok
            counter.close()


def test_a_store_that_is_cut_in_half_is_called_damaged(counter: Counter) -> None:
    for _ in range(50):
        counter.append()
    with raw(counter):
        pass
    content = counter.path.read_bytes()
    counter.path.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreUnavailableError, match="damaged"):
        counter.reopen()
