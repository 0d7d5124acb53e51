"""How kernel 2 verifies the cardholder.

A device that verifies its owner goes before the card's list. The list itself is the one of EMV, with
other words for how it ends: what could not be used leaves no trace in the results but "failed".

Spec: EMV Contactless Book C-2, 7.5 (CVM.1 to CVM.25).
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import cvm
from emv.card_data import CardData
from emv.cvm import CvmDecision, CvmList, CvmMethod, CvmMethods, CvmResults, CvmStatus
from emv.fields import Aip, Tvr
from emv.kernel import Transaction
from emv.outcome import CvmResult
from emv.tags import Tag

_NO_CVM_NEEDED = CvmResults(CvmMethod.NOT_PERFORMED, 0, CvmStatus.SUCCESSFUL).encode()
_WAYS: Mapping[int, tuple[CvmMethods, CvmResult, CvmStatus, Tvr]] = {
    CvmMethod.ONLINE_PIN: (
        CvmMethods.ONLINE_PIN,
        CvmResult.ONLINE_PIN,
        CvmStatus.UNKNOWN,
        Tvr.ONLINE_PIN_ENTERED,
    ),
    CvmMethod.SIGNATURE: (CvmMethods.SIGNATURE, CvmResult.SIGNATURE, CvmStatus.UNKNOWN, cvm.NO_TVR),
    CvmMethod.NO_CVM: (CvmMethods.NO_CVM, CvmResult.NONE, CvmStatus.SUCCESSFUL, cvm.NO_TVR),
}
"""By method: what the terminal needs for it, the outcome, the result, the TVR bit."""
_RECOGNISED = frozenset((*range(0x00, 0x06), CvmMethod.SIGNATURE, CvmMethod.NO_CVM))


def select_cvm(
    card: CardData,
    terminal: Mapping[int, bytes],
    *,
    transaction: Transaction,
    aip: Aip,
    on_device: bool,
    required: bool,
) -> CvmDecision:
    """Return how the cardholder is verified.

    Args:
        card: CVM list (8E) and currency (9F42).
        terminal: Its capabilities (9F33) for this amount, and its type (9F35).
        transaction: Its amount, currency and type.
        aip: The card's profile.
        on_device: Whether card and kernel rely on the consumer's device.
        required: Whether the amount is above the CVM limit.
    """
    if on_device:
        if required:
            return cvm.on_device()
        return CvmDecision(results=_NO_CVM_NEEDED, cvm=CvmResult.NONE)
    if not aip & Aip.CARDHOLDER_VERIFICATION:
        return CvmDecision(results=cvm.NOT_PERFORMED, cvm=CvmResult.NONE)
    value = card.get(Tag.CVM_LIST)
    if not value:
        return CvmDecision(results=cvm.NOT_PERFORMED, cvm=CvmResult.NONE, tvr=Tvr.ICC_DATA_MISSING)
    return _by_list(CvmList.decode(value), card, terminal, transaction)


def _by_list(
    cvm_list: CvmList, card: CardData, terminal: Mapping[int, bytes], transaction: Transaction
) -> CvmDecision:
    """Go through the rules until one can be used, fails for good, or none is left."""
    supported = CvmMethods.of_capabilities(terminal[Tag.TERMINAL_CAPABILITIES])
    tvr, results = cvm.NO_TVR, cvm.NONE_APPLIED
    for rule in cvm_list.rules:
        results = cvm.NONE_APPLIED
        if not cvm.applies(rule, cvm_list, card, terminal, transaction, supported):
            continue
        if rule.method not in _RECOGNISED:
            tvr |= Tvr.CVM_UNRECOGNISED
        elif rule.method == CvmMethod.FAIL:
            results = CvmResults(rule.code, rule.condition, CvmStatus.FAILED).encode()
        elif rule.method in _WAYS and _WAYS[rule.method][0] & supported:
            _, result, status, bit = _WAYS[rule.method]
            used = CvmResults(rule.code, rule.condition, status).encode()
            return CvmDecision(results=used, cvm=result, tvr=tvr | bit)
        if not rule.next_if_fails:
            break
    return CvmDecision(results=results, cvm=CvmResult.NONE, tvr=tvr | Tvr.CVM_FAILED)
