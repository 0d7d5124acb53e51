"""The drainer: each pair of state and event, and what follows from the table."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.sync import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    TRANSITIONS,
    Action,
    Alarm,
    Alarmed,
    Delivered,
    Drainer,
    DrainerMisuseError,
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
    wait_s,
)

S = DrainerState
ALL_TAKEN = Delivered(advanced=True, unsent=0, jitter=0.0)
SOME_TAKEN = Delivered(advanced=True, unsent=9, jitter=0.0)
NONE_TAKEN = Delivered(advanced=False, unsent=9, jitter=0.0)
FAILED = Failed(jitter=0.0)
ALARMED = Alarmed("another head")
EVENTS: tuple[Event, ...] = (
    *(RecordsWaiting(), ForceNow(), NetworkBack(), TimeIsUp()),
    *(ALL_TAKEN, SOME_TAKEN, NONE_TAKEN, FAILED, ALARMED),
)

SEND: tuple[Action, ...] = (SendBatch(),)
WAIT: tuple[Action, ...] = (WaitFor(FIRST_WAIT_S / 2),)
ALARM: tuple[Action, ...] = (Alarm("another head"),)

EXPECTED: Mapping[tuple[DrainerState, Event], tuple[DrainerState, tuple[Action, ...]]] = {
    (S.IDLE, RecordsWaiting()): (S.SENDING, SEND),
    (S.IDLE, ForceNow()): (S.SENDING, SEND),
    (S.IDLE, NetworkBack()): (S.IDLE, ()),
    (S.SENDING, RecordsWaiting()): (S.SENDING, ()),
    (S.SENDING, ForceNow()): (S.SENDING_ONCE_MORE, ()),
    (S.SENDING, NetworkBack()): (S.SENDING_ONCE_MORE, ()),
    (S.SENDING, ALL_TAKEN): (S.IDLE, (Idle(),)),
    (S.SENDING, SOME_TAKEN): (S.SENDING, SEND),
    (S.SENDING, NONE_TAKEN): (S.WAITING, WAIT),
    (S.SENDING, FAILED): (S.WAITING, WAIT),
    (S.SENDING, ALARMED): (S.ALARMED, ALARM),
    (S.SENDING_ONCE_MORE, RecordsWaiting()): (S.SENDING_ONCE_MORE, ()),
    (S.SENDING_ONCE_MORE, ForceNow()): (S.SENDING_ONCE_MORE, ()),
    (S.SENDING_ONCE_MORE, NetworkBack()): (S.SENDING_ONCE_MORE, ()),
    (S.SENDING_ONCE_MORE, ALL_TAKEN): (S.IDLE, (Idle(),)),
    (S.SENDING_ONCE_MORE, SOME_TAKEN): (S.SENDING, SEND),
    (S.SENDING_ONCE_MORE, NONE_TAKEN): (S.WAITING, WAIT),
    (S.SENDING_ONCE_MORE, FAILED): (S.SENDING, SEND),
    (S.SENDING_ONCE_MORE, ALARMED): (S.ALARMED, ALARM),
    (S.WAITING, RecordsWaiting()): (S.WAITING, ()),
    (S.WAITING, ForceNow()): (S.SENDING, SEND),
    (S.WAITING, NetworkBack()): (S.SENDING, SEND),
    (S.WAITING, TimeIsUp()): (S.SENDING, SEND),
    (S.ALARMED, RecordsWaiting()): (S.ALARMED, ()),
    (S.ALARMED, ForceNow()): (S.SENDING, SEND),
    (S.ALARMED, NetworkBack()): (S.ALARMED, ()),
}


def drainer_in(state: DrainerState) -> Drainer:
    drainer = Drainer()
    drainer.state = state
    return drainer


@pytest.mark.parametrize("state", DrainerState)
@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_every_state_and_event(state: DrainerState, event: Event) -> None:
    drainer = drainer_in(state)
    expected = EXPECTED.get((state, event))
    if expected is None:
        with pytest.raises(DrainerMisuseError, match=state.name):
            drainer.handle(event)
        assert (drainer.state, drainer.failures) == (state, 0)
    else:
        assert drainer.handle(event) == expected[1]
        assert drainer.state is expected[0]


def test_the_table_holds_nothing_else() -> None:
    assert set(TRANSITIONS) == set(DrainerState)
    pairs = {(state, kind) for state, row in TRANSITIONS.items() for kind in row}
    assert pairs == {(state, type(event)) for state, event in EXPECTED}


def test_a_day_without_network_and_its_end() -> None:
    drainer = Drainer()
    assert drainer.handle(RecordsWaiting()) == (SendBatch(),)
    waits = []
    for _ in range(10):
        (wait,) = drainer.handle(Failed(jitter=0.5))
        assert isinstance(wait, WaitFor)
        waits.append(wait.seconds)
        assert drainer.handle(TimeIsUp()) == (SendBatch(),)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S * 0.75
    drainer.handle(Failed(jitter=0.5))
    assert drainer.handle(NetworkBack()) == (SendBatch(),)
    assert drainer.handle(SOME_TAKEN) == (SendBatch(),)
    assert drainer.handle(ALL_TAKEN) == (Idle(),)
    drainer.handle(RecordsWaiting())
    assert drainer.handle(FAILED) == (WaitFor(FIRST_WAIT_S / 2),)


def test_a_batch_that_gets_through_starts_the_waits_anew() -> None:
    drainer = drainer_in(S.SENDING)
    for _ in range(3):
        drainer.handle(FAILED)
        drainer.handle(TimeIsUp())
    drainer.handle(SOME_TAKEN)
    assert drainer.handle(FAILED) == (WaitFor(FIRST_WAIT_S / 2),)


@given(failures=st.integers(0, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_waits_stay_within_their_bounds(failures: int, jitter: float) -> None:
    assert FIRST_WAIT_S / 2 <= wait_s(failures, jitter) <= LONGEST_WAIT_S


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_a_batch_is_never_sent_while_one_is_under_way(events: list[Event]) -> None:
    drainer = Drainer()
    under_way = False
    for event in events:
        if type(event) not in TRANSITIONS[drainer.state]:
            continue
        if isinstance(event, Delivered | Failed | Alarmed):
            assert under_way
            under_way = False
        actions = drainer.handle(event)
        if any(isinstance(action, SendBatch) for action in actions):
            assert not under_way
            under_way = True
        assert under_way == (drainer.state in (S.SENDING, S.SENDING_ONCE_MORE))
