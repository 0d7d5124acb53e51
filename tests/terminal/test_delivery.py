"""Delivery with a real store and the real simulated host: everything arrives once, and nothing is forced."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.delivery import TakenOver
from offline_queue.errors import ChainBrokenError, CommitUnknownError, StoreUnavailableError
from offline_queue.host import NotSentError, NotSentReason, RefusedError, UnknownResultError
from offline_queue.record import Record, RecordKind
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from offline_queue.sync import BATCH_RECORDS
from simulators.faults import TcpGate
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import Fault
from terminal import delivery as module
from terminal.config import Config
from terminal.delivery import Delivery, deliver_all
from terminal.enrolment import Enrolment
from terminal.host_client import HttpHost
from terminal.set_up import QUEUE_FILE, open_store
from terminal.store_worker import StoreWorker
from tests.terminal.shop import TERMINAL_ID

PATIENCE_S = 10.0
LOOK_S, LOOK_ONLINE_S = 1001.0, 1005.0
"""The pauses between looks, told apart from those between deliveries."""
SYNC = "/v1/sync"


class Clock:
    """`asyncio` as the delivery sees it: its sleeps end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self.changed = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        sleeper = (seconds, asyncio.Event())
        self.asked.append(seconds)
        self._sleepers.append(sleeper)
        self.changed.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    @property
    def waits(self) -> list[float]:
        """The pauses between deliveries that were asked for so far."""
        return [seconds for seconds in self.asked if seconds < LOOK_S]

    @property
    def pausing(self) -> bool:
        """Whether a pause between deliveries is running."""
        return any(seconds < LOOK_S for seconds, _ in self._sleepers)

    @property
    def looked(self) -> bool:
        """Whether a look at the host is over and the next has not begun."""
        return any(seconds >= LOOK_S for seconds, _ in self._sleepers)

    def pass_time(self, *, looks: bool) -> None:
        """End the pause before the next look, or that before the next delivery."""
        for seconds, awake in self._sleepers:
            if (seconds >= LOOK_S) == looks:
                awake.set()


class Till:
    """A delivery at work."""

    def __init__(self, clock: Clock, store: StoreWorker, host: HttpHost) -> None:
        self.clock = clock
        self.store = store
        self.changes = 0
        self.started = False
        self.taken: list[TakenOver] = []
        self.delivery = Delivery(store, host, self._on_change, self._on_taken_over)

    def start(self) -> None:
        self.started = True
        self.delivery.start()

    async def _on_change(self) -> None:
        self.changes += 1
        self.clock.changed.set()

    async def _on_taken_over(self, taken: TakenOver) -> None:
        self.taken.append(taken)

    async def until(self, done: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.clock.changed.clear()
                await self.clock.changed.wait()

    async def stop(self) -> None:
        """Stop, but not in the middle of connecting: the HTTP library leaves such a socket open."""
        if self.started:
            self.started = False
            await self.until(lambda: self.clock.looked)
            await self.delivery.stop()

    async def go_online(self) -> None:
        """Start, and let the first look be over: a network that comes back cuts pauses short."""
        self.start()
        await self.until(lambda: self.delivery.online)

    async def record(self, count: int = 1) -> None:
        """Write records and tell of them, as the counter does."""
        for _ in range(count):
            await self.store.call(append)
        self.delivery.wake()

    async def until_unsent(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await self.store.call(lambda store: store.status())).unsent != number:
                self.clock.changed.clear()
                await self.clock.changed.wait()


def append(store: Store, time_ms: int = 0) -> Record:
    return store.append(
        RecordKind.SHIFT, attempt="", state="", closes=False, secret=b"", summary={}, time_ms=time_ms
    )


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "asyncio", clock)
    monkeypatch.setattr(module, "LOOK_S", LOOK_S)
    monkeypatch.setattr(module, "LOOK_ONLINE_S", LOOK_ONLINE_S)
    return clock


@pytest.fixture
def store_worker(home: Path, config: Config, enrolled: Enrolment) -> Iterator[StoreWorker]:
    worker = StoreWorker(lambda: open_store(home, config, enrolled))
    yield worker
    worker.close()


@pytest.fixture
async def till(clock: Clock, store_worker: StoreWorker, host_client: HttpHost) -> AsyncIterator[Till]:
    till = Till(clock, store_worker, host_client)
    yield till
    await till.stop()


def through(host: Host) -> int:
    """Return how far the host holds the chain."""
    return host.terminals()[0].through


