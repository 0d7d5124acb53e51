"""Certification authority public keys and the certificates that were revoked under them.

Spec: EMV 4.4 Book 2, 5.1 and 5.2, 11.2.
"""

from __future__ import annotations


class CaKeys:
    """The scheme keys that a terminal holds."""

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return False


NO_CA_KEYS = CaKeys()
"""What a terminal has that can't authenticate cards."""
