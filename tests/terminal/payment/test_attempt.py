"""The attempt machine: its table, and what holds whatever hosts, customers and disks do."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.payment.attempt import TRANSITIONS, Attempt, AttemptMisuseError
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

CARD = Plan(query_every_s=1, lifetime_s=10)
QR = Plan(query_every_s=1, lifetime_s=10, watch_every_s=1, watch_s=100, accept_late=True)
REFUNDS_LATE = Plan(query_every_s=1, lifetime_s=10, watch_every_s=1, watch_s=100)
PLANS = (CARD, QR, REFUNDS_LATE)

EVENTS: tuple[Event, ...] = (
    Presented(CARD),
    Saved(),
    SaveFailed("disk full", absent=True),
    Answered(Answer(Verdict.APPROVED)),
    TimerFired(),
    Expired(),
    CancelAsked(),
)
DEFERRABLE = Presented(CARD, offline_refusal="")
BY_CARD = Presented(CARD, offline_refusal="", approved=True)
REPLAYED = SaveFailed("the card repeats an earlier payment", absent=True, replayed=True)


def answered(verdict: Verdict) -> Answered:
    return Answered(Answer(verdict, verdict.value))


def after(*events: Event) -> tuple[Attempt, tuple[Action, ...]]:
    """Return a machine that has handled events, and the actions of the last one."""
    attempt = Attempt()
    actions: tuple[Action, ...] = ()
    for event in events:
        actions = attempt.handle(event)
    return attempt, actions


def finished(actions: tuple[Action, ...]) -> Result:
    return next(action.result for action in actions if isinstance(action, Finish))


OUTSIDE_THE_TABLE = [
    (state, event) for state in State for event in EVENTS if type(event) not in TRANSITIONS[state]
]


@pytest.mark.parametrize(("state", "event"), OUTSIDE_THE_TABLE, ids=str)
def test_an_event_outside_the_table_raises_and_changes_nothing(state: State, event: Event) -> None:
    attempt = Attempt()
    attempt.state = state
    before = dict(vars(attempt))
    with pytest.raises(AttemptMisuseError, match=state.name):
        attempt.handle(event)
    assert vars(attempt) == before


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)


# --- the ways that matter, one by one


def test_intent_before_request_and_result_before_outcome() -> None:
    attempt, actions = after(Presented(CARD))
    assert actions == (SaveIntent(),)
    assert attempt.handle(Saved()) == (Ask(),)
    (save,) = attempt.handle(answered(Verdict.APPROVED))
    assert isinstance(save, SaveResult)
    assert save.result.outcome is Outcome.APPROVED
    assert attempt.handle(Saved()) == (Finish(save.result),)
    assert attempt.state is State.DONE


def test_a_card_that_declined_is_recorded_and_never_asked_about() -> None:
    attempt, actions = after(Presented(CARD, refusal="the card declined"))
    assert isinstance(actions[0], SaveResult)
    assert finished(attempt.handle(Saved())).outcome is Outcome.DECLINED


def test_an_intent_that_is_not_durable_is_a_definite_no() -> None:
    _, actions = after(Presented(CARD), SaveFailed("disk full", absent=True))
    assert actions[0] == Close()
    assert finished(actions) == Result(Outcome.DECLINED, "disk full", ours=True)


def test_what_was_certainly_not_sent_may_be_taken_offline() -> None:
    attempt, _ = after(DEFERRABLE, Saved(), answered(Verdict.NOT_SENT))
    result = finished(attempt.handle(Saved()))
    assert (result.outcome, result.deferred) == (Outcome.APPROVED_OFFLINE, True)


def test_over_the_limit_it_is_declined_with_the_reason() -> None:
    attempt, _ = after(Presented(CARD, offline_refusal="over the limit"), Saved(), answered(Verdict.NOT_SENT))
    result = finished(attempt.handle(Saved()))
    assert result.outcome is Outcome.DECLINED
    assert "over the limit" in result.reason


def test_forced_offline_asks_nobody() -> None:
    attempt, _ = after(Presented(CARD, offline_refusal="", force_offline=True))
    (save,) = attempt.handle(Saved())
    assert isinstance(save, SaveResult)
    assert save.result.deferred


def test_what_the_card_approved_is_one_record_and_nobody_is_asked() -> None:
    attempt, actions = after(BY_CARD)
    (save,) = actions
    assert isinstance(save, SaveResult)
    assert (save.result.outcome, save.result.deferred, save.result.by_card) == (
        Outcome.APPROVED_OFFLINE,
        False,
        True,
    )
    assert attempt.handle(CancelAsked()) == (), "it is too late to give up"
    assert attempt.handle(Saved()) == (Finish(save.result),)
    assert attempt.state is State.DONE


@pytest.mark.parametrize("force_offline", [True, False])
def test_what_the_card_approved_against_policy_is_not_paid(force_offline: bool) -> None:
    presented = Presented(CARD, offline_refusal="over the limit", force_offline=force_offline, approved=True)
    attempt, actions = after(presented)
    assert isinstance(actions[0], SaveResult)
    result = finished(attempt.handle(Saved()))
    assert (result.outcome, result.ours) == (Outcome.DECLINED, True)
    assert result.reason == "over the limit; the card approved by itself"


def test_an_approval_without_proof_stays_refused() -> None:
    attempt, _ = after(Presented(CARD, refusal="without proof", offline_refusal="", approved=True))
    assert finished(attempt.handle(Saved())).outcome is Outcome.DECLINED


def test_what_the_card_approved_is_not_shown_before_it_is_there() -> None:
    attempt, _ = after(BY_CARD)
    assert finished(attempt.handle(SaveFailed("disk full", absent=True))).outcome is Outcome.DECLINED
    attempt, (save,) = after(BY_CARD)
    unknown = attempt.handle(SaveFailed("disk error", absent=False))
    assert finished(unknown).outcome is Outcome.UNKNOWN
    assert attempt.handle(TimerFired()) == (save,)
    assert finished(attempt.handle(Saved())).by_card


@pytest.mark.parametrize("presented", [BY_CARD, DEFERRABLE], ids=["approved", "to be asked"])
def test_a_payment_that_the_card_repeats_is_recorded_as_not_paid(presented: Presented) -> None:
    attempt, _ = after(presented)
    (save,) = attempt.handle(REPLAYED)
    assert isinstance(save, SaveResult)
    result = finished(attempt.handle(Saved()))
    assert (result.outcome, result.ours, result.reason) == (Outcome.DECLINED, True, REPLAYED.reason)


def test_what_is_unknown_is_never_taken_offline() -> None:
    attempt, actions = after(DEFERRABLE, Saved(), answered(Verdict.UNKNOWN))
    assert actions == (Wait(1),)
    assert attempt.handle(TimerFired()) == (Query(),)
    assert attempt.handle(answered(Verdict.NOT_SENT)) == (Wait(1),)


def test_a_deferred_result_that_is_certainly_not_recorded_is_not_shown_as_taken() -> None:
    attempt, _ = after(DEFERRABLE, Saved(), answered(Verdict.NOT_SENT))
    assert finished(attempt.handle(SaveFailed("disk full", absent=True))).outcome is Outcome.DECLINED


def test_a_deferred_result_that_may_be_recorded_is_unknown() -> None:
    attempt, _ = after(DEFERRABLE, Saved(), answered(Verdict.NOT_SENT))
    assert finished(attempt.handle(SaveFailed("disk error", absent=False))).outcome is Outcome.UNKNOWN


def test_an_approval_that_can_t_be_recorded_is_unknown() -> None:
    attempt, _ = after(Presented(CARD), Saved(), answered(Verdict.APPROVED))
    assert finished(attempt.handle(SaveFailed("disk full", absent=True))).outcome is Outcome.UNKNOWN


def test_waiting_ends_with_a_last_query_and_then_a_reversal_that_is_durable_first() -> None:
    attempt, actions = after(Presented(CARD), Saved(), answered(Verdict.PENDING), Expired())
    assert actions == (Query(),)
    assert attempt.handle(answered(Verdict.PENDING)) == (SaveReversal("not paid in time"),)
    assert attempt.handle(Saved()) == (Reverse(),)


def test_unknown_is_shown_after_some_reversals_and_the_machine_goes_on() -> None:
    attempt, _ = after(Presented(CARD), Saved(), answered(Verdict.UNKNOWN), CancelAsked(), Saved())
    assert not [a for a in attempt.handle(answered(Verdict.UNKNOWN)) if isinstance(a, Finish)]
    attempt.handle(TimerFired())
    assert finished(attempt.handle(answered(Verdict.NOT_SENT))).outcome is Outcome.UNKNOWN
    attempt.handle(TimerFired())
    attempt.handle(answered(Verdict.REVERSED))
    assert finished(attempt.handle(Saved())).outcome is Outcome.DECLINED


def expired_code(plan: Plan = QR) -> Attempt:
    attempt, _ = after(
        *(Presented(plan), Saved(), answered(Verdict.PENDING), Expired()),
        *(answered(Verdict.NOT_FOUND), Saved(), answered(Verdict.NOT_FOUND), Saved()),
    )
    return attempt


def test_an_expired_code_is_declined_and_watched() -> None:
    attempt = expired_code()
    assert attempt.state is State.WATCHING
    assert attempt.result == Result(Outcome.DECLINED, "not paid in time", ours=True)


def test_a_late_payment_of_an_open_order_is_accepted() -> None:
    attempt = expired_code()
    attempt.handle(TimerFired())
    attempt.handle(answered(Verdict.APPROVED))
    result = finished(attempt.handle(Saved()))
    assert (result.outcome, result.late) == (Outcome.APPROVED, True)


def test_a_late_payment_is_refunded_where_policy_says_so() -> None:
    attempt = expired_code(REFUNDS_LATE)
    attempt.handle(TimerFired())
    (save,) = attempt.handle(answered(Verdict.APPROVED))
    assert isinstance(save, SaveReversal)
    assert attempt.handle(Saved()) == (Reverse(),)


def test_a_late_payment_of_an_order_paid_otherwise_is_refunded() -> None:
    attempt = expired_code()
    attempt.handle(TimerFired())
    attempt.handle(answered(Verdict.APPROVED))
    (save,) = attempt.handle(SaveFailed("another attempt has paid", absent=True, order_paid=True))
    assert isinstance(save, SaveReversal)


def test_a_code_that_the_cashier_cancelled_is_refunded_when_it_is_paid_late() -> None:
    attempt, _ = after(
        *(Presented(QR), Saved(), answered(Verdict.PENDING), CancelAsked()),
        *(Saved(), answered(Verdict.NOT_FOUND), Saved(), TimerFired()),
    )
    (save,) = attempt.handle(answered(Verdict.APPROVED))
    assert isinstance(save, SaveReversal)


def test_a_late_payment_is_not_refunded_before_the_wallet_says_so() -> None:
    attempt = expired_code(REFUNDS_LATE)
    for event in (TimerFired(), answered(Verdict.APPROVED), Saved()):
        attempt.handle(event)
    assert attempt.handle(answered(Verdict.NOT_FOUND)) == (Wait(REFUNDS_LATE.reverse_every_s),)


def test_a_watch_ends_with_its_trade() -> None:
    attempt = expired_code()
    attempt.handle(TimerFired())
    assert attempt.handle(answered(Verdict.DECLINED)) == (Close(),)
    assert attempt.state is State.DONE


def test_a_watch_whose_time_is_over_ends_with_a_last_look_that_is_answered() -> None:
    attempt = expired_code()
    assert attempt.handle(Expired()) == (Query(),)
    assert isinstance(attempt.handle(answered(Verdict.NOT_SENT))[0], Wait)
    attempt.handle(TimerFired())
    assert attempt.handle(answered(Verdict.NOT_FOUND)) == (Close(),)


def test_the_last_look_still_finds_a_late_payment() -> None:
    attempt = expired_code()
    attempt.handle(Expired())
    (save,) = attempt.handle(answered(Verdict.APPROVED))
    assert isinstance(save, SaveResult)
    assert save.result.late


def test_looks_at_an_expired_code_grow_apart() -> None:
    attempt = expired_code()
    pauses = []
    for _ in range(40):
        attempt.handle(TimerFired())
        (wait,) = attempt.handle(answered(Verdict.NOT_FOUND))
        assert isinstance(wait, Wait)
        pauses.append(wait.seconds)
    assert pauses == sorted(pauses)
    assert (pauses[0] < 2, pauses[-1]) == (True, 15.0)


def test_a_cancel_undoes_a_payment_that_was_approved_meanwhile() -> None:
    attempt, actions = after(Presented(CARD), Saved(), CancelAsked(), answered(Verdict.APPROVED))
    assert actions == (SaveReversal("cancelled"),)
    attempt.handle(Saved())
    attempt.handle(answered(Verdict.REVERSED))
    assert finished(attempt.handle(Saved())).outcome is Outcome.DECLINED


def test_a_payment_that_was_approved_in_the_last_moment_counts() -> None:
    attempt, _ = after(Presented(CARD), Saved(), answered(Verdict.PENDING), Expired())
    attempt.handle(answered(Verdict.APPROVED))
    assert finished(attempt.handle(Saved())).outcome is Outcome.APPROVED


@pytest.mark.parametrize("absent", [True, False])
def test_what_can_t_be_saved_is_saved_again_until_it_is(absent: bool) -> None:
    attempt, (save,) = after(Presented(CARD), Saved(), answered(Verdict.APPROVED))
    first = attempt.handle(SaveFailed("disk full", absent=absent))
    assert finished(first).outcome is Outcome.UNKNOWN
    assert attempt.handle(TimerFired()) == (save,)
    assert [a for a in attempt.handle(SaveFailed("disk full", absent=absent)) if isinstance(a, Finish)] == []
    attempt.handle(TimerFired())
    assert finished(attempt.handle(Saved())).outcome is Outcome.APPROVED


def test_saving_again_slows_down() -> None:
    attempt, _ = after(Presented(CARD), Saved(), answered(Verdict.APPROVED))
    pauses = []
    for _ in range(8):
        pauses += [a.seconds for a in attempt.handle(SaveFailed("full", absent=True)) if isinstance(a, Wait)]
        attempt.handle(TimerFired())
    assert (pauses[:3], pauses[-1]) == ([1, 2, 4], 30)


def test_a_reversal_that_can_t_be_saved_is_saved_again() -> None:
    attempt, (save,) = after(Presented(CARD), Saved(), answered(Verdict.PENDING), CancelAsked())
    attempt.handle(SaveFailed("disk full", absent=True))
    assert attempt.handle(TimerFired()) == (save,)


def test_reversals_grow_apart() -> None:
    attempt, _ = after(Presented(CARD), Saved(), answered(Verdict.UNKNOWN), CancelAsked(), Saved())
    pauses = []
    for _ in range(12):
        pauses += [a.seconds for a in attempt.handle(answered(Verdict.NOT_SENT)) if isinstance(a, Wait)]
        attempt.handle(TimerFired())
    assert pauses[:3] == [2, 4, 8]
    assert pauses[-1] == 60


def test_a_restart_in_the_middle_of_a_refund_goes_on_with_it() -> None:
    attempt, actions = Attempt.resume(QR, "reversing", live=False)
    assert actions == (Reverse(),)
    attempt.handle(answered(Verdict.REVERSED))
    result = finished(attempt.handle(Saved()))
    assert (result.outcome, result.late) == (Outcome.DECLINED, True)


def test_a_restart_without_a_network_undoes_nothing_before_the_host_has_been_asked() -> None:
    attempt, _ = Attempt.resume(CARD, "asking")
    assert attempt.handle(answered(Verdict.NOT_SENT)) == (Wait(CARD.reverse_every_s),)
    attempt.handle(TimerFired())
    attempt.handle(answered(Verdict.APPROVED))
    assert finished(attempt.handle(Saved())).outcome is Outcome.APPROVED


def test_a_restart_does_not_forget_that_the_cashier_cancelled() -> None:
    attempt, _ = Attempt.resume(QR, "watching", live=False, cancelled=True)
    (save,) = attempt.handle(answered(Verdict.APPROVED))
    assert isinstance(save, SaveReversal)


def test_a_restart_closes_what_was_never_sent() -> None:
    attempt, actions = Attempt.resume(CARD, "armed")
    assert (attempt.state, actions) == (State.DONE, (Close(),))


@pytest.mark.parametrize(
    ("stored", "first"),
    [("asking", Query()), ("reversing", Reverse()), ("watching", Query())],
)
def test_a_restart_goes_on_where_the_store_says(stored: str, first: Action) -> None:
    _, actions = Attempt.resume(QR, stored)
    assert actions == (first,)


# --- what holds in every world


@dataclass
class World:
    """A host or wallet with a truth of its own, a customer, and a disk."""

    data: st.DataObject
    plan: Plan
    truth: str = "nothing"
    durable: list[Action] = field(default_factory=list)

    def choose(self, *options: str) -> str:
        return self.data.draw(st.sampled_from(options))

    def customer(self) -> None:
        """The customer may pay what waits, and a code of ours even after it was cancelled."""
        payable = ("waits", "shown") if self.plan.watch_every_s else ("waits",)
        if self.truth in payable and self.choose("waits", "pays") == "pays":
            self.truth = "paid"

    def save(self, action: Action) -> Event:
        match self.choose("saved", "saved", "saved", "not saved", "not known", "replayed"):
            case "replayed" if not isinstance(action, SaveReversal):
                return SaveFailed("the card repeats a payment", absent=True, replayed=True)
            case "not saved":
                return SaveFailed("disk full", absent=True)
            case "not known":
                if self.choose("there", "not there") == "there":
                    self.durable.append(action)
                return SaveFailed("disk error", absent=False)
        self.durable.append(action)
        return Saved()

    def ask(self) -> Verdict:
        assert any(isinstance(action, SaveIntent) for action in self.durable), "asked before the intent"
        if self.choose("sent", "not sent") == "not sent":
            return Verdict.NOT_SENT
        if self.plan.watch_every_s:
            self.truth = "shown"
        else:
            self.truth = self.choose("paid", "waits", "refused")
        return self.lossy(
            {"paid": Verdict.APPROVED, "refused": Verdict.DECLINED}.get(self.truth, Verdict.PENDING)
        )

    def query(self) -> Verdict:
        truths = {
            "paid": Verdict.APPROVED,
            "refused": Verdict.DECLINED,
            "undone": Verdict.DECLINED,
            "waits": Verdict.PENDING,
        }
        return self.lossy(truths.get(self.truth, Verdict.NOT_FOUND))

    def reverse(self) -> Verdict:
        assert any(isinstance(action, SaveReversal) for action in self.durable), "undone before it is durable"
        if self.choose("arrives", "is lost") == "is lost":
            return Verdict.NOT_SENT
        known = self.truth in ("paid", "waits", "undone", "refused")
        if self.truth in ("paid", "waits"):
            self.truth = "undone"
        return self.lossy(Verdict.REVERSED if known else Verdict.NOT_FOUND)

    def lossy(self, verdict: Verdict) -> Verdict:
        return verdict if self.choose("heard", "heard", "lost") == "heard" else Verdict.UNKNOWN

    def react(self, action: Action) -> Event:
        """Return what comes of the one action that awaits an event."""
        match action:
            case SaveIntent() | SaveReversal() | SaveResult():
                return self.save(action)
            case Ask():
                return answered(self.ask())
            case Query():
                return answered(self.query())
            case Reverse():
                return answered(self.reverse())
            case _:
                return TimerFired()


def done(attempt: Attempt) -> bool:
    return attempt.state is State.DONE


@settings(max_examples=400, deadline=None)
@given(data=st.data(), plan=st.sampled_from(PLANS), deferrable=st.booleans(), approved=st.booleans())
def test_whatever_happens_the_outcome_shown_is_the_truth(
    data: st.DataObject, plan: Plan, deferrable: bool, approved: bool
) -> None:
    world = World(data, plan)
    attempt = Attempt()
    presented = Presented(
        plan,
        offline_refusal="" if deferrable and plan is CARD else "needs the network",
        approved=approved and plan is CARD,
    )
    actions = attempt.handle(presented)
    last: Result | None = None
    for _ in range(60):
        for action in actions:
            if isinstance(action, Finish):
                durable = any(isinstance(d, SaveResult) and d.result is action.result for d in world.durable)
                paid = action.result.outcome in (Outcome.APPROVED, Outcome.APPROVED_OFFLINE)
                assert durable or not paid, "shown before it was durable"
                last = action.result
        awaiting = [action for action in actions if not isinstance(action, Finish | Close)]
        if done(attempt):
            break
        assert len(awaiting) == 1, "exactly one action awaits an event"
        outstanding = awaiting[0]
        while True:
            world.customer()
            disturbance = world.choose("none", "none", "none", "cancel", "expiry")
            if disturbance == "cancel" and CancelAsked in TRANSITIONS[attempt.state]:
                actions = attempt.handle(CancelAsked())
            elif disturbance == "expiry" and Expired in TRANSITIONS[attempt.state]:
                actions = attempt.handle(Expired())
            else:
                actions = attempt.handle(world.react(outstanding))
                break
            if actions or done(attempt):
                break
    if done(attempt) and last is not None:
        if last.outcome is Outcome.APPROVED:
            assert world.truth == "paid"
        elif last.outcome is Outcome.APPROVED_OFFLINE:
            assert world.truth == "nothing"
        elif last.outcome is Outcome.DECLINED and not plan.watch_every_s:
            assert world.truth in ("nothing", "refused", "undone")
