"""Kernel 5, for JCB (J/Speedy): the shared EMV flow with what its book has of its own.

UNVERIFIED: what is here comes from public code of two terminals, and from no card.

Its own:

    Terminal Interchange Profile (9F53) tells the card how this terminal verifies, and whether it must
    Terminal Compatibility Indicator (9F52) tells it that EMV mode is there
    the card chooses the verification itself, and says so with its cryptogram (9F50, signed); there is no
    CVM list
    a refund asks for a decline (AAC)
    most refusals let Entry Point try the card's next application

Only CDA authenticates. Legacy mode, magnetic stripe mode, torn transaction recovery and issuer update
are not there and not announced. A choice of verification that nobody knows declines.

Spec: EMV Contactless Book C-5 2.6, 5.
"""

from __future__ import annotations

from enum import KEEP, IntFlag

from emv import cvm
from emv import kernel_emv as shared
from emv.action_analysis import ActionCodes
from emv.commands import Cryptogram
from emv.config import REFUND
from emv.cvm import CvmDecision, CvmMethods
from emv.errors import DecodeError
from emv.fields import Tsi, Tvr
from emv.kernel_emv import KernelEmv
from emv.outcome import CvmResult, Outcome, select_next
from emv.tags import Tag

COMPATIBILITY = 0x9F52
INTERCHANGE_PROFILE = 0x9F53
VERIFICATION_STATUS = 0x9F50
"""Cardholder Verification Status, one byte."""

_EMV_ONLY = b"\x02"


class InterchangeProfile(IntFlag, boundary=KEEP):
    """Terminal Interchange Profile, tag 9F53, three bytes."""

    CVM_REQUIRED = 0x800000
    SIGNATURE = 0x400000
    ONLINE_PIN = 0x200000
    ON_DEVICE = 0x100000
    TRANSIT = 0x040000
    CONTACT_CHIP = 0x020000
    OFFLINE_PIN = 0x010000
    """For the contact chip."""
    ISSUER_UPDATE = 0x008000


class KernelC5(KernelEmv):
    """One activation of kernel 5."""

    NUMBER = 5
    VERIFIED = False
    UNVERIFIED_BECAUSE = "its rules are from public code of other terminals, and no card was there to try"
    MANDATORY = (Tag.PAN, Tag.EXPIRATION_DATE, Tag.CDOL1)
    TAC = ActionCodes(denial=Tvr(0x0410000000), online=Tvr(0x9060009000), default=Tvr(0x9040008000))

    def prepare(self) -> None:
        """Add the interchange profile. Spec: Book C-5, 5.2.1 and 5.5.2."""
        methods = CvmMethods.of_capabilities(self._capabilities)
        announced = (
            (self.cvm_required and self._transaction.type != REFUND, InterchangeProfile.CVM_REQUIRED),
            (methods & CvmMethods.SIGNATURE, InterchangeProfile.SIGNATURE),
            (methods & CvmMethods.ONLINE_PIN, InterchangeProfile.ONLINE_PIN),
            (self._options.on_device, InterchangeProfile.ON_DEVICE),
            (self._options.contact_chip, InterchangeProfile.CONTACT_CHIP),
        )
        profile = InterchangeProfile(0)
        for is_so, flag in announced:
            if is_so:
                profile |= flag
        self._terminal[INTERCHANGE_PROFILE] = profile.to_bytes(3, "big")
        self._terminal[COMPATIBILITY] = _EMV_ONLY

    def analyse(self) -> Cryptogram:
        """Return the cryptogram to ask for: none but a decline for a refund. Spec: Book C-5, 5.7.1.1."""
        return Cryptogram.AAC if self._transaction.type == REFUND else super().analyse()

    def verify_cardholder(self) -> CvmDecision:
        """Leave it to the card, which says with its cryptogram what it chose."""
        return CvmDecision(results=cvm.NOT_PERFORMED, cvm=CvmResult.NOT_APPLICABLE)

    def verified_cardholder(self) -> CvmDecision | None:
        """Return what the card chose, if this terminal can do it. Spec: Book C-5, 5.8.3."""
        status = self._card.get(VERIFICATION_STATUS) or b""
        if len(status) != 1:
            raise DecodeError("a cardholder verification status has one byte", tag=VERIFICATION_STATUS)
        methods = CvmMethods.of_capabilities(self._capabilities)
        if status[0] == 0x00:
            return None if self.cvm_required else shared.NO_CVM
        if status[0] == 0x10 and methods & CvmMethods.SIGNATURE:
            return _chosen("1E0000", CvmResult.SIGNATURE)
        if status[0] == 0x20 and methods & CvmMethods.ONLINE_PIN:
            return _chosen("020000", CvmResult.ONLINE_PIN)
        if status[0] & 0xF0 == 0x30 and self._options.on_device:
            return _chosen("010002", CvmResult.CONFIRMED_BY_DEVICE)
        return None

    def options_refused(self, sw: int) -> Outcome:
        """Let Entry Point try the next application."""
        return select_next(f"GET PROCESSING OPTIONS: {sw:04X}")

    def record_refused(self, position: str, sw: int) -> Outcome:
        """Let Entry Point try the next application."""
        return select_next(f"READ RECORD, {position}: {sw:04X}")

    def cryptogram_refused(self, sw: int) -> Outcome:
        """Ask for the chip at 6984, for the phone's owner at 6986, else for the next application.

        Spec: Book C-5, 5.8.1.5 to 5.8.1.7.
        """
        if sw in (0x6984, 0x6986):
            return super().cryptogram_refused(sw)
        return select_next(f"GENERATE AC: {sw:04X}")


def _chosen(results: str, method: CvmResult) -> CvmDecision:
    return CvmDecision(results=bytes.fromhex(results), cvm=method, tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED)


TRANSITIONS = shared.TRANSITIONS
"""What each state takes, and what it does."""
