"""Checks against attacks: each finds its attack, and leaves honest cards alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.bins import BinRange, scheme_of
from emv.card_data import CardData
from emv.config import CombinationConfig, EmvConfig
from emv.evidence import Evidence
from emv.fields import Ttq, Tvr
from emv.guard import CHECKS, guarded
from emv.guard_policy import GuardPolicy, Response
from emv.oda import OdaMethod, OdaReport, OdaResult
from emv.outcome import CvmResult, Outcome, OutcomeKind
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag

VISA, MASTERCARD, UNIONPAY = "A0000000031010", "A0000000041010", "A000000333010101"
GENUINE = OdaReport(method=OdaMethod.FDDA, result=OdaResult.SUCCEEDED)
CDA = OdaReport(method=OdaMethod.CDA, result=OdaResult.SUCCEEDED)
CLAIM = {Tag.CTQ: "0080", Tag.CARD_AUTHENTICATION_DATA: "01 AABBCCDD 0080", Tag.FORM_FACTOR: "23880000"}
LONG_CLAIM = "1F 22 01 8104000000" + "00" * 24
LONG_DENIAL = "1F 22 01 0000000000" + "00" * 24
ONLINE, APPROVED, DECLINED = OutcomeKind.ONLINE_REQUEST, OutcomeKind.APPROVED, OutcomeKind.DECLINED
REQUIRED = {Tag.TTQ: f"{int(Ttq.EMV_MODE | Ttq.CVM_REQUIRED):08X}"}


def config(**policy: Any) -> EmvConfig:
    row = CombinationConfig(aid=bytes.fromhex(VISA), kernel_id=3)
    return EmvConfig(
        country="276",
        currency="978",
        combinations=(row,),
        guard=GuardPolicy(**policy),
        merchant_category="5999",
    )


def outcome(
    card: Mapping[Tag, str] | None = None,
    *,
    aid: str = VISA,
    kernel: int = 3,
    number: str = "4761739001010119",
    kind: OutcomeKind = ONLINE,
    cvm: CvmResult = CvmResult.NONE,
    terminal: Mapping[Tag, str] | None = None,
    oda: OdaReport = GENUINE,
) -> Outcome:
    """Return a kernel's outcome of an honest card, changed."""
    data = CardData()
    data.add((int(tag), bytes.fromhex(value)) for tag, value in (card or {}).items())
    told = {int(tag): bytes.fromhex(value) for tag, value in {**REQUIRED, **(terminal or {})}.items()}
    return Outcome(
        kind=kind,
        reason="as the card says",
        cvm=cvm,
        kernel_id=kernel,
        aid=bytes.fromhex(aid),
        pan=Pan(number),
        data_record=SensitiveBytes(b"\x9f\x26\x00"),
        evidence=Evidence(card=data, terminal=told, oda=oda),
    )


def of_mastercard(card: Mapping[Tag, str] | None = None, **more: Any) -> Outcome:
    honest: dict[str, Any] = {"aid": MASTERCARD, "kernel": 2, "number": "5413330089020011", "oda": CDA}
    return outcome({Tag.SDA_TAG_LIST: "82", **(card or {})}, **{**honest, **more})


def names(found: Outcome) -> list[str]:
    return [finding.check for finding in found.findings]


def claiming(card: Mapping[Tag, str] | None = None, **more: Any) -> Outcome:
    return outcome({**CLAIM, **(card or {})}, cvm=CvmResult.CONFIRMED_BY_DEVICE, **more)


def test_an_honest_card_passes_without_a_finding() -> None:
    for honest in (
        outcome(),
        claiming(),
        claiming({Tag.ISSUER_APPLICATION_DATA: LONG_CLAIM}),
        of_mastercard(),
        of_mastercard(cvm=CvmResult.CONFIRMED_BY_DEVICE),
        outcome(aid=UNIONPAY, kernel=7, number="6250947000000014"),
    ):
        assert guarded(honest, config()) == honest


def test_every_check_has_a_response_of_its_own() -> None:
    assert all(isinstance(getattr(GuardPolicy(), name), Response) for name in CHECKS)


