"""Offline data authentication: is the card genuine, and did it sign this transaction?

Spec: EMV 4.4 Book 2, 5 and 6; EMV Contactless Book C-3, Annex C (fDDA).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class OdaMethod(Enum):
    """How a card is authenticated offline."""

    NONE = "none"
    SDA = "SDA"
    DDA = "DDA"
    CDA = "CDA"
    FDDA = "fDDA"


class OdaResult(Enum):
    """What offline data authentication came to."""

    NOT_PERFORMED = "not performed"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdaReport:
    """What was tried and what it came to.

    Args:
        method: What was tried.
        result: What it came to.
        reason: Why it failed or was not performed, in words, without card data.
        dynamic_number: The ICC Dynamic Number (9F4C) that the card signed.
        cryptogram: With CDA, the application cryptogram (9F26) inside the signature.
        dynamic_data: What follows in the signed dynamic data: relay resistance data, for C-2.
    """

    method: OdaMethod = OdaMethod.NONE
    result: OdaResult = OdaResult.NOT_PERFORMED
    reason: str = ""
    dynamic_number: bytes = b""
    cryptogram: bytes = b""
    dynamic_data: bytes = b""

    @property
    def succeeded(self) -> bool:
        """Whether the card is authenticated."""
        return self.result is OdaResult.SUCCEEDED


NO_ODA = OdaReport()
"""What there is before anything was tried."""
