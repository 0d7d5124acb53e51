"""Carries out what the attempt machine asks for: records, hosts, pauses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from offline_queue.errors import CommitUnknownError, OrderPaidError, QueueError, SeenBeforeError
from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from offline_queue.summary import looks_like_card_number
from terminal.channels.channel import Case, Channel
from terminal.payment.attempt import Attempt
from terminal.payment.attempt_events import (
    Action,
    Answer,
    Answered,
    Ask,
    CancelAsked,
    Close,
    Event,
    Expired,
    Finish,
    Presented,
    Query,
    Result,
    Reverse,
    Saved,
    SaveFailed,
    SaveIntent,
    SaveResult,
    SaveReversal,
    State,
    TimerFired,
    Verdict,
    Wait,
)
from terminal.payment.card_memory import REPLAYED
from terminal.payment.instrument import Instrument
from terminal.store_worker import StoreWorker

logger = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class AttemptRunner:
    """One attempt under way: the machine, its channel and the store.

    Args:
        case: The attempt's key, order and amount.
        channel: Where it is paid; may be replaced until something is presented.
        attempt: The machine, with the first actions that it asked for if it was resumed.
        now_ms: The wall clock in milliseconds, for records.
        on_change: Called after each change of the machine's state.
        on_finish: Called with each outcome, once it is durable.
    """

    def __init__(
        self,
        case: Case,
        channel: Channel,
        attempt: Attempt,
        store: StoreWorker,
        *,
        now_ms: Callable[[], int],
        on_change: Callable[[AttemptRunner], None],
        on_finish: Callable[[AttemptRunner, Result, Record | None], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.case = case
        self.channel = channel
        self.attempt = attempt
        self.qr = ""
        self.expires_at = 0.0
        """When a shown code stops counting, on the loop's clock."""
        self.answer = Answer(Verdict.UNKNOWN)
        self._store = store
        self._now_ms = now_ms
        self._on_change = on_change
        self._on_finish = on_finish
        self._sleep = sleep
        self._events: asyncio.Queue[tuple[Event, object]] = asyncio.Queue()
        self._intent: Record | None = None
        self._reversal: Record | None = None
        self._last_record: Record | None = None
        self._in_doubt = False
        """Whether the record that is to be saved may be in the store already: its commit was unknown."""
        self._awaited: asyncio.Task[None] | None = None
        self._expiry: asyncio.Task[None] | None = None
        self._ticket = object()

    def restore(self, intent: Record | None, reversal: Record | None) -> None:
        """Give back the records of an attempt that an earlier run left open."""
        self._intent, self._reversal = intent, reversal

    def present(self, channel: Channel, instrument: Instrument, event: Presented) -> None:
        """The customer has shown something: pay with it."""
        self.channel = channel
        self.case = Case(self.case.key, self.case.order, self.case.amount, instrument)
        self.post(event)

    def cancel(self) -> None:
        """The cashier gives up."""
        self.post(CancelAsked())

    def post(self, event: Event) -> None:
        """Queue an event from outside."""
        self._events.put_nowait((event, None))

    async def run(self, first: Iterable[Action] = ()) -> None:
        """Handle events until the attempt is done. Cancelling it leaves the store as it is."""
        try:
            await self._perform_all(first)
            while self.attempt.state is not State.DONE:
                event, ticket = await self._events.get()
                if ticket is not None and ticket is not self._ticket:
                    continue  # a pause that something else has overtaken
                actions = self.attempt.handle(event)
                self._tell(lambda: self._on_change(self))
                await self._perform_all(actions)
        finally:
            for task in (self._awaited, self._expiry):
                if task is not None:
                    task.cancel()

    async def _perform_all(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Finish):
                self._tell(partial(self._on_finish, self, action.result, self._last_record))
            elif isinstance(action, Close):
                await self._close()
            else:
                self._begin(action)

    def _tell(self, tell: Callable[[], None]) -> None:
        """Tell the counter. Whatever it does with it, the attempt goes on."""
        try:
            tell()
        except Exception:
            logger.exception("attempt %s: the counter failed", self.case.key)

    def _begin(self, action: Action) -> None:
        """Start what ends in an event. It takes the place of a pause that is still running."""
        if self._awaited is not None:
            self._awaited.cancel()
        self._ticket = object()
        if isinstance(action, Ask):
            self._start_expiry(self.attempt.plan.lifetime_s)
        elif isinstance(action, Wait) and self.attempt.state is State.WATCHING and self._expiry is None:
            self._start_expiry(self.attempt.plan.watch_s)
        self._awaited = asyncio.create_task(self._await(action, self._ticket))

    async def _await(self, action: Action, ticket: object) -> None:
        try:
            event = await self._do(action)
        except Exception as error:  # noqa: BLE001  the attempt must go on, whatever a part of it does
            logger.error("attempt %s: %s failed: %s", self.case.key, _name(action), type(error).__name__)
            self._in_doubt = self._in_doubt or isinstance(action, SaveIntent | SaveReversal | SaveResult)
            event = _not_known(action)
        self._events.put_nowait((event, ticket))

    async def _do(self, action: Action) -> Event:
        match action:
            case SaveIntent():
                return await self._save_intent()
            case SaveReversal(reason):
                return await self._save(RecordKind.REVERSAL, State.REVERSING.value, {"reason": reason})
            case SaveResult(result, state):
                self._stop_expiry()
                return await self._save_result(result, state)
            case Ask():
                return self._answered(await self.channel.ask(self.case, _there(self._intent)))
            case Query():
                return self._answered(await self.channel.query(self.case))
            case Reverse():
                return self._answered(await self.channel.reverse(self.case, _there(self._reversal)))
            case Wait(seconds):
                await self._sleep(seconds)
                return TimerFired()
            case _:
                raise AssertionError(f"{action} ends in no event")

    def _answered(self, answer: Answer) -> Answered:
        self.answer = answer
        self.qr = answer.qr or self.qr
        logger.info("attempt %s: %s %s", self.case.key, answer.verdict.value, answer.code)
        return Answered(answer)

    async def _save_intent(self) -> Event:
        return await self._save(RecordKind.INTENT, State.ASKING.value, {}, proves=True)

    async def _save_result(self, result: Result, state: State) -> Event:
        facts = _result_summary(result)
        return await self._save(RecordKind.RESULT, state.value, facts, closes=True, proves=result.by_card)

    async def _save(
        self,
        kind: RecordKind,
        state: str,
        facts: Mapping[str, str | int | bool],
        *,
        closes: bool = False,
        proves: bool = False,
    ) -> Event:
        """Save a record; one that proves carries what the customer showed, sealed, which counts once."""
        summary = {**self._summary(), **facts}
        secret = self.channel.secret(self.case) if proves else b""
        instrument = self.case.instrument if proves else None

        def append(store: Store) -> Record:
            if self._in_doubt and (there := _find(store, self.case.key, kind, summary)):
                return there
            # Read back and not found: what happens from here on is known again.
            self._in_doubt = False
            return store.append(
                kind,
                attempt=self.case.key,
                state=state,
                closes=closes,
                secret=secret,
                summary=summary,
                time_ms=self._now_ms(),
                sighting=instrument.sighting if instrument else None,
            )

        try:
            record = await self._store.call(append)
        except OrderPaidError as error:
            return SaveFailed(str(error), absent=True, order_paid=True)
        except SeenBeforeError:
            logger.warning("attempt %s: %s", self.case.key, REPLAYED)
            return SaveFailed(REPLAYED, absent=True, replayed=True)
        except CommitUnknownError as error:
            logger.error("attempt %s: commit unknown: %s", self.case.key, error)
            self._in_doubt = True
            return SaveFailed(str(error), absent=False)
        except QueueError as error:
            logger.error("attempt %s: not recorded: %s", self.case.key, error)
            return SaveFailed(str(error), absent=not self._in_doubt)
        self._in_doubt = False
        self._last_record = record
        if kind is RecordKind.INTENT:
            self._intent = record
        elif kind is RecordKind.REVERSAL:
            self._reversal = record
        return Saved()

    async def _close(self) -> None:
        try:
            await self._store.call(
                lambda store: store.move_attempt(self.case.key, state=State.DONE.value, closes=True)
            )
        except QueueError:
            # The next start finds the attempt and puts it to rest.
            logger.warning("attempt %s: not put to rest", self.case.key)

    def _summary(self) -> dict[str, str | int | bool]:
        instrument = self.case.instrument
        return {
            "order": self.case.order,
            "amount": self.case.amount.minor,
            "currency": self.case.amount.currency,
            "channel": self.channel.name,
            **(instrument.summary if instrument else {}),
        }

    def _start_expiry(self, seconds: float) -> None:
        self._stop_expiry()
        self.expires_at = asyncio.get_running_loop().time() + seconds

        async def expire() -> None:
            await self._sleep(seconds)
            self.post(Expired())

        self._expiry = asyncio.create_task(expire())

    def _stop_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None