async def test_what_waits_at_the_start_is_delivered(till: Till, host: Host) -> None:
    assert (till.delivery.online, till.delivery.network) == (False, "not reached yet")
    await till.record(3)
    till.start()
    await till.until_unsent(0)
    assert through(host) == 3
    await till.until(lambda: till.delivery.online)
    assert till.delivery.network == ""
    assert till.changes > 0


async def test_more_than_a_batch_is_delivered_without_a_pause(till: Till, host: Host) -> None:
    await till.record(BATCH_RECORDS + 5)
    till.start()
    await till.until_unsent(0)
    assert through(host) == BATCH_RECORDS + 5
    assert till.clock.waits == []
    await till.until(lambda: len(till.taken) == 2)
    assert [taken.records for taken in till.taken] == [BATCH_RECORDS, 5]


async def test_each_new_record_is_delivered_when_it_is_told_of(till: Till) -> None:
    till.start()
    for _ in range(3):
        await till.record()
        await till.until_unsent(0)


async def test_a_record_that_comes_while_a_batch_is_under_way_is_delivered_too(
    till: Till, host: Host
) -> None:
    till.start()
    host.behaviour.next(Fault.HOLD, path=SYNC)
    await till.record()
    assert await asyncio.to_thread(host.behaviour.wait_until_held, timeout_s=PATIENCE_S)
    await till.record()
    host.behaviour.release()
    await till.until_unsent(0)


async def test_offline_and_online_again(till: Till, gate: TcpGate, host: Host) -> None:
    gate.down()
    till.start()
    await till.until(lambda: till.delivery.network == "the host does not accept connections")
    assert not till.delivery.online
    await till.record()
    await till.until(lambda: till.clock.waits)
    gate.up()
    # The look at the host finds the network back, and that cuts the pause short.
    till.clock.pass_time(looks=True)
    await till.until_unsent(0)
    await till.until(lambda: till.delivery.online)
    assert len(till.clock.waits) == 1
    assert not till.clock.pausing
    assert through(host) == 1
    assert till.delivery.alarm == ""


async def test_a_network_that_goes_while_nothing_is_sent_is_noticed(till: Till, gate: TcpGate) -> None:
    till.start()
    await till.until(lambda: till.delivery.online and LOOK_ONLINE_S in till.clock.asked)
    gate.down()
    till.clock.pass_time(looks=True)
    await till.until(lambda: not till.delivery.online)
    assert till.delivery.network == "the host does not accept connections"
    await till.until(lambda: LOOK_S in till.clock.asked)


async def test_pauses_grow_while_the_host_is_away_and_end_by_themselves(till: Till, gate: TcpGate) -> None:
    gate.down()
    till.start()
    await till.record()
    for number, (least, most) in enumerate([(0.5, 1), (1, 2), (2, 4), (4, 8)], 1):
        await till.until(lambda number=number: len(till.clock.waits) == number)  # type: ignore[misc]
        assert least <= till.clock.waits[-1] <= most
        if number == 4:
            gate.up()
        till.clock.pass_time(looks=False)
    await till.until_unsent(0)


async def test_a_person_can_cut_a_pause_short(till: Till, gate: TcpGate) -> None:
    gate.down()
    till.start()
    await till.record()
    await till.until(lambda: till.clock.waits)
    assert not till.delivery.online
    gate.up()
    till.delivery.force()
    await till.until_unsent(0)
    # What has been delivered has reached the host: no look is needed to know.
    await till.until(lambda: till.delivery.online)
    till.delivery.force()
    await till.record()
    await till.until_unsent(0)


@pytest.mark.parametrize("fault", [Fault.UNSIGNED, Fault.WRONG_KEY, Fault.FAIL_500, Fault.LOSE_ANSWER])
async def test_an_answer_that_is_not_the_hosts_acknowledges_nothing(
    fault: Fault, till: Till, host: Host
) -> None:
    await till.go_online()
    host.behaviour.next(fault, path=SYNC, times=2)
    await till.record(2)
    for number in (1, 2):
        await till.until(lambda number=number: len(till.clock.waits) == number)  # type: ignore[misc]
        assert (await till.store.call(lambda store: store.status())).unsent == 2
        # A captive portal must not stop the delivery for good.
        assert till.delivery.alarm == ""
        till.clock.pass_time(looks=False)
    await till.until_unsent(0)
    assert through(host) == 2
    assert host.alarms() == ()


async def test_a_host_in_trouble_is_not_online(till: Till, host: Host) -> None:
    host.behaviour.always(Fault.FAIL_500)
    till.start()
    await till.until(lambda: "not signed by the host" in till.delivery.network)
    assert not till.delivery.online
    host.behaviour.behave()
    till.clock.pass_time(looks=True)
    await till.until(lambda: till.delivery.online)


