"""The RSA public operation that EMV's certificates and signatures are recovered with.

Spec: EMV 4.4 Book 2, B2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emv.errors import AuthenticationError

MAX_MODULUS_BYTES = 248
"""1984 bits. Spec: EMV 4.4 Book 2, D1.1."""
EXPONENTS = (3, 65537)
"""Books before 4.1 allowed 2 as well, for another kind of signature; such keys are refused."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key.

    Raises:
        AuthenticationError: the modulus is empty, even, longer than 248 bytes or begins with a zero
            byte, or the exponent is neither 3 nor 65537.
    """

    modulus: bytes
    exponent: int
    _number: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        modulus = self.modulus
        if not modulus or len(modulus) > MAX_MODULUS_BYTES or not modulus[0] or not modulus[-1] & 1:
            raise AuthenticationError("no modulus of an RSA key of up to 1984 bits")
        if self.exponent not in EXPONENTS:
            raise AuthenticationError("the exponent is neither 3 nor 65537")
        object.__setattr__(self, "_number", int.from_bytes(modulus, "big"))

    def recover(self, signature: bytes) -> bytes:
        """Return what was signed, as long as the modulus.

        Raises:
            AuthenticationError: the signature is longer, shorter or greater than the modulus.
        """
        number = int.from_bytes(signature, "big")
        if len(signature) != len(self.modulus):
            raise AuthenticationError("its length differs from the key's")
        if number >= self._number:
            raise AuthenticationError("it is greater than the key's modulus")
        return pow(number, self.exponent, self._number).to_bytes(len(signature), "big")
