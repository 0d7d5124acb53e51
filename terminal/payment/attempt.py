"""One try to pay an order: a state machine without I/O, clock or randomness.

Events go in, actions come out; `terminal.payment.runner` carries the actions out. All channels and
both ways of a code use this one machine; `Plan` says what differs.

Theory of operation. What must survive a crash is saved before it takes effect: the intent before
the first byte to a host, the outcome before anyone sees it, the reversal before it is sent. Only a
definite answer ends an attempt. Whatever else arrives is *unknown*: it is queried until its time is
over, then reversed, and the reversal is repeated until it is definite. If that takes long the
outcome UNKNOWN is shown, and the machine goes on behind it.

A code that this terminal showed can be paid after it expired. Such an attempt ends as declined, so
that the order can be paid otherwise, and is watched for as long as the wallet keeps the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from terminal.view import Outcome


class AttemptMisuseError(Exception):
    """An event arrived in a state that has no place for it: a fault of our own."""


class Verdict(StrEnum):
    """What an answer of a host or wallet comes down to."""

    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"
    """The wallet waits for its user."""
    NOT_FOUND = "not found"
    """The host has never heard of the attempt."""
    REVERSED = "reversed"
    UNKNOWN = "unknown"
    """Sent, and no valid answer. Neither yes nor no."""
    NOT_SENT = "not sent"
    """Definitely nothing reached the host."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a host or wallet.

    `reason` is words for the cashier. `code` is the host's own code, raw. `qr` is the text of a code
    to show.
    """

    verdict: Verdict
    reason: str = ""
    code: str = ""
    authorisation: str = ""
    qr: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between channels. Times in seconds.

    Args:
        query_every_s: Pause before a query.
        lifetime_s: For how long an attempt without a definite answer is queried before it is reversed.
        reverse_every_s: Pause before a reversal is repeated.
        unknown_after: After so many reversals without a definite answer UNKNOWN is shown.
        watch_every_s: Pause between looks at an expired code; 0 where there is nothing to watch.
        watch_s: How long an expired code is watched.
        accept_late: Whether a late payment is accepted where the order is still open.
    """

    query_every_s: float
    lifetime_s: float
    reverse_every_s: float = 2.0
    unknown_after: int = 2
    watch_every_s: float = 0.0
    watch_s: float = 0.0
    accept_late: bool = False


class State(Enum):
    """The states; the store keeps the values of ARMED, ASKING, REVERSING, WATCHING and DONE."""

    ARMED = "armed"
    SAVING_INTENT = "saving intent"
    ASKING = "asking"
    WAITING = "waiting"
    QUERYING = "querying"
    SAVING_REVERSAL = "saving reversal"
    REVERSING = "reversing"
    RETRYING = "retrying"
    SAVING_RESULT = "saving result"
    WATCHING = "watching"
    LOOKING = "looking"
    DONE = "done"


# --- events


@dataclass(frozen=True, slots=True)
class Presented:
    """The customer has shown something to pay with.

    Args:
        plan: That of the channel that it is paid through.
        refusal: Why it is already declined (the card said so), or empty.
        offline_refusal: Why it may not be taken offline, or empty where it may.
        force_offline: Whether the host is not to be asked.
    """

    plan: Plan
    refusal: str = ""
    offline_refusal: str = "this payment needs the network"
    force_offline: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The record is durable."""


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The record is not durable. `absent`: it is certainly not there, else that is not known."""

    reason: str
    absent: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The host or wallet answered. `order_paid`: another attempt has paid the order meanwhile."""

    answer: Answer
    order_paid: bool = False


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The pause that `Wait` asked for is over."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The attempt's lifetime, or its watch, is over."""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The cashier gives up the attempt."""


Event = Presented | Saved | SaveFailed | Answered | TimerFired | Expired | CancelAsked


# --- actions


@dataclass(frozen=True, slots=True)
class SaveIntent:
    """Make the intent durable."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the host or wallet to pay."""


@dataclass(frozen=True, slots=True)
class Query:
    """Ask what became of the attempt."""


@dataclass(frozen=True, slots=True)
class SaveReversal:
    """Make it durable that the attempt is to be undone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo the attempt at the host or wallet."""


@dataclass(frozen=True, slots=True)
class SaveResult:
    """Make the outcome durable."""

    result: Result
    state: State
    """What the store is to keep: DONE or WATCHING."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Pause, then TimerFired."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """There is an outcome to show. It may come again: after UNKNOWN, and when a code is paid late."""

    result: Result


@dataclass(frozen=True, slots=True)
class Close:
    """End the attempt without a record: nothing was sent, or everything is recorded already."""


Action = SaveIntent | Ask | Query | SaveReversal | Reverse | SaveResult | Wait | Finish | Close


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with its reason in words.

    `deferred`: taken without an answer from the host. `late`: paid after the code had expired.
    """

    outcome: Outcome
    reason: str = ""
    code: str = ""
    authorisation: str = ""
    deferred: bool = False
    late: bool = False


