"""RSA with message recovery, which EMV's certificates and signatures are made with.

The built-in `pow` does it. cryptography's operation is faster and of no use: it gives out only what was
padded as in PKCS #1. Multiplying twice instead takes as long as `pow`.

Spec: EMV 4.4 Book 2, A2.1, B2.1 and D1.1.
"""

from __future__ import annotations

from emv.errors import AuthenticationError

MODULUS_BYTES = range(64, 248 + 1)
"""512 to 1984 bits. The books name the upper end; below the lower one no scheme has had keys."""
EXPONENTS = (3, 65537)
"""Early books had keys with the exponent 2 and another way to sign; they are refused."""


class PublicKey:
    """An RSA public key. A plain class: two are made in every tap, and a dataclass takes twice as long.

    Args:
        modulus: As many bytes as the key is long, so the first is not zero; `number` is the same as one.
        exponent: 3 or 65537.

    Raises:
        AuthenticationError: there is no such key in EMV.
    """

    __slots__ = ("_length", "exponent", "modulus", "number")

    def __init__(self, modulus: bytes, exponent: int) -> None:
        length = len(modulus)
        if length not in MODULUS_BYTES or not modulus[0] or not modulus[-1] & 1:
            raise AuthenticationError("no modulus of an RSA key of 512 to 1984 bits")
        if exponent not in EXPONENTS:
            raise AuthenticationError("the exponent is neither 3 nor 65537")
        self.modulus = modulus
        self.exponent = exponent
        self._length = length
        self.number = int.from_bytes(modulus)

    def recover(self, signed: bytes) -> bytes:
        """Return the block that was signed: header 6A, format, what follows, hash, trailer BC.

        Its length is the modulus's. The hash is for the caller to check.

        Raises:
            AuthenticationError: `signed` is no signature by this key.

        Spec: EMV 4.4 Book 2, A2.1.3 and B2.1.3.
        """
        length, modulus = self._length, self.number
        if len(signed) != length:
            raise AuthenticationError("its length differs from the key's")
        number = int.from_bytes(signed)
        if number >= modulus:
            raise AuthenticationError("it is not below the key's modulus, so another key signed it")
        block = pow(number, self.exponent, modulus).to_bytes(length)
        if block[-1] != 0xBC:
            raise AuthenticationError("no trailer BC, so another key signed it")
        if block[0] != 0x6A:
            raise AuthenticationError("no header 6A, so another key signed it")
        return block

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicKey):
            return NotImplemented
        return (self.modulus, self.exponent) == (other.modulus, other.exponent)

    def __hash__(self) -> int:
        return hash((self.modulus, self.exponent))

    def __repr__(self) -> str:
        return f"PublicKey({8 * self._length} bits, exponent {self.exponent})"
