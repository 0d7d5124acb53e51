"""Stores that earlier versions of the program wrote: each is brought up to date, and opens twice.

`frozen/NNNN.sql` is a dump of a store of that schema, made by the program of its day.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from offline_queue.database import migrations
from offline_queue.record import RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.sightings import Sighting
from offline_queue.signing import SigningKey
from offline_queue.store import Store

FROZEN = Path(__file__).parent / "frozen"
SIGNER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
HOST = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32))
OPENER = Opener(X25519PrivateKey.from_private_bytes(bytes([3]) * 32))
NEWEST = migrations()[-1][0]


def thaw(version: int, folder: Path) -> Path:
    path = folder / "queue.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute((FROZEN / f"{version:04d}.sql").read_text("utf-8"))
    connection.close()
    return path


def reopen(path: Path) -> Store:
    return Store.open(
        path,
        terminal_id="T1",
        signer=SIGNER,
        sealer=Sealer(OPENER.public_bytes()),
        host_key=HOST.public_key,
    )


def version_of(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        return int(connection.execute("PRAGMA user_version").get)
    finally:
        connection.close()


def check(store: Store) -> None:
    """Find the four orders of the frozen store: approved, settled, waiting, open."""
    status = store.status()
    assert store.verify(signatures=True).ok
    assert (status.sequence, status.unsent, status.quarantined, status.damage) == (7, 3, 1, "")
    assert (status.deferred_count, status.deferred_total_minor, status.approved_count) == (1, 700, 0)
    assert status.oldest_offline_ms == 1_800_000_001_000
    assert [order.order_id for order in store.orders(9)] == ["T1-4", "T1-3", "T1-2", "T1-1"]
    (row,) = store.open_attempts()
    assert (row.order_id, row.state) == ("T1-4", "asking")
    assert [store.attempts(order)[0].settled for order in ("T1-2", "T1-3")] == ["approved", ""]


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_a_store_of_an_earlier_schema_is_brought_up_to_date(version: int, tmp_path: Path) -> None:
    path = thaw(version, tmp_path)
    assert version_of(path) == version
    for _ in range(2):
        with reopen(path) as store:
            check(store)
        assert version_of(path) == NEWEST


def test_every_earlier_schema_has_a_frozen_store() -> None:
    assert [int(path.stem) for path in sorted(FROZEN.glob("*.sql"))] == list(range(1, NEWEST))


def test_a_store_that_was_brought_up_to_date_takes_new_business(tmp_path: Path) -> None:
    with reopen(thaw(1, tmp_path)) as store:
        store.open_order("T1-5", 300, "EUR")
        sighting = Sighting(bytes(16), bytes(16), 7)
        store.append(
            RecordKind.RESULT,
            attempt=store.begin_attempt("T1-5", state="armed"),
            state="done",
            closes=True,
            secret=b"card data",
            summary={"outcome": "approved_offline", "deferred": False},
            time_ms=1,
            sighting=sighting,
        )
        status = store.status()
        assert (status.deferred_count, status.approved_count, status.approved_total_minor) == (1, 1, 300)
        assert store.recall(sighting).seen


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.offline_queue.faulty_disk import faulty_disk
from tests.offline_queue.test_migration import reopen
left = int(sys.argv[2])
def count(operation, file):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
with faulty_disk(count):
    reopen(Path(sys.argv[1])).close()
"""


def test_killed_in_the_middle_of_a_migration_it_is_done_at_the_next_start(tmp_path: Path) -> None:
    deaths = 0
    for kill_at in range(1, 1000):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        path = thaw(1, folder)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(kill_at)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        with reopen(path) as store:
            check(store)
        assert version_of(path) == NEWEST
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        deaths += 1
    assert deaths >= 3
