"""The queue's own thread: every call on the store happens there, one after another."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from offline_queue.errors import CommitUnknownError, StoreUnavailableError
from offline_queue.store import Store

logger = logging.getLogger(__name__)

T = TypeVar("T")


class StoreWorker:
    """Runs calls on a store in one daemon thread; SQLite connections belong to one thread."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._closed = False
        self._calls: queue.Queue[tuple[Callable[[Store], Any], Future[Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def call(self, work: Callable[[Store], T]) -> T:
        """Do *work* on the store and return its result. Raises what it raises."""
        if self._closed:
            raise StoreUnavailableError("the queue is closed")
        future: Future[T] = Future()
        self._calls.put((work, future))
        # A write that has begun is never abandoned: a cancelled caller must not lose its outcome.
        return await asyncio.shield(asyncio.wrap_future(future))

    def close(self) -> None:
        """Close the store after the calls that are queued, and end the thread."""
        self._closed = True
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            work, future = call
            try:
                if self._store is None:
                    self._store = self._open_store()
                future.set_result(work(self._store))
            except CommitUnknownError as error:
                # What was written is found out by opening the file again, at the next call.
                self._close_store()
                future.set_exception(error)
            except BaseException as error:  # noqa: BLE001  it is the caller's
                future.set_exception(error)
        self._close_store()

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except Exception:
                # On a disk that fails closing may fail too; whoever waits for an answer must have one.
                logger.exception("the queue's file was not closed properly")
