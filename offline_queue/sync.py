"""When to send: the drainer, as a state machine without a clock, a wire or a random number.

The caller reads the queue, talks to the host and keeps the time; it tells the drainer what happened and
does what it answers. A tuple of actions ends in the one whose end the caller reports next: a batch by
Delivered, Failed or Alarmed, a wait by TimeIsUp, Idle and Alarm by nothing. An empty tuple means that the
action under way stays as it is.

There is one batch under way at most, and what is not acknowledged is sent again, in order, until it is.
Waits grow from FIRST_WAIT_S to LONGEST_WAIT_S, by half of it at random (the jitter comes in events), so
that the terminals of a region do not all come back in the same second. A network that comes back, and a
person who asks, cut any wait short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
BATCH_RECORDS: Final = 50


class DrainerState(Enum):
    """Where the delivery stands."""

    IDLE = auto()
    SENDING = auto()
    SENDING_ONCE_MORE = auto()  # and if this one fails, again at once: the network came back meanwhile
    WAITING = auto()
    ALARMED = auto()


@dataclass(frozen=True, slots=True)
class RecordsWaiting:
    """There are records to deliver: at start-up, or a new one."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The host acknowledged.

    Attributes:
        advanced: Whether it acknowledged anything new.
        unsent: How many records are still to be delivered.
        jitter: A random number from 0 up to 1.
    """

    advanced: bool
    unsent: int
    jitter: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The batch was not sent, or no valid answer came; `jitter` is a random number from 0 up to 1."""

    jitter: float


@dataclass(frozen=True, slots=True)
class Alarmed:
    """Something is wrong that sending again won't cure: another head, a broken chain, a forged answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimeIsUp:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class ForceNow:
    """A person asks to deliver now."""


@dataclass(frozen=True, slots=True)
class NetworkBack:
    """The network, or the host, can be reached again."""


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Deliver the first unsent records, at most `limit`."""

    limit: int = BATCH_RECORDS


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Come back after so many seconds, unless something else happens first."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Everything is delivered."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Show this on both screens; nothing is delivered until a person asks for it."""

    reason: str


Event = RecordsWaiting | Delivered | Failed | Alarmed | TimeIsUp | ForceNow | NetworkBack
Action = SendBatch | WaitFor | Idle | Alarm
Step = Callable[["Drainer", Any], "tuple[DrainerState, tuple[Action, ...]]"]


class DrainerMisuseError(Exception):
    """An event that can't happen in this state: a bug of the caller."""


class Drainer:
    """Decides when to send; one for each store."""

    def __init__(self) -> None:
        self.state = DrainerState.IDLE
        self.failures = 0

    def handle(self, event: Event) -> tuple[Action, ...]:
        """Consume one event and return what the caller must do next."""
        try:
            step = TRANSITIONS[self.state][type(event)]
        except KeyError:
            raise DrainerMisuseError(f"{type(event).__name__} in {self.state.name}") from None
        self.state, actions = step(self, event)
        return actions


def _send(drainer: Drainer, event: Event) -> tuple[DrainerState, tuple[Action, ...]]:
    return DrainerState.SENDING, (SendBatch(),)


def _send_afresh(drainer: Drainer, event: Event) -> tuple[DrainerState, tuple[Action, ...]]:
    drainer.failures = 0
    return _send(drainer, event)


def _stay(drainer: Drainer, event: Event) -> tuple[DrainerState, tuple[Action, ...]]:
    return drainer.state, ()


def _send_once_more(drainer: Drainer, event: Event) -> tuple[DrainerState, tuple[Action, ...]]:
    return DrainerState.SENDING_ONCE_MORE, ()


def _delivered(drainer: Drainer, event: Delivered) -> tuple[DrainerState, tuple[Action, ...]]:
    if event.unsent and not event.advanced:
        # A host that takes nothing must not be asked in a tight loop.
        return _back_off(drainer, event.jitter)
    drainer.failures = 0
    if event.unsent:
        return DrainerState.SENDING, (SendBatch(),)
    return DrainerState.IDLE, (Idle(),)


def _failed(drainer: Drainer, event: Failed) -> tuple[DrainerState, tuple[Action, ...]]:
    return _back_off(drainer, event.jitter)


def _alarm(drainer: Drainer, event: Alarmed) -> tuple[DrainerState, tuple[Action, ...]]:
    return DrainerState.ALARMED, (Alarm(event.reason),)


def _back_off(drainer: Drainer, jitter: float) -> tuple[DrainerState, tuple[Action, ...]]:
    seconds = wait_s(drainer.failures, jitter)
    drainer.failures += 1
    return DrainerState.WAITING, (WaitFor(seconds),)


def wait_s(failures: int, jitter: float) -> float:
    """Return how long to wait after so many failures before this one; `jitter` is from 0 up to 1."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 16))
    return longest * (0.5 + jitter / 2)


TRANSITIONS: Final[Mapping[DrainerState, Mapping[type[Event], Step]]] = {
    DrainerState.IDLE: {
        RecordsWaiting: _send,
        ForceNow: _send,
        NetworkBack: _stay,
    },
    DrainerState.SENDING: {
        RecordsWaiting: _stay,
        ForceNow: _send_once_more,
        NetworkBack: _send_once_more,
        Delivered: _delivered,
        Failed: _failed,
        Alarmed: _alarm,
    },
    DrainerState.SENDING_ONCE_MORE: {
        RecordsWaiting: _stay,
        ForceNow: _stay,
        NetworkBack: _stay,
        Delivered: _delivered,
        Failed: _send_afresh,
        Alarmed: _alarm,
    },
    DrainerState.WAITING: {
        RecordsWaiting: _stay,
        ForceNow: _send,
        NetworkBack: _send_afresh,
        TimeIsUp: _send,
    },
    DrainerState.ALARMED: {
        RecordsWaiting: _stay,
        ForceNow: _send_afresh,
        NetworkBack: _stay,
    },
}
