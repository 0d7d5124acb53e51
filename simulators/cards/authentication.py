"""How a card proves offline that it is genuine: its certificates, its key, and what may be wrong with them.

Spec: EMV 4.4 Book 2, 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from simulators.cards.ber import tlv
from simulators.scheme import keys
from simulators.scheme.certificates import Certificate, certify_icc, certify_issuer, sign_static_data
from simulators.scheme.rsa_key import RsaKey


class Flaw(Enum):
    """What is wrong with a card's authentication, one thing at a time."""

    NONE = "none"
    ISSUER_HASH = "issuer hash"
    """The issuer's certificate was made over another exponent than the card has."""
    ISSUER_SIGNER = "issuer signer"
    """It was signed with another scheme's key."""
    ISSUER_NUMBER = "issuer number"
    """It is for another range of card numbers."""
    ICC_HASH = "icc hash"
    """The records were changed after the card's certificate was made."""
    ICC_NUMBER = "icc number"
    """The certificate is another card's."""
    SIGNATURE_HASH = "signature hash"
    """Dynamic data are signed over another unpredictable number: a replay would look like this."""
    SIGNATURE_KEY = "signature key"
    """Dynamic data are signed with a key that was not certified: a forgery would look like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What a profile says of it.

    Attributes:
        ca_index: Which of the scheme's keys the terminal shall use (8F).
        signed_with: The key that really signs, if not that one.
        issuer: The issuer's key, "large" or "small".
        icc: The card's key: "long", "short", "wide" or "weak".
        issuer_expiry: MMYY.
        icc_expiry: MMYY.
        issuer_serial: Three bytes; `keys.REVOKED_SERIAL` is on the revocation list.
        static: The card has signed static data (93) for SDA too.
    """

    ca_index: int = 0xE1
    signed_with: int | None = None
    issuer: str = "large"
    icc: str = "short"
    issuer_expiry: str = "1239"
    icc_expiry: str = "1239"
    issuer_serial: bytes = b"\x00\x00\x01"
    static: bool = False
    flaw: Flaw = Flaw.NONE


@dataclass(frozen=True, slots=True)
class Proof:
    """Certificates and key of one card."""

    settings: Authentication
    issuer: Certificate
    icc: Certificate
    signed_static_data: bytes
    certified_key: RsaKey

    @property
    def key(self) -> RsaKey:
        """What the card signs with."""
        if self.settings.flaw is not Flaw.SIGNATURE_KEY:
            return self.certified_key
        # Another key of the same length.
        return keys.icc_key(
            {"long": "weak", "weak": "long", "short": "wide", "wide": "short"}[self.settings.icc]
        )

    def hashed(self, number: bytes) -> bytes:
        """Return the unpredictable number that is signed, 9F37: not the terminal's if that is the flaw."""
        return bytes(len(number)) if self.settings.flaw is Flaw.SIGNATURE_HASH else number

    def records(self) -> tuple[bytes, bytes, bytes]:
        """Return the contents of three records. A certificate of 248 bytes fills one alone."""
        index = bytes([self.settings.ca_index])
        small = tlv("8F", index) + tlv("9F32", self.issuer.exponent) + tlv("9F47", self.icc.exponent)
        if self.issuer.remainder:
            small += tlv("92", self.issuer.remainder)
        if self.icc.remainder:
            small += tlv("9F48", self.icc.remainder)
        return small, tlv("90", self.issuer.certificate), tlv("9F46", self.icc.certificate)


@lru_cache(maxsize=128)
def prove(scheme: str, pan: str, static_data: bytes, settings: Authentication) -> Proof:
    """Make a card's certificates: personalisation at the issuer."""
    flaw = settings.flaw
    signer_index = settings.signed_with or settings.ca_index
    signer_scheme = _OTHER_SCHEME[scheme] if flaw is Flaw.ISSUER_SIGNER else scheme
    issuer_key, icc_key = keys.issuer_key(scheme, settings.issuer), keys.icc_key(settings.icc)
    other_exponent = replace(issuer_key, exponent=issuer_key.exponent + 2)
    issuer = certify_issuer(
        keys.ca_key(signer_scheme, signer_index),
        other_exponent if flaw is Flaw.ISSUER_HASH else issuer_key,
        bin_digits="999999" if flaw is Flaw.ISSUER_NUMBER else pan[:6],
        expiry=settings.issuer_expiry,
        serial=settings.issuer_serial,
    )
    icc = certify_icc(
        issuer_key,
        icc_key,
        pan=pan[::-1] if flaw is Flaw.ICC_NUMBER else pan,
        expiry=settings.icc_expiry,
        serial=b"\x00\x00\x01",
        static_data=static_data + (b"\x00" if flaw is Flaw.ICC_HASH else b""),
    )
    issuer = replace(issuer, exponent=issuer_key.exponent_bytes)
    signed = sign_static_data(issuer_key, static_data) if settings.static else b""
    return Proof(settings, issuer, icc, signed, icc_key)


_OTHER_KEY = {"long": "weak", "weak": "long", "short": "wide", "wide": "short"}
"""Keys of the same length."""
_OTHER_SCHEME = {
    "visa": "mastercard",
    "mastercard": "visa",
    "amex": "jcb",
    "jcb": "amex",
    "discover": "unionpay",
    "unionpay": "discover",
}
