"""Codes that change with every tap and travel in a magnetic stripe's data: Mastercard's CVC3, Visa's dCVV.

The master key is that of the cryptograms, for simplicity; an issuer would keep another.

Spec: EMV Contactless Book C-2, COMPUTE CRYPTOGRAPHIC CHECKSUM; the algorithms as pyemv and jPOS have them.
"""

from __future__ import annotations

from simulators.scheme.pyemv_ciphers import mac, tools


def static_code(key: bytes, track: bytes) -> bytes:
    """Return the IVCVC3 of a track: the last two bytes of a message authentication code over it."""
    return mac.mac_iso9797_3(key[:8], key[8:], track, 2, 8)[-2:]


def cvc3(key: bytes, track: bytes, *, counter: bytes, unpredictable_number: bytes) -> bytes:
    """Return the CVC3 of one tap, two bytes. Tracks carry its last decimal digits.

    Args:
        key: The card's key, 16 bytes.
        track: Track 1 in ASCII, or track 2 with a nibble F at its end if its digits are odd.
        counter: Tag 9F36.
        unpredictable_number: Four bytes (9F6A).
    """
    block = static_code(key, track) + unpredictable_number + counter
    return tools.encrypt_tdes_ecb(key, block)[-2:]


def dcvv(key: bytes, pan: str, *, expiry: str, service_code: str, counter: str) -> str:
    """Return the three digits of Visa's dCVV; `counter` is 9F36 in hex and stands for the first digits."""
    digits = (counter + pan[4:] + expiry + service_code).ljust(32, "0")
    first, second = bytes.fromhex(digits[:16]), bytes.fromhex(digits[16:])
    inner = tools.encrypt_tdes_ecb(key[:8] * 2, first)
    mixed = tools.encrypt_tdes_ecb(key, tools.xor(inner, second)).hex()
    letters = (str(int(letter, 16) - 10) for letter in mixed if not letter.isdecimal())
    return ("".join(filter(str.isdecimal, mixed)) + "".join(letters))[:3]
