"""Offline data authentication: genuine cards hold, and each thing that may be wrong is named."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.capk import CaKey, CaKeys, Revoked
from emv.card_data import CardData
from emv.fields import Aip
from emv.oda import (
    NO_ODA,
    CardKey,
    OdaMethod,
    OdaReport,
    OdaResult,
    authenticate_cda,
    authenticate_fdda,
    authenticate_sda,
    recover_card_key,
    supported_method,
    without_signature,
)
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from simulators.scheme import certificates, keys
from simulators.scheme.rsa_key import RsaKey
from tests.emv.oda_card import (
    CA_KEYS,
    CID,
    CRYPTOGRAM,
    DATE,
    DYNAMIC_NUMBER,
    PAN,
    RECORDS,
    RELATED,
    RID,
    TERMINAL,
    TRANSACTION_DATA,
    UNPREDICTABLE,
    OdaCard,
    resigned,
)

ISSUER, ICC, STATIC = int(Tag.ISSUER_CERTIFICATE), int(Tag.ICC_CERTIFICATE), int(Tag.SIGNED_STATIC_DATA)


@pytest.mark.parametrize("index", [0xE1, 0xE2, 0xE3, 0xE4])
@pytest.mark.parametrize("size", ["large", "small"])
@pytest.mark.parametrize("icc", ["long", "short", "wide"])
def test_every_method_takes_a_genuine_card(index: int, size: str, icc: str) -> None:
    if index == 0xE3 and size == "large":
        size = "small"
    card = OdaCard(index=index, issuer=keys.issuer_key("visa", size), icc=keys.icc_key(icc))
    key = card.key()
    assert key.key == PublicKey(card.icc.modulus, card.icc.exponent)
    assert key.report == OdaReport(method=OdaMethod.CDA)
    succeeded = OdaResult.SUCCEEDED
    assert card.sda() == OdaReport(
        method=OdaMethod.SDA, result=succeeded, data_authentication_code=b"\xda\xc5"
    )
    assert card.dda() == OdaReport(method=OdaMethod.DDA, result=succeeded, dynamic_number=DYNAMIC_NUMBER)
    assert card.cda() == OdaReport(
        method=OdaMethod.CDA, result=succeeded, dynamic_number=DYNAMIC_NUMBER, cryptogram=CRYPTOGRAM
    )
    assert card.fdda() == OdaReport(method=OdaMethod.FDDA, result=succeeded, dynamic_number=b"\x00\x15")


def test_longest_issuer_key_with_the_other_exponent_holds() -> None:
    # Signed by itself, so that an issuer's key of 1984 bits has a remainder, and 65537 meets that size.
    ca = keys.ca_key("visa", 0xE1)
    issuer = RsaKey(ca.p, ca.q, 3)
    card = OdaCard(issuer=issuer)
    assert len(card.values[Tag.ISSUER_KEY_REMAINDER]) == 36
    assert card.cda().succeeded


def test_dynamic_data_behind_the_hash_is_for_the_kernel() -> None:
    card = OdaCard()
    assert card.cda(card.signs_cda(more=b"entropy and times")).dynamic_data == b"entropy and times"


def test_number_of_track_2_stands_in_for_a_missing_one() -> None:
    card = OdaCard()
    del card.values[Tag.PAN]
    card.values[Tag.TRACK_2] = bytes.fromhex(PAN + "D27122011234567F")
    assert card.cda().succeeded
    card.values[Tag.TRACK_2] = bytes.fromhex("4761739001010010" + "D27122011234567F")
    assert card.cda().reason == "card certificate: it is for another card number"
    card.values[Tag.TRACK_2] = b"\x47"
    assert card.cda().reason == "track 2 data without separator, expiry and service code"
    del card.values[Tag.TRACK_2]
    assert (card.cda().missing, card.cda().reason) == ((0x5A,), "the card did not give 5A")


@pytest.mark.parametrize("pan", ["374245455400126", "6250947000000000014", "47617390"])
def test_numbers_of_every_length_match(pan: str) -> None:
    assert OdaCard(pan=pan, bin_digits=pan[:8]).cda().succeeded
    assert OdaCard(pan=pan, bin_digits=pan[:3]).cda().succeeded


@pytest.mark.parametrize("identifier", ["47FFFFFF", "FFFFFFFF", "4761F3FF", "ABCFFFFF"])
def test_issuer_identifier_has_three_digits_at_least(identifier: str) -> None:
    card = OdaCard().bend(ISSUER, dict(enumerate(bytes.fromhex(identifier), start=2)))
    assert card.cda().reason == "issuer certificate: it is for other card numbers"


def test_certificate_is_good_until_the_end_of_its_month() -> None:
    card = OdaCard(issuer_expiry="0226", icc_expiry="0226", date=datetime.date(2026, 2, 28))
    assert card.cda().succeeded
    card.date = datetime.date(2026, 3, 1)
    assert card.cda().reason == "issuer certificate: it has expired"
    assert OdaCard(icc_expiry="0426").cda().reason == "card certificate: it has expired"
    assert OdaCard(icc_expiry="1225").cda().reason == "card certificate: it has expired"
    assert OdaCard(issuer_expiry="1249").cda().succeeded
    assert OdaCard(issuer_expiry="1250").cda().reason == "issuer certificate: it has expired"


BENT = {
    "issuer certificate: no trailer BC, so another key signed it": (ISSUER, {-1: 0xBD}),
    "issuer certificate: no header 6A, so another key signed it": (ISSUER, {0: 0x4A}),
    "issuer certificate: format 04 instead of 02": (ISSUER, {1: 0x04}),
    "issuer certificate: hash differs": (ISSUER, {-2: 0x00, -3: 0x01, -4: 0x02}),
    "issuer certificate: it is for other card numbers": (ISSUER, {4: 0x74}),
    "issuer certificate: its date is none": (ISSUER, {6: 0x13}),
    "issuer certificate: hash algorithm 02 is unknown": (ISSUER, {11: 0x02}),
    "issuer certificate: key algorithm 00 is unknown": (ISSUER, {12: 0x00}),
    "issuer certificate: the exponent has another length": (ISSUER, {14: 0x03}),
    "issuer certificate: no modulus of an RSA key of 512 to 1984 bits": (ISSUER, {13: 63}),
    "card certificate: no trailer BC, so another key signed it": (ICC, {-1: 0x00}),
    "card certificate: no header 6A, so another key signed it": (ICC, {0: 0x6B}),
    "card certificate: format 02 instead of 04": (ICC, {1: 0x02}),
    "card certificate: hash differs": (ICC, {-2: 0x00, -3: 0x01, -4: 0x02}),
    "card certificate: it is for another card number": (ICC, {2: 0x48}),
    "card certificate: its date is none": (ICC, {13: 0x3A}),
    "card certificate: hash algorithm 00 is unknown": (ICC, {17: 0x00}),
    "card certificate: key algorithm 02 is unknown": (ICC, {18: 0x02}),
    "card certificate: the rest of the key has another length": (ICC, {19: 147}),
    "card certificate: a rest of the key is there that is not needed": (ICC, {19: 64}),
    "card certificate: the exponent has another length": (ICC, {20: 0x00}),
}


@pytest.mark.parametrize("reason", BENT)
def test_certificate_that_its_signer_made_wrong_is_refused(reason: str) -> None:
    tag, changes = BENT[reason]
    card = OdaCard().bend(tag, changes)
    for report in (card.cda(), card.dda(), card.fdda(), *([card.sda()] if tag == ISSUER else [])):
        assert (report.result, report.reason, report.missing) == (OdaResult.FAILED, reason, ())
        assert not report.succeeded
    assert card.key() == CardKey(None, card.cda())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({-1: 0xBD}, "no trailer BC, so another key signed it"),
        ({0: 0x00}, "no header 6A, so another key signed it"),
        ({1: 0x05}, "format 05 instead of 03"),
        ({2: 0x02}, "hash algorithm 02 is unknown"),
        ({-2: 0x00, -3: 0x01, -4: 0x02}, "hash differs"),
    ],
)
def test_static_signature_that_is_wrong_is_refused(changes: dict[int, int], reason: str) -> None:
    report = OdaCard().bend(STATIC, changes).sda()
    assert report == OdaReport(
        method=OdaMethod.SDA, result=OdaResult.FAILED, reason=f"signed static data: {reason}"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({-1: 0xBD}, "no trailer BC, so another key signed it"),
        ({0: 0x00}, "no header 6A, so another key signed it"),
        ({1: 0x03}, "format 03 is none for it"),
        ({2: 0x02}, "hash algorithm 02 is unknown"),
        ({3: 0x08}, "its lengths are impossible"),
        ({3: 0x7C}, "its lengths are impossible"),
        ({4: 0x01}, "its lengths are impossible"),
        ({4: 0x09}, "its lengths are impossible"),
        ({-2: 0x00, -3: 0x01, -4: 0x02}, "hash differs"),
    ],
)
def test_dynamic_signature_that_is_wrong_is_refused(changes: dict[int, int], reason: str) -> None:
    card = OdaCard()
    by_dda = card.dda(resigned(card.icc, card.signs_dda(), UNPREDICTABLE, changes))
    by_cda = card.cda(resigned(card.icc, card.signs_cda(), UNPREDICTABLE, changes))
    assert by_dda.result is by_cda.result is OdaResult.FAILED
    assert by_dda.reason == f"signed dynamic data: {reason}"
    if "lengths" not in reason:
        assert by_cda.reason == by_dda.reason


def test_dynamic_number_has_two_to_eight_bytes() -> None:
    card = OdaCard()
    for length in range(11):
        signed = certificates.sign_dynamic_data(card.icc, bytes((length,)) + bytes(length), UNPREDICTABLE)
        assert card.dda(signed).succeeded is (2 <= length <= 8)


def test_dynamic_data_fills_the_whole_block() -> None:
    card = OdaCard()
    room = card.icc.length - 25
    signed = certificates.sign_dynamic_data(card.icc, b"\x02\x00\x01".ljust(room, b"\x07"), UNPREDICTABLE)
    assert card.dda(signed).dynamic_data == b"\x07" * (room - 3)


def test_combined_signature_is_for_this_answer() -> None:
    card = OdaCard()
    assert card.cda(cid=0x80).reason == "signed dynamic data: it is for another kind of cryptogram"
    told = card.cda(transaction_data=TRANSACTION_DATA + b"\x00").reason
    assert told == "signed dynamic data: hash of the transaction data differs"
    signed = certificates.sign_combined(
        card.icc,
        dynamic_number=DYNAMIC_NUMBER,
        cid=CID,
        cryptogram=CRYPTOGRAM,
        transaction_data=TRANSACTION_DATA,
        unpredictable_number=b"1234",
    )
    assert card.cda(signed).reason == "signed dynamic data: hash differs"
    assert card.cda(card.signs_dda()).reason == "signed dynamic data: no cryptogram in it"
    short = certificates.sign_dynamic_data(card.icc, b"\x02\0\1" + bytes(28), UNPREDICTABLE)
    assert card.cda(short).reason == "signed dynamic data: no cryptogram in it"
    assert card.cda(b"").reason == "signed dynamic data: its length differs from the key's"
    assert (
        card.cda(b"\xff" * card.icc.length).reason
        == "signed dynamic data: it is not below the key's modulus, so another key signed it"
    )


def test_fast_dda_covers_number_amount_currency_and_qualifiers() -> None:
    card = OdaCard()
    for tag in (0x9F37, 0x9F02, 0x5F2A):
        other = TERMINAL | {tag: bytes(len(TERMINAL[tag]))}
        assert card.fdda(terminal=other).reason == "signed dynamic data: hash differs"
    card.values[Tag.CARD_AUTHENTICATION_DATA] = bytes.fromhex("01112233440000")
    assert card.fdda().reason == "signed dynamic data: hash differs"


def test_fast_dda_for_an_online_payment_is_no_ground_for_an_offline_one() -> None:
    card = OdaCard()
    for_online = card.signs_fdda(format_byte=0x95)
    assert card.fdda(for_online, online=True).succeeded
    assert card.fdda(card.signs_fdda(), online=True).succeeded
    assert card.fdda(for_online).reason == "signed dynamic data: format 95 is none for it"
    signed = certificates.sign_dynamic_data(card.icc, b"\2\0\0", UNPREDICTABLE, format_byte=0x95)
    assert not card.dda(signed).succeeded


def test_fast_dda_of_another_version_is_refused() -> None:
    card = OdaCard()
    related = b"\x00" + RELATED[1:]
    card.values[Tag.CARD_AUTHENTICATION_DATA] = related
    report = card.fdda(card.signs_fdda(related=related))
    assert (report.result, report.reason) == (OdaResult.FAILED, "the version of fast DDA is not taken")


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize(
    ("method", "needed"),
    [
        (OdaCard.sda, (0x8F, 0x90, 0x9F32, 0x93)),
        (OdaCard.cda, (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47, 0x92, 0x9F48)),
        (OdaCard.dda, (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47, 0x92, 0x9F48)),
        (OdaCard.fdda, (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47, 0x92, 0x9F48, 0x9F69, 0x9F4B)),
    ],
)
def test_missing_data_is_told_from_wrong_data(
    method: Callable[[OdaCard], OdaReport], needed: tuple[int, ...], empty: bool
) -> None:
    for tag in needed:
        # Keys as long as their signers', so that both have a remainder.
        card = OdaCard(index=0xE2)
        if tag not in (0x9F4B, *card.values):
            raise AssertionError(f"{tag:X} is not there to be taken away")
        if empty or tag == 0x9F4B:
            card.values[tag] = b""
        else:
            del card.values[tag]
        report = method(card)
        assert (report.result, report.missing) == (OdaResult.FAILED, (tag,))
        assert report.reason.endswith(f"the card did not give {tag:02X}")


def test_all_that_is_missing_is_named() -> None:
    card = OdaCard()
    del card.values[Tag.ICC_CERTIFICATE], card.values[Tag.ISSUER_EXPONENT]
    assert card.cda().missing == (0x9F32, 0x9F46)
    assert card.cda().reason == "the card did not give 9F32, 9F46"


def test_key_that_is_unknown_expired_or_revoked_is_told() -> None:
    card = OdaCard()
    card.values[Tag.CA_KEY_INDEX] = bytes((keys.UNKNOWN_INDEX,))
    for report in (card.sda(), card.cda()):
        assert (report.result, report.missing) == (OdaResult.FAILED, ())
        assert report.reason == "the terminal has no CA key A000000003/EE"
    expired = OdaCard(index=0xE5)
    assert expired.cda().reason == "CA key A000000003/E5 has expired"
    expired.date = datetime.date(2020, 12, 31)
    assert expired.cda().succeeded
    revoked = OdaCard(serial=keys.REVOKED_SERIAL)
    assert revoked.sda().reason == revoked.cda().reason == "issuer certificate: it is revoked"
    assert OdaCard(index=0xE2, serial=keys.REVOKED_SERIAL).cda().succeeded


def test_zero_is_an_index_like_any_other_and_its_absence_is_not_zero() -> None:
    card = OdaCard()
    key = CA_KEYS.find(RID, 0xE1)
    assert key is not None
    card.ca_keys = CaKeys([CaKey(RID, 0, key.key)], [Revoked(RID, 0, b"\0\0\0")])
    card.values[Tag.CA_KEY_INDEX] = b"\x00"
    assert card.cda().succeeded
    del card.values[Tag.CA_KEY_INDEX]
    assert card.cda().missing == (0x8F,)


def test_static_data_that_can_not_be_authenticated_fails() -> None:
    card = OdaCard().card()
    report = authenticate_sda(card, None, rid=RID, ca_keys=CA_KEYS, date=DATE)
    assert (report.result, report.reason) == (OdaResult.FAILED, "the static data can't be authenticated")
    key = recover_card_key(card, None, rid=RID, ca_keys=CA_KEYS, date=DATE)
    assert key.report.reason == report.reason


def test_weak_key_is_reported_apart_from_the_verdict() -> None:
    weak = OdaCard(icc=keys.icc_key("weak"))
    assert (weak.cda().succeeded, weak.cda().weak_key) == (True, True)
    assert weak.dda().weak_key
    assert weak.fdda().weak_key
    assert weak.cda(cid=0).weak_key
    assert not weak.sda().weak_key
    issuer = OdaCard(issuer=keys.icc_key("weak"), icc=keys.icc_key("short"))
    assert issuer.sda().weak_key
    assert issuer.cda().weak_key


# Every bit counts.


def _flipped(value: bytes) -> list[bytes]:
    number = int.from_bytes(value, "big")
    return [(number ^ 1 << bit).to_bytes(len(value), "big") for bit in range(8 * len(value))]


@pytest.mark.parametrize("tag", [0x8F, 0x90, 0x92, 0x9F32, 0x9F46, 0x9F48, 0x9F47, 0x5A])
def test_each_bit_of_a_chain_counts(tag: int) -> None:
    card = OdaCard(index=0xE2)
    good, signed = card.values[tag], card.signs_cda()
    for value in _flipped(good):
        card.values[tag] = value
        assert card.cda(signed).result is OdaResult.FAILED
    card.values[tag] = good
    assert card.cda(signed).succeeded


def test_each_bit_of_what_is_signed_counts() -> None:
    card = OdaCard()
    key, signed = card.key(), card.signs_cda()

    def cda(
        signed: bytes = signed,
        number: bytes = UNPREDICTABLE,
        cid: bytes = b"\x40",
        data: bytes = TRANSACTION_DATA,
    ) -> bool:
        return authenticate_cda(
            key, signed, unpredictable_number=number, cid=cid[0], transaction_data=data
        ).succeeded

    assert cda()
    assert not any(cda(signed=bent) for bent in _flipped(signed))
    assert not any(cda(number=bent) for bent in _flipped(UNPREDICTABLE))
    assert not any(cda(cid=bent) for bent in _flipped(b"\x40"))
    assert not any(cda(data=bent) for bent in _flipped(TRANSACTION_DATA))


def test_each_bit_of_the_static_data_counts() -> None:
    card = OdaCard()
    good = card.static_data
    for value in _flipped(good):
        card.static_data = value
        assert card.sda().reason == "signed static data: hash differs"
        assert card.key().report.reason == "card certificate: hash differs"
    card.static_data = good
    for value in _flipped(card.values[STATIC]):
        card.values[STATIC] = value
        assert card.sda().result is OdaResult.FAILED


def test_each_bit_of_fast_dda_counts() -> None:
    card = OdaCard()
    card.values[Tag.SIGNED_DYNAMIC_DATA] = card.signs_fdda()
    assert card.fdda(b"", online=True).succeeded
    for tag in (Tag.SIGNED_DYNAMIC_DATA, Tag.CARD_AUTHENTICATION_DATA):
        good = card.values[tag]
        for value in _flipped(good):
            card.values[tag] = value
            assert card.fdda(b"", online=True).result is OdaResult.FAILED
        card.values[tag] = good


_TAGS = (0x5A, 0x57, 0x8F, 0x90, 0x92, 0x93, 0x9F32, 0x9F46, 0x9F47, 0x9F48, 0x9F4B, 0x9F69)
_GOOD = OdaCard(index=0xE2)


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(_TAGS), st.none() | st.binary(max_size=250)),
    st.none() | st.binary(max_size=60),
    st.binary(max_size=250),
    st.integers(0, 255),
)
def test_nothing_a_card_says_raises(
    changed: dict[int, bytes | None], static_data: bytes | None, signed: bytes, cid: int
) -> None:
    values = {tag: value for tag, value in (_GOOD.values | changed).items() if value is not None}
    card = CardData()
    card.add(values.items())
    static = SensitiveBytes(RECORDS if static_data is None else static_data)
    common = {"rid": RID, "ca_keys": CA_KEYS, "date": DATE}
    key = recover_card_key(card, static, **common)  # type: ignore[arg-type]
    reports = [
        authenticate_sda(card, static, **common),  # type: ignore[arg-type]
        authenticate_fdda(card, static, TERMINAL, **common),  # type: ignore[arg-type]
        authenticate_cda(key, signed, unpredictable_number=b"1234", cid=cid, transaction_data=signed),
    ]
    for report in reports[1:]:
        assert report.result is OdaResult.FAILED
        assert report.reason
    without_signature(signed)


@settings(max_examples=150)
@given(st.dictionaries(st.integers(0, 143), st.integers(0, 255), max_size=6))
def test_nothing_a_card_signs_raises(changes: dict[int, int]) -> None:
    signed = resigned(_GOOD.icc, _GOOD.signs_cda(), UNPREDICTABLE, {**changes, 0: 0x6A})
    report = _GOOD.cda(signed)
    assert report.succeeded or report.reason.startswith("signed dynamic data: ")


# What is around it.


@pytest.mark.parametrize(
    ("aip", "security", "method"),
    [
        (0x6100, 0xC8, OdaMethod.CDA),
        (0x6100, 0xC0, OdaMethod.DDA),
        (0x6100, 0x80, OdaMethod.SDA),
        (0x4000, 0xC8, OdaMethod.SDA),
        (0x2000, 0x88, OdaMethod.NONE),
        (0x0000, 0xC8, OdaMethod.NONE),
    ],
)
def test_best_common_method_is_taken(aip: int, security: int, method: OdaMethod) -> None:
    assert supported_method(Aip(aip), security, ca_keys=CA_KEYS) is method
    assert supported_method(Aip(aip), security, ca_keys=CaKeys()) is OdaMethod.NONE


def test_answer_is_hashed_as_received_without_its_signature() -> None:
    before, after = bytes.fromhex("9F27810140 9F36020007"), bytes.fromhex("9F100706010A03A00000")
    content = before + tlv.encode_one(0x9F4B, bytes(144)) + after
    assert without_signature(tlv.encode_one(0x77, content)) == before + after
    assert without_signature(tlv.encode_one(0x77, b"")) == b""
    assert without_signature(tlv.encode_one(0x70, content)) == b""
    assert without_signature(bytes.fromhex("800B 40 0007 1122334455667788")) == b""
    assert without_signature(b"\x77") == without_signature(b"") == b""


def test_without_a_key_the_failure_stays() -> None:
    assert (
        authenticate_cda(CardKey(None, NO_ODA), b"", unpredictable_number=b"", cid=0, transaction_data=b"")
        is NO_ODA
    )


def test_reports_hold_no_card_number() -> None:
    card = OdaCard(pan="4761739001010010")
    card.values[Tag.PAN] = bytes.fromhex(PAN)
    assert PAN not in repr(card.key())
    assert card.key().key is None
