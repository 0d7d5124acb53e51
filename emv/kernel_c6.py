"""Kernel 6, for Discover (D-PAS): the shared EMV flow as it is.

UNVERIFIED: Book C-6 is not public. Public code of two terminals shows another flow for cards of D-PAS: like
Visa's they are sent a TTQ and give their cryptogram with the processing options already, but signed with it
(CDA over PDOL data and that answer), and Card Processing Requirements (9F71) stand where Visa has the CTQ.
That flow is not here. Such cards have no CDOL1; they end here, with that reason.

Spec: EMV 4.4 Book 3, 10; EMV Contactless Book C-6.
"""

from __future__ import annotations

from typing import ClassVar

from emv import kernel_emv as shared
from emv.kernel_emv import KernelEmv
from emv.tags import Tag


class KernelC6(KernelEmv):
    """One activation of kernel 6."""

    NUMBER = 6
    VERIFIED = False
    UNVERIFIED_BECAUSE = "Book C-6 is not public, and nothing of its own is here but EMV's common flow"
    MANDATORY: ClassVar[tuple[Tag, ...]] = (Tag.PAN, Tag.EXPIRATION_DATE, Tag.CDOL1)


TRANSITIONS = shared.TRANSITIONS
"""What each state takes, and what it does."""
