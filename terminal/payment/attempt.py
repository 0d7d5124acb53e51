"""One try to pay an order: a state machine without I/O, clock or randomness.

Events go in, actions come out; `terminal.payment.runner` carries the actions out. All channels and
both ways of a code use this one machine; `Plan` says what differs.

Theory of operation. What must survive a crash is saved before it takes effect: the intent before
the first byte to a host, the outcome before anyone sees it, the reversal before it is sent. Only a
definite answer ends an attempt. Whatever else arrives is *unknown*: it is queried until its time is
over, then reversed, and the reversal is repeated until it is definite. If that takes long the
outcome UNKNOWN is shown, and the machine goes on behind it. What can't be saved is saved again.

A card may approve by itself, offline. Then nobody is asked: the one record of the attempt is the outcome
with the card's proof, and the host books it on delivery. That is not the deferral of a payment that the
host could not be asked about, which nobody has approved.

A code that this terminal showed can be paid after it expired. Such an attempt ends as declined, so
that the order can be paid otherwise, and is watched for as long as the wallet keeps the code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

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
    Plan,
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
from terminal.view import Outcome

CANCELLED = "cancelled"
EXPIRED = "not paid in time"
RESTARTED = "the terminal was restarted in the middle"
TOO_LATE = "paid too late, and refunded"
BY_CARD = "the card approved by itself"
"""Why an attempt is undone. The words are shown, and kept with its records."""

LONGEST_REVERSE_S = 60.0
LONGEST_WATCH_S = 15.0
SAVE_AGAIN_S = 1.0
LONGEST_SAVE_S = 30.0


class AttemptMisuseError(Exception):
    """An event arrived in a state that has no place for it: a fault of our own."""


class Attempt:
    """The machine. `handle` consumes one event and returns what to do next, in order."""

    def __init__(self) -> None:
        self.plan = Plan(query_every_s=0.0, lifetime_s=0.0)
        """What the channel wants; known once something is presented."""
        self.state = State.ARMED
        self.presented = Presented(self.plan)
        self.result: Result | None = None
        self.shown: Result | None = None
        """What `Finish` has told last."""
        self.ending = ""
        """Why the attempt is to be undone, in words; empty while it is not."""
        self.late = False
        """Whether it was paid after its end, and that is being dealt with."""
        self.reversals = 0
        self.looks = 0
        self.saves = 0
        self.after_result = State.DONE
        self.unsaved: tuple[State, Action] = (State.DONE, Close())

    @classmethod
    def resume(
        cls, plan: Plan, stored: str, *, live: bool = True, cancelled: bool = False
    ) -> tuple[Attempt, tuple[Action, ...]]:
        """Return the machine of an attempt that an earlier run left open, and what to do first.

        Query, then reverse: nobody is at the counter to wait for.

        Args:
            plan: That of its channel.
            stored: The state that the store has.
            live: Whether its outcome was still open. If not, a reversal is that of a late payment.
            cancelled: Whether the cashier had cancelled it.
        """
        attempt = cls()
        attempt.plan = plan
        if stored == State.ARMED.value:
            attempt.state = State.DONE
            return attempt, (Close(),)
        if stored == State.WATCHING.value:
            attempt.ending = CANCELLED if cancelled else ""
            attempt.start_watch()
            attempt.state = State.LOOKING
            return attempt, (Query(),)
        attempt.ending = RESTARTED if live else TOO_LATE
        attempt.late = not live
        # Nobody waits for this outcome; when it is known it becomes a notice.
        attempt.shown = Result(Outcome.UNKNOWN, RESTARTED)
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

    def show(self, result: Result) -> tuple[Action, ...]:
        """Return the action that tells an outcome, or none if it has been told."""
        if self.shown == result or (self._unknown_shown() and result.outcome is Outcome.UNKNOWN):
            return ()
        self.shown = result
        return (Finish(result),)

    def _unknown_shown(self) -> bool:
        return self.shown is not None and self.shown.outcome is Outcome.UNKNOWN

    def start_watch(self) -> tuple[Action, ...]:
        """Watch for a late payment from now on, and return the first pause."""
        if self.ending == CANCELLED:
            self.plan = dataclasses.replace(self.plan, accept_late=False)
        self.ending = ""
        self.state = State.WATCHING
        return (Wait(self.plan.watch_every_s),)


Step = tuple[State, tuple[Action, ...]]


def _presented(attempt: Attempt, event: Presented) -> Step:
    attempt.presented, attempt.plan = event, event.plan
    if event.refusal:
        return _save_result(attempt, Result(Outcome.DECLINED, event.refusal))
    if event.approved and event.offline_refusal:
        words = f"{event.offline_refusal}; {BY_CARD}"
        return _save_result(attempt, Result(Outcome.DECLINED, words, ours=True))
    if event.approved:
        return _save_result(attempt, Result(Outcome.APPROVED_OFFLINE, BY_CARD))
    return State.SAVING_INTENT, (SaveIntent(),)


def _give_up(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.result = Result(Outcome.DECLINED, CANCELLED, ours=True)
    return State.DONE, (Close(), *attempt.show(attempt.result))


def _intent_saved(attempt: Attempt, event: Saved) -> Step:
    if attempt.ending or attempt.presented.force_offline:
        return _without_host(attempt, "the terminal is set to offline")
    return State.ASKING, (Ask(),)


def _intent_failed(attempt: Attempt, event: SaveFailed) -> Step:
    if event.replayed:
        return _replayed(attempt, event)
    # Nothing was sent, so this is a definite no, whether or not the intent is found after a restart.
    attempt.result = Result(Outcome.DECLINED, event.reason, ours=True)
    return State.DONE, (Close(), *attempt.show(attempt.result))


def _replayed(attempt: Attempt, event: SaveFailed) -> Step:
    # The attempt at fraud, or the fault, is recorded: the host is to hear of it.
    return _save_result(attempt, Result(Outcome.DECLINED, event.reason, ours=True))


def _without_host(attempt: Attempt, why: str) -> Step:
    if attempt.ending:
        return _save_result(attempt, Result(Outcome.DECLINED, attempt.ending, ours=True))
    refusal = attempt.presented.offline_refusal
    if refusal:
        return _save_result(attempt, Result(Outcome.DECLINED, f"{refusal}; {why}", ours=True))
    return _save_result(attempt, Result(Outcome.APPROVED_OFFLINE, why, deferred=True))


def _asked(attempt: Attempt, event: Answered) -> Step:
    if event.answer.verdict is Verdict.NOT_SENT:
        return _without_host(attempt, event.answer.reason)
    return _queried(attempt, event)


def _queried(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.APPROVED and attempt.ending != CANCELLED:
        return _approved(attempt, answer)
    if answer.verdict in (Verdict.DECLINED, Verdict.REVERSED):
        return _save_result(attempt, Result(Outcome.DECLINED, answer.reason, answer.code))
    if attempt.ending == RESTARTED and answer.verdict is Verdict.NOT_SENT:
        # A host that can't be reached knows more than this terminal: it is asked before anything is undone.
        return State.WAITING, (Wait(attempt.plan.reverse_every_s),)
    if attempt.ending:
        return _undo(attempt)
    return State.WAITING, (Wait(attempt.plan.query_every_s),)


def _approved(attempt: Attempt, answer: Answer, reason: str = "") -> Step:
    words = reason or answer.reason
    result = Result(Outcome.APPROVED, words, answer.code, answer.authorisation, late=attempt.late)
    return _save_result(attempt, result)


def _undo(attempt: Attempt) -> Step:
    return State.SAVING_REVERSAL, (SaveReversal(attempt.ending),)


def _query(attempt: Attempt, event: TimerFired) -> Step:
    return State.QUERYING, (Query(),)


def _last_query(attempt: Attempt, event: Expired) -> Step:
    attempt.ending = EXPIRED
    return State.QUERYING, (Query(),)


def _expired_meanwhile(attempt: Attempt, event: Expired) -> Step:
    attempt.ending = attempt.ending or EXPIRED
    return attempt.state, ()


def _cancel_meanwhile(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.ending = CANCELLED
    return attempt.state, ()


def _cancel_waiting(attempt: Attempt, event: CancelAsked) -> Step:
    attempt.ending = CANCELLED
    return _undo(attempt)


def _reversal_saved(attempt: Attempt, event: Saved) -> Step:
    return State.REVERSING, (Reverse(),)


def _reversal_failed(attempt: Attempt, event: SaveFailed) -> Step:
    attempt.unsaved = (State.SAVING_REVERSAL, SaveReversal(attempt.ending))
    return _save_again(attempt, Result(Outcome.UNKNOWN, event.reason))


def _save_again(attempt: Attempt, shown: Result) -> Step:
    attempt.saves += 1
    pause = min(LONGEST_SAVE_S, SAVE_AGAIN_S * 2.0 ** (min(attempt.saves, 10) - 1))
    return State.NOT_SAVED, (*attempt.show(shown), Wait(pause))


def _saving_again(attempt: Attempt, event: TimerFired) -> Step:
    state, action = attempt.unsaved
    return state, (action,)


def _reversed(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.APPROVED:
        return _approved(attempt, answer)
    if answer.verdict in (Verdict.REVERSED, Verdict.DECLINED):
        words = "; ".join(part for part in (attempt.ending, answer.reason) if part)
        result = Result(Outcome.DECLINED, words, answer.code, late=attempt.late, ours=True)
        return _save_result(attempt, result)
    # A late payment has been seen, so a host that does not know it has not undone it.
    if answer.verdict is Verdict.NOT_FOUND and not attempt.late:
        result = Result(Outcome.DECLINED, attempt.ending, answer.code, ours=True)
        return _save_result(attempt, result, State.WATCHING if attempt.plan.watch_every_s else State.DONE)
    attempt.reversals += 1
    pause = min(LONGEST_REVERSE_S, attempt.plan.reverse_every_s * 2.0 ** (min(attempt.reversals, 10) - 1))
    told: tuple[Action, ...] = ()
    if attempt.reversals >= attempt.plan.unknown_after:
        told = attempt.show(Result(Outcome.UNKNOWN, answer.reason, answer.code))
    return State.RETRYING, (*told, Wait(pause))


def _reverse_again(attempt: Attempt, event: TimerFired) -> Step:
    return State.REVERSING, (Reverse(),)


def _ignore(attempt: Attempt, event: Event) -> Step:
    # A cashier's key or a timer that lost the race: what it asks for is already under way.
    return attempt.state, ()


def _save_result(attempt: Attempt, result: Result, state: State = State.DONE) -> Step:
    attempt.result, attempt.after_result = result, state
    return State.SAVING_RESULT, (SaveResult(result, state),)


def _result_saved(attempt: Attempt, event: Saved) -> Step:
    told = attempt.show(_result(attempt))
    if attempt.after_result is State.WATCHING:
        wait = attempt.start_watch()
        return State.WATCHING, (*told, *wait)
    return State.DONE, told


def _result_failed(attempt: Attempt, event: SaveFailed) -> Step:
    result = _result(attempt)
    if event.order_paid and attempt.late:
        attempt.ending = TOO_LATE
        return _undo(attempt)
    if event.replayed and result.by_card:
        return _replayed(attempt, event)
    if (result.deferred or result.by_card) and event.absent:
        # No host has heard of an offline payment before its result is delivered: a definite no.
        attempt.result = Result(Outcome.DECLINED, event.reason, ours=True)
        return State.DONE, (Close(), *attempt.show(attempt.result))
    attempt.unsaved = (State.SAVING_RESULT, SaveResult(result, attempt.after_result))
    # A no needs no record to be true. Whatever else can't be saved is not known to anyone yet.
    declined = result.outcome is Outcome.DECLINED
    return _save_again(attempt, result if declined else Result(Outcome.UNKNOWN, event.reason))


def _result(attempt: Attempt) -> Result:
    if attempt.result is None:
        raise AttemptMisuseError("no result to save")
    return attempt.result


def _look(attempt: Attempt, event: TimerFired) -> Step:
    return State.LOOKING, (Query(),)


def _looked(attempt: Attempt, event: Answered) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.APPROVED:
        attempt.late = True
        if attempt.plan.accept_late:
            return _approved(attempt, answer, "paid after the code had expired")
        attempt.ending = TOO_LATE
        return _undo(attempt)
    known = answer.verdict not in (Verdict.UNKNOWN, Verdict.NOT_SENT)
    if answer.verdict in (Verdict.DECLINED, Verdict.REVERSED) or (attempt.ending and known):
        return State.DONE, (Close(),)
    attempt.looks += 1
    pause = attempt.plan.watch_every_s * 1.2 ** min(attempt.looks, 50)
    return State.WATCHING, (Wait(max(attempt.plan.watch_every_s, min(LONGEST_WATCH_S, pause))),)


def _watch_over(attempt: Attempt, event: Expired) -> Step:
    attempt.ending = EXPIRED
    return State.LOOKING, (Query(),)


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
    State.NOT_SAVED: {TimerFired: _saving_again, Expired: _ignore, CancelAsked: _ignore},
    State.WATCHING: {TimerFired: _look, Expired: _watch_over, CancelAsked: _ignore},
    State.LOOKING: {Answered: _looked, Expired: _expired_meanwhile, CancelAsked: _ignore},
    State.DONE: {Expired: _ignore, CancelAsked: _ignore},
}
"""What may happen in which state. Every other pair raises AttemptMisuseError and changes nothing."""
