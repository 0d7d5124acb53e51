"""Offline data authentication against chains of real and test cards, each case by its kind.

Some sources are wrong, and a strict terminal must refuse them: certificates whose author replaced the card
number, one whose hash does not follow the book, an exponent or a remainder of another card. Those cases
say so themselves (`valid`, `all_valid`, `hash_ok`, `recoverable`), and the tests hold them to it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest

from emv import tlv
from emv.capk import CaKey, CaKeys, parse_ca_keys
from emv.card_data import CardData
from emv.certificates import recover_issuer_key
from emv.errors import AuthenticationError
from emv.fields import Afl
from emv.oda import (
    OdaMethod,
    OdaReport,
    OdaResult,
    authenticate_cda,
    authenticate_dda,
    authenticate_fdda,
    authenticate_sda,
    recover_card_key,
    without_signature,
)
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from emv.static_data import StaticData
from emv.tags import Tag
from simulators.scheme import certificates, keys
from simulators.scheme.rsa_key import RsaKey

Case = dict[str, Any]

_FIELDS = {
    Tag.ISSUER_CERTIFICATE: "issuer_cert_90",
    Tag.ISSUER_KEY_REMAINDER: "issuer_rem_92",
    Tag.ISSUER_EXPONENT: "issuer_exp_9f32",
    Tag.SIGNED_STATIC_DATA: "ssad_93",
    Tag.ICC_CERTIFICATE: "icc_cert_9f46",
    Tag.ICC_REMAINDER: "icc_rem_9f48",
    Tag.ICC_EXPONENT: "icc_exp_9f47",
    Tag.PAN: "pan_5a",
}
_RID, _INDEX = "A000000003", "01"
"""For cases that name neither."""


class Chain:
    """What a terminal has in a case; `changes` replace the card's values by tag."""

    def __init__(self, case: Case, changes: dict[int, bytes] | None = None) -> None:
        self.case = case
        self.rid = bytes.fromhex(case.get("ca_rid") or _RID)
        index = bytes.fromhex(case.get("ca_index") or _INDEX)
        key = PublicKey(bytes.fromhex(case["ca_key"]["modulus"]), int(case["ca_key"]["exponent"], 16))
        self.ca_keys = CaKeys([CaKey(self.rid, index[0], key)])
        values = {int(tag): hexed(case, name) for tag, name in _FIELDS.items()}
        values |= {int(Tag.CA_KEY_INDEX): index} | (changes or {})
        self.card = CardData()
        self.card.add((tag, value) for tag, value in values.items() if value)
        self.static_data = SensitiveBytes(hexed(case, "static_data"))
        self.date = _day(case)

    @property
    def common(self) -> dict[str, Any]:
        return {"rid": self.rid, "ca_keys": self.ca_keys, "date": self.date}

    def issuer_key(self) -> PublicKey:
        return recover_issuer_key(self.card, self.card[Tag.PAN], self.rid, self.ca_keys, self.date)

    def sda(self) -> OdaReport:
        return authenticate_sda(self.card, self.static_data, **self.common)

    def dda(self, step: Case) -> OdaReport:
        sdad, sent = hexed(step, "sdad"), hexed(step, "ddol_data")
        return authenticate_dda(self.card, self.static_data, sdad, sent, **self.common)

    def cda(self, step: Case) -> OdaReport:
        answer = hexed(step, "gac_response")
        if answer.endswith(b"\x90\x00") and not without_signature(answer):
            answer = answer[:-2]
        ((_, content),) = tlv.decode(answer)
        cid = tlv.find_bytes(content, Tag.CID) if isinstance(content, tuple) else None
        sent = b"".join(hexed(step, name) for name in ("pdol_data", "cdol_data", "cdol2_data"))
        return authenticate_cda(
            recover_card_key(self.card, self.static_data, **self.common),
            hexed(step, "sdad"),
            unpredictable_number=hexed(step, "unpredictable_number"),
            cid=(cid or b"\0")[0],
            transaction_data=sent + without_signature(answer),
        )

    def fdda(self, step: Case) -> OdaReport:
        self.card.add(
            [
                (int(Tag.SIGNED_DYNAMIC_DATA), hexed(step, "sdad")),
                (int(Tag.CARD_AUTHENTICATION_DATA), hexed(step, "card_auth_related_data_9f69")),
            ]
        )
        terminal = {
            int(Tag.UNPREDICTABLE_NUMBER): hexed(step, "unpredictable_number"),
            int(Tag.AMOUNT_AUTHORISED): hexed(step, "amount_9f02"),
            int(Tag.TRANSACTION_CURRENCY): hexed(step, "currency_5f2a"),
        }
        return authenticate_fdda(self.card, self.static_data, terminal, online=True, **self.common)


