"""What can go wrong with the queue. Messages name paths, sequences and causes, never card data."""

from __future__ import annotations


class QueueError(Exception):
    """Base of all errors of this package."""


class RecordError(QueueError):
    """Bytes that are not a record, a seal, a key or an acknowledgement in our format."""


class SignatureError(QueueError):
    """A signature does not hold under the key that should have made it."""


class SealError(QueueError):
    """A seal does not open: another host's key, another place in the chain, or changed bytes."""


class ChainBrokenError(QueueError):
    """A record is missing, changed or out of place, or the host acknowledged a chain that is not ours."""


class AcknowledgementError(QueueError):
    """A genuine acknowledgement that makes no sense here: another terminal, or records never written."""


class CardDataError(QueueError):
    """Something that looks like a full card number was about to be written in plain. Always our own bug."""


class SchemaError(QueueError):
    """The file is no store of this terminal, or was written by a later version of the program."""


class StoreUnavailableError(QueueError):
    """The store can't be opened, read or written. What was asked for has definitely not been written."""


class QueueFullError(StoreUnavailableError):
    """The disk, or the space that the queue may use, is full. What was asked for has not been written."""


class CommitUnknownError(QueueError):
    """The disk failed at the very end of a write: it may have been written or not.

    The store refuses all further use. Close it, open it again, and look up the sequence number or the
    attempt: what is there then is durable, what is not there is absent. Never repeat the write blindly.
    """


class LiveAttemptError(QueueError):
    """The order already has an attempt whose outcome is not known."""


class OrderPaidError(QueueError):
    """The order has been paid, or is being paid, by another attempt. Nothing has been written."""


class SeenBeforeError(QueueError):
    """Something that counts once has come before. Nothing has been written."""


class OrderMismatchError(QueueError):
    """The order's number is taken by an order with another amount or currency."""


class UnknownAttemptError(QueueError):
    """No order or attempt of this name is in the store."""


class AttemptClosedError(QueueError):
    """The attempt has its outcome; it takes no new intent and no silent change."""
