"""What kernel 3 decides once the card is read: pure functions over card and terminal data.

Spec: EMV Contactless Book C-3 2.5, 5.4 to 5.9.
"""

from __future__ import annotations

from dataclasses import replace

from emv.c3_options import C3Options
from emv.commands import Cryptogram
from emv.config import CASH, CASHBACK
from emv.fields import Auc, Ctq, Ttq, Tvr, take
from emv.outcome import MessageId
from emv.quick_decision import (
    NOTHING_FOUND,
    Authenticate,
    Decision,
    Facts,
    Verdict,
    authentication_results,
    check_exceptions,
    check_expiry,
    concluded,
    cryptogram_kind,
    unauthenticated,
    verification,
    without_authentication,
)
from emv.tags import Tag


def decide(facts: Facts, options: C3Options, authenticate: Authenticate) -> Decision:
    """Return what becomes of the transaction.

    Authentication is asked for where the card approves offline, and for online where the TTQ announces
    it. Public sources agree that a card's failure in the first case follows its CTQ. For the second they
    differ: one looks at the data only, one declines. The issuer decides here, with the TVR in the
    evidence; `online_needs_oda` declines.

    Spec: C-3, 5.4.3 to 5.9.
    """
    kind = cryptogram_kind(facts.card)
    if kind is None:
        return Decision(Verdict.DECLINE, "the card's kind of cryptogram is not known")
    if kind is Cryptogram.AAC:
        return Decision(Verdict.DECLINE, "the card declined")
    ctq, ttq = facts.ctq or Ctq(0), facts.ttq
    tvr = restrictions(facts, kind, options)
    stopped = _restricted(tvr, facts, ctq)
    if stopped:
        return replace(stopped, tvr=tvr)
    online, reason = _online(kind, ttq, tvr)
    report = authenticate(online)
    tvr |= authentication_results(report)
    if not report.succeeded and online and options.online_needs_oda and ttq & Ttq.ODA_FOR_ONLINE:
        return Decision(Verdict.DECLINE, unauthenticated(report), tvr=tvr, oda=report)
    if not report.succeeded and not online:
        after = without_authentication(ctq, ttq, report)
        if after.verdict is not Verdict.ONLINE:
            return replace(after, tvr=tvr, oda=report)
        online, reason = True, after.reason
    if online and ttq & Ttq.OFFLINE_ONLY:
        return Decision(Verdict.DECLINE, "the reader is offline only", tvr=tvr, oda=report)
    cvm = verification(facts, kind, pin_without_ctq=Ttq.ONLINE_PIN | Ttq.CONSUMER_DEVICE_CVM)
    return concluded(cvm, online=online, reason=reason, tvr=tvr, oda=report)


def restrictions(facts: Facts, kind: Cryptogram, options: C3Options) -> Tvr:
    """Return what the processing restrictions find.

    Expiry and exception file count where the card approves offline. Public sources differ on whether the
    usage control is for offline transactions only; we look at all of them.

    Spec: C-3, 5.5.
    """
    tvr = _check_usage(facts, options)
    if kind is Cryptogram.TC:
        tvr |= check_expiry(facts) | check_exceptions(facts)
    return tvr


def _check_usage(facts: Facts, options: C3Options) -> Tvr:
    """Look whether the card may be used for cash or cashback, where the terminal looks at all.

    Spec: C-3, 5.5.1.3 and 5.5.1.4.
    """
    if facts.transaction.type == CASH and options.check_cash:
        domestic, international = Auc.DOMESTIC_CASH, Auc.INTERNATIONAL_CASH
    elif facts.transaction.type == CASHBACK and options.check_cashback:
        domestic, international = Auc.DOMESTIC_CASHBACK, Auc.INTERNATIONAL_CASHBACK
    else:
        return NOTHING_FOUND
    country, usage = facts.card.get(Tag.ISSUER_COUNTRY), facts.card.get(Tag.USAGE_CONTROL)
    if country and usage:
        need = domestic if country == facts.terminal[Tag.TERMINAL_COUNTRY] else international
        if take(Auc, usage, 2, Tag.USAGE_CONTROL) & need:
            return NOTHING_FOUND
    return Tvr.SERVICE_NOT_ALLOWED


def _restricted(tvr: Tvr, facts: Facts, ctq: Ctq) -> Decision | None:
    """Return where a restriction leads that ends the transaction here. Spec: C-3, 5.5.1."""
    if tvr & Tvr.SERVICE_NOT_ALLOWED:
        reason = "the card is not for this kind of transaction"
        cash = facts.transaction.type == CASH
        switch = Ctq.SWITCH_INTERFACE_FOR_CASH if cash else Ctq.SWITCH_INTERFACE_FOR_CASHBACK
        if ctq & switch:
            return Decision(Verdict.SWITCH_INTERFACE, reason, message=MessageId.INSERT_OR_SWIPE_CARD)
        return Decision(Verdict.DECLINE, reason)
    if tvr & Tvr.ON_EXCEPTION_FILE:
        return Decision(Verdict.DECLINE, "the card is on the exception file")
    if tvr & Tvr.EXPIRED and not ctq & Ctq.ONLINE_IF_EXPIRED:
        return Decision(Verdict.DECLINE, "the application has expired")
    return None


def _online(kind: Cryptogram, ttq: Ttq, tvr: Tvr) -> tuple[bool, str]:
    """Return whether the issuer is asked, and why."""
    if tvr & Tvr.EXPIRED:
        return True, "the application has expired, and the card asks for the issuer then"
    if kind is Cryptogram.ARQC:
        return True, "the card asks for the issuer"
    return bool(ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED), "the reader asks for the issuer"