class Attempt:
    """The machine. `handle` consumes one event and returns what to do next, in order."""

    def __init__(self) -> None:
        self.plan = Plan(query_every_s=0.0, lifetime_s=0.0)
        """What the channel wants; known once something is presented."""
        self.state = State.ARMED
        self.presented = Presented(self.plan)
        self.result: Result | None = None
        self.ending = ""
        """Why the attempt is to be undone, in words; empty while it is not."""
        self.reversals = 0
        self.unknown_shown = False
        self.late = False
        self.after_result = State.DONE

    @classmethod
    def resume(cls, plan: Plan, stored: str) -> tuple[Attempt, tuple[Action, ...]]:
        """Return the machine of an attempt that an earlier run left open, and what to do first.

        Query, then reverse: nobody is at the counter to wait for.
        """
        attempt = cls()
        attempt.plan = plan
        if stored == State.ARMED.value:
            attempt.state = State.DONE
            return attempt, (Close(),)
        attempt.ending = "the terminal was restarted in the middle"
        attempt.unknown_shown = True
        if stored == State.WATCHING.value:
            attempt.ending = ""
            attempt.state = State.WATCHING
            return attempt, (Wait(plan.watch_every_s),)
        if stored == State.REVERSING.value:
            attempt.state = State.REVERSING
            return attempt, (Reverse(),)
        attempt.state = State.QUERYING
        return attempt, (Query(),)

    def handle(self, event: Event) -> tuple[Action, ...]:
        """Consume one event and return what the caller must do next, in order."""
        try:
            step = TRANSITIONS[self.state][type(event)]
        except KeyError:
            raise AttemptMisuseError(f"{type(event).__name__} in {self.state.name}") from None
        self.state, actions = step(self, event)
        return actions


Step = tuple[State, tuple[Action, ...]]


def _presented(attempt: Attempt, event: Presented) -> Step:
    attempt.presented, attempt.plan = event, event.plan
    if event.refusal:
        return _save_result(attempt, Result(Outcome.DECLINED, event.refusal))
    return State.SAVING_INTENT, (SaveIntent(),)


