"""Readers and scanners armed together: the first to show something wins, and all are released."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

import pytest

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import Code
from emv.background import Background
from emv.kernel import Transaction
from emv.outcome import MessageId, OutcomeKind, UiRequest
from simulators import scanner
from simulators.cards import profile
from simulators.readers import in_process
from simulators.readers.in_process import FIELD, InProcessReader
from terminal.config import Devices
from terminal.devices import worker
from terminal.devices.pool import DevicePool
from terminal.payment.arming import Arming
from terminal.payment.tap import Tapped
from terminal.payment.tap_trace import TapLog
from tests.terminal.payment.taps import CONFIG

PATIENCE_S = 10.0
GOOD, FOREIGN = "281234567890123456", "A bus ticket"


@dataclass
class Counter:
    """Devices, and what they brought. Everything is called on the loop's thread."""

    pool: DevicePool
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    taps: list[Tapped] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    shown: list[MessageId] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    stays: list[bool] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    transactions: int = 0
    traces: TapLog = field(default_factory=TapLog)

    def arm(self) -> Arming:
        arming = Arming(
            self.pool,
            CONFIG,
            self._transaction,
            Background(),
            self.traces,
            on_ui=self._on_ui,
            on_tap=self._on_tap,
            on_card_stays=self._on_card_stays,
            on_code=self._on_code,
        )
        arming.start()
        return arming

    def _transaction(self) -> Transaction:
        self.transactions += 1
        return Transaction(
            amount_minor=1250,
            currency="156",
            currency_exponent=2,
            date=date(2026, 7, 1),
            time=time(12, 0),
            unpredictable_number=self.transactions.to_bytes(4, "big"),
            sequence_counter=self.transactions,
        )

    def _happened(self) -> None:
        self.threads.add(threading.get_ident())
        self.changed.set()

    def _on_ui(self, request: UiRequest, words: str) -> None:
        self.shown.append(request.message)
        self.words += [words] if words else []
        self._happened()

    def _on_tap(self, tapped: Tapped) -> None:
        self.taps.append(tapped)
        self._happened()

    def _on_card_stays(self, stays: bool) -> None:
        self.stays.append(stays)
        self._happened()

    def _on_code(self, code: Code) -> bool:
        self.codes.append(code.text)
        self._happened()
        return code.text == GOOD

    async def until(self, done: Callable[[], Any]) -> None:
        """Wait until something has made this true."""
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.changed.clear()
                await self.changed.wait()

    def states(self) -> list[str]:
        return [view.state for view in self.pool.views()]


@pytest.fixture
async def counter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counter]:
    """A reader and a scanner of this process, open and idle."""
    monkeypatch.setattr(worker, "REOPEN_S", 0.01)
    FIELD.take_away()
    scanner.VIEW.clear()
    loop = asyncio.get_running_loop()
    counter: Counter
    devices = Devices(readers=(parse("sim:"),), scanners=(parse("sim:"),))

    def on_change() -> None:
        loop.call_soon_threadsafe(lambda: counter.changed.set())

    pool = DevicePool(devices, on_change)
    counter = Counter(pool)
    pool.start()
    await counter.until(lambda: counter.states() == ["ready", "ready"])
    yield counter
    FIELD.take_away()
    scanner.VIEW.clear()
    pool.close()


async def idle(counter: Counter) -> None:
    await counter.until(lambda: counter.states() == ["ready", "ready"])


async def test_a_card_wins_and_the_scanner_is_released(counter: Counter) -> None:
    counter.arm()
    await counter.until(lambda: counter.states() == ["busy", "busy"])
    FIELD.place(profile.load("visa-approve"))
    await counter.until(lambda: counter.taps)
    assert counter.taps[0].outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert counter.shown[:3] == [MessageId.PRESENT_CARD, MessageId.PROCESSING, MessageId.CARD_READ_OK]
    assert counter.stays == [True]
    FIELD.take_away()
    await counter.until(lambda: counter.stays == [True, False])
    await idle(counter)
    scanner.VIEW.show(GOOD)
    assert scanner.VIEW.text == GOOD  # nobody reads it
    assert counter.codes == []
    assert counter.threads == {threading.get_ident()}


async def test_a_code_wins_and_the_reader_is_released(counter: Counter) -> None:
    counter.arm()
    scanner.VIEW.show(GOOD)
    await counter.until(lambda: counter.codes)
    await idle(counter)
    FIELD.place(profile.load("visa-approve"))
    assert counter.codes == [GOOD]
    assert counter.taps == []
    assert counter.transactions == 0


async def test_a_rejected_code_is_passed_over_and_the_next_is_taken(counter: Counter) -> None:
    counter.arm()
    scanner.VIEW.show(FOREIGN)
    await counter.until(lambda: counter.codes)
    # The same again, as a camera sees it in every picture, is not told again.
    scanner.VIEW.show(FOREIGN)
    assert await asyncio.to_thread(scanner.VIEW.wait_empty, timeout_s=PATIENCE_S)
    scanner.VIEW.show(GOOD)
    await counter.until(lambda: len(counter.codes) > 1)
    assert counter.codes == [FOREIGN, GOOD]
    await idle(counter)


