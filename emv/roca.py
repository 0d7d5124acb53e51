"""The fingerprint of RSA keys from a faulty key generator (ROCA, CVE-2017-15361).

Spec: none; Nemec and others, "The Return of Coppersmith's Attack", 2017, section 4.
"""

from __future__ import annotations


def is_roca(modulus: bytes) -> bool:
    """Say whether a modulus has the fingerprint."""
    return False
