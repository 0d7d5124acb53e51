"""The queue's own thread: every call is answered, and a store whose commit is unknown is opened anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.errors import CommitUnknownError, StoreUnavailableError
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from terminal.store_worker import StoreWorker
from tests.terminal.shop import TERMINAL_ID


class Opening:
    """Opens a real store, and counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signer, self._sealer = SigningKey.generate(), Sealer(Opener.generate().public_bytes())
        self.opened: list[Store] = []
        self.faults: list[Exception] = []

    def __call__(self) -> Store:
        if self.faults:
            raise self.faults.pop()
        store = Store.open(self._path, terminal_id=TERMINAL_ID, signer=self._signer, sealer=self._sealer)
        self.opened.append(store)
        return store


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening(tmp_path / "queue.db")


@pytest.fixture
def worker(opening: Opening) -> Iterator[StoreWorker]:
    worker = StoreWorker(opening)
    yield worker
    worker.close()


def open_order(store: Store) -> None:
    store.open_order("T1-1", 1250, "EUR")


async def test_calls_are_done_in_order_in_one_thread_on_one_store(
    worker: StoreWorker, opening: Opening
) -> None:
    assert opening.opened == []
    done: list[int] = []
    await asyncio.gather(*(worker.call(lambda store, n=n: done.append(n)) for n in range(20)))  # type: ignore[misc]
    assert done == list(range(20))
    threads = {await worker.call(lambda store: threading.get_ident()) for _ in range(3)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert len(opening.opened) == 1


async def test_what_a_call_raises_is_its_callers_and_the_next_is_done(worker: StoreWorker) -> None:
    def fail(store: Store) -> None:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await worker.call(fail)
    await worker.call(open_order)
    assert len(await worker.call(lambda store: store.orders(10))) == 1


async def test_a_commit_that_is_not_known_opens_the_store_again(
    worker: StoreWorker, opening: Opening
) -> None:
    def half(store: Store) -> None:
        open_order(store)
        raise CommitUnknownError("the disk failed")

    with pytest.raises(CommitUnknownError):
        await worker.call(half)
    # What was written is found out by reading.
    assert [order.order_id for order in await worker.call(lambda store: store.orders(10))] == ["T1-1"]
    first, second = opening.opened
    assert await worker.call(lambda store: store) is second is not first


async def test_a_store_that_can_not_even_be_closed_still_answers(
    worker: StoreWorker, opening: Opening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    close = Store.close

    def closing(store: Store) -> None:
        close(store)
        if store is opening.opened[0]:
            raise OSError("the disk failed")

    monkeypatch.setattr(Store, "close", closing)

    def unknown(store: Store) -> None:
        raise CommitUnknownError("the disk failed")

    with pytest.raises(CommitUnknownError):
        await worker.call(unknown)
    assert "not closed properly" in caplog.text
    assert await worker.call(lambda store: store.status().unsent) == 0


async def test_a_store_that_can_not_be_opened_is_tried_again_at_the_next_call(
    worker: StoreWorker, opening: Opening
) -> None:
    opening.faults = [StoreUnavailableError("no permission")] * 2
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="no permission"):
            await worker.call(open_order)
    await worker.call(open_order)


async def test_a_write_that_has_begun_is_not_lost_with_its_caller(worker: StoreWorker) -> None:
    begun, go = threading.Event(), threading.Event()

    def write(store: Store) -> None:
        begun.set()
        assert go.wait(10)
        open_order(store)

    task = asyncio.create_task(worker.call(write))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert len(await worker.call(lambda store: store.orders(10))) == 1


async def test_closing_comes_after_what_is_queued_and_nothing_comes_after_closing(opening: Opening) -> None:
    worker = StoreWorker(opening)
    go = threading.Event()
    first = asyncio.create_task(worker.call(lambda store: go.wait(10)))
    second = asyncio.create_task(worker.call(open_order))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(worker.close))
    go.set()
    await asyncio.gather(first, second, closing)
    with pytest.raises(StoreUnavailableError, match="closed"):
        await worker.call(open_order)
    worker.close()
    with opening() as again:
        assert len(again.orders(10)) == 1