async def test_the_reader_stays_armed_while_codes_are_rejected(counter: Counter) -> None:
    counter.arm()
    scanner.VIEW.show(FOREIGN)
    await counter.until(lambda: counter.codes)
    FIELD.place(profile.load("visa-approve"))
    await counter.until(lambda: counter.taps)
    FIELD.take_away()
    await idle(counter)


async def test_what_was_rejected_for_one_order_is_told_again_for_the_next(counter: Counter) -> None:
    arming = counter.arm()
    scanner.VIEW.show(FOREIGN)
    await counter.until(lambda: counter.codes)
    arming.stop()
    await idle(counter)
    counter.arm()
    scanner.VIEW.show(FOREIGN)
    await counter.until(lambda: len(counter.codes) > 1)
    assert counter.codes == [FOREIGN, FOREIGN]


async def test_stopping_releases_everything_and_nothing_more_is_told(counter: Counter) -> None:
    arming = counter.arm()
    await counter.until(lambda: counter.states() == ["busy", "busy"] and counter.shown)
    arming.stop()
    shown = list(counter.shown)
    await idle(counter)
    FIELD.place(profile.load("visa-approve"))
    scanner.VIEW.show(GOOD)
    assert (counter.taps, counter.codes, counter.shown) == ([], [], shown)
    assert counter.transactions == 0


async def test_stopping_at_once_leaves_nothing_behind(counter: Counter) -> None:
    counter.arm().stop()
    await asyncio.wrap_future(counter.pool.readers[0].submit(lambda reader, lease: None).future)
    FIELD.place(profile.load("visa-approve"))
    counter.arm()
    await counter.until(lambda: counter.taps)
    assert len(counter.taps) == 1


async def test_a_card_that_stays_does_not_pay_the_next_order(counter: Counter) -> None:
    counter.arm()
    card = profile.load("visa-approve")
    FIELD.place(card)
    await counter.until(lambda: counter.taps)
    second = counter.arm()
    await counter.until(lambda: counter.states() == ["busy", "busy"])
    # The reader waits for the card to leave; the tap of the second order has not begun.
    assert counter.transactions == 1
    FIELD.take_away()
    await counter.until(lambda: counter.shown.count(MessageId.PRESENT_CARD) == 2)
    FIELD.place(card)
    await counter.until(lambda: len(counter.taps) == 2)
    second.stop()
    assert len({tapped.outcome.data_record for tapped in counter.taps}) == 2


async def test_words_for_what_the_standard_has_no_message_for(counter: Counter) -> None:
    arming = counter.arm()
    FIELD.place(profile.load("malicious-garbage"))
    await counter.until(lambda: counter.words)
    assert "again" in counter.words[0].lower() or "another" in counter.words[0].lower()
    arming.stop()
    assert counter.taps == []


async def test_the_first_of_two_readers_wins() -> None:
    """Both have a card on them from the start."""
    pool = DevicePool(Devices(readers=(parse("sim:visa-approve"), parse("sim:visa-phone"))), lambda: None)
    two = Counter(pool)
    pool.start()
    two.arm()
    await two.until(lambda: two.taps)
    # What the loser may have read comes no more.
    await asyncio.to_thread(pool.close)
    await asyncio.sleep(0)
    assert len(two.taps) == 1


async def test_a_device_that_comes_back_is_still_armed(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = parse("sim:")
    away = threading.Event()
    away.set()
    wait = in_process.InProcessReader.wait_for_card

    def flaky(self: Any, stop: threading.Event, *, timeout_s: float) -> Any:
        if away.is_set():
            away.clear()
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")
        return wait(self, stop, timeout_s=timeout_s)

    monkeypatch.setattr(in_process.InProcessReader, "wait_for_card", flaky)
    FIELD.place(profile.load("visa-approve"))
    counter.arm()
    await counter.until(lambda: counter.taps)
    assert len(counter.taps) == 1


async def test_a_reader_that_was_away_for_many_orders_takes_the_next_card_at_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for cards to leave it that it has never seen."""
    removals: list[int] = []
    wait = InProcessReader.wait_for_removal

    def count(self: InProcessReader, stop: threading.Event, *, timeout_s: float) -> bool:
        removals.append(1)
        return wait(self, stop, timeout_s=timeout_s)

    monkeypatch.setattr(InProcessReader, "wait_for_removal", count)
    away = threading.Event()
    away.set()
    open_sim = in_process.open

    def open_when_back(address: DeviceAddress) -> InProcessReader:
        if away.is_set():
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")
        return open_sim(address)

    monkeypatch.setattr(in_process, "open", open_when_back)
    counter.pool.readers[0].restart()
    await counter.until(lambda: counter.states()[0] == "unavailable")
    for _ in range(20):
        counter.arm().stop()
    counter.arm()
    away.clear()
    FIELD.place(profile.load("visa-approve"))
    await counter.until(lambda: counter.taps)
    assert len(removals) <= 1  # for the card that paid
    FIELD.take_away()
    await idle(counter)
