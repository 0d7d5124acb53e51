"""Keys of application cryptograms: from the issuer's master key to a card's, and on to one transaction's.

Spec: EMV 4.4 Book 2, Annex A1.3 (session keys) and A1.4 (options A and B).
"""

from __future__ import annotations

from enum import Enum

from simulators.scheme.pyemv_ciphers import kd, tools


class SessionKey(Enum):
    """How the key of one transaction follows from the card's."""

    NONE = "card key"
    """The card's own key: Visa's versions 10 and 17, and where that was taken over."""
    COMMON = "EMV common session key"
    MCHIP = "Mastercard"
    """With the unpredictable number: Mastercard's versions 16 and 17."""
    PBOC = "PBOC"
    """From the counter and its complement. Assumed for UnionPay after published descriptions of PBOC."""


def card_key(master_key: bytes, pan: str, sequence_number: str, *, option_b: bool = False) -> bytes:
    """Return a card's 16-byte master key. Option B is the same as A for numbers of up to 16 digits."""
    derive = kd.derive_icc_mk_b if option_b else kd.derive_icc_mk_a
    return derive(master_key, pan, sequence_number)


def session_key(key: bytes, method: SessionKey, *, counter: bytes, unpredictable_number: bytes) -> bytes:
    """Return the 16-byte key of a transaction; `counter` is 9F36, `unpredictable_number` 9F37."""
    if method is SessionKey.COMMON:
        return kd.derive_common_sk(key, counter + bytes(6))
    if method is SessionKey.MCHIP:
        return kd.derive_common_sk(key, counter + bytes(2) + unpredictable_number)
    if method is SessionKey.PBOC:
        complement = bytes(byte ^ 0xFF for byte in counter)
        return tools.encrypt_tdes_ecb(key, bytes(6) + counter + bytes(6) + complement)
    return key