async def test_other_calls_tell_of_the_network_too(till: Till) -> None:
    error = NotSentError(NotSentReason.BAD_CERTIFICATE, "certificate has expired")
    await till.delivery.reached(error)
    await till.delivery.reached(error)
    assert till.delivery.network == "the host's certificate is not the right one: certificate has expired"
    assert till.changes == 1
    await till.delivery.reached(None)
    assert (till.delivery.online, till.delivery.network, till.changes) == (True, "", 2)


# --- what sending again won't cure


async def test_a_cloned_terminal_is_told_apart_and_stops(
    till: Till,
    home: Path,
    config: Config,
    enrolled: Enrolment,
    host: Host,
    clock: Clock,
    host_client: HttpHost,
) -> None:
    """Somebody has copied the home folder, and both go on."""
    await till.record()
    till.start()
    await till.until_unsent(0)
    await till.stop()
    till.store.close()
    twin_home = home.parent / "twin"
    shutil.copytree(home, twin_home)
    with open_store(home, config, enrolled) as store:
        append(store)
        await deliver_all(store, host_client)
    with open_store(twin_home, config, enrolled) as store:
        append(store, time_ms=1)
    worker = StoreWorker(lambda: open_store(twin_home, config, enrolled))
    twin = Till(clock, worker, host_client)
    twin.start()
    twin.delivery.wake()
    await twin.until(lambda: twin.delivery.alarm)
    assert twin.delivery.alarm == "fork: two different records 2"
    assert [alarm.kind for alarm in host.alarms()] == ["fork"]
    assert (await worker.call(lambda store: store.status())).unsent == 1
    await twin.stop()
    worker.close()


class ForgedHost(HttpHost):
    """Acknowledges what the test says, signed by the key that is pinned."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.syncs = 0
        self.head: bytes | None = bytes(32)
        self.terminal_id = TERMINAL_ID
        self.through: int | None = None
        self.synced = asyncio.Event()

    async def echo(self) -> None:
        """Be there."""

    async def sync(self, records: Sequence[Record]) -> Acknowledgement:
        self.syncs += 1
        return Acknowledgement.issue(
            self.key,
            terminal_id=self.terminal_id,
            through=records[-1].sequence if self.through is None else self.through,
            head=records[-1].head if self.head is None else self.head,
        )


@pytest.fixture
async def forged(clock: Clock, home: Path, enrolled: Enrolment) -> AsyncIterator[tuple[Till, ForgedHost]]:
    forger = ForgedHost(SigningKey.generate())

    def opened() -> Store:
        return Store.open(
            home / QUEUE_FILE,
            terminal_id=TERMINAL_ID,
            signer=enrolled.key,
            sealer=enrolled.sealer,
            host_key=forger.key.public_key,
        )

    worker = StoreWorker(opened)
    till = Till(clock, worker, forger)
    yield till, forger
    await till.stop()
    worker.close()


async def test_another_head_stops_the_delivery_until_a_person_asks(forged: tuple[Till, ForgedHost]) -> None:
    till, forger = forged
    await till.record()
    till.start()
    await till.until(lambda: till.delivery.alarm)
    assert till.delivery.alarm == "the host has another chain at record 1"
    # Neither a new record nor the network starts it again.
    await till.record()
    await till.delivery.reached(NotSentError(NotSentReason.NO_NETWORK))
    await till.delivery.reached(None)
    assert forger.syncs == 1
    forger.head = None
    till.delivery.force()
    await till.until_unsent(0)
    await till.until(lambda: not till.delivery.alarm)
    assert forger.syncs == 2
    assert till.clock.waits == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"terminal_id": "T2"}, "an acknowledgement for terminal T2"),
        ({"through": 7}, "the host holds 7 records, but only 1 are here"),
        ({"key": SigningKey.generate()}, "not signed by key"),
    ],
)
async def test_an_acknowledgement_that_is_not_ours_is_an_alarm(
    change: dict[str, object], words: str, forged: tuple[Till, ForgedHost]
) -> None:
    till, forger = forged
    await till.record()
    await till.store.call(lambda store: store.status())  # opened under the right key
    for name, value in change.items():
        setattr(forger, name, value)
    till.start()
    await till.until(lambda: till.delivery.alarm)
    assert words in till.delivery.alarm
    assert (await till.store.call(lambda store: store.status())).unsent == 1


async def test_a_host_that_takes_nothing_is_not_asked_in_a_tight_loop(
    forged: tuple[Till, ForgedHost],
) -> None:
    till, forger = forged
    forger.head = None
    await till.record()
    till.start()
    await till.until_unsent(0)
    first = await till.store.call(lambda store: store.record(1))
    assert first is not None
    # From here on it repeats its first answer.
    forger.through, forger.head = 1, first.head
    await till.record()
    for number in (1, 2, 3):
        await till.until(lambda number=number: len(till.clock.waits) == number)  # type: ignore[misc]
        assert forger.syncs == number + 1
        till.clock.pass_time(looks=False)
    assert till.clock.waits[2] > till.clock.waits[0]


# --- the store fails


@pytest.mark.parametrize("error", [CommitUnknownError("disk"), StoreUnavailableError("full")])
async def test_an_acknowledgement_that_can_not_be_written_down_is_fetched_again(
    error: Exception, till: Till, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody needs to press a key when the disk is back."""
    acknowledge = Store.acknowledge
    faults = [error]

    def failing(store: Store, acknowledgement: Acknowledgement) -> TakenOver:
        if faults:
            raise faults.pop()
        return acknowledge(store, acknowledgement)

    monkeypatch.setattr(Store, "acknowledge", failing)
    await till.go_online()
    await till.record()
    await till.until(lambda: till.clock.waits)
    assert till.delivery.alarm == ""
    till.clock.pass_time(looks=False)
    await till.until_unsent(0)
    assert through(host) == 1