def _result_summary(result: Result) -> dict[str, str | int | bool]:
    return {
        "outcome": result.outcome.name.lower(),
        "reason": _harmless(result.reason),
        "code": _harmless(result.code),
        "authorisation": _harmless(result.authorisation),
        "deferred": result.deferred,
        "late": result.late,
    }


def _harmless(text: str) -> str:
    """Return a host's text, but not one that the queue would refuse because it looks like a card number."""
    return "(not shown)" if looks_like_card_number(text) else text


def _find(store: Store, attempt: str, kind: RecordKind, summary: Mapping[str, object]) -> Record | None:
    """Return the attempt's last record if it is the one that is to be saved."""
    last = store.records(attempt)[-1:]
    return next((record for record in last if record.kind is kind and record.summary == summary), None)


def _not_known(action: Action) -> Event:
    """Return what an action comes to that ended in an error of the program: nothing is known."""
    match action:
        case Wait():
            return TimerFired()
        case SaveIntent() | SaveReversal() | SaveResult():
            return SaveFailed("an error of the program; see the log", absent=False)
        case _:
            return Answered(Answer(Verdict.UNKNOWN, "an error of the program; see the log"))


def _name(action: Action) -> str:
    return type(action).__name__


def _there(record: Record | None) -> Record:
    if record is None:
        raise AssertionError("asked for before its record was saved")
    return record
