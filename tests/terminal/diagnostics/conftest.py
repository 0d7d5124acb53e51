"""A technician's workshop on a real home folder: its host on loopback, its queue a real file."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from terminal import log
from terminal.config import Config
from terminal.diagnostics.open_workshop import open_workshop, settled
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.set_up import open_store


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not look for real hardware."""
    monkeypatch.setattr("terminal.devices.inventory._discover", lambda kind, scheme: ())


@pytest.fixture(autouse=True)
def _other_loggers() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in log.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def devices(config: Config, home: Path) -> None:
    """Give the terminal a simulated reader and scanner."""
    file = home / CONFIG_FILE
    file.write_text(f'{file.read_text()}\n[devices]\nreaders = ["sim:"]\nscanners = ["sim:"]\n')


def append(store: Store, count: int = 1, *, time_ms: int = 1_790_000_000_000) -> list[Record]:
    """Write records of one attempt."""
    first = store.status().sequence
    records = []
    for number in range(first, first + count):
        order = f"T1-{number}"
        store.open_order(order, 1250, "CNY")
        attempt = store.begin_attempt(order, state="created")
        records.append(
            store.append(
                RecordKind.INTENT,
                attempt=attempt,
                state="sent",
                closes=False,
                secret=b"for the host alone",
                summary={"amount_minor": 1250, "currency": "CNY"},
                time_ms=time_ms,
            )
        )
    return records


@pytest.fixture
def queue(home: Path, config: Config, enrolled: Enrolment) -> Path:
    """The terminal's queue with three records that wait."""
    with open_store(home, config, enrolled) as store:
        append(store, 3)
    return home / "queue.db"


@pytest.fixture
async def workshop(home: Path, enrolled: Enrolment) -> AsyncIterator[Workshop]:
    """The workshop as a command opens it; name `queue` or `devices` before it to have some."""
    async with open_workshop(home, logs=log.start_in_memory("INFO"), deliver=False) as running:
        await settled(running)
        yield running
