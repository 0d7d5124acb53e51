"""Kills a terminal's process at every write and sync of a payment, and at moments of no one's choosing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from tests.offline_queue.appending_process import sighting

CHILD = Path(__file__).with_name("appending_process.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SigningKey.create(tmp_path / "signing.key")
    Opener.create(tmp_path / "sealing.key")
    return tmp_path


def start(folder: Path, payments: int, kill_at: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(payments), str(kill_at)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(CHILD.parents[2])},
    )


def check(folder: Path, lines: list[str]) -> None:
    """What the process told of is there, at most one more, and each attempt's state is its record's.

    What a result rests on is remembered with it or not at all.
    """
    told = [line.split() for line in lines]
    with Store.open(
        folder / "queue.sqlite",
        terminal_id="T1",
        signer=SigningKey.load(folder / "signing.key"),
        sealer=Sealer(Opener.load(folder / "sealing.key").public_bytes()),
    ) as store:
        status, report = store.status(), store.verify(signatures=True)
        assert status.damage == ""
        assert report.ok
        assert report.records == status.sequence
        last = int(told[-1][1]) if told else 0
        assert last <= status.sequence <= last + 1
        for state, sequence, *head in told:
            if state != "order":
                record = store.record(int(sequence))
                assert record is not None
                assert [record.head.hex()] == head
        for order in store.orders(1000):
            for attempt in store.attempts(order.order_id):
                kinds = [record.kind.value for record in store.records(attempt.key)]
                assert (
                    kinds == {"new": [], "intent": ["intent"], "result": ["intent", "result"]}[attempt.state]
                )
                assert attempt.live == (attempt.state != "result")
                assert store.recall(sighting(order.order_id)).seen == (attempt.state == "result")
        attempts = [attempt.key for order in store.orders(1000) for attempt in store.attempts(order.order_id)]
        store.open_order(f"after {len(attempts)}", 1, "EUR")
        assert store.begin_attempt(f"after {len(attempts)}", state="new") not in attempts


def test_killed_before_any_write_or_sync_of_a_payment(folder: Path) -> None:
    deaths = 0
    for kill_at in range(1, 1000):
        process = start(folder, 1, kill_at)
        lines = process.communicate()[0].splitlines()
        if process.returncode == 0:
            break
        deaths += 1
        check(folder, lines)
    # Four transactions, each of at least one write and one sync, and the log's header.
    assert deaths >= 9


@pytest.mark.parametrize("after", [1, 10, 40])
def test_killed_at_any_other_moment(folder: Path, after: int) -> None:
    process = start(folder, 10_000, 0)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    process.kill()
    lines += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    assert all(lines[:after])
    check(folder, [line for line in lines if line.endswith("\n")])
