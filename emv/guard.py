"""Checks against published attacks, beside the schemes' rules and reported apart from them.

A kernel has come to its outcome as its scheme's book says. Each check here looks at what that outcome rests
on for the traces of one attack. None is a scheme rule, all are configurable (`GuardPolicy`), and the scheme's
verdict stays beside ours: `Outcome.scheme_kind` has it where ours differs.

What the kernels themselves do against attacks (authentication of the signed data, the unpredictable number
inside it, relay resistance, no magnetic stripe mode, no offline PIN) is not here.

Sources: D. Basin, R. Sasse, J. Toro-Pozo, "The EMV Standard: Break, Fix, Verify" (2021) and "Card Brand
Mixup Attack" (2021); A.-I. Radu, T. Chothia et al., "Practical EMV Relay Protection" (2022); S. Murdoch et
al., "Chip and PIN is Broken" (2010); M. Nemec et al., "The Return of Coppersmith's Attack" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from emv.aid import default_kernel
from emv.bins import SCHEMES_OF_RID, scheme_of
from emv.c2_terminal import requires_device_cvm
from emv.card_data import CardData
from emv.config import EmvConfig
from emv.errors import DecodeError
from emv.evidence import Evidence
from emv.fields import Aip, Ctq, Ttq, Tvr
from emv.finding import Finding
from emv.guard_policy import Response
from emv.issuer_data import IadFormat, IssuerData
from emv.kernel_c5 import INTERCHANGE_PROFILE, InterchangeProfile
from emv.oda import OdaMethod
from emv.outcome import CvmResult, MessageId, Outcome, OutcomeKind, UiRequest, UiStatus
from emv.tags import Tag
from emv.third_party_data import ThirdPartyData

_PAYS = {OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST}
_CTQ_KERNELS = {3, 7}
"""The kernels whose card says by the CTQ that its holder is verified."""
_CDA_KERNELS = {2, 4, 5, 6}
"""The kernels whose card says so by data of their own, which nothing but CDA covers."""
_SIGNED_CTQ = slice(5, 7)
"""Where the copy of the CTQ stands in 9F69: behind the version and the card's unpredictable number."""
_LONG_FORMS = {IadFormat.VISA_2, IadFormat.VISA_4}
_OFFLINE_PIN_METHODS = {0x01, 0x03, 0x04, 0x05}
_FORM_PHONE = 0x03
_MASTERCARD_PHONES = {"01", "07", "09", "14", "16", "21"}


@dataclass(frozen=True, slots=True)
class Tap:
    """What the checks look at.

    Args:
        config: The terminal.
        outcome: The kernel's outcome, with its evidence.
        evidence: The same evidence, which is there.
        card_ms: The card's own time in all commands, or None where it was not measured.
    """

    config: EmvConfig
    outcome: Outcome
    evidence: Evidence
    card_ms: float | None = None

    @property
    def card(self) -> CardData:
        """What the card said."""
        return self.evidence.card


def guarded(outcome: Outcome, config: EmvConfig, card_ms: float | None = None) -> Outcome:
    """Return the outcome with what was found, and with our verdict where that is stricter.

    An outcome that pays nothing is returned as it is.
    """
    if outcome.kind not in _PAYS or outcome.evidence is None:
        return outcome
    tap = Tap(config, outcome, outcome.evidence, card_ms)
    findings = tuple(examine(tap))
    outcome = replace(outcome, findings=findings)
    failing = _failing(findings, outcome.kind)
    if not failing:
        return outcome
    if {finding.check for finding in failing} == {"device_claim"} and _can_ask_for_pin(tap):
        return replace(outcome, cvm=CvmResult.ONLINE_PIN)
    return replace(
        outcome,
        kind=OutcomeKind.DECLINED,
        scheme_kind=outcome.kind,
        reason=f"declined by this terminal, not by the scheme: {failing[0].words}",
        cvm=CvmResult.NOT_APPLICABLE,
        receipt=False,
        data_record=None,
        ui_on_outcome=UiRequest(MessageId.DECLINED, UiStatus.READY_TO_READ),
    )


def examine(tap: Tap) -> Iterator[Finding]:
    """Yield what the checks find that the policy does not ignore."""
    for name, check in CHECKS.items():
        response: Response = getattr(tap.config.guard, name)
        if response is Response.IGNORE:
            continue
        words = check(tap)
        if words:
            yield Finding(name, response, words)


def _failing(findings: tuple[Finding, ...], kind: OutcomeKind) -> tuple[Finding, ...]:
    """Return the findings that the payment fails by."""
    strict = {Response.DECLINE}
    if kind is OutcomeKind.APPROVED:
        strict.add(Response.ISSUER_DECIDES)
    return tuple(finding for finding in findings if finding.response in strict)


def _can_ask_for_pin(tap: Tap) -> bool:
    return tap.outcome.kind is OutcomeKind.ONLINE_REQUEST and bool(_ttq(tap) & Ttq.ONLINE_PIN)


def _ttq(tap: Tap) -> Ttq:
    return Ttq.from_bytes(tap.evidence.terminal.get(Tag.TTQ, b""), "big")


