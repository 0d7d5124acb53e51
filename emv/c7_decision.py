"""What kernel 7 decides once the card is read: pure functions over card and terminal data.

The order and the answers are those of public kernels for UnionPay, read from their code, not from the
book: unverified.

Spec: EMV Contactless Book C-7 2.5.
"""

from __future__ import annotations

from dataclasses import replace

from emv.c7_options import C7Options
from emv.commands import Cryptogram
from emv.config import PURCHASE
from emv.fields import Ctq, Ttq, Tvr
from emv.kernel import Transaction
from emv.outcome import CvmResult
from emv.quick_decision import (
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

_LEFT_OUT_WHEN_SMALL = (CvmResult.ONLINE_PIN, CvmResult.SIGNATURE)


def decide(facts: Facts, options: C7Options, authenticate: Authenticate, *, small: bool) -> Decision:
    """Return what becomes of the transaction.

    Args:
        facts: The card and the payment.
        options: The kernel's settings.
        authenticate: Offline data authentication.
        small: Whether the rule for small amounts holds; then PIN and signature are left out.
    """
    kind = cryptogram_kind(facts.card)
    if kind is None:
        return Decision(Verdict.DECLINE, "the card's kind of cryptogram is not known")
    if kind is Cryptogram.AAC:
        return Decision(Verdict.DECLINE, "the card declined")
    ctq, ttq = facts.ctq or Ctq(0), facts.ttq
    tvr = restrictions(facts, kind)
    if tvr & Tvr.ON_EXCEPTION_FILE and kind is Cryptogram.TC:
        return Decision(Verdict.DECLINE, "the card is on the exception file", tvr=tvr)
    if tvr & Tvr.EXPIRED and (not ctq & Ctq.ONLINE_IF_EXPIRED or ttq & Ttq.OFFLINE_ONLY):
        return Decision(Verdict.DECLINE, "the application has expired", tvr=tvr)
    online = kind is Cryptogram.ARQC or bool(tvr & Tvr.EXPIRED or ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED)
    reason = "the card asks for the issuer" if kind is Cryptogram.ARQC else "the reader asks for the issuer"
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
    cvm = verification(facts, kind, pin_without_ctq=Ttq.ONLINE_PIN)
    if small and cvm in _LEFT_OUT_WHEN_SMALL:
        cvm = CvmResult.NONE
    return concluded(cvm, online=online, reason=reason, tvr=tvr, oda=report)


def restrictions(facts: Facts, kind: Cryptogram) -> Tvr:
    """Return what the processing restrictions find.

    The expiry date is looked at where the card gave one; a card that approves must have one. The
    exception file stops a card that approves; for one that asks for the issuer it is a finding only,
    as the issuer knows better, though a public kernel declines then too.
    """
    tvr = check_exceptions(facts)
    if kind is Cryptogram.TC or Tag.EXPIRATION_DATE in facts.card:
        tvr |= check_expiry(facts)
    return tvr


def is_small(transaction: Transaction, country: str, options: C7Options) -> bool:
    """Say whether the rule for small amounts holds: a purchase without PIN and signature.

    Args:
        transaction: The payment.
        country: Numeric ISO 3166 code of the terminal.
        options: The rule's limit, currency and country.
    """
    limit = options.small_amount_limit
    return (
        limit is not None
        and transaction.amount_minor <= limit
        and transaction.type == PURCHASE
        and int(transaction.currency) == int(options.small_amount_currency)
        and int(country) == int(options.small_amount_country)
    )