@pytest.mark.parametrize(
    ("attack", "check"),
    [
        # Nothing is signed; something else is signed; the signature is bad; it is of another kind.
        (claiming(oda=OdaReport()), "device_claim"),
        (claiming({Tag.CARD_AUTHENTICATION_DATA: "01 AABBCCDD 8000"}), "ctq_differs"),
        (outcome({Tag.CTQ: "0000", Tag.CARD_AUTHENTICATION_DATA: "01 AABBCCDD 8000"}), "ctq_differs"),
        (claiming({Tag.CARD_AUTHENTICATION_DATA: "01 AABBCCDD"}), "device_claim"),
        (claiming(oda=OdaReport(method=OdaMethod.FDDA, result=OdaResult.FAILED)), "device_claim"),
        (claiming(oda=CDA, card={Tag.SDA_TAG_LIST: "82"}), "device_claim"),
        (claiming({Tag.ISSUER_APPLICATION_DATA: LONG_DENIAL}), "device_contradiction"),
        (claiming({Tag.FORM_FACTOR: "20000000"}), "device_contradiction"),
        (outcome(number="5413330089020011"), "scheme_mix"),
        (outcome(aid=MASTERCARD, kernel=2), "scheme_mix"),
        (outcome(aid=UNIONPAY, kernel=7, number="4761739001010119"), "scheme_mix"),
        (outcome(kernel=2), "scheme_mix"),
        (of_mastercard(cvm=CvmResult.CONFIRMED_BY_DEVICE, oda=OdaReport()), "device_claim"),
        (of_mastercard(cvm=CvmResult.CONFIRMED_BY_DEVICE, oda=GENUINE), "device_claim"),
        (outcome(terminal={Tag.CVM_RESULTS: "410302"}), "pin_claim"),
        (outcome({Tag.ISSUER_APPLICATION_DATA: "06011203A40000"}), "pin_claim"),
        (outcome({Tag.ISSUER_APPLICATION_DATA: "0110A50000000000000000000000000000FF"}), "pin_claim"),
    ],
)
def test_an_attack_is_declined_and_the_scheme_verdict_kept(attack: Outcome, check: str) -> None:
    found = guarded(attack, config())
    assert names(found) == [check]
    assert (found.kind, found.scheme_kind) == (DECLINED, ONLINE)
    assert found.data_record is None
    assert "not by the scheme" in found.reason
    assert attack.pan is not None
    assert attack.pan.reveal() not in repr(found)


WEDGED = of_mastercard(
    {Tag.ISSUER_APPLICATION_DATA: "0110A00000000000000000000000000000FF"},
    cvm=CvmResult.CONFIRMED_BY_DEVICE,
    terminal={Tag.CVM_RESULTS: "010002"},
)


@pytest.mark.parametrize(
    ("odd", "check"),
    [
        (outcome({Tag.FORM_FACTOR: "23880000"}), "unverified_phone"),
        (of_mastercard({Tag.FORM_FACTOR: "0276 0000 3134 00"}), "unverified_phone"),
        (
            outcome(aid=MASTERCARD, kernel=2, number="5413330089020011", oda=CDA),
            "unsigned_profile",
        ),
        (WEDGED, "results_differ"),
        (outcome(terminal={Tag.TVR: "0000000008"}), "relay"),
        (outcome(terminal={Tag.TVR: "0000000004"}), "relay"),
    ],
)
def test_what_is_only_odd_is_told_and_changes_nothing(odd: Outcome, check: str) -> None:
    found = guarded(odd, config())
    assert names(found) == [check]
    assert replace(found, findings=()) == odd


def test_where_verification_is_not_required_a_claim_needs_no_proof() -> None:
    below = {Tag.TTQ: f"{int(Ttq.EMV_MODE):08X}"}
    assert names(guarded(claiming(oda=OdaReport(), terminal=below), config())) == []


AMEX = {"aid": "A00000002501", "kernel": 4, "number": "374245455400126"}
JCB = {"aid": "A0000000651010", "kernel": 5, "number": "3566002020360505"}
PROFILE_SAYS_REQUIRED, PROFILE_DOES_NOT = (
    {Tag.TRANSACTION_CATEGORY: "920000"},
    {Tag.TRANSACTION_CATEGORY: "120000"},
)
"""Kernel 5's Terminal Interchange Profile (9F53)."""


def claiming_without_ctq(scheme: dict[str, Any], oda: OdaReport, told: Mapping[Tag, str]) -> Outcome:
    confirmed = CvmResult.CONFIRMED_BY_DEVICE
    return outcome({Tag.SDA_TAG_LIST: "82"}, cvm=confirmed, terminal=told, oda=oda, **scheme)


@pytest.mark.parametrize("scheme", [AMEX, JCB])
def test_a_claim_of_a_card_without_qualifiers_needs_cda(scheme: dict[str, Any]) -> None:
    for oda in (OdaReport(), OdaReport(method=OdaMethod.DDA, result=OdaResult.SUCCEEDED)):
        found = guarded(claiming_without_ctq(scheme, oda, PROFILE_SAYS_REQUIRED), config())
        assert (names(found), found.kind) == (["device_claim"], DECLINED)
    assert names(guarded(claiming_without_ctq(scheme, CDA, PROFILE_SAYS_REQUIRED), config())) == []


def test_where_kernel_5_requires_nothing_a_claim_needs_no_proof() -> None:
    assert names(guarded(claiming_without_ctq(JCB, OdaReport(), PROFILE_DOES_NOT), config())) == []


