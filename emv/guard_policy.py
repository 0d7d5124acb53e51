"""What the terminal does about what looks like an attack: settings of `guard`.

Spec: none; these are our own rules, beside the schemes'.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emv.bins import BINS, BinRange


class Response(Enum):
    """What follows from a finding."""

    IGNORE = "ignore"
    REPORT = "report"
    """It is told and logged, and changes nothing."""
    ISSUER_DECIDES = "issuer decides"
    """No offline approval; an online request goes its way."""
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """One response for each check of `guard`, and what the checks compare with.

    Args:
        device_claim: A device says that it verified its owner where that was required, and no signature of
            the card over that claim holds.
        ctq_differs: The card's qualifiers (9F6C) are not those that it signed (in 9F69).
        device_contradiction: A device's claim, and other data of the card that says otherwise.
        scheme_mix: Application, kernel and card number belong to different schemes.
        unverified_phone: A phone pays without having verified its owner, where no transit merchant is.
        pin_claim: Somebody says that a PIN was verified offline, which contactless never does.
        results_differ: The terminal's CVM results name a verification on the device, the card's own results
            (CVR) none. No wallet should, but the bits are its scheme's, so the issuer is asked.
        unsigned_profile: The card is authenticated, but its AIP is outside the signed data.
        weak_key: The card's key has the fingerprint of ROCA: its private key can be computed.
        relay: The relay resistance protocol found the card too slow.
        slow_card: The card took longer than `slow_card_ms` in all.
        slow_card_ms: Milliseconds of the card's own time in a tap; 0 does not look. A PC/SC reader on
            USB is far too coarse to prove a distance: this finds the odd one out, no more.
        transit_merchants: Merchant category codes of transport, where phones pay without being unlocked.
        bins: Whose card numbers are, for `scheme_mix`.
    """

    device_claim: Response = Response.DECLINE
    ctq_differs: Response = Response.DECLINE
    device_contradiction: Response = Response.DECLINE
    scheme_mix: Response = Response.DECLINE
    unverified_phone: Response = Response.REPORT
    pin_claim: Response = Response.DECLINE
    results_differ: Response = Response.ISSUER_DECIDES
    unsigned_profile: Response = Response.REPORT
    weak_key: Response = Response.ISSUER_DECIDES
    relay: Response = Response.REPORT
    slow_card: Response = Response.REPORT
    slow_card_ms: int = 2000
    transit_merchants: tuple[str, ...] = ("4111", "4112", "4131", "4784", "7523")
    bins: tuple[BinRange, ...] = BINS
