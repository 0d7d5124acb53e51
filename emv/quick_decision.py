"""What the kernels with the quick flow (3, 6 and 7) decide alike once the card is read: pure functions.

Spec: EMV Contactless Book C-3 2.5, 5.4 to 5.7; Book C-7 2.5, where public sources show it the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.errors import DecodeError
from emv.fields import Cid, Ctq, Ttq, Tvr, take
from emv.formats import decode_date
from emv.kernel import Transaction
from emv.oda import NO_ODA, OdaMethod, OdaReport, OdaResult
from emv.outcome import CvmResult, MessageId
from emv.sensitive import Pan
from emv.tags import Tag

NOTHING_FOUND = Tvr(0)


class Verdict(Enum):
    """Where the transaction goes."""

    ONLINE = "online"
    DECLINE = "decline"
    APPROVE = "approve"
    SWITCH_INTERFACE = "switch interface"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, its reason in words, how the cardholder is verified, and what was found on the way."""

    verdict: Verdict
    reason: str
    cvm: CvmResult = CvmResult.NOT_APPLICABLE
    message: MessageId = MessageId.INSERT_CARD
    tvr: Tvr = NOTHING_FOUND
    oda: OdaReport = NO_ODA


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a decision rests on.

    Args:
        card: What the card has said.
        number: Its card number.
        transaction: The payment.
        terminal: The terminal's data as sent.
        ttq: What the reader can do and asks for.
        exceptions: Card numbers that are never approved offline.
    """

    card: CardData
    number: Pan
    transaction: Transaction
    terminal: Mapping[int, bytes]
    ttq: Ttq
    exceptions: frozenset[Pan] = frozenset()

    @property
    def ctq(self) -> Ctq | None:
        """The card's qualifiers, or None if it gave none."""
        value = self.card.get(Tag.CTQ)
        return None if value is None else take(Ctq, value, 2, Tag.CTQ)


Authenticate: TypeAlias = Callable[[bool], OdaReport]
"""Offline data authentication, for a transaction that goes online (True) or stays offline."""


CVM_RESULTS = {
    CvmResult.NONE: bytes.fromhex("1F0002"),
    CvmResult.SIGNATURE: bytes.fromhex("1E0000"),
    CvmResult.ONLINE_PIN: bytes.fromhex("020000"),
}
"""Tag 9F34 for the host. These kernels have none; the codes are those of EMV 4.4 Book 4, Annex A4, for the
same methods: no CVM successful, signature and online PIN not known yet. There is none for the consumer's
device."""


def check_number(card: CardData, number: Pan) -> None:
    """Refuse a card whose number (5A) is not that of its track 2. Spec: C-3, Annex A.2."""
    value = card.get(Tag.PAN)
    if value and Pan.decode(value) != number:
        raise DecodeError("the card's two numbers differ", tag=Tag.PAN)


def cryptogram_kind(card: CardData) -> Cryptogram | None:
    """Return the kind of cryptogram, or None if it is not known.

    Without a CID it is in the issuer application data, byte 5, bits 6 and 5. That holds for the formats
    with six or more bytes after their length, Visa's and UnionPay's; format 1F has another layout, and
    we don't guess there.

    Spec: C-3, 5.4.3.1.
    """
    value = card.get(Tag.CID)
    if value:
        return Cid.decode(value).cryptogram
    issuer_data = card[Tag.ISSUER_APPLICATION_DATA]
    if len(issuer_data) < 7 or issuer_data[0] == 0x1F:
        return None
    return Cid.decode(bytes(((issuer_data[4] & 0x30) << 2,))).cryptogram


def check_expiry(facts: Facts) -> Tvr:
    """Return whether the application is past its last day, or names none. Spec: C-3, 5.5.1.1."""
    value = facts.card.get(Tag.EXPIRATION_DATE)
    return Tvr.EXPIRED if value is None or facts.transaction.date > decode_date(value) else NOTHING_FOUND


def check_exceptions(facts: Facts) -> Tvr:
    """Return whether the card's number is on the exception file. Spec: C-3, 5.5.1.2."""
    return Tvr.ON_EXCEPTION_FILE if facts.number in facts.exceptions else NOTHING_FOUND


