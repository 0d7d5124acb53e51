"""What the terminal remembers of cards: which cryptograms it has taken, and how far each counter has come.

A card signs a payment once, and its transaction counter only grows. A cryptogram that comes a second time
is a recording of the first; a counter that does not grow is a copy of the card, or a recording made before.

The queue keeps the memory and knows no card: it has fingerprints under a key of the terminal's own, from
which nobody without that key can tell a card number.

Spec: EMV 4.4 Book 2, 6 and Book 3, 6.5.5 (the counter); the fingerprints are ours.
"""

from __future__ import annotations

import hmac

from emv import tlv
from emv.errors import DecodeError
from emv.outcome import Outcome
from emv.tags import Tag
from offline_queue.sightings import FINGERPRINT_BYTES, Recollection, Sighting

PURPOSE = b"tillside-card-memory-v1"
"""What the key of the fingerprints is derived from the terminal's key for."""

REPLAYED = "the card repeats an earlier payment; it may be a copy"


class CardMemory:
    """Makes the fingerprints.

    Args:
        key: 32 secret bytes, the same at every start.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sighting(self, outcome: Outcome) -> Sighting | None:
        """Return what a cryptogram is remembered by; None where the card did not give all that it takes."""
        if outcome.data_record is None or outcome.pan is None:
            return None
        try:
            given = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
        except DecodeError:
            return None
        cryptogram, counter = given.get(Tag.CRYPTOGRAM), given.get(Tag.ATC)
        if not cryptogram or not counter:
            return None
        pan = outcome.pan.reveal().encode()
        return Sighting(
            fingerprint=self._fingerprint(b"cryptogram", pan, counter, cryptogram),
            # One number may be on several cards, which the sequence number tells apart.
            source=self._fingerprint(b"card", pan, given.get(Tag.PAN_SEQUENCE, b"")),
            counter=int.from_bytes(counter, "big"),
        )

    def _fingerprint(self, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")[:FINGERPRINT_BYTES]


def finding(sighting: Sighting, remembered: Recollection) -> str:
    """Return what is suspicious about a card's counter, in words for the technician, or empty."""
    if remembered.highest is None or sighting.counter > remembered.highest:
        return ""
    return f"the card's transaction counter is {sighting.counter}, after {remembered.highest} before"
