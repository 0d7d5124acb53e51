"""Offline data authentication in three steps, beside the bare modular exponentiations that it needs.

Issuer certificate under a CA key of 1984 bits, card certificate, signed dynamic data of a CDA. The CA key
and the issuer's have exponent 3; all parsing, hashes, dates, revocation and the ROCA fingerprint are in.
"""

from __future__ import annotations

import datetime

from emv.capk import parse_ca_keys
from emv.card_data import CardData
from emv.oda import OdaReport, authenticate_cda, recover_card_key
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from simulators.scheme import ca_keys_json, certificates, keys
from simulators.scheme.rsa_key import RsaKey
from tests.benchmarks.measure import in_turns, line, p50

_REPEAT = 4
"""So few that most rounds run between two of the scheduler's interruptions."""
_PAN, _RID, _INDEX = "4761739001010119", bytes.fromhex("A000000003"), 0xE1
_DATE = datetime.date(2026, 5, 9)
_RECORDS = bytes(range(200))
_NUMBER, _CID = bytes.fromhex("0A0B0C0D"), 0x80
_TRANSACTION = bytes(120)


def run() -> None:
    """Print the time of a chain and of its exponentiations."""
    ca, issuer, icc = keys.ca_key("visa", _INDEX), keys.issuer_key("visa", "large"), keys.icc_key("long")
    ca_keys, card, static_data = parse_ca_keys(ca_keys_json()), CardData(), SensitiveBytes(_RECORDS)
    under_ca = certificates.certify_issuer(ca, issuer, bin_digits=_PAN[:6], expiry="1239", serial=b"\0\0\1")
    under_issuer = certificates.certify_icc(
        issuer, icc, pan=_PAN, expiry="1230", serial=b"\0\0\2", static_data=_RECORDS
    )
    signed = certificates.sign_combined(
        icc,
        dynamic_number=bytes(range(8)),
        cid=_CID,
        cryptogram=bytes(8),
        transaction_data=_TRANSACTION,
        unpredictable_number=_NUMBER,
    )
    card.add(
        (
            (Tag.CA_KEY_INDEX, bytes((_INDEX,))),
            (Tag.PAN, bytes.fromhex(_PAN)),
            (Tag.ISSUER_CERTIFICATE, under_ca.certificate),
            (Tag.ISSUER_KEY_REMAINDER, under_ca.remainder),
            (Tag.ISSUER_EXPONENT, under_ca.exponent),
            (Tag.ICC_CERTIFICATE, under_issuer.certificate),
            (Tag.ICC_REMAINDER, under_issuer.remainder),
            (Tag.ICC_EXPONENT, under_issuer.exponent),
        )
    )
    bare = [
        _exponentiation(key, block)
        for key, block in ((ca, under_ca.certificate), (issuer, under_issuer.certificate), (icc, signed))
    ]

    def chain() -> OdaReport:
        for _ in range(_REPEAT):
            card_key = recover_card_key(card, static_data, rid=_RID, ca_keys=ca_keys, date=_DATE)
            report = authenticate_cda(
                card_key, signed, unpredictable_number=_NUMBER, cid=_CID, transaction_data=_TRANSACTION
            )
        return report

    def exponentiations() -> None:
        for _ in range(_REPEAT):
            for number, exponent, modulus in bare:
                pow(number, exponent, modulus)

    assert chain().succeeded
    ours, yardstick = in_turns(chain, exponentiations, rounds=1000)
    whole, least = p50(ours) / _REPEAT, p50(yardstick) / _REPEAT
    sizes = "+".join(str(8 * key.length) for key in (ca, issuer, icc))
    line(
        f"ODA chain of three steps, {sizes} bits",
        f"{whole * 1e6:,.1f} µs",
        f"three bare pow() {least * 1e6:,.1f} µs",
        f"{whole / least:.2f} times as long",
    )


def _exponentiation(key: RsaKey, signed: bytes) -> tuple[int, int, int]:
    return int.from_bytes(signed, "big"), key.exponent, int.from_bytes(key.modulus, "big")
