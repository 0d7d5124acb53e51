"""What the test scheme signs, read back by arithmetic of the test's own."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from simulators.scheme import certificates, keys
from simulators.scheme.make_keys import CA_KEYS, ICC_KEYS, ISSUER_KEYS, RIDS
from simulators.scheme.rsa_key import RsaKey
from tests.simulators.scheme.book2 import Key, certified, opened

PAN = "4761739001010119"
INDEXES = [int(index, 16) for index in CA_KEYS]


def public(key: RsaKey) -> Key:
    return Key(key.modulus, key.exponent)


def hexed(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case.get(name) or "")


def test_the_reading_back_is_right_on_real_chains(vectors: Callable[[str], Any]) -> None:
    tried = 0
    for case in vectors("oda_vectors.json")["cases"]:
        if case.get("kind") != "full_chain" or not case["expected"]["all_valid"]:
            continue
        ca = Key(bytes.fromhex(case["ca_key"]["modulus"]), int(case["ca_key"]["exponent"], 16))
        issuer = certified(
            ca, hexed(case, "issuer_cert_90"), hexed(case, "issuer_rem_92"), hexed(case, "issuer_exp_9f32")
        )
        icc = certified(
            issuer,
            *(hexed(case, name) for name in ("icc_cert_9f46", "icc_rem_9f48", "icc_exp_9f47", "static_data")),
        )
        assert icc.modulus == bytes.fromhex(case["expected"]["icc"]["modulus"])
        tried += 1
    assert tried


@pytest.mark.parametrize("scheme", RIDS)
@pytest.mark.parametrize(
    ("index", "size"),
    # An issuer's key is never longer than the key that certifies it.
    [
        (int(index, 16), size)
        for index, (bits, *_) in CA_KEYS.items()
        for size in ISSUER_KEYS
        if ISSUER_KEYS[size][0] <= bits
    ],
)
def test_an_issuer_key_comes_back_out_of_its_certificate(scheme: str, index: int, size: str) -> None:
    ca, issuer = keys.ca_key(scheme, index), keys.issuer_key(scheme, size)
    made = certificates.certify_issuer(ca, issuer, bin_digits="476173", expiry="1239", serial=b"\x00\x00\x01")
    assert certified(public(ca), made.certificate, made.remainder, made.exponent) == public(issuer)
    content = opened(public(ca), made.certificate, made.remainder + made.exponent)
    assert content[:10].hex() == "02476173ff1239000001"


@pytest.mark.parametrize("size", ISSUER_KEYS)
@pytest.mark.parametrize("name", [*ICC_KEYS, "weak"])
def test_a_card_key_comes_back_out_of_its_certificate(size: str, name: str) -> None:
    issuer, icc = keys.issuer_key("visa", size), keys.icc_key(name)
    made = certificates.certify_icc(
        issuer, icc, pan=PAN, expiry="1230", serial=b"\x00\x00\x07", static_data=b"records"
    )
    assert certified(public(issuer), made.certificate, made.remainder, made.exponent, b"records") == public(
        icc
    )
    content = opened(public(issuer), made.certificate, made.remainder + made.exponent + b"records")
    assert content[:16].hex() == f"04{PAN}ffff1230000007"


def test_signed_static_data_holds_the_code_and_covers_the_records() -> None:
    issuer = keys.issuer_key("jcb", "large")
    content = opened(public(issuer), certificates.sign_static_data(issuer, b"records"), b"records")
    assert content[:4].hex() == "0301dac5"
    assert set(content[4:]) == {0xBB}


@pytest.mark.parametrize("format_byte", [0x05, 0x95])
def test_signed_dynamic_data_covers_what_the_terminal_sent(format_byte: int) -> None:
    icc = keys.icc_key("long")
    signed = certificates.sign_dynamic_data(icc, b"\x02\x11\x22", b"terminal", format_byte=format_byte)
    content = opened(public(icc), signed, b"terminal")
    assert content[:6] == bytes([format_byte]) + bytes.fromhex("0103021122")


def test_combined_signing_puts_the_cryptogram_inside() -> None:
    icc = keys.icc_key("short")
    signed = certificates.sign_combined(
        icc,
        dynamic_number=b"\x01\x02\x03\x04",
        cid=0x40,
        cryptogram=bytes(8),
        transaction_data=b"everything",
        unpredictable_number=b"\xaa\xbb\xcc\xdd",
        more=b"relay",
    )
    content = opened(public(icc), signed, b"\xaa\xbb\xcc\xdd")
    digest = hashlib.sha1(b"everything", usedforsecurity=False).hexdigest()
    inside = f"0401020304 40 {'00' * 8} {digest}" + b"relay".hex()
    size = len(bytes.fromhex(inside))
    assert content[: 3 + size] == bytes([0x05, 0x01, size]) + bytes.fromhex(inside)


def test_the_key_file_has_every_key_with_its_check_sum() -> None:
    told = json.loads(keys.ca_keys_json())
    assert {(key["rid"], key["index"]) for key in told["keys"]} == {
        (rid, index) for rid in RIDS.values() for index in CA_KEYS
    }
    for key in told["keys"]:
        summed = bytes.fromhex(key["rid"] + key["index"] + key["modulus"] + key["exponent"])
        assert hashlib.sha1(summed, usedforsecurity=False).hexdigest().upper() == key["checksum"]
        bits, exponent, expiry = CA_KEYS[key["index"]]
        assert (len(key["modulus"]) * 4, int(key["exponent"], 16), key["expiry"]) == (bits, exponent, expiry)
    assert {(entry["rid"], entry["index"], entry["serial"]) for entry in told["revoked"]} == {
        (rid, "E1", "0BAD01") for rid in RIDS.values()
    }


def test_no_real_scheme_has_a_key_of_these_indexes(vectors: Callable[[str], Any]) -> None:
    real = {(key["rid"], key["index"]) for key in vectors("ca_keys.json")["cases"]}
    ours = {(rid, f"{index:02X}") for rid in RIDS.values() for index in (*INDEXES, keys.UNKNOWN_INDEX)}
    assert not real & ours


def test_the_weak_key_has_the_fingerprint_and_the_others_have_not() -> None:
    assert fingerprint(keys.icc_key("weak"))
    assert not any(fingerprint(keys.icc_key(name)) for name in ICC_KEYS)


def fingerprint(key: RsaKey) -> bool:
    """ROCA: modulo every small prime, the modulus is a power of 65537."""
    modulus = int.from_bytes(key.modulus, "big")
    small = [n for n in range(3, 168) if all(n % d for d in range(2, n))]
    return all(modulus % prime in {pow(65537, power, prime) for power in range(prime)} for prime in small)


def test_a_key_signs_only_whole_blocks() -> None:
    with pytest.raises(ValueError, match="a block of 3 bytes"):
        keys.icc_key("short").sign(b"abc")
