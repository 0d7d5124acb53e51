"""What the queue and the terminal expect of a host, whatever wire it is behind.

Every call ends in one of four ways, and a client never guesses between them: a valid, signed answer;
`RefusedError`, a valid, signed "no" to the request itself; `NotSentError`, nothing left the terminal, so
nothing happened; `UnknownResultError`, something left and no valid answer came back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.errors import QueueError
from offline_queue.record import Record


class Result(StrEnum):
    """What the host says of an attempt. PENDING is no outcome: ask again."""

    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"
    NOT_FOUND = "not_found"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A host's valid answer about one attempt.

    Attributes:
        code: Response code, as on receipts: "00" for approved.
        authorisation: The issuer's approval code, or empty.
        message: Words for the cashier, or empty. Never card data.
    """

    result: Result
    code: str
    authorisation: str
    message: str


class HostClient(Protocol):
    """The host as the terminal uses it. All calls may be repeated with the same arguments."""

    async def echo(self) -> None:
        """Ask for a sign of life."""

    async def sync(self, records: Sequence[Record]) -> Acknowledgement:
        """Deliver records, in order and without a gap."""

    async def authorise(self, record: Record) -> HostAnswer:
        """Ask for the payment that this intent record describes."""

    async def query(self, attempt: str) -> HostAnswer:
        """Ask what became of an attempt."""

    async def reverse(self, record: Record) -> HostAnswer:
        """Undo the attempt that this reversal record names, whether the host knows it or not."""


class NotSentReason(Enum):
    """Why nothing was sent; the value is what a screen shows."""

    NO_NETWORK = "no network"
    NO_NAME = "the host's name is not known to the network"
    REFUSED_CONNECTION = "the host does not accept connections"
    NO_ANSWER = "the host does not answer"
    BAD_CERTIFICATE = "the host's certificate is not the right one"


class HostError(QueueError):
    """Base of what can go wrong between terminal and host."""


class NotSentError(HostError):
    """Nothing reached the host: definitely nothing happened there.

    Args:
        reason: What class of fault it is.
        detail: More words for the technician, or empty.
    """

    def __init__(self, reason: NotSentReason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class UnknownResultError(HostError):
    """The request may have reached the host, and no valid answer came: query before anything else."""


class RefusedError(HostError):
    """The host said, signed, that it will not take this request; nothing was booked by it.

    Args:
        code: The host's word for the reason, such as "unknown_terminal".
        detail: Words for the technician.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
