"""The RSA public operation that EMV's certificates and signatures are recovered with.

The built-in `pow` does it: measured beside it, cryptography offers no operation without a padding
scheme of its own, and repeated multiplication is no faster.

Spec: EMV 4.4 Book 2, B2.1 and D1.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emv.errors import AuthenticationError

MODULUS_BYTES = range(64, 248 + 1)
"""512 to 1984 bits. The books name the upper end; below the lower one no scheme has had keys."""
EXPONENTS = (3, 65537)
"""Early books had keys with the exponent 2 and another way to sign; they are refused."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key.

    Args:
        modulus: As many bytes as the key is long, so the first is not zero.
        exponent: 3 or 65537.

    Raises:
        AuthenticationError: there is no such key in EMV.
    """

    modulus: bytes
    exponent: int
    _number: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        modulus = self.modulus
        if len(modulus) not in MODULUS_BYTES or not modulus[0] or not modulus[-1] & 1:
            raise AuthenticationError("no modulus of an RSA key of 512 to 1984 bits")
        if self.exponent not in EXPONENTS:
            raise AuthenticationError("the exponent is neither 3 nor 65537")
        object.__setattr__(self, "_number", int.from_bytes(modulus, "big"))

    def recover(self, signature: bytes) -> bytes:
        """Return what was signed, as long as the modulus.

        Raises:
            AuthenticationError: the signature has another length than the modulus, or is not below it.
        """
        length = len(signature)
        if length != len(self.modulus):
            raise AuthenticationError("its length differs from the key's")
        number = int.from_bytes(signature, "big")
        if number >= self._number:
            raise AuthenticationError("it is not below the key's modulus")
        return pow(number, self.exponent, self._number).to_bytes(length, "big")
