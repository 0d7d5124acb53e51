"""The fingerprint of RSA keys from a faulty key generator (ROCA, CVE-2017-15361).

Theory of operation: the generator made both primes of a key as k * M + (65537 ** a mod M), where M is the
product of the first small primes. So the modulus is a power of 65537 modulo each of those primes. For
half of them 65537 reaches every remainder and says nothing; for the others it reaches a part, and a
modulus that lies in that part for all of them is no accident: by chance less than one in 100 million does.

The primes up to 167 go into the M of every key size, from 512 bits on. The sets below are computed from
that rule.

Spec: none; Nemec and others, "The Return of Coppersmith's Attack", 2017.
"""

from __future__ import annotations

_GENERATOR = 65537
_LARGEST = 167


def is_roca(modulus: int) -> bool:
    """Say whether a modulus has the fingerprint: then its key is likely to be factored with some effort."""
    for prime, powers in _MARKERS:
        if modulus % prime not in powers:
            return False
    return True


def _powers(prime: int) -> frozenset[int]:
    """Return every power of the generator modulo a prime."""
    found, power = set(), 1
    while power not in found:
        found.add(power)
        power = power * _GENERATOR % prime
    return frozenset(found)


def _markers() -> tuple[tuple[int, frozenset[int]], ...]:
    """Return the primes that tell something, and the remainders that are powers: the rarest first."""
    primes = [n for n in range(3, _LARGEST + 1, 2) if all(n % m for m in range(3, n, 2))]
    telling = [(prime, powers) for prime in primes if len(powers := _powers(prime)) < prime - 1]
    return tuple(sorted(telling, key=lambda marker: len(marker[1]) / marker[0]))


_MARKERS = _markers()
