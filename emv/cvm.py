"""Cardholder verification: the card's list of methods, and which of them it comes to.

Contactless has four ways: online PIN, signature, nothing at all, and the consumer's own device. A PIN is
never sent to a contactless card, so the methods with an offline PIN always count as not supported.

Spec: EMV 4.4 Book 3, 10.5 and Annex C3; Book 4, Annex A4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from emv.card_data import CardData
from emv.config import CASH, CASHBACK
from emv.errors import DecodeError
from emv.fields import Aip, Tsi, Tvr, take
from emv.kernel import Transaction
from emv.outcome import CvmResult
from emv.tags import Tag

NO_TVR, NO_TSI = Tvr(0), Tsi(0)


class CvmMethod(IntEnum):
    """The codes of methods, six bits. Spec: EMV 4.4 Book 3, Annex C3, table 43."""

    FAIL = 0x00
    PLAINTEXT_PIN = 0x01
    ONLINE_PIN = 0x02
    PLAINTEXT_PIN_AND_SIGNATURE = 0x03
    ENCIPHERED_PIN = 0x04
    ENCIPHERED_PIN_AND_SIGNATURE = 0x05
    SIGNATURE = 0x1E
    NO_CVM = 0x1F
    NOT_PERFORMED = 0x3F
    """Only in results."""


class CvmCondition(IntEnum):
    """When a rule applies. Spec: EMV 4.4 Book 3, Annex C3, table 44."""

    ALWAYS = 0x00
    UNATTENDED_CASH = 0x01
    NO_CASH = 0x02
    """Neither unattended cash, nor manual cash, nor a purchase with cashback."""
    TERMINAL_SUPPORTS = 0x03
    MANUAL_CASH = 0x04
    CASHBACK = 0x05
    UNDER_X = 0x06
    OVER_X = 0x07
    UNDER_Y = 0x08
    OVER_Y = 0x09


class CvmMethods(IntFlag):
    """What a terminal can do. A fail rule is always understood, an offline PIN never supported."""

    NO_CVM = 1
    SIGNATURE = 2
    ONLINE_PIN = 4

    @classmethod
    def of_capabilities(cls, capabilities: bytes) -> CvmMethods:
        """Return what byte 2 of the terminal capabilities (9F33) says.

        Spec: EMV 4.4 Book 4, Annex A2.
        """
        methods = cls(0)
        for bit, method in ((0x40, cls.ONLINE_PIN), (0x20, cls.SIGNATURE), (0x08, cls.NO_CVM)):
            if capabilities[1] & bit:
                methods |= method
        return methods


@dataclass(frozen=True, slots=True)
class CvmRule:
    """One rule: when to use a method, and whether the next rule follows if it fails.

    Args:
        method: Six bits, a `CvmMethod` or a code that nobody knows.
        condition: One byte, a `CvmCondition` or a code that nobody knows.
        next_if_fails: Whether the next rule applies if this one's method does not succeed.
        reserved: Bit 8 of the method's byte.
    """

    method: int
    condition: int
    next_if_fails: bool = False
    reserved: bool = False

    @property
    def code(self) -> int:
        """The first byte, as the CVM results repeat it."""
        return self.method | (0x40 if self.next_if_fails else 0) | (0x80 if self.reserved else 0)


@dataclass(frozen=True, slots=True)
class CvmList:
    """Tag 8E. The amounts X and Y are in minor units of the card's currency (9F42).

    Spec: EMV 4.4 Book 3, 10.5.
    """

    x_minor: int
    y_minor: int
    rules: tuple[CvmRule, ...]

    @classmethod
    def decode(cls, value: bytes) -> CvmList:
        """Return the list in a value: two amounts of four bytes, then two bytes a rule, at least one."""
        if len(value) < 10 or len(value) % 2:
            raise DecodeError(
                "a CVM list has two amounts and one rule or more of two bytes", tag=Tag.CVM_LIST
            )
        rules = tuple(
            CvmRule(value[at] & 0x3F, value[at + 1], bool(value[at] & 0x40), bool(value[at] & 0x80))
            for at in range(8, len(value), 2)
        )
        return cls(int.from_bytes(value[:4], "big"), int.from_bytes(value[4:8], "big"), rules)

    def encode(self) -> bytes:
        """Return the value that `decode` reads."""
        amounts = self.x_minor.to_bytes(4, "big") + self.y_minor.to_bytes(4, "big")
        return amounts + b"".join(bytes((rule.code, rule.condition)) for rule in self.rules)


class CvmStatus(IntEnum):
    """What a method came to, as far as the terminal knows."""

    UNKNOWN = 0
    """The issuer or the merchant finds out: online PIN, signature."""
    FAILED = 1
    SUCCESSFUL = 2


@dataclass(frozen=True, slots=True)
class CvmResults:
    """Tag 9F34. Spec: EMV 4.4 Book 4, Annex A4.

    Args:
        code: The rule's first byte, with its bit 7, or `CvmMethod.NOT_PERFORMED`.
        condition: The rule's condition; 0 where there was none.
        status: A `CvmStatus`, or a code that nobody knows.
    """

    code: int
    condition: int
    status: int

    @classmethod
    def decode(cls, value: bytes) -> CvmResults:
        """Return the results in a value of three bytes."""
        if len(value) != 3:
            raise DecodeError("CVM results have three bytes", tag=Tag.CVM_RESULTS)
        return cls(*value)

    def encode(self) -> bytes:
        """Return the value that `decode` reads."""
        return bytes((self.code, self.condition, self.status))


@dataclass(frozen=True, slots=True, kw_only=True)
class CvmDecision:
    """What cardholder verification came to.

    Args:
        results: Tag 9F34.
        cvm: How the cardholder is verified, for the outcome.
        tvr: The bits it sets.
        tsi: The bit it sets, if the list was gone through.
    """

    results: bytes
    cvm: CvmResult
    tvr: Tvr = NO_TVR
    tsi: Tsi = NO_TSI


NOT_PERFORMED = bytes((CvmMethod.NOT_PERFORMED, 0, CvmStatus.UNKNOWN))
NONE_APPLIED = bytes((CvmMethod.NOT_PERFORMED, 0, CvmStatus.FAILED))
"""No rule's condition was met, or no rule's method was known."""
ON_DEVICE = bytes((CvmMethod.PLAINTEXT_PIN, 0, CvmStatus.SUCCESSFUL))
"""The consumer's device has verified its owner. Spec: Book C-2, 6.7 (CVM selection)."""