def test_where_the_issuer_can_be_asked_for_the_pin_it_is_asked_for_it() -> None:
    asks = {Tag.TTQ: f"{int(Ttq.EMV_MODE | Ttq.ONLINE_PIN | Ttq.CVM_REQUIRED):08X}"}
    found = guarded(claiming(oda=OdaReport(), terminal=asks), config())
    assert (found.kind, found.cvm) == (ONLINE, CvmResult.ONLINE_PIN)
    # But not where something else is wrong as well, and not where the card approved by itself.
    mixed = claiming(oda=OdaReport(), terminal=asks, number="5413330089020011")
    assert guarded(mixed, config()).kind is DECLINED
    approved = claiming(oda=OdaReport(), terminal=asks, kind=APPROVED)
    assert guarded(approved, config()).kind is DECLINED


@pytest.mark.parametrize(
    ("odd", "check"),
    [(outcome(oda=replace(GENUINE, weak_key=True)), "weak_key"), (WEDGED, "results_differ")],
)
def test_some_findings_leave_the_decision_to_the_issuer(odd: Outcome, check: str) -> None:
    online = guarded(odd, config())
    assert (names(online), online.kind) == ([check], ONLINE)
    offline = guarded(replace(odd, kind=APPROVED), config())
    assert (offline.kind, offline.scheme_kind) == (DECLINED, APPROVED)


def test_a_phone_in_transit_need_not_be_unlocked() -> None:
    bus = replace(config(), merchant_category="4111")
    assert names(guarded(outcome({Tag.FORM_FACTOR: "23880000"}), bus)) == []


def test_a_card_that_takes_long_is_told() -> None:
    assert names(guarded(outcome(), config(), card_ms=2001)) == ["slow_card"]
    assert names(guarded(outcome(), config(), card_ms=2000)) == []
    assert names(guarded(outcome(), config(slow_card_ms=0), card_ms=9999)) == []


@pytest.mark.parametrize("response", Response)
def test_the_policy_says_what_follows(response: Response) -> None:
    found = guarded(outcome(number="5413330089020011"), config(scheme_mix=response))
    assert found.kind is (DECLINED if response is Response.DECLINE else ONLINE)
    assert names(found) == ([] if response is Response.IGNORE else ["scheme_mix"])


def test_what_pays_nothing_is_not_looked_at() -> None:
    declined = outcome(number="5413330089020011", kind=DECLINED)
    assert guarded(declined, config()) is declined


@given(
    st.dictionaries(
        st.sampled_from(
            [Tag.CTQ, Tag.CARD_AUTHENTICATION_DATA, Tag.FORM_FACTOR, Tag.ISSUER_APPLICATION_DATA]
        ),
        st.binary(max_size=40).map(bytes.hex),
    ),
    st.sampled_from([2, 3, 7]),
    st.sampled_from(CvmResult),
)
def test_no_card_data_breaks_a_check(card: dict[Tag, str], kernel: int, cvm: CvmResult) -> None:
    found = guarded(outcome(card, kernel=kernel, cvm=cvm, terminal={Tag.TVR: "00"}), config())
    assert found.kind in (DECLINED, ONLINE)


def test_issuer_data_of_no_possible_length_says_nothing() -> None:
    assert names(guarded(outcome({Tag.ISSUER_APPLICATION_DATA: "06" * 33}), config())) == []


@pytest.mark.parametrize(
    ("number", "scheme"),
    [
        ("4761739001010119", "Visa"),
        ("5413330089020011", "Mastercard"),
        ("2221000000000009", "Mastercard"),
        ("374245455400126", "American Express"),
        ("3566002020360505", "JCB"),
        ("6011000991543426", "Discover"),
        ("36259600000004", "Diners Club"),
        ("6250947000000014", "UnionPay"),
        ("6759649826438453", "Maestro"),
        ("9999999999999999", ""),
    ],
)
def test_a_number_belongs_to_the_scheme_of_its_longest_prefix(number: str, scheme: str) -> None:
    assert scheme_of(Pan(number)) == scheme


@pytest.mark.parametrize("ends", [("5", "55"), ("", ""), ("4x", "4y")])
def test_a_range_needs_two_prefixes_of_the_same_length(ends: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="two prefixes"):
        BinRange(*ends, "Visa")


def test_relay_times_are_in_the_words() -> None:
    late = outcome(terminal={Tag.TVR: f"{int(Tvr.RELAY_TIME_LIMITS_EXCEEDED):010X}"})
    assert late.evidence is not None
    late = replace(late, evidence=replace(late.evidence, relay_ms=12.34))
    assert "(12.3 ms)" in guarded(late, config()).findings[0].words
