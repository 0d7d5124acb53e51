"""Issues the test scheme's certificates and signs for its cards, as the book lays the blocks out.

Our own reading of the book, apart from the terminal's: a card that shared the terminal's code would
agree with its mistakes. A block is ``6A``, a format, fields, padding with ``BB``, a SHA-1 hash and ``BC``;
the hash covers the block from the format on and then data that is not in it.

Spec: EMV 4.4 Book 2, 5.1 to 5.4 and 6.1 to 6.6.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from simulators.scheme.rsa_key import RsaKey

_HEADER, _TRAILER = b"\x6a", b"\xbc"
_ALGORITHMS = b"\x01\x01"
"""Hash: SHA-1; signature: RSA as in Annex B2.1."""
_HASH_SIZE = 20


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certified public key: what the card stores in three tags.

    Attributes:
        certificate: Tag 90 of an issuer, 9F46 of a card.
        remainder: Tag 92 or 9F48: the end of the modulus, empty if all of it fitted.
        exponent: Tag 9F32 or 9F47.
    """

    certificate: bytes
    remainder: bytes
    exponent: bytes


def certify_issuer(ca: RsaKey, issuer: RsaKey, *, bin_digits: str, expiry: str, serial: bytes) -> Certificate:
    """Certify an issuer's key (format 02).

    Args:
        ca: The key that signs.
        issuer: The key that is certified.
        bin_digits: The first three to eight digits of the issuer's card numbers.
        expiry: MMYY; the certificate ends with this month.
        serial: Three bytes.
    """
    holder = bytes.fromhex(bin_digits.ljust(8, "F"))
    return _certify(ca, issuer, b"\x02" + holder + bytes.fromhex(expiry) + serial, b"")


def certify_icc(
    issuer: RsaKey, icc: RsaKey, *, pan: str, expiry: str, serial: bytes, static_data: bytes
) -> Certificate:
    """Certify a card's key (format 04), and with it the records that are to be authenticated."""
    holder = bytes.fromhex(pan.ljust(20, "F"))
    return _certify(issuer, icc, b"\x04" + holder + bytes.fromhex(expiry) + serial, static_data)


def _certify(signer: RsaKey, key: RsaKey, start: bytes, static_data: bytes) -> Certificate:
    exponent = key.exponent_bytes
    fields = start + _ALGORITHMS + bytes([key.length, len(exponent)])
    # Header, hash and trailer take 22 bytes. What is left holds the modulus, or as much of it as fits.
    room = signer.length - 22 - len(fields)
    inside, remainder = key.modulus[:room].ljust(room, b"\xbb"), key.modulus[room:]
    signed = _sign(signer, fields + inside, remainder + exponent + static_data)
    return Certificate(signed, remainder, exponent)


def sign_static_data(issuer: RsaKey, static_data: bytes, *, code: bytes = b"\xda\xc5") -> bytes:
    """Return the Signed Static Application Data (tag 93, format 03); `code` is 9F45, two bytes."""
    return _sign(issuer, _padded(b"\x03\x01" + code, issuer), static_data)


def sign_dynamic_data(icc: RsaKey, dynamic_data: bytes, hashed: bytes, *, format_byte: int = 0x05) -> bytes:
    """Return the Signed Dynamic Application Data (tag 9F4B) over ICC Dynamic Data and terminal data.

    `dynamic_data` is what follows the length: for DDA and fDDA the length of the dynamic number and the
    number. Format 95 is what newer Visa cards sign with where the terminal asked for it when online.
    """
    start = bytes([format_byte, 0x01, len(dynamic_data)]) + dynamic_data
    return _sign(icc, _padded(start, icc), hashed)


def sign_combined(
    icc: RsaKey,
    *,
    dynamic_number: bytes,
    cid: int,
    cryptogram: bytes,
    transaction_data: bytes,
    unpredictable_number: bytes,
    more: bytes = b"",
) -> bytes:
    """Return the Signed Dynamic Application Data of CDA: the cryptogram is inside.

    Args:
        icc: The card's key.
        dynamic_number: Tag 9F4C, two to eight bytes.
        cid: Tag 9F27.
        cryptogram: Tag 9F26.
        transaction_data: What was sent for PDOL and CDOL, and the answer's objects except 9F4B.
        unpredictable_number: Tag 9F37.
        more: What kernel 2 adds for relay resistance.

    Spec: EMV 4.4 Book 2, 6.6.1; EMV Contactless Book C-2, tables of 3.7 (relay resistance).
    """
    data_hash = hashlib.sha1(transaction_data, usedforsecurity=False).digest()
    number = bytes([len(dynamic_number)]) + dynamic_number
    inside = number + bytes([cid]) + cryptogram + data_hash + more
    return sign_dynamic_data(icc, inside, unpredictable_number)


def _padded(start: bytes, key: RsaKey) -> bytes:
    return start.ljust(key.length - 2 - _HASH_SIZE, b"\xbb")


def _sign(key: RsaKey, content: bytes, beside: bytes) -> bytes:
    digest = hashlib.sha1(content + beside, usedforsecurity=False).digest()
    return key.sign(_HEADER + content + digest + _TRAILER)
