"""Brings records to the host, one drainer for the terminal, and knows whether the host can be reached."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from offline_queue.delivery import TakenOver
from offline_queue.errors import CommitUnknownError, QueueError, StoreUnavailableError
from offline_queue.host import HostClient, HostError, NotSentError, NotSentReason, UnknownResultError
from offline_queue.store import Store
from offline_queue.sync import (
    BATCH_RECORDS,
    Action,
    Alarm,
    Alarmed,
    Delivered,
    Drainer,
    DrainerState,
    Event,
    Failed,
    ForceNow,
    Idle,
    NetworkBack,
    RecordsWaiting,
    SendBatch,
    TimeIsUp,
    WaitFor,
)
from terminal.store_worker import StoreWorker

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""Pause between looks at a host that could not be reached, in seconds."""
LOOK_ONLINE_S = 5.0
"""The same while it can be reached and nothing else tells."""


class Delivery:
    """The drainer's arms and legs.

    Args:
        on_change: Called when `online`, `network`, `alarm` or the queue has changed.
        on_taken_over: Called with what an acknowledgement brought.
    """

    def __init__(
        self,
        store: StoreWorker,
        host: HostClient,
        on_change: Callable[[], Awaitable[None]],
        on_taken_over: Callable[[TakenOver], Awaitable[None]],
    ) -> None:
        self.online = False
        self.network = "not reached yet"
        self.alarm = ""
        self._store = store
        self._host = host
        self._on_change = on_change
        self._on_taken_over = on_taken_over
        self._drainer = Drainer()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._wait: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver and to look at the host."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._look())]
        for task in self._tasks:
            task.add_done_callback(_log_failure)

    async def stop(self) -> None:
        """Stop. What is not acknowledged is sent again next time."""
        tasks = [task for task in (*self._tasks, self._wait, self._sending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """There is a new record."""
        if self._drainer.state is not DrainerState.ALARMED:
            self._events.put_nowait(RecordsWaiting())

    def force(self) -> None:
        """Deliver now: a person asks."""
        self._events.put_nowait(ForceNow())

    async def reached(self, error: NotSentError | None) -> None:
        """Some call has reached the host, or has not."""
        online, network = error is None, str(error or "")
        if (online, network) == (self.online, self.network):
            return
        back = online and not self.online
        self.online, self.network = online, network
        logger.info("host: %s", "online" if online else network)
        if back and self._drainer.state is not DrainerState.ALARMED:
            self._events.put_nowait(NetworkBack())
        await self._on_change()

    async def _look(self) -> None:
        while True:
            try:
                await self._host.echo()
                await self.reached(None)
            except NotSentError as error:
                await self.reached(error)
            except HostError as error:
                # Something answers in the host's place, or it is in trouble: not online for payments.
                await self.reached(NotSentError(NotSentReason.NO_ANSWER, str(error)))
            await asyncio.sleep(LOOK_ONLINE_S if self.online else LOOK_S)

    async def _run(self) -> None:
        while True:
            event = await self._events.get()
            if isinstance(event, TimeIsUp) and self._drainer.state is not DrainerState.WAITING:
                continue  # the wait was cut short after it had ended
            for action in self._drainer.handle(event):
                await self._perform(action)

    async def _perform(self, action: Action) -> None:
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None
        if isinstance(action, SendBatch):
            self._sending = asyncio.create_task(self._send(action.limit))
        elif isinstance(action, WaitFor):
            self._wait = asyncio.create_task(self._time_is_up(action.seconds))
        elif isinstance(action, Idle):
            # A record may have come between the last look at the queue and now.
            with suppress(QueueError):
                if (await self._store.call(lambda store: store.status())).unsent:
                    self.wake()
        elif isinstance(action, Alarm):
            self.alarm = action.reason
            logger.error("delivery stopped: %s", action.reason)
            await self._on_change()

    async def _time_is_up(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._events.put_nowait(TimeIsUp())

    async def _send(self, limit: int) -> None:
        event: Event = Failed(jitter=1.0)
        try:
            event = await self._deliver(limit)
        finally:
            # Whatever went wrong, the drainer must hear of the end, or it waits for it for ever.
            self._events.put_nowait(event)
        await self._on_change()

    async def _deliver(self, limit: int) -> Event:
        jitter = random.random()  # noqa: S311  spreads load, guards nothing
        try:
            records = await self._store.call(lambda store: store.unsent(limit))
            if not records:
                return Delivered(advanced=False, unsent=0, jitter=jitter)
            acknowledgement = await self._host.sync(records)
            taken = await self._store.call(lambda store: store.acknowledge(acknowledgement))
            await self._on_taken_over(taken)
            left = (await self._store.call(lambda store: store.status())).unsent
        except NotSentError as error:
            await self.reached(error)
            return Failed(jitter)
        except UnknownResultError as error:
            logger.warning("batch not acknowledged: %s", error)
            return Failed(jitter)
        except (StoreUnavailableError, CommitUnknownError) as error:
            # A full or failing disk may come back. What was not written down is acknowledged once more.
            logger.warning("acknowledgement not written down: %s", error)
            return Failed(jitter)
        except QueueError as error:
            # The host's signed refusal, or an acknowledgement that does not fit: sending again won't cure it.
            return Alarmed(str(error))
        self.alarm = ""
        await self.reached(None)
        return Delivered(advanced=taken.records > 0, unsent=left, jitter=jitter)


async def deliver_all(store: Store, host: HostClient) -> None:
    """Deliver everything that is unsent, without a running counter.

    Raises HostError where the host can't be reached or does not acknowledge, and other QueueErrors
    where its acknowledgement does not fit.
    """
    while records := store.unsent(BATCH_RECORDS):
        if not store.acknowledge(await host.sync(records)).records:
            raise UnknownResultError("the host acknowledges nothing")


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("delivery failed", exc_info=error)
