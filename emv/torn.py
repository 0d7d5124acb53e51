"""The log of torn transactions: what C-2 keeps to recover a payment whose card left too early.

A card that left while it made its cryptogram may have counted the payment already. It keeps what it
answered, and gives it again for RECOVER AC when it comes back; the terminal needs its own half then.

Records live in memory only, hold card data and so print none, and are dropped when they are too old or
too many. The time is that of the transactions: there is no clock here.

Spec: EMV Contactless Book C-2, 3.7 (Torn Transaction Recovery) and Annex A (Torn Record).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from emv.sensitive import Pan, SensitiveBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TornRecord:
    """One payment that was cut off.

    Args:
        pan: The card's number (5A).
        sequence: Its sequence number (5F34), empty if it has none.
        at: When, by the transaction's date and time.
        data: What is needed to go on, as BER-TLV: the value of tag FF8101.
    """

    pan: Pan
    sequence: bytes
    at: datetime.datetime
    data: SensitiveBytes


class TornLog:
    """The torn records of one terminal, the oldest first."""

    def __init__(self) -> None:
        self._records: list[TornRecord] = []

    def add(self, record: TornRecord, limit: int) -> TornRecord | None:
        """Keep a record. Of more than `limit` the oldest goes, and is returned."""
        self._records.append(record)
        return self._records.pop(0) if len(self._records) > limit else None

    def find(self, pan: Pan, sequence: bytes) -> TornRecord | None:
        """Return the latest record of this card, or None."""
        found = (
            record for record in reversed(self._records) if (record.pan, record.sequence) == (pan, sequence)
        )
        return next(found, None)

    def remove(self, record: TornRecord) -> None:
        """Forget a record, if it is still there."""
        if record in self._records:
            self._records.remove(record)

    def expire(self, now: datetime.datetime, lifetime_s: int) -> None:
        """Forget what is older than `lifetime_s`, and what is from the future: the clock was set."""
        self._records = [
            record for record in self._records if 0 <= (now - record.at).total_seconds() <= lifetime_s
        ]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[TornRecord]:
        return iter(tuple(self._records))

    def __repr__(self) -> str:
        return f"TornLog({len(self)} records)"
