"""A terminal's side of EMV Book 2, chapters 5 and 6, as short as can be: what is signed is read back.

It shares no code with the scheme nor with the terminal, and is itself tried on real chains.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """A public key."""

    modulus: bytes
    exponent: int


def opened(key: Key, signed: bytes, beside: bytes) -> bytes:
    """Return what was signed, from the format byte up to the hash, which must be right."""
    assert len(signed) == len(key.modulus)
    number = pow(int.from_bytes(signed, "big"), key.exponent, int.from_bytes(key.modulus, "big"))
    block = number.to_bytes(len(signed), "big")
    assert (block[0], block[-1]) == (0x6A, 0xBC)
    content, digest = block[1:-21], block[-21:-1]
    assert hashlib.sha1(content + beside, usedforsecurity=False).digest() == digest
    return content


def certified(key: Key, certificate: bytes, remainder: bytes, exponent: bytes, static: bytes = b"") -> Key:
    """Return the key inside a certificate of format 02 or 04."""
    content = opened(key, certificate, remainder + exponent + static)
    at = {0x02: 12, 0x04: 18}[content[0]]
    assert content[at - 2 : at] == b"\x01\x01"
    size, exponent_size = content[at : at + 2]
    assert exponent_size == len(exponent)
    modulus = (content[at + 2 :] + remainder)[: len(content) - at - 2 if not remainder else None]
    assert set(modulus[size:]) <= {0xBB}
    return Key(modulus[:size], int.from_bytes(exponent, "big"))
