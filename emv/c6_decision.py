"""What kernel 6 decides once the card is read: pure functions over card and terminal data.

The card says by its Card Processing Requirements (9F71) what it wants in the cases that it can't foresee.
The order and the answers are those of public code for Discover, not of the book: unverified. Where that
code would approve on a silent card, or its versions differ, the stricter answer is taken; the functions
say where.

Spec: EMV Contactless Book C-6; EMV 4.4 Book 3, 10.4.
"""

from __future__ import annotations

from dataclasses import replace

from emv.commands import Cryptogram
from emv.fields import Cid, Cpr, Ttq, Tvr, take
from emv.outcome import CvmResult
from emv.quick_decision import (
    Authenticate,
    Decision,
    Facts,
    Verdict,
    authentication_results,
    check_exceptions,
    concluded,
    unauthenticated,
)
from emv.restrictions import check_restrictions
from emv.tags import Tag

REQUIREMENTS = 0x9F71
"""Card Processing Requirements."""
_NO_CVM = 0x08
"""Of byte 2 of the terminal capabilities (9F33): no verification."""
_CARD_RESULTS = slice(2, 10)
"""Where the card verification results stand in 9F10: behind key index and cryptogram version."""
_DEVICE_VERIFIED, _DEVICE_FAILED = 0x02, 0x01
"""Of byte 2 of those results: the device verified its owner; it did, and that failed."""


def decide(facts: Facts, authenticate: Authenticate) -> Decision:
    """Return what becomes of the transaction.

    A decline that a loyalty programme turns into an approval (CPR byte 1, bit 6) stays a decline. What
    declines comes before what goes online, whereas the public code looks at a failed authentication first.
    """
    kind = Cid.decode(facts.card[Tag.CID]).cryptogram
    if kind is None:
        return Decision(Verdict.DECLINE, "the card's kind of cryptogram is not known")
    if kind is Cryptogram.AAC:
        return Decision(Verdict.DECLINE, "the card declined")
    cpr = take(Cpr, facts.card[REQUIREMENTS], 2, REQUIREMENTS)
    tvr = restrictions(facts, kind)
    refusal = _refusal(facts.ttq, kind, cpr, tvr)
    if refusal:
        return Decision(Verdict.DECLINE, refusal, tvr=tvr)
    reason = _why_online(kind, cpr, tvr)
    report = authenticate(bool(reason))
    tvr |= authentication_results(report)
    if kind is Cryptogram.TC and not report.succeeded:
        reason = unauthenticated(report)
        stopped = _without_authentication(facts, cpr, reason)
        if stopped:
            return replace(stopped, tvr=tvr, oda=report)
    if not report.cryptogram and Tag.CRYPTOGRAM not in facts.card:
        words = f"its cryptogram is in a signature without use: {unauthenticated(report)}"
        return Decision(Verdict.DECLINE, words, tvr=tvr, oda=report)
    if reason and facts.ttq & Ttq.OFFLINE_ONLY:
        switches = bool(cpr & Cpr.SWITCH_INTERFACE_IF_OFFLINE_ONLY)
        return replace(_stopped(facts, "the reader is offline only", switches=switches), tvr=tvr, oda=report)
    cvm = verification(facts, cpr)
    if cvm is None and facts.ttq & Ttq.CONTACT_CHIP:
        words = "cardholder verification is required, and no method is common"
        return Decision(Verdict.SWITCH_INTERFACE, words, tvr=tvr | Tvr.CVM_FAILED, oda=report)
    return concluded(cvm, online=bool(reason), reason=reason, tvr=tvr, oda=report)


def restrictions(facts: Facts, kind: Cryptogram) -> Tvr:
    """Return what the processing restrictions find.

    They are Book 3's. The public code tells payments at home from others by the card's own results; here
    the issuer's country counts, as in the book. A card that approves must name its last day; without one
    an online request is left to the issuer, who finds the date in track 2.
    """
    tvr = check_exceptions(facts) | check_restrictions(facts.card, facts.terminal, facts.transaction)
    if kind is Cryptogram.ARQC and Tag.EXPIRATION_DATE not in facts.card:
        tvr &= ~Tvr.EXPIRED
    return tvr


