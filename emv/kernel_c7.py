"""Kernel 7, for UnionPay's qPBOC (QuickPass): the quick flow with fDDA, CTQ and the small-amount rule.

    the quick flow: GET PROCESSING OPTIONS, records
    kind of cryptogram, expiry and exception file, offline data authentication,
    cardholder verification by the CTQ, no PIN and signature for small amounts, outcome

It shares the flow with kernel 3. Of its own it has: an application that does not ask for the TTQ is not
for it; the file locator must be there where the card approves; fast DDA is the only authentication, and
the TTQ says in byte 4 that its version 01 is known (version 00 of older cards is not taken); expiry is
looked at for online requests too; online PIN needs no consumer device verification where a card has no
CTQ; and `C7Options` has the rule for small amounts.

A card that approves spends electronic cash. It is taken if it proves to be genuine and the floor limit
allows it; the balance is shown where the card gives it (9F5D). Left out: loading and reading electronic
cash (9F79 by GET DATA), the extended applications (DF60, DF61: segments, pre-authorisation, tickets), the
national algorithms SM2, SM3 and SM4 (DF69), the full contactless debit and credit flow and magnetic
stripe mode. None of them is announced.

The book was not at hand: this follows public kernels and descriptions, and is unverified.

Spec: EMV Contactless Book C-7 2.5.
"""

from __future__ import annotations

from typing import ClassVar, Final

from emv import c7_decision, quick_flow
from emv.c7_options import C7Options
from emv.commands import Cryptogram
from emv.fields import Ttq
from emv.kernel import Activation, Indicators, Transitions
from emv.oda import NO_ODA, OdaReport
from emv.quick_decision import Authenticate, Decision, Facts, cryptogram_kind
from emv.quick_flow import QuickKernel
from emv.tags import Tag

FAST_DDA_01: Final = Ttq(0x00000080)
"""TTQ byte 4, bit 8: the reader knows fast DDA version 01."""
_DEBIT_CREDIT: Final = Ttq(0x40000000)
"""TTQ byte 1, bit 7: the full contactless debit and credit flow, which is not there."""
_PRODUCT: Final = 0x9F63
"""Card Product Identification Information, for the host."""
_MANDATORY = (Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CRYPTOGRAM)


class KernelC7(QuickKernel):
    """One activation of kernel 7."""

    NUMBER = 7
    NEEDS_TTQ = True
    VERIFIED: ClassVar = False
    UNVERIFIED_BECAUSE: ClassVar = "the book was not at hand: it follows public code and descriptions"
    RECORD_FROM_CARD = (_PRODUCT,)

    def __init__(self, activation: Activation) -> None:
        super().__init__(activation)
        self._options = activation.options(C7Options)
        self.show_offline_balance = self._options.show_offline_balance

    def _limits(self) -> Indicators:
        return self._indicators

    def _announced(self, ttq: Ttq) -> Ttq:
        if self._options.ttq_as_configured:
            return ttq
        if self._small:
            ttq &= ~Ttq.CVM_REQUIRED
        ttq = ttq & ~(Ttq.MAGSTRIPE_MODE | _DEBIT_CREDIT | Ttq.ISSUER_UPDATE) | FAST_DDA_01
        return ttq if self._activation.config.ca_keys else ttq & ~Ttq.ODA_FOR_ONLINE

    @property
    def _small(self) -> bool:
        return c7_decision.is_small(self._transaction, self._activation.config.country, self._options)

    def _missing(self) -> tuple[int, ...]:
        """Return what is missing; the file locator and the number depend on what the card decided."""
        missing = [int(tag) for tag in _MANDATORY if tag not in self._card]
        if missing:
            return tuple(missing)
        approves = cryptogram_kind(self._card) is Cryptogram.TC
        if approves and Tag.AFL not in self._card:
            missing.append(Tag.AFL)
        if Tag.TRACK_2 not in self._card and not (approves and Tag.PAN in self._card):
            missing.append(Tag.TRACK_2)
        return tuple(missing)

    def _decide(self, facts: Facts, authenticate: Authenticate) -> Decision:
        return c7_decision.decide(facts, self._options, authenticate, small=self._small)

    def _authenticate(self, online: bool) -> OdaReport:
        if online and not self._ttq & Ttq.ODA_FOR_ONLINE:
            return NO_ODA
        return self._fast_dda(online)


TRANSITIONS: Transitions = quick_flow.TRANSITIONS
"""What each state takes, and what it does."""
