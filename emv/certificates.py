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
from emv.sensitive import Pan, SensitiveBytes
from emv.tags import Tag

ISSUER, ICC = "issuer certificate", "card certificate"
_SHA_1 = _RSA = 1

# Plain numbers: looking up an enumeration's member takes as long as looking up the card's value.
_CA_KEY_INDEX = int(Tag.CA_KEY_INDEX)
_ISSUER_CERTIFICATE, _ISSUER_REMAINDER = int(Tag.ISSUER_CERTIFICATE), int(Tag.ISSUER_KEY_REMAINDER)
_ISSUER_EXPONENT = int(Tag.ISSUER_EXPONENT)
_ICC_CERTIFICATE, _ICC_REMAINDER = int(Tag.ICC_CERTIFICATE), int(Tag.ICC_REMAINDER)
_ICC_EXPONENT = int(Tag.ICC_EXPONENT)


def recover_issuer_key(
    card: CardData, pan: Pan, *, rid: bytes, ca_keys: CaKeys, date: datetime.date
) -> PublicKey:
    """Return the issuer's key out of the certificate (90) that the scheme signed.

    Args:
        card: Has given 8F, 90 and 9F32.
        pan: The card's number.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.

    Raises:
        AuthenticationError: there is no CA key, or the certificate does not hold.

    Spec: EMV 4.4 Book 2, 5.3.
    """
    index = card[_CA_KEY_INDEX][0]
    ca_key = ca_keys.find(rid, index)
    if ca_key is None:
        raise AuthenticationError(f"the terminal has no CA key {rid.hex().upper()}/{index:02X}")
    if ca_key.expiry is not None and date > ca_key.expiry:
        raise AuthenticationError(f"CA key {ca_key.name} has expired")
    block = open_block(ca_key.key, card[_ISSUER_CERTIFICATE], (0x02,), ISSUER)
    key = _certified_key(block, 11, card, _ISSUER_REMAINDER, _ISSUER_EXPONENT, b"", ISSUER)
    digits = block[2:6].hex().rstrip("f")
    if not (len(digits) >= 3 and pan.reveal().startswith(digits)):
        raise AuthenticationError(f"{ISSUER}: it is for other card numbers")
    _check_month(block[6:8], date, ISSUER)
    if ca_keys.is_revoked(rid, index, block[8:11]):
        raise AuthenticationError(f"{ISSUER}: it is revoked")
    return key


def recover_icc_key(
    card: CardData, pan: Pan, issuer_key: PublicKey, static_data: SensitiveBytes, *, date: datetime.date
) -> PublicKey:
    """Return the card's key out of the certificate (9F46) that the issuer signed.

    Args:
        card: Has given 9F46 and 9F47.
        pan: The card's number.
        issuer_key: From `recover_issuer_key`.
        static_data: What the certificate's hash covers beside it.
        date: Of the transaction.

    Raises:
        AuthenticationError: the certificate does not hold, or not for this static data.

    Spec: EMV 4.4 Book 2, 6.4.
    """
    block = open_block(issuer_key, card[_ICC_CERTIFICATE], (0x04,), ICC)
    key = _certified_key(block, 17, card, _ICC_REMAINDER, _ICC_EXPONENT, static_data.reveal(), ICC)
    if block[2:12].hex().rstrip("f") != pan.reveal():
        raise AuthenticationError(f"{ICC}: it is for another card number")
    _check_month(block[12:14], date, ICC)
    return key


def open_block(key: PublicKey, signed: bytes, forms: tuple[int, ...], what: str) -> bytes:
    """Return the block that was signed, with header, trailer and format checked.

    Raises:
        AuthenticationError: one is wrong; the reason names `what`.

    Spec: EMV 4.4 Book 2, B2.1 and steps 1 to 4 of each recovery.
    """
    try:
        block = key.recover(signed)
    except AuthenticationError as error:
        raise AuthenticationError(f"{what}: {error.reason}") from None
    if block[-1] != 0xBC:
        raise AuthenticationError(f"{what}: no trailer BC, so another key signed it")
    if block[0] != 0x6A:
        raise AuthenticationError(f"{what}: no header 6A, so another key signed it")
    if block[1] not in forms:
        raise AuthenticationError(f"{what}: format {block[1]:02X} is not for it")
    return block


def check_hash(block: bytes, beside: bytes, what: str) -> None:
    """Check the hash inside a block over its other bytes and what stands `beside` it.

    Raises:
        AuthenticationError: it differs.
    """
    if sha1(block[1:-21] + beside, usedforsecurity=False).digest() != block[-21:-1]:
        raise AuthenticationError(f"{what}: hash differs")


def _certified_key(
    block: bytes,
    at: int,
    card: CardData,
    remainder_tag: int,
    exponent_tag: int,
    static_data: bytes,
    what: str,
) -> PublicKey:
    """Return the key that a block certifies; `at` is where its hash algorithm stands.

    Algorithms and lengths come before the hash, so that a missing remainder is told from a wrong one.
    """
    remainder, exponent = card.get(remainder_tag) or b"", card[exponent_tag]
    if block[at] != _SHA_1:
        raise AuthenticationError(f"{what}: hash algorithm {block[at]:02X} is unknown")
    if block[at + 1] != _RSA:
        raise AuthenticationError(f"{what}: key algorithm {block[at + 1]:02X} is unknown")
    length, inside = block[at + 2], block[at + 4 : -21]
    if len(remainder) != max(0, length - len(inside)):
        if not remainder:
            raise missing(remainder_tag)
        raise AuthenticationError(f"{what}: the rest of the key has another length")
    if block[at + 3] != len(exponent):
        raise AuthenticationError(f"{what}: the exponent has another length")
    check_hash(block, remainder + exponent + static_data, what)
    try:
        return PublicKey(inside[:length] + remainder, int.from_bytes(exponent, "big"))
    except AuthenticationError as error:
        raise AuthenticationError(f"{what}: {error.reason}") from None


def _check_month(month: bytes, date: datetime.date, what: str) -> None:
    """Check that a certificate's last month, MMYY, is not over. Years from 50 on are 1950 to 1999."""
    digits = month.hex()
    if not digits.isdecimal() or not "01" <= digits[:2] <= "12":
        raise AuthenticationError(f"{what}: its date is none")
    year = int(digits[2:])
    if (year + (1900 if year >= 50 else 2000), int(digits[:2])) < (date.year, date.month):
        raise AuthenticationError(f"{what}: it has expired")


def missing(*tags: int) -> AuthenticationError:
    """Return the error for data that the card had to give and did not."""
    names = ", ".join(f"{tag:02X}" for tag in tags)
    return AuthenticationError(f"the card did not give {names}", missing=tags)