# One function a check. Each returns what it found in words, or an empty text.


def _device_claim(tap: Tap) -> str:
    """Where verification was required, a device's claim needs a signature of the card.

    A claim of the CTQ needs one over the same CTQ; where there is no CTQ, CDA has to succeed.
    """
    if tap.outcome.kernel_id in _CDA_KERNELS:
        return _unproved_claim(tap)
    if not _claims_device(tap) or not _ttq(tap) & Ttq.CVM_REQUIRED:
        return ""
    if not tap.evidence.oda.succeeded or tap.evidence.oda.method is not OdaMethod.FDDA:
        return "the device says that it verified its owner, and did not prove it (no valid fDDA)"
    if not _signed_ctq(tap):
        return "the device says that it verified its owner, and did not sign that"
    return ""


def _unproved_claim(tap: Tap) -> str:
    proved = tap.evidence.oda.succeeded and tap.evidence.oda.method is OdaMethod.CDA
    if tap.outcome.cvm is not CvmResult.CONFIRMED_BY_DEVICE or proved or not _had_to_verify(tap):
        return ""
    return "the device says that it verified its owner, and did not prove it (no valid CDA)"


def _had_to_verify(tap: Tap) -> bool:
    """Kernels 4 and 6 believe a claim only where it is required. Kernel 5 always; its 9F53 says where.

    Kernel 2 asks a device for a decline itself where there is no CDA; in its magstripe mode there never is.
    """
    terminal = tap.evidence.terminal
    if tap.outcome.kernel_id == 2:
        return requires_device_cvm(terminal)
    profile = InterchangeProfile.from_bytes(terminal.get(INTERCHANGE_PROFILE, b""), "big")
    return tap.outcome.kernel_id in (4, 6) or bool(profile & InterchangeProfile.CVM_REQUIRED)


def _ctq_differs(tap: Tap) -> str:
    """What the card signed and what it says must be the same, whatever it says."""
    signed = _signed_ctq(tap)
    if not tap.evidence.oda.succeeded or not signed or signed == tap.card.get(Tag.CTQ):
        return ""
    return "the card transaction qualifiers differ from those that the card signed"


def _signed_ctq(tap: Tap) -> bytes:
    return (tap.card.get(Tag.CARD_AUTHENTICATION_DATA) or b"")[_SIGNED_CTQ]


def _device_contradiction(tap: Tap) -> str:
    """A claim must agree with the card verification results and with the form factor."""
    if not _claims_device(tap):
        return ""
    results = _card_verification_results(tap)
    if results is not None and results.format in _LONG_FORMS and not _verified(results):
        return "the device says that it verified its owner, and its own data for the issuer says not"
    form = tap.card.get(Tag.FORM_FACTOR) or b""
    if len(form) == 4 and not form[0] & 0x1F and not form[1]:
        return "a plain card says that it verified its owner"
    return ""


def _claims_device(tap: Tap) -> bool:
    """Say whether a CTQ makes a claim that counts."""
    ctq = tap.card.get(Tag.CTQ) or b""
    claimed = len(ctq) == 2 and Ctq.from_bytes(ctq, "big") & Ctq.CONSUMER_DEVICE_CVM_PERFORMED
    by_ctq = tap.outcome.kernel_id in _CTQ_KERNELS
    return by_ctq and bool(claimed) and tap.outcome.cvm is CvmResult.CONFIRMED_BY_DEVICE


def _verified(results: IssuerData) -> bool:
    """Say whether results of a long form name a verification on the device: byte 2 bit 3, byte 5 bit 2."""
    return bool(results.cvr[1] & 0x04 or results.cvr[4] & 0x02)


def _scheme_mix(tap: Tap) -> str:
    rid = tap.outcome.aid[:5]
    kernel = default_kernel(rid)
    if kernel and tap.outcome.kernel_id not in (0, kernel):
        return f"kernel {tap.outcome.kernel_id} took an application of kernel {kernel}"
    schemes = SCHEMES_OF_RID.get(rid)
    if schemes is None or tap.outcome.pan is None:
        return ""
    found = scheme_of(tap.outcome.pan, tap.config.guard.bins)
    if found and found not in schemes:
        return f"an application of {schemes[0]} gave a card number of {found}"
    return ""


def _unverified_phone(tap: Tap) -> str:
    transit = tap.config.merchant_category in tap.config.guard.transit_merchants
    if transit or not _is_phone(tap) or tap.outcome.cvm is CvmResult.CONFIRMED_BY_DEVICE:
        return ""
    issuer = _card_verification_results(tap)
    if issuer is not None and issuer.format in _PIN_BITS and _names_pin(issuer):
        return ""
    return "a phone pays without having verified its owner: it may be locked, and relayed"


def _is_phone(tap: Tap) -> bool:
    """Say whether the card is a phone: Visa's form factor, Mastercard's device type."""
    value = tap.card.get(Tag.FORM_FACTOR) or b""
    if tap.outcome.kernel_id == 2:
        return _device_type(value) in _MASTERCARD_PHONES
    return tap.outcome.kernel_id == 3 and len(value) == 4 and value[0] & 0x1F == _FORM_PHONE


