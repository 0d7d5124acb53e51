"""Kernel 6, for Discover (D-PAS): the quick flow with CDA in its first answer, and 9F71 in the CTQ's place.

    the quick flow: GET PROCESSING OPTIONS, records
    restrictions, offline data authentication, cardholder verification by the Card Processing
    Requirements (9F71), outcome

It shares the flow with kernels 3 and 7. The card is told the TTQ and answers with its profile, counter,
kind of cryptogram, issuer application data and 9F71. A card that approves signs that answer with CDA: over
the PDOL's data and all objects of the answer but the signature (9F4B), in which the cryptogram is, and
nowhere else. A request for the issuer comes with a cryptogram in clear, or signed like an approval where
the TTQ announces authentication for online.

Nothing is approved without CDA. Without scheme keys the reader can't open a signature, so it asks for an
online cryptogram always. A cryptogram that stays inside a signature can't be sent, so such a card is
declined even if it would go online. Of the TVR the host is told what the card was told: zero.

Left out: the magnetic stripe modes (Zip, and 9F7D: an application that does not ask for the TTQ is not for
this kernel), issuer update, loyalty programmes, the offline balance, and data storage.

UNVERIFIED: Book C-6 is not public. It follows what public code agrees on: a terminal maker's kernel in C, a
reader of Discover's own (decompiled), and for some bits an adaptor in Kotlin. None was run against this.

Spec: EMV Contactless Book C-6; EMV 4.4 Book 2, 6.6.
"""

from __future__ import annotations

from typing import ClassVar

from emv import c6_decision, quick_flow, tlv
from emv.c6_decision import REQUIREMENTS
from emv.c6_options import C6Options
from emv.commands import Cryptogram
from emv.fields import Ttq
from emv.kernel import Activation, Indicators, Transitions
from emv.oda import (
    NO_ODA,
    OdaMethod,
    OdaReport,
    OdaResult,
    authenticate_cda,
    recover_card_key,
    without_signature,
)
from emv.quick_decision import Authenticate, Decision, Facts
from emv.quick_flow import QuickKernel
from emv.records import processing_options
from emv.tags import Tag

_MANDATORY = (Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CID, REQUIREMENTS, Tag.TRACK_2)
_NOT_SIGNED = OdaReport(
    method=OdaMethod.CDA,
    result=OdaResult.FAILED,
    reason="no signature came with the processing options",
    missing=(int(Tag.SIGNED_DYNAMIC_DATA),),
)


class KernelC6(QuickKernel):
    """One activation of kernel 6."""

    NUMBER = 6
    NEEDS_TTQ = True
    VERIFIED: ClassVar = False
    UNVERIFIED_BECAUSE: ClassVar = "Book C-6 is not public: it follows what public code agrees on"

    def __init__(self, activation: Activation) -> None:
        super().__init__(activation)
        self._options = activation.options(C6Options)

    def _limits(self) -> Indicators:
        return self._indicators

    def _announced(self, ttq: Ttq) -> Ttq:
        if self._options.ttq_as_configured:
            return ttq
        ttq &= ~(Ttq.MAGSTRIPE_MODE | Ttq.ISSUER_UPDATE)
        if self._activation.config.ca_keys:
            return ttq
        return ttq & ~Ttq.ODA_FOR_ONLINE | Ttq.ONLINE_CRYPTOGRAM_REQUIRED

    def _missing(self) -> tuple[int, ...]:
        """Return what is missing; the cryptogram may be in a signature, and an approval needs records."""
        missing = [int(tag) for tag in _MANDATORY if tag not in self._card]
        if Tag.CRYPTOGRAM not in self._card and not self._signature:
            missing.append(Tag.CRYPTOGRAM)
        approves = (self._card.get(Tag.CID) or b"\0")[0] & 0xC0 == Cryptogram.TC
        if approves and Tag.AFL not in self._card:
            missing.append(Tag.AFL)
        return tuple(missing)

    def _decide(self, facts: Facts, authenticate: Authenticate) -> Decision:
        return c6_decision.decide(facts, authenticate)

    @property
    def _signature(self) -> bytes:
        """What the card signed its answer to GET PROCESSING OPTIONS with; one in a record is none."""
        given = dict(tlv.walk(processing_options(self._options_answer.reveal())))
        return given.get(Tag.SIGNED_DYNAMIC_DATA, b"")

    def _authenticate(self, online: bool) -> OdaReport:
        """Check CDA, and take the cryptogram out of the signature.

        The profile's bit for CDA is not asked: who signs needs none. A request for the issuer without
        signature is none that failed. One with the cryptogram in clear besides ends the application.

        Spec: EMV 4.4 Book 2, 6.6.2.
        """
        if not self._signature:
            return NO_ODA if online else _NOT_SIGNED
        if not self._activation.config.ca_keys:
            return OdaReport(reason="the terminal has no scheme keys")
        card_key = recover_card_key(
            self._card,
            self._records.static.value(self._card),
            rid=self._activation.aid[:5],
            ca_keys=self._activation.config.ca_keys,
            date=self._transaction.date,
        )
        report = authenticate_cda(
            card_key,
            self._signature,
            unpredictable_number=self._terminal[Tag.UNPREDICTABLE_NUMBER],
            cid=self._card[Tag.CID][0],
            transaction_data=self._pdol_data + without_signature(self._options_answer.reveal()),
        )
        if report.succeeded:
            self._card.add(((int(Tag.CRYPTOGRAM), report.cryptogram),))
        return report


TRANSITIONS: Transitions = quick_flow.TRANSITIONS
"""What each state takes, and what it does."""