async def test_a_store_that_can_not_be_read_for_a_moment_does_not_end_the_delivery(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.record()
    status = Store.status
    calls = 0
    loop = asyncio.get_running_loop()

    def failing(store: Store) -> Any:
        nonlocal calls
        calls += 1
        loop.call_soon_threadsafe(till.clock.changed.set)
        if calls == 2:  # the look whether something has come meanwhile
            raise StoreUnavailableError("busy")
        return status(store)

    monkeypatch.setattr(Store, "status", failing)
    till.start()
    await till.until(lambda: calls >= 2)
    await till.record()
    await till.until_unsent(0)


async def test_what_was_not_acknowledged_is_sent_again_next_time(
    till: Till, host: Host, clock: Clock, host_client: HttpHost
) -> None:
    host.behaviour.next(Fault.HOLD, path=SYNC)
    await till.record()
    till.start()
    assert await asyncio.to_thread(host.behaviour.wait_until_held, timeout_s=PATIENCE_S)
    await till.stop()
    host.behaviour.release()
    assert (await till.store.call(lambda store: store.status())).unsent == 1
    again = Till(clock, till.store, host_client)
    again.start()
    again.delivery.wake()
    await again.until_unsent(0)
    await again.stop()
    assert through(host) == 1


# --- without a counter


async def test_everything_is_delivered_at_once(store: Store, host_client: HttpHost, host: Host) -> None:
    await deliver_all(store, host_client)
    for _ in range(BATCH_RECORDS + 1):
        append(store)
    await deliver_all(store, host_client)
    assert store.status().unsent == 0
    assert through(host) == BATCH_RECORDS + 1


async def test_what_keeps_it_from_being_delivered_is_raised(
    store: Store,
    host_client: HttpHost,
    host: Host,
    gate: TcpGate,
    enrolled: Enrolment,
    http: httpx.AsyncClient,
) -> None:
    append(store)
    gate.down()
    with pytest.raises(NotSentError):
        await deliver_all(store, host_client)
    gate.up()
    host.behaviour.next(Fault.UNSIGNED, path=SYNC)
    with pytest.raises(UnknownResultError):
        await deliver_all(store, host_client)
    stranger = Enrolment("T2", enrolled.key, enrolled.host_key, enrolled.sealer)
    with pytest.raises(RefusedError):
        await deliver_all(store, HttpHost(host.url, stranger, http))
    assert store.status().unsent == 1
    await deliver_all(store, host_client)
    assert store.status().unsent == 0


async def test_an_acknowledgement_of_nothing_or_of_another_chain_ends_it(
    home: Path, enrolled: Enrolment
) -> None:
    forger = ForgedHost(SigningKey.generate())
    with Store.open(
        home / "other.db",
        terminal_id=TERMINAL_ID,
        signer=enrolled.key,
        sealer=enrolled.sealer,
        host_key=forger.key.public_key,
    ) as store:
        append(store)
        with pytest.raises(ChainBrokenError):
            await deliver_all(store, forger)
        forger.head = None
        await deliver_all(store, forger)
        first = store.record(1)
        assert first is not None
        append(store)
        forger.through, forger.head = 1, first.head
        with pytest.raises(UnknownResultError, match="acknowledges nothing"):
            await deliver_all(store, forger)
