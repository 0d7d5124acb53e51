"""The error indication (DF8115): why kernel 2 did not come to a payment, for a terminal's records.

Spec: EMV Contactless Book C-2, Annex A.1 (Error Indication).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from emv.outcome import MessageId


class L1(IntEnum):
    """What went wrong on the air."""

    OK = 0x00
    TIME_OUT = 0x01
    TRANSMISSION = 0x02
    PROTOCOL = 0x03


class L2(IntEnum):
    """What is wrong with the card's answers."""

    OK = 0x00
    CARD_DATA_MISSING = 0x01
    CAM_FAILED = 0x02
    """Card authentication."""
    STATUS_BYTES = 0x03
    PARSING = 0x04
    MAX_LIMIT_EXCEEDED = 0x05
    CARD_DATA = 0x06
    MAGSTRIPE_NOT_SUPPORTED = 0x07


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorIndication:
    """Tag DF8115. Level 3, errors of the terminal, does not come up here.

    Args:
        l1: Level 1. All that is known of a lost card is that it did not answer.
        l2: Level 2.
        sw: The status word, if that was the error.
        message: What was shown because of it.
    """

    l1: L1 = L1.OK
    l2: L2 = L2.OK
    sw: int = 0
    message: MessageId | None = None

    def encode(self) -> bytes:
        """Return the value of six bytes."""
        shown = 0xFF if self.message is None else self.message
        return bytes((self.l1, self.l2, 0)) + self.sw.to_bytes(2, "big") + bytes((shown,))


NO_ERROR = ErrorIndication()
