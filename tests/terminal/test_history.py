"""What became of the orders: read from the real store, newest first, with what nobody was waiting for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.acknowledgement import Acknowledgement, Refusal
from offline_queue.delivery import TakenOver
from offline_queue.errors import ChainBrokenError
from offline_queue.record import Record, RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from offline_queue.summary import Summary
from terminal.channels.channel import Case
from terminal.config import Config, HostConfig, Shop, Terminal
from terminal.history import SHOWN, History
from terminal.money import Money
from terminal.payment.attempt_events import (
    Result,
    State,
)
from terminal.store_worker import StoreWorker
from terminal.view import Outcome

CONFIG = Config(Shop("Tea House", "EUR", "276"), Terminal("T1"), HostConfig("https://127.0.0.1"))
HOST = SigningKey.generate()


class Till:
    """A store in its worker, and orders with attempts in it."""

    def __init__(self, path: Path) -> None:
        signer, sealer = SigningKey.generate(), Sealer(Opener.generate().public_bytes())
        self.store = StoreWorker(
            lambda: Store.open(path, terminal_id="T1", signer=signer, sealer=sealer, host_key=HOST.public_key)
        )
        self.history = History(CONFIG, {"card": "Card"})
        self.number = 0

    async def order(self, name: str = "") -> str:
        self.number += 1
        order = name or f"T1-{self.number}"
        await self.store.call(lambda store: store.open_order(order, 1250, "EUR"))
        return order

    async def attempt(self, order: str) -> str:
        def begin(store: Store) -> str:
            return store.begin_attempt(order, state=State.ARMED.value)

        return await self.store.call(begin)

    async def intent(self, attempt: str) -> None:
        summary: Summary = {"amount": 1250, "currency": "EUR", "channel": "card"}
        await self._append(RecordKind.INTENT, attempt, State.ASKING, summary)

    async def result(self, attempt: str, outcome: Outcome, **more: bool) -> None:
        summary: Summary = {
            "amount": 1250,
            "currency": "EUR",
            "channel": "card",
            "outcome": outcome.name.lower(),
            **more,
        }
        await self._append(RecordKind.RESULT, attempt, State.DONE, summary)

    async def _append(self, kind: RecordKind, attempt: str, state: State, summary: Summary) -> None:
        await self.store.call(
            lambda store: store.append(
                kind,
                attempt=attempt,
                state=state.value,
                closes=kind is RecordKind.RESULT,
                secret=b"",
                summary=summary,
                time_ms=1_800_000_000_000,
            )
        )

    async def paid(self, outcome: Outcome = Outcome.APPROVED, order: str = "", **more: bool) -> str:
        """Add an order with one attempt that has this outcome; return the attempt."""
        attempt = await self.attempt(await self.order(order))
        await self.intent(attempt)
        await self.result(attempt, outcome, **more)
        return attempt

    async def settle(self, fates: dict[str, str], *refused: Refusal) -> TakenOver:
        """Let the host acknowledge everything, settle what was taken offline, and refuse records."""

        def acknowledge(store: Store) -> TakenOver:
            status = store.status()
            return store.acknowledge(
                Acknowledgement.issue(
                    HOST,
                    terminal_id="T1",
                    through=status.sequence,
                    head=status.head,
                    settled=fates,
                    refused=refused,
                )
            )

        return await self.store.call(acknowledge)

    async def load(self) -> list[tuple[str, Outcome, str]]:
        await self.history.load(self.store)
        return [(line.order, line.outcome, line.note) for line in self.history.lines()]


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    till = Till(tmp_path / "queue.db")
    yield till
    till.store.close()


def case(order: str) -> Case:
    return Case(f"{order}-x", order, Money(1250, "EUR"), None)


async def test_a_new_terminal_has_no_history(till: Till) -> None:
    assert await till.load() == []
    assert till.history.notices() == ()
    assert [till.history.next_order() for _ in range(3)] == [1, 2, 3]


async def test_each_outcome_has_its_line(till: Till) -> None:
    for outcome in Outcome:
        await till.paid(outcome)
    assert await till.load() == [(f"T1-{4 - n}", outcome, "") for n, outcome in enumerate(reversed(Outcome))]
    line = till.history.lines()[0]
    assert (line.amount, line.channel) == (Money(1250, "EUR"), "Card")
    assert line.attempt.startswith("T1-00000004")
    assert re.fullmatch(r"\d\d:\d\d", line.time)


async def test_an_order_that_nothing_was_shown_for_is_not_listed(till: Till) -> None:
    await till.order()
    await till.attempt(await till.order())
    assert await till.load() == []


async def test_an_attempt_that_is_open_is_being_resolved(till: Till) -> None:
    await till.intent(await till.attempt(await till.order()))
    assert await till.load() == [("T1-1", Outcome.UNKNOWN, "being resolved")]


async def test_a_late_payment_says_so(till: Till) -> None:
    await till.paid(Outcome.APPROVED, late=True)
    assert await till.load() == [("T1-1", Outcome.APPROVED, "late")]


async def test_an_order_is_shown_by_the_attempt_that_paid_it_and_else_by_its_last(till: Till) -> None:
    order = await till.order()
    for outcome in (Outcome.DECLINED, Outcome.APPROVED):
        attempt = await till.attempt(order)
        await till.intent(attempt)
        await till.result(attempt, outcome)
    assert (await till.load())[0][1] is Outcome.APPROVED
    other = await till.order()
    for outcome in (Outcome.UNKNOWN, Outcome.DECLINED):
        attempt = await till.attempt(other)
        await till.intent(attempt)
        await till.result(attempt, outcome)
    assert (await till.load())[0] == (other, Outcome.DECLINED, "")


async def test_the_newest_are_listed_newest_first(till: Till) -> None:
    for _ in range(SHOWN + 3):
        await till.paid()
    orders = [order for order, _, _ in await till.load()]
    assert orders == [f"T1-{number}" for number in range(SHOWN + 3, 3, -1)]


async def test_the_host_decides_on_what_was_taken_offline(till: Till) -> None:
    first, second = [await till.paid(Outcome.APPROVED_OFFLINE, deferred=True) for _ in range(2)]
    offline = Outcome.APPROVED_OFFLINE
    assert await till.load() == [("T1-2", offline, "waits for host"), ("T1-1", offline, "waits for host")]
    assert [line.deferred for line in till.history.lines()] == [True, True]
    taken = await till.settle({first: "approved", second: "declined"})
    assert await till.load() == [
        ("T1-2", Outcome.DECLINED, "HOST DECLINED"),
        ("T1-1", Outcome.APPROVED, "host approved"),
    ]
    assert [line.deferred for line in till.history.lines()] == [False, False]
    await till.history.notice_taken_over(till.store, taken)
    notice = "Order T1-2, €12.50: the host declined the offline payment. Not paid!"
    assert till.history.notices() == (notice,)
    # The same acknowledgement again brings nothing new.
    await till.history.notice_taken_over(till.store, await till.settle({second: "declined"}))
    assert till.history.notices() == (notice,)


async def test_what_the_card_approved_keeps_its_own_word(till: Till) -> None:
    first, second = [await till.paid(Outcome.APPROVED_OFFLINE, deferred=False) for _ in range(2)]
    offline = Outcome.APPROVED_OFFLINE
    assert await till.load() == [("T1-2", offline, "card approved"), ("T1-1", offline, "card approved")]
    assert [line.deferred for line in till.history.lines()] == [False, False]
    taken = await till.settle({first: "approved", second: "declined"})
    assert await till.load() == [
        ("T1-2", Outcome.DECLINED, "HOST DECLINED"),
        ("T1-1", offline, "host booked"),
    ]
    await till.history.notice_taken_over(till.store, taken)
    notice = "Order T1-2, €12.50: the host declined the offline payment. Not paid!"
    assert till.history.notices() == (notice,)


async def test_an_offline_payment_that_is_not_listed_any_more_is_told_of_when_it_is_declined(
    till: Till,
) -> None:
    """A day without a network has more payments than the list has lines."""
    first = await till.paid(Outcome.APPROVED_OFFLINE, deferred=True)
    for _ in range(SHOWN):
        await till.paid(Outcome.APPROVED_OFFLINE, deferred=True)
    await till.load()
    await till.history.notice_taken_over(till.store, await till.settle({first: "declined"}))
    assert till.history.notices() == ("Order T1-1, €12.50: the host declined the offline payment. Not paid!",)


async def test_a_record_that_the_host_refuses_is_told_of(till: Till) -> None:
    await till.paid()
    await till.history.notice_taken_over(till.store, await till.settle({}, Refusal(2, "no such thing")))
    assert till.history.notices() == ("the host refuses record 2 (no such thing); it is kept in quarantine",)
    assert await till.load() == [("T1-1", Outcome.APPROVED, "HOST REFUSED")]


async def test_an_order_whose_records_are_damaged_does_not_hide_the_others(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await till.paid()
    await till.paid()
    records = Store.records

    def damaged(store: Store, key: str) -> tuple[Record, ...]:
        if key == attempt:
            raise ChainBrokenError("record 1 was changed")
        return records(store, key)

    monkeypatch.setattr(Store, "records", damaged)
    assert await till.load() == [("T1-2", Outcome.APPROVED, ""), ("T1-1", Outcome.UNKNOWN, "RECORD DAMAGED")]


async def test_order_numbers_go_on_after_a_restart(till: Till) -> None:
    await till.paid(order="T1-41")
    await till.order("T1-42")
    await till.load()
    assert till.history.next_order() == 43
    # A number that was given out is not given again, used or not.
    await till.load()
    assert till.history.next_order() == 44


async def test_an_order_of_another_name_does_not_stop_the_numbers(till: Till) -> None:
    await till.order("by hand")
    await till.load()
    assert till.history.next_order() == 1


async def test_notices_are_newest_first_and_not_too_many(till: Till) -> None:
    till.history.notice(case("T1-1"), Result(Outcome.DECLINED, "cancelled"))
    till.history.notice(case("T1-2"), Result(Outcome.APPROVED))
    assert till.history.notices() == (
        "Order T1-2, €12.50: approved",
        "Order T1-1, €12.50: declined (cancelled)",
    )
    for number in range(100):
        till.history.notice(case(f"T1-{number}"), Result(Outcome.APPROVED))
    assert len(till.history.notices()) == SHOWN
