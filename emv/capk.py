"""Certification authority public keys and the certificates that were revoked under them.

Spec: EMV 4.4 Book 2, 5.1 and 5.2, 11.2.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from emv.rsa import PublicKey


@dataclass(frozen=True, slots=True)
class CaKey:
    """One key of a scheme.

    Args:
        rid: Registered application provider identifier, five bytes.
        index: Which of the scheme's keys, tag 8F.
        key: The key.
        expiry: The last day on which it is used; None if the scheme has set none.
    """

    rid: bytes
    index: int
    key: PublicKey
    expiry: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Revoked:
    """An issuer certificate that is not to be taken any more: its serial number has three bytes."""

    rid: bytes
    index: int
    serial: bytes


class CaKeys:
    """The scheme keys that a terminal holds, and the certificates revoked under them."""

    def __init__(
        self,
        keys: Iterable[CaKey] = (),
        revoked: Iterable[Revoked] = (),
        left_out: Iterable[str] = (),
    ) -> None:
        self._keys = {(key.rid, key.index): key for key in keys}
        self._revoked = frozenset(revoked)
        self.left_out = tuple(left_out)
        """What a file had that is not taken, one line each."""

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    def find(self, rid: bytes, index: int) -> CaKey | None:
        """Return a key, or None."""
        return self._keys.get((rid, index))

    def is_revoked(self, rid: bytes, index: int, serial: bytes) -> bool:
        """Say whether an issuer certificate is revoked."""
        return Revoked(rid, index, serial) in self._revoked


def parse_ca_keys(text: str) -> CaKeys:
    """Return the keys in a JSON text."""
    raise NotImplementedError(text)


NO_CA_KEYS = CaKeys()
"""What a terminal has that can't authenticate cards."""
