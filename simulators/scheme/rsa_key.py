"""A private RSA key that signs as a card scheme does: one bare exponentiation over a full-length block.

Our own arithmetic on purpose, and apart from the terminal's: what signs must not share code with what
verifies. It is not made to keep secrets; all keys here are made up and published with the source.

Spec: EMV 4.4 Book 2, Annex B2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class RsaKey:
    """A key pair, from its two primes and public exponent."""

    p: int
    q: int
    exponent: int

    @cached_property
    def modulus(self) -> bytes:
        """The modulus, most significant byte first, without leading zeroes."""
        return (self.p * self.q).to_bytes(((self.p * self.q).bit_length() + 7) // 8, "big")

    @property
    def exponent_bytes(self) -> bytes:
        """The public exponent as tags 9F32 and 9F47 hold it: 03 or 010001."""
        return self.exponent.to_bytes((self.exponent.bit_length() + 7) // 8, "big")

    @property
    def length(self) -> int:
        """How many bytes a signature has."""
        return len(self.modulus)

    def sign(self, block: bytes) -> bytes:
        """Return the signature of a block as long as the modulus, which starts with 6A and so is below it."""
        if len(block) != self.length:
            raise ValueError(f"a block of {len(block)} bytes for a key of {self.length}")
        number = int.from_bytes(block, "big")
        dp, dq, q_inverse = self._shortcut
        half_p, half_q = pow(number, dp, self.p), pow(number, dq, self.q)
        signed = half_q + self.q * (q_inverse * (half_p - half_q) % self.p)
        return signed.to_bytes(self.length, "big")

    @cached_property
    def _shortcut(self) -> tuple[int, int, int]:
        """The private exponents modulo each prime: four times as fast as the one modulo both."""
        return (
            pow(self.exponent, -1, self.p - 1),
            pow(self.exponent, -1, self.q - 1),
            pow(self.q, -1, self.p),
        )