def _device_type(value: bytes) -> str | None:
    """Return the device type in Third Party Data, or None if it has none, or no possible length."""
    try:
        return ThirdPartyData.decode(value).device_type
    except DecodeError:
        return None


def _pin_claim(tap: Tap) -> str:
    """Neither the CVM results nor the card's own results may name an offline PIN.

    For a verification on the device both use the codes of the offline PIN.
    """
    if tap.outcome.cvm is CvmResult.CONFIRMED_BY_DEVICE or _verifies_itself(tap):
        return ""
    results = tap.evidence.terminal.get(Tag.CVM_RESULTS, b"")
    if len(results) == 3 and results[0] & 0x3F in _OFFLINE_PIN_METHODS:
        return "the terminal's results name an offline PIN"
    issuer = _card_verification_results(tap)
    if issuer is not None and issuer.format in _PIN_BITS and _names_pin(issuer):
        return "the card tells its issuer of a PIN that was verified offline"
    return ""


def _verifies_itself(tap: Tap) -> bool:
    """Say whether the card is a device that can verify its owner: AIP, mobile results (C-4), form factor."""
    aip = tap.card.get(Tag.AIP) or b""
    can = len(aip) == 2 and Aip.from_bytes(aip, "big") & Aip.ON_DEVICE_VERIFICATION
    return bool(can) or (tap.outcome.kernel_id == 4 and 0x9F71 in tap.card) or _is_phone(tap)


def _results_differ(tap: Tap) -> str:
    """Where terminal and card both say how the holder was verified, they should say the same.

    Which bits a wallet sets is its scheme's business, so the issuer may decide otherwise.
    """
    if tap.outcome.kernel_id in _CTQ_KERNELS or tap.outcome.cvm is not CvmResult.CONFIRMED_BY_DEVICE:
        return ""
    issuer = _card_verification_results(tap)
    if issuer is None or issuer.format not in _PIN_BITS or _names_pin(issuer):
        return ""
    return "the device is said to have verified its owner, and the card's results name no verification"


_PIN_BITS: dict[IadFormat, tuple[tuple[int, int], ...]] = {
    IadFormat.CCD: ((1, 0x08),),
    IadFormat.MCHIP_4: ((0, 0x05), (3, 0x01)),
    IadFormat.MCHIP_ADVANCE: ((0, 0x05), (3, 0x01)),
    IadFormat.VISA_0: ((0, 0x04),),
    IadFormat.VISA_1: ((0, 0x04),),
    IadFormat.VISA_3: ((0, 0x04),),
    IadFormat.AMEX: ((0, 0x04),),
    IadFormat.UNIONPAY: ((0, 0x04),),
}
"""Byte and bits of the card verification results that name an offline PIN, by form."""


def _names_pin(issuer: IssuerData) -> bool:
    return any(issuer.cvr[place] & bits for place, bits in _PIN_BITS[issuer.format])


def _card_verification_results(tap: Tap) -> IssuerData | None:
    value = tap.card.get(Tag.ISSUER_APPLICATION_DATA)
    if value is None:
        return None
    try:
        return IssuerData.decode(value, tap.outcome.aid[:5])
    except DecodeError:
        return None


def _unsigned_profile(tap: Tap) -> str:
    """With CDA, DDA and SDA the AIP is signed only if the card's tag list names it."""
    oda = tap.evidence.oda
    if not oda.succeeded or oda.method is OdaMethod.FDDA or Tag.SDA_TAG_LIST in tap.card:
        return ""
    return "the card's profile (AIP) is outside what it signed"


def _weak_key(tap: Tap) -> str:
    return "the card's key can be computed from its public part (ROCA)" if tap.evidence.oda.weak_key else ""


def _relay(tap: Tap) -> str:
    tvr = Tvr.from_bytes(tap.evidence.terminal.get(Tag.TVR, b""), "big")
    if not tvr & (Tvr.RELAY_THRESHOLD_EXCEEDED | Tvr.RELAY_TIME_LIMITS_EXCEEDED):
        return ""
    took = f" ({tap.evidence.relay_ms:.1f} ms)" if tap.evidence.relay_ms is not None else ""
    return f"the card answered too late to be here{took}"


def _slow_card(tap: Tap) -> str:
    limit = tap.config.guard.slow_card_ms
    if not limit or tap.card_ms is None or tap.card_ms <= limit:
        return ""
    return f"the card took {tap.card_ms:.0f} ms in all, more than {limit} ms"


CHECKS: dict[str, Callable[[Tap], str]] = {
    "device_claim": _device_claim,
    "ctq_differs": _ctq_differs,
    "device_contradiction": _device_contradiction,
    "scheme_mix": _scheme_mix,
    "unverified_phone": _unverified_phone,
    "pin_claim": _pin_claim,
    "results_differ": _results_differ,
    "unsigned_profile": _unsigned_profile,
    "weak_key": _weak_key,
    "relay": _relay,
    "slow_card": _slow_card,
}
"""The checks by their name in `GuardPolicy`."""