_SUPPORT = {
    CvmMethod.ONLINE_PIN: CvmMethods.ONLINE_PIN,
    CvmMethod.SIGNATURE: CvmMethods.SIGNATURE,
    CvmMethod.NO_CVM: CvmMethods.NO_CVM,
}
_PINS = {
    CvmMethod.PLAINTEXT_PIN,
    CvmMethod.ONLINE_PIN,
    CvmMethod.PLAINTEXT_PIN_AND_SIGNATURE,
    CvmMethod.ENCIPHERED_PIN,
    CvmMethod.ENCIPHERED_PIN_AND_SIGNATURE,
}
_KNOWN = {CvmMethod.FAIL, *_PINS, *_SUPPORT}
_WAYS = {
    CvmMethod.ONLINE_PIN: (CvmResult.ONLINE_PIN, CvmStatus.UNKNOWN, Tvr.ONLINE_PIN_ENTERED),
    CvmMethod.SIGNATURE: (CvmResult.SIGNATURE, CvmStatus.UNKNOWN, NO_TVR),
    CvmMethod.NO_CVM: (CvmResult.NONE, CvmStatus.SUCCESSFUL, NO_TVR),
}


def select_cvm(
    card: CardData,
    terminal: Mapping[int, bytes],
    *,
    transaction: Transaction,
    supported: CvmMethods,
) -> CvmDecision:
    """Go through the card's list, and return the first method that applies and is supported.

    A card that does not support verification (AIP), or has no list, verifies nobody: the outcome has
    no method. A list that the AIP announces and the card does not have counts as missing data.

    Args:
        card: AIP (82), CVM list (8E), currency (9F42).
        terminal: Terminal type (9F35).
        transaction: Its amount, currency and type.
        supported: What the terminal can do for this payment.

    Raises:
        DecodeError: the list or the AIP is of no possible form.

    Spec: EMV 4.4 Book 3, 10.5 and 7.5.
    """
    aip = take(Aip, card.get(Tag.AIP) or b"", 2, Tag.AIP)
    if not aip & Aip.CARDHOLDER_VERIFICATION:
        return CvmDecision(results=NOT_PERFORMED, cvm=CvmResult.NONE)
    value = card.get(Tag.CVM_LIST)
    if value is None or len(value) == 8:
        # A list with amounts and no rule is as good as none.
        return CvmDecision(results=NOT_PERFORMED, cvm=CvmResult.NONE, tvr=Tvr.ICC_DATA_MISSING)
    cvm_list = CvmList.decode(value)
    tvr, results = NO_TVR, NONE_APPLIED
    for rule in cvm_list.rules:
        if not applies(rule, cvm_list, card, terminal, transaction, supported):
            continue
        way = _way(rule.method, supported)
        if way is not None:
            cvm, status, bit = way
            return CvmDecision(
                results=CvmResults(rule.code, rule.condition, status).encode(),
                cvm=cvm,
                tvr=tvr | bit,
                tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED,
            )
        tvr |= _why_not(rule.method)
        results = CvmResults(rule.code, rule.condition, CvmStatus.FAILED).encode()
        if not rule.next_if_fails:
            break
    return CvmDecision(
        results=results,
        cvm=CvmResult.NOT_APPLICABLE,
        tvr=tvr | Tvr.CVM_FAILED,
        tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED,
    )