def hexed(case: Case, name: str) -> bytes:
    """Return a value of a case; what it does not have is empty."""
    return bytes.fromhex(case.get(name) or "")


def _day(case: Case) -> datetime.date:
    """Return the day of the transaction, or else one on which no certificate of the case has expired."""
    told = case.get("transaction_date")
    if told:
        return datetime.datetime.strptime(told, "%y%m%d").replace(tzinfo=datetime.UTC).date()
    key, signed = case["ca_key"], hexed(case, "issuer_cert_90")
    number = pow(int.from_bytes(signed, "big"), int(key["exponent"], 16), int(key["modulus"], 16))
    ends = [number.to_bytes(len(key["modulus"]) // 2, "big")[6:8].hex()]
    for part in case["expected"].values():
        if isinstance(part, dict) and "expiry_mmyy" in part:
            ends.append(part["expiry_mmyy"])
    return min(datetime.date(2000 + int(end[2:]), int(end[:2]), 1) for end in ends)


def _number(digits: str) -> bytes:
    """Return a card number as tag 5A has it."""
    digits = digits.rstrip("F")
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def _some_number(issuer_identifier: str) -> bytes:
    """Return a card number of an issuer."""
    return _number(issuer_identifier.rstrip("F").ljust(16, "0"))


def _rsa_recovery(case: Case) -> None:
    key = PublicKey(bytes.fromhex(case["modulus"]), int(case["exponent"], 16))
    recovered = bytes.fromhex(case["expected"]["recovered"])
    if recovered[:1] == b"\x6a" and recovered[-1:] == b"\xbc":
        assert key.recover(bytes.fromhex(case["signed"])) == recovered
    else:
        with pytest.raises(AuthenticationError):
            key.recover(bytes.fromhex(case["signed"]))


def _issuer_certificate(case: Case) -> None:
    expected = case["expected"]
    number = hexed(case, "pan_5a") or _some_number(expected["issuer"]["issuer_id"])
    chain = Chain(case, {int(Tag.PAN): number})
    if expected.get("hash_ok", expected.get("valid", expected.get("recoverable"))):
        assert chain.issuer_key().modulus == bytes.fromhex(expected["issuer"]["modulus"])
    else:
        with pytest.raises(AuthenticationError, match="issuer certificate: ") as raised:
            chain.issuer_key()
        if expected.get("recoverable") and expected.get("hash_ok") is False:
            assert raised.value.reason == "issuer certificate: hash differs"


def _card_certificate(case: Case) -> None:
    """A card's certificate without the static data that its hash covers: all but the hash may hold."""
    chain, expected = Chain(case), case["expected"]
    assert Chain({**case, "transaction_date": None}).issuer_key()
    report = recover_card_key(chain.card, chain.static_data, **chain.common).report
    if expected["valid"]:
        assert report.result is OdaResult.NOT_PERFORMED or report.reason == "card certificate: hash differs"
    else:
        assert report.result is OdaResult.FAILED
        assert ("expired" in report.reason) is ("expired" in expected["reason"])


def _static_authentication(case: Case) -> None:
    chain, expected = Chain(case), case["expected"]
    report = chain.sda()
    assert report.succeeded is expected["valid"], report.reason
    if expected["valid"]:
        assert report.data_authentication_code.hex().upper() == expected["data_auth_code"]


def _static_signature(case: Case) -> None:
    """A signature alone: where the case has the issuer's key and no certificate, we certify that key."""
    expected = case["expected"]
    if "issuer_key" in case:
        ca, issuer = keys.ca_key("visa", 0xE1), _Certified(case["issuer_key"])
        made = certificates.certify_issuer(ca, issuer, bin_digits="476173", expiry="1249", serial=b"\0\0\1")
        case = case | {
            "ca_key": {"modulus": ca.modulus.hex(), "exponent": "03"},
            "pan_5a": "4761739001010119",
            "issuer_cert_90": made.certificate.hex(),
            "issuer_rem_92": made.remainder.hex(),
            "issuer_exp_9f32": made.exponent.hex(),
        }
    report = Chain(case).sda()
    if expected.get("valid"):
        assert report.succeeded, report.reason
        assert report.data_authentication_code.hex().upper() == expected["data_auth_code"]
    else:
        assert report.result is OdaResult.FAILED
        assert report.reason.startswith("signed static data: ")


class _Certified(RsaKey):
    """The public half of a key, which is all that the maker of certificates needs of it."""

    def __init__(self, key: Case) -> None:
        super().__init__(int(key["modulus"], 16), 1, int(key["exponent"], 16))


def _recovery_from_exchanges(case: Case, ca_keys: CaKeys) -> None:
    """Records of a card: its issuer's key comes out, and its signature is one by that key.

    Not every record is there, so the hash over static data can't hold.
    """
    expected = case["expected"]
    told = expected["recoveredIssuerCertificate"]
    rid = next(
        value[:5]
        for exchange in case["exchanges"]
        for tag, value in tlv.walk(tlv.decode(_answer(exchange)))
        if tag == Tag.DF_NAME
    )
    card = CardData()
    card.add([(int(Tag.PAN), _some_number(told["Identifier (PAN prefix)"]))])
    for exchange in case["exchanges"]:
        if exchange["c"].startswith("00B2"):
            ((_, content),) = tlv.decode(_answer(exchange))
            assert isinstance(content, tuple)
            card.add(content, tlv.Duplicates.FIRST)
    month = told["Expiry Date (MMYY)"]
    date = datetime.date(2000 + int(month[2:]), int(month[:2]), 1)
    key = recover_issuer_key(card, card[Tag.PAN], rid, ca_keys, date)
    # What the case shows as the key is the part of it in the certificate.
    assert key.modulus.startswith(bytes.fromhex(told["Public key"]))
    assert len(key.modulus) == int(told["Public key length"])
    if "recoveredStaticSignedData" in expected:
        block = key.recover(card[Tag.SIGNED_STATIC_DATA])
        signed = expected["recoveredStaticSignedData"]
        assert block[1:5].hex() == "0301" + signed["Data Auth Code"].lower()
        assert block[-21:-1] == bytes.fromhex(signed["Hash"])
        report = authenticate_sda(card, SensitiveBytes(b""), rid=rid, ca_keys=ca_keys, date=date)
        assert report.reason == "signed static data: hash differs"


def _answer(exchange: Case) -> bytes:
    return bytes.fromhex(exchange["r"])[:-2]


def _full_chain(case: Case) -> None:
    expected = case["expected"]
    steps: dict[str, Callable[[Chain], OdaReport]] = {
        "sda": Chain.sda,
        "dda": lambda chain: chain.dda(case["dda"]),
        "cda": lambda chain: chain.cda(case["cda"]),
        "fdda": lambda chain: chain.fdda(case["fdda"]),
    }
    for name, step in steps.items():
        if name in expected:
            _compare(step(Chain(case)), expected, name)
    _compare_keys(case)


def _compare(report: OdaReport, expected: Case, name: str) -> None:
    step = expected[name]
    if not expected["all_valid"]:
        assert report.result is OdaResult.FAILED
        return
    assert report.succeeded, report.reason
    assert not report.weak_key
    if name == "sda":
        assert report.data_authentication_code.hex().upper() == step["data_auth_code"]
        return
    inside = bytes.fromhex(step["icc_dynamic_data"])
    assert report.dynamic_number == inside[1 : 1 + inside[0]]
    if name == "cda":
        assert report.cryptogram.hex().upper() == step["application_cryptogram"]
    assert report.method is {"dda": OdaMethod.DDA, "cda": OdaMethod.CDA, "fdda": OdaMethod.FDDA}[name]


def _compare_keys(case: Case) -> None:
    """The keys come out as the case has them; a certificate whose hash is wrong is refused for that.

    An author who replaced the number left the one in the certificate: with that one put back, the step
    that fails is the one the case names.
    """
    expected = case["expected"]
    issuer, icc = expected["issuer"], expected.get("icc")
    by_issuer = Chain(case, {int(Tag.PAN): _some_number(issuer["issuer_id"])})
    if not issuer["hash_ok"]:
        with pytest.raises(AuthenticationError, match="issuer certificate"):
            by_issuer.issuer_key()
        return
    assert by_issuer.issuer_key().modulus == bytes.fromhex(issuer["modulus"])
    if icc is None:
        return
    if isinstance(icc, str):
        # The case's own words of why nothing came out of the certificate.
        found = recover_card_key(by_issuer.card, by_issuer.static_data, **by_issuer.common)
        assert found.report.reason.startswith("card certificate: ")
        return
    chain = Chain(case, {int(Tag.PAN): _number(icc["pan"])})
    found = recover_card_key(chain.card, chain.static_data, **chain.common)
    if icc["hash_ok"]:
        assert found.key, found.report.reason
        assert found.key.modulus == bytes.fromhex(icc["modulus"])
    else:
        assert found.report.reason == "card certificate: hash differs"


KINDS: dict[str, Callable[[Case], None]] = {
    "rsa_recovery": _rsa_recovery,
    "issuer_cert": _issuer_certificate,
    "icc_cert": _card_certificate,
    "sda": _static_authentication,
    "ssad": _static_signature,
    "full_chain": _full_chain,
}


def test_every_case_comes_out_as_it_says(vectors: Callable[[str], Any]) -> None:
    published = parse_ca_keys(json.dumps(vectors("ca_keys.json")))
    wrong = []
    for case in vectors("oda_vectors.json")["cases"]:
        try:
            if case["kind"] == "apdu_sequence_recovery":
                _recovery_from_exchanges(case, published)
            else:
                KINDS[case["kind"]](case)
        except (AssertionError, KeyError, ValueError) as error:
            wrong.append(f"{case['id']}: {type(error).__name__} {error}")
    assert not wrong, "\n".join(wrong)


def test_static_data_of_a_recorded_tap_is_what_its_chain_covers(vectors: Callable[[str], Any]) -> None:
    transcripts = {case["id"]: case for case in vectors("transcripts.json")["cases"]}
    compared = 0
    for case in vectors("oda_vectors.json")["cases"]:
        recorded = transcripts.get(case.get("transcript", ""))
        if recorded is None or not case["expected"]["all_valid"]:
            continue
        found = _static_data(case, recorded["exchanges"])
        assert found is not None, case["id"]
        assert found.reveal() == hexed(case, "static_data"), case["id"]
        compared += 1
    assert compared


def _static_data(case: Case, exchanges: list[Case]) -> SensitiveBytes | None:
    answers = {exchange["c"][:8]: _answer(exchange) for exchange in exchanges if exchange["r"]}
    card, static = CardData(), StaticData()
    card.add([(int(Tag.AIP), hexed(case, "aip"))])
    for record in Afl.decode(hexed(case, "afl")).records():
        answer = answers.get(f"00B2{record.record:02X}{record.sfi << 3 | 4:02X}")
        if answer is None:
            continue
        for tag, value in tlv.walk(tlv.decode(answer)):
            if tag == Tag.SDA_TAG_LIST:
                card.add([(tag, value)])
        if record.signed:
            static.add(record.sfi, answer)
    return static.value(card)
