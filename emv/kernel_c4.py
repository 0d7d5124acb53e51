"""Kernel 4, for American Express: the shared EMV flow with what Expresspay has of its own.

UNVERIFIED: Book C-4 is not public. What is here comes from public code and configurations that name its
tables, and from one recorded tap of a test card that replays with its signature verified.

Its own:

    Contactless Reader Capabilities (9F6D) are merged into the terminal type (9F35) that the card is told
    Enhanced Contactless Reader Capabilities (9F6E) tell it the rest
    cards in magnetic stripe mode are not taken (AIP byte 2, bit 8)
    dynamic reader limits: the card names a set (9F70), and the terminal has limits for it
    a phone that verified its owner says so (9F71)

Where public sources leave a choice open:

    The merged terminal type goes into every list of the card, and the plain one to the host.
    Dynamic limits are compared after the records, when the set is known. An amount that reaches the
    set's transaction limit is sent to the contact chip.
    Below the limit for verification the CVM list is not looked at, and the result is "no CVM".
    A phone's results (9F71) become the CVM results (9F34) as they are. A phone that verified nobody
    (3F) falls back to the CVM list.

Online is partial online only; full online is announced no more. Delayed authorisation, transit and
magnetic stripe mode are not there and not announced.

Spec: EMV Contactless Book C-4 2.10, 4.3 (reader capabilities), 7 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import KEEP, IntFlag

from emv import cvm
from emv import kernel_emv as shared
from emv.action_analysis import ActionCodes, online_capable
from emv.cvm import CvmDecision, CvmMethod, CvmMethods, CvmStatus
from emv.emv_options import LimitSet
from emv.errors import DecodeError
from emv.fields import Tsi, Tvr
from emv.kernel_emv import KernelEmv
from emv.outcome import CvmResult, Outcome, end_application, try_contact
from emv.tags import Tag

READER_CAPABILITIES = 0x9F6D
ENHANCED_CAPABILITIES = 0x9F6E
CARD_CAPABILITIES = 0x9F70
"""Card Interface and Payment Capabilities, two bytes."""
MOBILE_RESULTS = 0x9F71
"""Mobile CVM Results, three bytes."""

_EMV_MODE = 0x0080
_MOBILE = 0x0040
"""Of the AIP, byte 2: EMV mode, and a phone or the like."""
_NO_LIMIT_SET = 0x08
_LIMIT_SET = 0x07
"""Of byte 2 of the card's capabilities."""
_BLOCKED = 3
"""Third byte of the mobile results, beside `CvmStatus`."""


class ReaderCapabilities(IntFlag, boundary=KEEP):
    """Enhanced Contactless Reader Capabilities, tag 9F6E, four bytes. Spec: Book C-4, table 4-4."""

    CONTACT = 0x80000000
    MAGSTRIPE_MODE = 0x40000000
    FULL_ONLINE = 0x20000000
    PARTIAL_ONLINE = 0x10000000
    MOBILE = 0x08000000
    OTHER_INTERFACE_AFTER_DECLINE = 0x04000000
    MOBILE_CVM = 0x00800000
    ONLINE_PIN = 0x00400000
    SIGNATURE = 0x00200000
    OFFLINE_PIN = 0x00100000
    OFFLINE_ONLY = 0x00008000
    CVM_REQUIRED = 0x00004000
    NO_CVM_EXEMPT = 0x00000080
    DELAYED_AUTHORISATION = 0x00000040
    TRANSIT = 0x00000020
    VERSION = 0x00000003
    """Of the kernel: 2.7 and later."""


