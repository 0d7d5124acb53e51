"""Kernel 6, for Discover (D-PAS): the shared EMV flow as it is.

UNVERIFIED: Book C-6 is not public, and public facts on it are few. Cards of D-PAS that give their
cryptogram with the processing options already, as Visa's do, have no CDOL1; they end here, with that
reason. Card Processing Requirements (9F71) are not looked at: their bits are not public.

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