def _refusal(ttq: Ttq, kind: Cryptogram, cpr: Cpr, tvr: Tvr) -> str:
    """Return why the transaction is declined whatever authentication comes to, or an empty text.

    An expired card that approves and says neither "decline" nor "go online" is declined; the public code
    would approve it.
    """
    approves = kind is Cryptogram.TC
    if tvr & Tvr.SERVICE_NOT_ALLOWED:
        return "the card is not for this kind of transaction"
    if tvr & Tvr.ON_EXCEPTION_FILE:
        return "the card is on the exception file"
    unsaid = approves and not cpr & Cpr.ONLINE_IF_EXPIRED
    if tvr & Tvr.EXPIRED and (unsaid or cpr & Cpr.DECLINE_IF_EXPIRED):
        return "the application has expired"
    if approves and ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED:
        return "the card approved where the reader asked for the issuer"
    return ""


def _why_online(kind: Cryptogram, cpr: Cpr, tvr: Tvr) -> str:
    """Return why the issuer is asked, or an empty text."""
    if tvr & Tvr.EXPIRED and cpr & Cpr.ONLINE_IF_EXPIRED:
        return "the application has expired, and the card asks for the issuer then"
    if tvr & Tvr.NOT_YET_EFFECTIVE:
        return "the application is not valid yet"
    return "the card asks for the issuer" if kind is Cryptogram.ARQC else ""


def _without_authentication(facts: Facts, cpr: Cpr, reason: str) -> Decision | None:
    """Return where a card ends that approved, but did not prove that it is genuine; None is online."""
    switches = bool(cpr & Cpr.SWITCH_INTERFACE_IF_CDA_FAILS)
    if switches or not cpr & Cpr.ONLINE_IF_CDA_FAILS:
        return _stopped(facts, reason, switches=switches)
    return None


def _stopped(facts: Facts, reason: str, *, switches: bool) -> Decision:
    """Return the end of a tap: at the contact chip if the card asks for that and there is one."""
    switches = switches and bool(facts.ttq & Ttq.CONTACT_CHIP)
    return Decision(Verdict.SWITCH_INTERFACE if switches else Verdict.DECLINE, reason)


def verification(facts: Facts, cpr: Cpr) -> CvmResult | None:
    """Return how the cardholder is verified, or None if that is required and can't be done.

    Whether "no verification" may stand in for a method that is not there is said by card and terminal
    (9F33, byte 2, bit 4) both: of two versions in the public code that is the stricter one.
    """
    ttq = facts.ttq
    if not ttq & Ttq.CVM_REQUIRED and not cpr & (Cpr.ONLINE_PIN_REQUIRED | Cpr.SIGNATURE_REQUIRED):
        return CvmResult.NONE
    by_device = ttq & Ttq.CONSUMER_DEVICE_CVM and cpr & Cpr.CONSUMER_DEVICE_CVM_PERFORMED
    may_sign = bool(cpr & Cpr.SIGNATURE_INSTEAD)
    if cpr & Cpr.ONLINE_PIN_REQUIRED:
        if ttq & Ttq.ONLINE_PIN:
            return CvmResult.ONLINE_PIN
        signs = may_sign
    else:
        signs = bool(cpr & Cpr.SIGNATURE_REQUIRED)
    if signs and ttq & Ttq.SIGNATURE:
        return CvmResult.SIGNATURE
    if by_device and _verified_by_device(facts):
        return CvmResult.CONFIRMED_BY_DEVICE
    if by_device and may_sign and ttq & Ttq.SIGNATURE:
        return CvmResult.SIGNATURE
    none_will_do = cpr & Cpr.NO_CVM_INSTEAD and facts.terminal[Tag.TERMINAL_CAPABILITIES][1] & _NO_CVM
    return CvmResult.NONE if none_will_do else None


def _verified_by_device(facts: Facts) -> bool:
    """Say whether the card's results for the issuer (in 9F10) agree that the device verified its owner."""
    results = facts.card[Tag.ISSUER_APPLICATION_DATA][_CARD_RESULTS]
    return len(results) == 8 and results[1] & (_DEVICE_VERIFIED | _DEVICE_FAILED) == _DEVICE_VERIFIED