def _give_up(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.result = Result(Outcome.DECLINED, "cancelled")
    return State.DONE, (Close(), Finish(attempt.result))


def _intent_saved(attempt: Attempt, event: Saved) -> Step:
    if attempt.ending or attempt.presented.force_offline:
        return _without_host(attempt, "the terminal is set to offline")
    return State.ASKING, (Ask(),)


def _intent_failed(attempt: Attempt, event: SaveFailed) -> Step:
    # Nothing was sent, so this is a definite no, whether or not the intent is found after a restart.
    attempt.result = Result(Outcome.DECLINED, event.reason)
    return State.DONE, (Finish(attempt.result),)


def _without_host(attempt: Attempt, why: str) -> Step:
    if attempt.ending:
        return _save_result(attempt, Result(Outcome.DECLINED, attempt.ending))
    refusal = attempt.presented.offline_refusal
    if refusal:
        return _save_result(attempt, Result(Outcome.DECLINED, f"{why}; {refusal}"))
    return _save_result(attempt, Result(Outcome.APPROVED_OFFLINE, why, deferred=True))


def _asked(attempt: Attempt, event: Answered) -> Step:
    if event.answer.verdict is Verdict.NOT_SENT:
        return _without_host(attempt, event.answer.reason)
    return _queried(attempt, event)


def _queried(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.APPROVED:
        return _save_result(
            attempt, Result(Outcome.APPROVED, answer.reason, answer.code, answer.authorisation)
        )
    if answer.verdict in (Verdict.DECLINED, Verdict.REVERSED):
        return _save_result(attempt, Result(Outcome.DECLINED, answer.reason, answer.code))
    if attempt.ending:
        return State.SAVING_REVERSAL, (SaveReversal(attempt.ending),)
    return State.WAITING, (Wait(attempt.plan.query_every_s),)


def _query(attempt: Attempt, event: TimerFired) -> Step:
    return State.QUERYING, (Query(),)


def _last_query(attempt: Attempt, event: Expired) -> Step:
    attempt.ending = "not paid in time"
    return State.QUERYING, (Query(),)


def _expired_meanwhile(attempt: Attempt, event: Expired) -> Step:
    attempt.ending = attempt.ending or "not paid in time"
    return attempt.state, ()


def _cancel_meanwhile(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.ending = "cancelled"
    return attempt.state, ()


def _cancel_waiting(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.ending = "cancelled"
    return State.SAVING_REVERSAL, (SaveReversal(attempt.ending),)


def _reversal_saved(attempt: Attempt, event: Saved) -> Step:
    return State.REVERSING, (Reverse(),)


def _reversal_failed(attempt: Attempt, event: SaveFailed) -> Step:
    return _unknown(attempt, event.reason)


def _unknown(attempt: Attempt, reason: str) -> Step:
    # The attempt stays open in the store: the next start resolves it.
    attempt.result = Result(Outcome.UNKNOWN, reason)
    return State.DONE, (Finish(attempt.result),)


def _reversed(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.APPROVED:
        return _queried(attempt, event)
    if answer.verdict in (Verdict.REVERSED, Verdict.DECLINED):
        words = "; ".join(part for part in (attempt.ending, answer.reason) if part)
        return _save_result(attempt, Result(Outcome.DECLINED, words, answer.code, late=attempt.late))
    if answer.verdict is Verdict.NOT_FOUND:
        watch = bool(attempt.plan.watch_every_s) and not attempt.late
        result = Result(Outcome.DECLINED, attempt.ending, answer.code)
        return _save_result(attempt, result, State.WATCHING if watch else State.DONE)
    attempt.reversals += 1
    actions: tuple[Action, ...] = (Wait(attempt.plan.reverse_every_s),)
    if attempt.reversals >= attempt.plan.unknown_after and not attempt.unknown_shown:
        attempt.unknown_shown = True
        attempt.result = Result(Outcome.UNKNOWN, answer.reason, answer.code)
        actions = (Finish(attempt.result), *actions)
    return State.RETRYING, actions


def _reverse_again(attempt: Attempt, event: TimerFired) -> Step:
    return State.REVERSING, (Reverse(),)


def _ignore(attempt: Attempt, event: Event) -> Step:
    # A cashier's key or a timer that lost the race: what it asks for is already under way.
    return attempt.state, ()


def _save_result(attempt: Attempt, result: Result, state: State = State.DONE) -> Step:
    attempt.result, attempt.after_result = result, state
    return State.SAVING_RESULT, (SaveResult(result, state),)


def _result_saved(attempt: Attempt, event: Saved) -> Step:
    finish = Finish(_result(attempt))
    if attempt.after_result is State.WATCHING:
        attempt.ending = ""
        return State.WATCHING, (finish, Wait(attempt.plan.watch_every_s))
    return State.DONE, (finish,)


def _result_failed(attempt: Attempt, event: SaveFailed) -> Step:
    result = _result(attempt)
    if result.outcome is Outcome.DECLINED or (result.deferred and event.absent):
        # No host has heard of a deferred payment before its result is delivered.
        attempt.result = Result(Outcome.DECLINED, event.reason)
        return State.DONE, (Finish(attempt.result),)
    return _unknown(attempt, event.reason)


def _result(attempt: Attempt) -> Result:
    if attempt.result is None:
        raise AttemptMisuseError("no result to save")
    return attempt.result


def _look(attempt: Attempt, event: TimerFired) -> Step:
    return State.LOOKING, (Query(),)


def _looked(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is not Verdict.APPROVED:
        return (State.DONE, ()) if attempt.ending else _watch_on(attempt)
    attempt.late = True
    if attempt.plan.accept_late and not event.order_paid:
        result = Result(
            Outcome.APPROVED, "paid after the code had expired", answer.code, answer.authorisation, late=True
        )
        return _save_result(attempt, result)
    attempt.ending = "paid after the code had expired, and refunded"
    return State.SAVING_REVERSAL, (SaveReversal(attempt.ending),)


def _watch_on(attempt: Attempt) -> Step:
    return State.WATCHING, (Wait(attempt.plan.watch_every_s),)


def _watch_over(attempt: Attempt, event: Expired) -> Step:
    return State.DONE, ()


TRANSITIONS: Mapping[State, Mapping[type, Callable[..., Step]]] = {
    State.ARMED: {Presented: _presented, CancelAsked: _give_up},
    State.SAVING_INTENT: {Saved: _intent_saved, SaveFailed: _intent_failed, CancelAsked: _cancel_meanwhile},
    State.ASKING: {Answered: _asked, Expired: _expired_meanwhile, CancelAsked: _cancel_meanwhile},
    State.WAITING: {TimerFired: _query, Expired: _last_query, CancelAsked: _cancel_waiting},
    State.QUERYING: {Answered: _queried, Expired: _expired_meanwhile, CancelAsked: _cancel_meanwhile},
    State.SAVING_REVERSAL: {
        Saved: _reversal_saved,
        SaveFailed: _reversal_failed,
        Expired: _ignore,
        CancelAsked: _ignore,
    },
    State.REVERSING: {Answered: _reversed, Expired: _ignore, CancelAsked: _ignore},
    State.RETRYING: {TimerFired: _reverse_again, Expired: _ignore, CancelAsked: _ignore},
    State.SAVING_RESULT: {
        Saved: _result_saved,
        SaveFailed: _result_failed,
        Expired: _ignore,
        CancelAsked: _ignore,
    },
    State.WATCHING: {TimerFired: _look, Expired: _watch_over, CancelAsked: _ignore},
    State.LOOKING: {Answered: _looked, Expired: _expired_meanwhile, CancelAsked: _ignore},
    State.DONE: {Expired: _ignore, CancelAsked: _ignore},
}
"""What may happen in which state. Every other pair raises AttemptMisuseError and changes nothing."""