def on_device() -> CvmDecision:
    """Return the decision where the consumer's device has verified its owner."""
    return CvmDecision(
        results=ON_DEVICE,
        cvm=CvmResult.CONFIRMED_BY_DEVICE,
        tsi=Tsi.CARDHOLDER_VERIFICATION_PERFORMED,
    )


def _way(method: int, supported: CvmMethods) -> tuple[CvmResult, CvmStatus, Tvr] | None:
    """Return how a method verifies, or None if it does not here."""
    for known, need in _SUPPORT.items():
        if method == known and supported & need:
            return _WAYS[known]
    return None


def _why_not(method: int) -> Tvr:
    """Return the TVR bit of a method that was to be used and could not. Spec: Book 3, 10.5."""
    if method not in _KNOWN:
        return Tvr.CVM_UNRECOGNISED
    return Tvr.PIN_PAD_MISSING if method in _PINS else NO_TVR


def applies(
    rule: CvmRule,
    cvm_list: CvmList,
    card: CardData,
    terminal: Mapping[int, bytes],
    transaction: Transaction,
    supported: CvmMethods,
) -> bool:
    """Say whether a rule's condition is met. One that nobody knows, or lacks its data, is not.

    Spec: EMV 4.4 Book 3, 10.5 and Annex C3, table 44.
    """
    condition = rule.condition
    unattended = terminal[Tag.TERMINAL_TYPE][0] & 0x0F in (4, 5, 6)
    cash, cashback = transaction.type == CASH, transaction.type == CASHBACK
    kinds = {
        CvmCondition.ALWAYS: True,
        CvmCondition.UNATTENDED_CASH: cash and unattended,
        CvmCondition.NO_CASH: not cash and not cashback,
        CvmCondition.TERMINAL_SUPPORTS: _way(rule.method, supported) is not None,
        CvmCondition.MANUAL_CASH: cash and not unattended,
        CvmCondition.CASHBACK: cashback,
    }
    if condition in kinds:
        return kinds[CvmCondition(condition)]
    currency = card.get(Tag.APPLICATION_CURRENCY)
    if currency is None or currency != terminal[Tag.TRANSACTION_CURRENCY]:
        return False
    amount = transaction.amount_minor
    amounts = {
        CvmCondition.UNDER_X: amount < cvm_list.x_minor,
        CvmCondition.OVER_X: amount > cvm_list.x_minor,
        CvmCondition.UNDER_Y: amount < cvm_list.y_minor,
        CvmCondition.OVER_Y: amount > cvm_list.y_minor,
    }
    return condition in amounts and amounts[CvmCondition(condition)]
