"""Issuer and card certificates: from a scheme's key to the issuer's, and on to the card's.

A certificate hides most of a key inside what was signed: recovering it and checking its hash comes
first, then what it says of its holder. Layout of the recovered block, in bytes:

=============  ==============  =============  =====================================
issuer         card            bytes          what
=============  ==============  =============  =====================================
0              0               1              header, 6A
1              1               1              format, 02 or 04
2              2               4 or 10        identifier: digits of the number, F's
6              12              2              last month, MMYY
8              14              3              serial number
11             17              1              hash algorithm, 01 is SHA-1
12             18              1              key algorithm, 01 is RSA
13             19              1              length of the certified modulus
14             20              1              length of its exponent
15             21              n - 36, n - 42  leftmost part of the modulus, or all and BB
n - 21         n - 21          20             hash
n - 1          n - 1           1              trailer, BC
=============  ==============  =============  =====================================

What the book leaves open, and what we do: a remainder must have exactly the length that is needed, so
one that is not needed fails.

Spec: EMV 4.4 Book 2, 5.3, 6.3 and 6.4.
"""

from __future__ import annotations

import datetime
from hashlib import sha1

from emv.capk import CaKeys
from emv.card_data import CardData
from emv.errors import AuthenticationError
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from emv.tags import Tag

SHA_1 = _RSA = 0x01
_EXPONENTS = {b"\x03": 3, b"\x01\x00\x01": 65537}
_DECIMAL = {16 * tens + ones: 10 * tens + ones for tens in range(10) for ones in range(10)}
"""What two decimal digits in a byte come to."""

# Plain numbers: looking up an enumeration's member takes as long as looking up the card's value.
_CA_KEY_INDEX = int(Tag.CA_KEY_INDEX)
_ISSUER_CERTIFICATE, _ISSUER_REMAINDER = int(Tag.ISSUER_CERTIFICATE), int(Tag.ISSUER_KEY_REMAINDER)
_ISSUER_EXPONENT = int(Tag.ISSUER_EXPONENT)
_ICC_CERTIFICATE, _ICC_REMAINDER = int(Tag.ICC_CERTIFICATE), int(Tag.ICC_REMAINDER)
_ICC_EXPONENT = int(Tag.ICC_EXPONENT)


def recover_issuer_key(
    card: CardData, number: bytes, rid: bytes, ca_keys: CaKeys, date: datetime.date
) -> PublicKey:
    """Return the issuer's key out of the certificate (90) that the scheme signed.

    Args:
        card: What the card has said; what it has not counts as empty, and fails.
        number: The card's number as tag 5A has it.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.

    Raises:
        AuthenticationError: there is no CA key, or the certificate does not hold.

    Spec: EMV 4.4 Book 2, 5.3.
    """
    stated = card.get(_CA_KEY_INDEX)
    if not stated:
        raise missing(_CA_KEY_INDEX)
    index = stated[0]
    ca_key = ca_keys.find(rid, index)
    if ca_key is None:
        raise AuthenticationError(f"the terminal has no CA key {rid.hex().upper()}/{index:02X}")
    if ca_key.expiry is not None and date > ca_key.expiry:
        raise AuthenticationError(f"CA key {ca_key.name} has expired")
    try:
        block = ca_key.key.recover(card.get(_ISSUER_CERTIFICATE) or b"")
        if block[1] != 0x02:
            raise AuthenticationError(f"format {block[1]:02X} instead of 02")
        key = _certified_key(block, 11, card, _ISSUER_REMAINDER, _ISSUER_EXPONENT, b"")
        digits = block[2:6].hex().rstrip("f")
        if len(digits) < 3 or not number.hex().startswith(digits):
            raise AuthenticationError("it is for other card numbers")
        _check_month(block[6], block[7], date)
        if ca_keys.is_revoked(rid, index, block[8:11]):
            raise AuthenticationError("it is revoked")
    except AuthenticationError as error:
        raise error.of("issuer certificate") from None
    return key


def recover_icc_key(
    card: CardData, number: bytes, issuer_key: PublicKey, static_data: SensitiveBytes, date: datetime.date
) -> PublicKey:
    """Return the card's key out of the certificate (9F46) that the issuer signed.

    Args:
        card: What the card has said.
        number: The card's number as tag 5A has it.
        issuer_key: From `recover_issuer_key`.
        static_data: What the certificate's hash covers beside it.
        date: Of the transaction.

    Raises:
        AuthenticationError: the certificate does not hold, or not for this static data.

    Spec: EMV 4.4 Book 2, 6.4.
    """
    try:
        block = issuer_key.recover(card.get(_ICC_CERTIFICATE) or b"")
        if block[1] != 0x04:
            raise AuthenticationError(f"format {block[1]:02X} instead of 04")
        key = _certified_key(block, 17, card, _ICC_REMAINDER, _ICC_EXPONENT, static_data.reveal())
        if block[2:12] != number.ljust(10, b"\xff"):
            raise AuthenticationError("it is for another card number")
        _check_month(block[12], block[13], date)
    except AuthenticationError as error:
        raise error.of("card certificate") from None
    return key


def check_hash(block: bytes, beside: bytes) -> None:
    """Check the SHA-1 inside a block over its other bytes and what stands `beside` it.

    Raises:
        AuthenticationError: it differs.

    Spec: EMV 4.4 Book 2, A2.1.3.
    """
    if sha1(block[1:-21] + beside, usedforsecurity=False).digest() != block[-21:-1]:
        raise AuthenticationError("hash differs")


def _certified_key(
    block: bytes, at: int, card: CardData, remainder_tag: int, exponent_tag: int, static_data: bytes
) -> PublicKey:
    """Return the key that a block certifies; `at` is where its hash algorithm stands.

    Algorithms and lengths come before the hash, so that a missing remainder is told from a wrong one.
    """
    remainder, exponent = card.get(remainder_tag) or b"", card.get(exponent_tag) or b""
    if block[at] != SHA_1:
        raise AuthenticationError(f"hash algorithm {block[at]:02X} is unknown")
    if block[at + 1] != _RSA:
        raise AuthenticationError(f"key algorithm {block[at + 1]:02X} is unknown")
    if block[at + 3] != len(exponent):
        raise AuthenticationError("the exponent has another length")
    modulus = block[at + 4 : -21]
    rest = block[at + 2] - len(modulus)
    if rest <= 0:
        if remainder:
            raise AuthenticationError("a rest of the key is there that is not needed")
        modulus = modulus[: block[at + 2]]
    elif rest == len(remainder):
        modulus += remainder
    elif remainder:
        raise AuthenticationError("the rest of the key has another length")
    else:
        raise missing(remainder_tag)
    check_hash(block, remainder + exponent + static_data)
    return PublicKey(modulus, _EXPONENTS.get(exponent, 0))


def _check_month(month: int, year: int, date: datetime.date) -> None:
    """Check that a certificate's last month is not over. Years from 50 on are 1950 to 1999."""
    last, of = _DECIMAL.get(month, 0), _DECIMAL.get(year)
    if not 1 <= last <= 12 or of is None:
        raise AuthenticationError("its date is none")
    of += 1900 if of >= 50 else 2000
    if of < date.year or (of == date.year and last < date.month):
        raise AuthenticationError("it has expired")


def missing(*tags: int) -> AuthenticationError:
    """Return the error for data that the card had to give and did not."""
    names = ", ".join(f"{tag:02X}" for tag in tags)
    return AuthenticationError(f"the card did not give {names}", missing=tags)
