"""What kernel 3 decides once the card is read: pure functions over card and terminal data.

Spec: EMV Contactless Book C-3 2.5, 5.4 to 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from emv.c3_options import C3Options
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.config import CASH, CASHBACK
from emv.errors import DecodeError
from emv.fields import Auc, Cid, Ctq, Ttq, take
from emv.formats import decode_date
from emv.kernel import Transaction
from emv.oda import OdaResult
from emv.outcome import CvmResult, MessageId
from emv.sensitive import Pan, Track2
from emv.tags import Tag


class Verdict(Enum):
    """Where the transaction goes."""

    ONLINE = "online"
    DECLINE = "decline"
    APPROVE = "approve"
    SWITCH_INTERFACE = "switch interface"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, its reason in words, and how the cardholder is verified."""

    verdict: Verdict
    reason: str
    cvm: CvmResult = CvmResult.NOT_APPLICABLE
    message: MessageId = MessageId.INSERT_CARD


CVM_RESULTS = {
    CvmResult.NONE: bytes.fromhex("1F0002"),
    CvmResult.SIGNATURE: bytes.fromhex("1E0000"),
    CvmResult.ONLINE_PIN: bytes.fromhex("020000"),
}
"""Tag 9F34 for the host. C-3 has none; these are EMV 4.4 Book 4, Annex A4's codes for the same methods:
no CVM successful, signature and online PIN not known yet. There is none for the consumer's device."""


def check_pan(card: CardData, track2: Track2) -> None:
    """Refuse a card whose number (5A) is not that of its track 2. Spec: C-3, Annex A.2."""
    value = card.get(Tag.PAN)
    if value and Pan.decode(value) != track2.pan:
        raise DecodeError("the card's two numbers differ", tag=Tag.PAN)


def cryptogram_kind(card: CardData) -> Cryptogram | None:
    """Return the kind of cryptogram, or None if it is not known.

    Without a CID it is in the issuer application data, byte 5, bits 6 and 5. That holds for the formats
    with six or more bytes after their length; format 1F has another layout, and we don't guess there.

    Spec: C-3, 5.4.3.1.
    """
    value = card.get(Tag.CID)
    if value:
        return Cid.decode(value).cryptogram
    issuer_data = card[Tag.ISSUER_APPLICATION_DATA]
    if len(issuer_data) < 7 or issuer_data[0] == 0x1F:
        return None
    return Cid.decode(bytes(((issuer_data[4] & 0x30) << 2,))).cryptogram


def decide(
    *,
    card: CardData,
    transaction: Transaction,
    terminal: Mapping[int, bytes],
    ttq: Ttq,
    options: C3Options,
    authenticate: Callable[[], OdaResult],
) -> Decision:
    """Return what becomes of the transaction.

    Spec: C-3, 5.4.3 to 5.9.
    """
    kind = cryptogram_kind(card)
    if kind is None:
        return Decision(Verdict.DECLINE, "the card's kind of cryptogram is not known")
    if kind is Cryptogram.AAC:
        return Decision(Verdict.DECLINE, "the card declined")
    value = card.get(Tag.CTQ)
    ctq = None if value is None else take(Ctq, value, 2, Tag.CTQ)
    stopped = _check_usage(card, ctq, transaction, terminal, options)
    if stopped:
        return stopped
    online = kind is Cryptogram.ARQC or bool(ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED)
    reason = "the card asks for the issuer" if kind is Cryptogram.ARQC else "the reader asks for the issuer"
    if kind is Cryptogram.TC and _expired(card, transaction):
        if not (ctq or Ctq(0)) & Ctq.ONLINE_IF_EXPIRED:
            return Decision(Verdict.DECLINE, "the application has expired")
        online, reason = True, "the application has expired, and the card asks for the issuer then"
    if not online:
        result = authenticate()
        if result is not OdaResult.SUCCEEDED:
            after = _without_authentication(ctq or Ctq(0), ttq, result)
            if after.verdict is not Verdict.ONLINE:
                return after
            online, reason = True, after.reason
    if online and ttq & Ttq.OFFLINE_ONLY:
        return Decision(Verdict.DECLINE, "the reader is offline only")
    cvm = verification(card, ctq, ttq, kind)
    if cvm is None:
        return Decision(Verdict.DECLINE, "cardholder verification is required, and no method is common")
    if online or cvm is CvmResult.ONLINE_PIN:
        return Decision(Verdict.ONLINE, reason if online else "the PIN is verified by the issuer", cvm)
    return Decision(Verdict.APPROVE, "approved by the card, which proved to be genuine", cvm)


