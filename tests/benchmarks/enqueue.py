"""A durable enqueue (sealed, signed, chained, with its attempt's state), beside a bare durable insert."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import apsw

from offline_queue.record import RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from tests.benchmarks.measure import in_turns, line, p50

_SECRET = bytes(1024)


def run() -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store.open(
            folder / "queue.db",
            terminal_id="BENCH",
            signer=SigningKey.generate(),
            sealer=Sealer(Opener.generate().public_bytes()),
        )
        store.open_order("BENCH-1", 1250, "CNY")
        attempt = store.begin_attempt("BENCH-1", state="armed")
        bare = _bare_insert(folder / "bare.db")
        ours, theirs = in_turns(lambda: _append(store, attempt), bare, rounds=400)
        store.close()
    line(
        "durable enqueue, 1 KiB, sealed and signed",
        f"{p50(ours) * 1e6:.0f} µs",
        f"bare durable insert {p50(theirs) * 1e6:.0f} µs",
        f"{p50(ours) / p50(theirs):.2f} times",
    )


def _append(store: Store, attempt: str) -> None:
    store.append(
        RecordKind.INTENT,
        attempt=attempt,
        state="asking",
        closes=False,
        secret=_SECRET,
        summary={"order": "BENCH-1", "amount": 1250, "currency": "CNY", "channel": "card"},
        time_ms=0,
    )


def _bare_insert(path: Path) -> Callable[[], object]:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.execute("CREATE TABLE record (number INTEGER PRIMARY KEY, body BLOB) STRICT")
    return lambda: connection.execute("INSERT INTO record (body) VALUES (?)", (_SECRET,))
