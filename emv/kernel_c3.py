"""Kernel 3, for Visa's qVSDC: the quick flow with dynamic reader limits, fDDA and CTQ.

    limits of the card's programme, if it has some of its own
    the quick flow: GET PROCESSING OPTIONS, records
    kind of cryptogram, processing restrictions, offline data authentication,
    cardholder verification by the CTQ, outcome

Offline data authentication is fast DDA (signed data formats 05 and 95). A card that approves must pass
it; without scheme keys nothing is approved offline: a transaction certificate goes online if the CTQ says
so for failed authentication and the reader can, to the contact chip if both say so, else it is declined.
Where the TTQ announces authentication for online transactions, a card that asks for the issuer is
authenticated too, by fast DDA or by static data; the TTQ does not announce it without scheme keys.

Left out: issuer update processing (5.10; never announced, and a card that offers it loses nothing but
the scripts), magnetic stripe mode (never announced), and the checks of cash machines (5.5.1.5).

Where the public sources of C-3 differ, the choice is named at the function that makes it.

Spec: EMV Contactless Book C-3 2.5, 5.
"""

from __future__ import annotations

from typing import Final

from emv import c3_decision, quick_flow
from emv.c3_limits import limits_for, with_limits
from emv.c3_options import C3Options
from emv.fields import Aip, Ttq, take
from emv.kernel import Activation, Indicators, Transitions
from emv.oda import NO_ODA, OdaReport, authenticate_sda
from emv.preprocessing import preprocess
from emv.quick_decision import Authenticate, Decision, Facts
from emv.quick_flow import QuickKernel
from emv.tags import Tag

_PROGRAM_ID: Final = 0x9F5A
_MANDATORY = (Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CRYPTOGRAM, Tag.TRACK_2, Tag.DF_NAME)
"""What the card must have given. Spec: C-3, 5.4.2.1."""


class KernelC3(QuickKernel):
    """One activation of kernel 3."""

    NUMBER = 3

    def __init__(self, activation: Activation) -> None:
        super().__init__(activation)
        self._options = activation.options(C3Options)
        self.show_offline_balance = self._options.show_offline_balance

    def _limits(self) -> Indicators:
        """Return the indicators by the limits of the card's programme. Spec: C-3, 5.1.2."""
        limits = limits_for(self._card.get(_PROGRAM_ID), self._options.reader_limits)
        if limits is None:
            return self._indicators
        row = with_limits(self._activation.combination, limits)
        return preprocess(self._activation.config, row, self._transaction)

    def _announced(self, ttq: Ttq) -> Ttq:
        if self._options.ttq_as_configured:
            return ttq
        ttq &= ~(Ttq.ISSUER_UPDATE | Ttq.MAGSTRIPE_MODE)
        return ttq if self._activation.config.ca_keys else ttq & ~Ttq.ODA_FOR_ONLINE

    def _missing(self) -> tuple[int, ...]:
        return tuple(tag for tag in _MANDATORY if tag not in self._card)

    def _decide(self, facts: Facts, authenticate: Authenticate) -> Decision:
        return c3_decision.decide(facts, self._options, authenticate)

    def _authenticate(self, online: bool) -> OdaReport:
        """Authenticate by fast DDA; an online transaction's card may have static data only.

        Data that is missing for it counts as a failure. Two public sources end the application then
        where the TTQ announces authentication for online; that would refuse real cards of issuers whose
        keys the terminal does not hold.

        Spec: C-3, 5.6.
        """
        if online and not self._ttq & Ttq.ODA_FOR_ONLINE:
            return NO_ODA
        card = self._card
        static_only = take(Aip, card[Tag.AIP], 2, Tag.AIP) & (Aip.SDA | Aip.DDA) == Aip.SDA
        if online and static_only and self._activation.config.ca_keys:
            return authenticate_sda(
                card,
                self._records.static.value(card),
                rid=self._activation.aid[:5],
                ca_keys=self._activation.config.ca_keys,
                date=self._transaction.date,
            )
        return self._fast_dda(online)


TRANSITIONS: Transitions = quick_flow.TRANSITIONS
"""What each state takes, and what it does."""