class KernelC4(KernelEmv):
    """One activation of kernel 4."""

    NUMBER = 4
    VERIFIED = False
    UNVERIFIED_BECAUSE = "Book C-4 is not public; its rules here are from public code and one recorded tap"
    TAC = ActionCodes(denial=Tvr(0x0010000000), online=Tvr(0xDE00FC9800), default=Tvr(0xDC50FC9800))
    """What public terminal configurations agree on."""

    def prepare(self) -> None:
        """Add the reader's capabilities."""
        required = self.cvm_required
        plain = 0xC8 if required else 0xC0
        self._terminal[READER_CAPABILITIES] = bytes((plain,))
        flags = ReaderCapabilities.PARTIAL_ONLINE | ReaderCapabilities.MOBILE | ReaderCapabilities.VERSION
        methods = CvmMethods.of_capabilities(self._capabilities)
        announced = (
            (self._options.contact_chip, ReaderCapabilities.CONTACT),
            (self._options.on_device, ReaderCapabilities.MOBILE_CVM),
            (methods & CvmMethods.ONLINE_PIN, ReaderCapabilities.ONLINE_PIN),
            (methods & CvmMethods.SIGNATURE, ReaderCapabilities.SIGNATURE),
            (not online_capable(self._activation.config.terminal_type), ReaderCapabilities.OFFLINE_ONLY),
            (required, ReaderCapabilities.CVM_REQUIRED),
        )
        for is_so, flag in announced:
            if is_so:
                flags |= flag
        self._terminal[ENHANCED_CAPABILITIES] = flags.to_bytes(4, "big")

    def told(self) -> Mapping[int, bytes]:
        """Return the terminal's data with the reader's capabilities merged into the terminal type.

        Spec: Book C-4, 4.3.3.
        """
        merged = self._terminal[Tag.TERMINAL_TYPE][0] | self._terminal[READER_CAPABILITIES][0]
        return {**self._terminal, int(Tag.TERMINAL_TYPE): bytes((merged,))}

    def check_mode(self) -> Outcome | None:
        """Refuse a card that has no EMV mode."""
        if self._aip & _EMV_MODE:
            return None
        return end_application("the card has magnetic stripe mode only")

    def check_card(self) -> Outcome | None:
        """Compare the amount with the transaction limit of the card's limit set."""
        limits = self._limits()
        if limits is None or limits.transaction_limit is None:
            return None
        if not self._foreign and self._transaction.amount_minor < limits.transaction_limit:
            return None
        return try_contact("the amount reaches the transaction limit for cards of this kind")

    @property
    def cvm_required(self) -> bool:
        """Whether verification is required, by the limit of the card's set if it names one."""
        limits = self._limits()
        if limits is None or limits.cvm_limit is None:
            return super().cvm_required
        return self._foreign or self._transaction.amount_minor >= limits.cvm_limit

    @property
    def floor_limit(self) -> int | None:
        """The floor limit, of the card's set if it names one."""
        limits = self._limits()
        if limits is None or limits.floor_limit is None:
            return super().floor_limit
        return 0 if self._foreign else limits.floor_limit

    @property
    def _foreign(self) -> bool:
        return int(self._transaction.currency) != int(self._activation.config.currency)

    def _limits(self) -> LimitSet | None:
        """Return the terminal's limits for the set that the card names, or None."""
        value = self._card.get(CARD_CAPABILITIES)
        if value is None:
            return None
        if len(value) != 2:
            raise DecodeError("the card's payment capabilities have two bytes", tag=CARD_CAPABILITIES)
        if value[1] & _NO_LIMIT_SET:
            return None
        number = value[1] & _LIMIT_SET
        return next((limits for limits in self._options.limit_sets if limits.number == number), None)

    def verify_cardholder(self) -> CvmDecision:
        """Take a phone's own verification, else go by the CVM list. Spec: Book C-4, 8."""
        claimed = self._card.get(MOBILE_RESULTS)
        takes = self.cvm_required and self._options.on_device and bool(self._aip & _MOBILE)
        if not takes or claimed is None:
            return super().verify_cardholder()
        if len(claimed) != 3:
            raise DecodeError("mobile CVM results have three bytes", tag=MOBILE_RESULTS)
        method, _, status = claimed
        if method != CvmMethod.PLAINTEXT_PIN or status not in (*CvmStatus, _BLOCKED):
            return super().verify_cardholder()
        if status == CvmStatus.SUCCESSFUL:
            return CvmDecision(
                results=claimed,
                cvm=CvmResult.CONFIRMED_BY_DEVICE,
                tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED,
            )
        tvr = Tvr.CVM_FAILED | (Tvr.PIN_TRY_LIMIT_EXCEEDED if status == _BLOCKED else cvm.NO_TVR)
        return CvmDecision(
            results=claimed,
            cvm=CvmResult.NOT_APPLICABLE,
            tvr=tvr,
            tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED,
        )


TRANSITIONS = shared.TRANSITIONS
"""What each state takes, and what it does."""