def _without_authentication(ctq: Ctq, ttq: Ttq, result: OdaResult) -> Decision:
    """Return where a card goes that approved, but did not prove that it is genuine.

    Spec: C-3, 5.6.1.2 and 5.6.2.
    """
    reason = f"offline data authentication {result.value}"
    if ctq & Ctq.ONLINE_IF_ODA_FAILS and not ttq & Ttq.OFFLINE_ONLY:
        return Decision(Verdict.ONLINE, reason)
    if ctq & Ctq.SWITCH_INTERFACE_IF_ODA_FAILS and ttq & Ttq.CONTACT_CHIP:
        return Decision(Verdict.SWITCH_INTERFACE, reason)
    return Decision(Verdict.DECLINE, reason)


def _expired(card: CardData, transaction: Transaction) -> bool:
    """Say whether the application is past its last day, or names none. Spec: C-3, 5.5.1.1."""
    value = card.get(Tag.EXPIRATION_DATE)
    return value is None or transaction.date > decode_date(value)


def _check_usage(
    card: CardData,
    ctq: Ctq | None,
    transaction: Transaction,
    terminal: Mapping[int, bytes],
    options: C3Options,
) -> Decision | None:
    """Look whether the card may be used for cash or cashback, where the terminal looks at all.

    Public sources differ on whether this is for offline transactions only. We look at all of them.

    Spec: C-3, 5.5.1.3 and 5.5.1.4.
    """
    if transaction.type == CASH and options.check_cash:
        needs, switch = (Auc.DOMESTIC_CASH, Auc.INTERNATIONAL_CASH), Ctq.SWITCH_INTERFACE_FOR_CASH
    elif transaction.type == CASHBACK and options.check_cashback:
        needs = (Auc.DOMESTIC_CASHBACK, Auc.INTERNATIONAL_CASHBACK)
        switch = Ctq.SWITCH_INTERFACE_FOR_CASHBACK
    else:
        return None
    country, usage = card.get(Tag.ISSUER_COUNTRY), card.get(Tag.USAGE_CONTROL)
    if country and usage:
        need = needs[0] if country == terminal[Tag.TERMINAL_COUNTRY] else needs[1]
        if take(Auc, usage, 2, Tag.USAGE_CONTROL) & need:
            return None
    reason = "the card is not for this kind of transaction"
    if (ctq or Ctq(0)) & switch:
        return Decision(Verdict.SWITCH_INTERFACE, reason, message=MessageId.INSERT_OR_SWIPE_CARD)
    return Decision(Verdict.DECLINE, reason)


def verification(card: CardData, ctq: Ctq | None, ttq: Ttq, kind: Cryptogram) -> CvmResult | None:
    """Return how the cardholder is verified, or None if that is required and can't be done.

    A device's claim to have verified its owner is believed if the signed copy of the CTQ (9F69) agrees,
    and without such a copy if the issuer will decide.

    Spec: C-3, 5.7.1.
    """
    required = bool(ttq & Ttq.CVM_REQUIRED)
    if ctq is None:
        if not required:
            return CvmResult.NONE
        if ttq & Ttq.SIGNATURE:
            return CvmResult.SIGNATURE
        by_pin = Ttq.ONLINE_PIN | Ttq.CONSUMER_DEVICE_CVM
        return CvmResult.ONLINE_PIN if ttq & by_pin == by_pin else None
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