def authentication_results(report: OdaReport) -> Tvr:
    """Return what offline data authentication sets. Spec: EMV 4.4 Book 3, 10.3."""
    if report.result is OdaResult.NOT_PERFORMED:
        return Tvr.ODA_NOT_PERFORMED
    missing = Tvr.ICC_DATA_MISSING if report.missing else NOTHING_FOUND
    selected = Tvr.SDA_SELECTED if report.method is OdaMethod.SDA else NOTHING_FOUND
    if report.succeeded:
        return selected
    return selected | missing | _FAILED.get(report.method, Tvr.DDA_FAILED)


_FAILED = {OdaMethod.SDA: Tvr.SDA_FAILED, OdaMethod.CDA: Tvr.CDA_FAILED}


def without_authentication(ctq: Ctq, ttq: Ttq, report: OdaReport) -> Decision:
    """Return where a card goes that approved, but did not prove that it is genuine.

    Spec: C-3, 5.6.1.2 and 5.6.2.
    """
    reason = unauthenticated(report)
    if ctq & Ctq.ONLINE_IF_ODA_FAILS and not ttq & Ttq.OFFLINE_ONLY:
        return Decision(Verdict.ONLINE, reason)
    if ctq & Ctq.SWITCH_INTERFACE_IF_ODA_FAILS and ttq & Ttq.CONTACT_CHIP:
        return Decision(Verdict.SWITCH_INTERFACE, reason)
    return Decision(Verdict.DECLINE, reason)


def unauthenticated(report: OdaReport) -> str:
    """Return in words that authentication did not succeed, and why."""
    why = f": {report.reason}" if report.reason else ""
    return f"offline data authentication {report.result.value}{why}"


def verification(facts: Facts, kind: Cryptogram, *, pin_without_ctq: Ttq) -> CvmResult | None:
    """Return how the cardholder is verified, or None if that is required and can't be done.

    A device's claim to have verified its owner is believed if the signed copy of the CTQ (9F69) agrees,
    and without such a copy if the issuer will decide. That is the scheme's rule, and it can be cheated
    by one who changes the CTQ on its way; who wants more looks at the evidence.

    Args:
        facts: The card and the payment.
        kind: The card's cryptogram.
        pin_without_ctq: What the reader must have for online PIN at a card without CTQ.

    Spec: C-3, 5.7.1.
    """
    card, ctq, ttq = facts.card, facts.ctq, facts.ttq
    required = bool(ttq & Ttq.CVM_REQUIRED)
    if ctq is None:
        if not required:
            return CvmResult.NONE
        if ttq & Ttq.SIGNATURE:
            return CvmResult.SIGNATURE
        return CvmResult.ONLINE_PIN if ttq & pin_without_ctq == pin_without_ctq else None
    if ctq & Ctq.ONLINE_PIN_REQUIRED and ttq & Ttq.ONLINE_PIN:
        return CvmResult.ONLINE_PIN
    if ctq & Ctq.CONSUMER_DEVICE_CVM_PERFORMED:
        signed = card.get(Tag.CARD_AUTHENTICATION_DATA)
        if signed is None:
            agrees = kind is Cryptogram.ARQC
        else:
            agrees = signed[5:7] == card[Tag.CTQ]
        return CvmResult.CONFIRMED_BY_DEVICE if agrees else None
    if ctq & Ctq.SIGNATURE_REQUIRED and ttq & Ttq.SIGNATURE:
        return CvmResult.SIGNATURE
    return None if required else CvmResult.NONE


def concluded(cvm: CvmResult | None, *, online: bool, reason: str, tvr: Tvr, oda: OdaReport) -> Decision:
    """Return the decision of a transaction that only cardholder verification can still stop.

    Spec: C-3, 5.7.1, 5.8 and 5.9.
    """
    if cvm is None:
        words = "cardholder verification is required, and no method is common"
        return Decision(Verdict.DECLINE, words, tvr=tvr | Tvr.CVM_FAILED, oda=oda)
    if cvm is CvmResult.ONLINE_PIN:
        tvr |= Tvr.ONLINE_PIN_ENTERED
        reason = reason if online else "the PIN is verified by the issuer"
    elif not online:
        reason = "approved by the card, which proved to be genuine"
        return Decision(Verdict.APPROVE, reason, cvm, tvr=tvr, oda=oda)
    return Decision(Verdict.ONLINE, reason, cvm, tvr=tvr, oda=oda)
