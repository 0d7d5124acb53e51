"""The words of the attempt machine: what it is told, what it asks for, what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from terminal.view import Outcome


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
        reverse_every_s: Pause before a reversal is repeated; it doubles each time.
        unknown_after: After so many reversals without a definite answer UNKNOWN is shown.
        watch_every_s: Pause before a look at an expired code, which grows; 0 for nothing to watch.
        watch_s: How long an expired code is watched.
        accept_late: Whether a payment after expiry is accepted where the order is still open. One of a
            code that the cashier cancelled never is.
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
    NOT_SAVED = "not saved"
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
        approved: The card has approved it by itself: there is nothing to ask the host.
    """

    plan: Plan
    refusal: str = ""
    offline_refusal: str = "this payment needs the network"
    force_offline: bool = False
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The record is durable."""


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The record is not durable.

    Args:
        reason: Why, in words for the cashier.
        absent: It is certainly not there; else that is not known.
        order_paid: It was refused because another attempt has paid the order, or is paying it.
        replayed: It was refused because what it rests on has been used before.
    """

    reason: str
    absent: bool
    order_paid: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The host or wallet answered."""

    answer: Answer


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
    """Put the attempt to rest without a record: nothing was sent, or everything is recorded."""


Action = SaveIntent | Ask | Query | SaveReversal | Reverse | SaveResult | Wait | Finish | Close


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with its reason in words.

    `deferred`: taken offline, and approved by nobody yet. `late`: paid after the code had expired.
    `ours`: this terminal ended it, not the card, the host or the wallet.
    """

    outcome: Outcome
    reason: str = ""
    code: str = ""
    authorisation: str = ""
    deferred: bool = False
    late: bool = False
    ours: bool = False

    @property
    def by_card(self) -> bool:
        """Whether the card has approved it by itself."""
        return self.outcome is Outcome.APPROVED_OFFLINE and not self.deferred
