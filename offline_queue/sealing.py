"""Sealing to the host: what is sealed can be opened by the host alone, not by the terminal that sealed it.

A seal is one byte for the suite, eight bytes that name the host's key, then HPKE's encapsulated key and
ciphertext. Suite 1 is HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.

Each seal is bound to its place (terminal and sequence). The binding is HPKE's `info`, which RFC 9180
recommends over `aad` for the single-shot form, and which is what the library offers.

Spec: RFC 9180, sections 5.1.1, 6.1, 8.1.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from offline_queue.errors import RecordError, SealError
from offline_queue.signing import read_private_file, write_private_file

_SUITE_ID: Final = b"\x01"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEY_NAME_BYTES: Final = 8


class Sealer:
    """Seals to one host.

    Args:
        host_public_key: The host's X25519 key, as the 32 bytes given at enrolment or as an object.
    """

    __slots__ = ("_key", "_prefix")

    def __init__(self, host_public_key: bytes | X25519PublicKey) -> None:
        if isinstance(host_public_key, bytes):
            try:
                host_public_key = X25519PublicKey.from_public_bytes(host_public_key)
            except ValueError as error:
                raise RecordError("not an X25519 public key") from error
        self._key = host_public_key
        self._prefix = _prefix(host_public_key)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Seal `plaintext` and bind it to `aad`, which is needed again to open it but is not kept in it."""
        return self._prefix + _SUITE.encrypt(plaintext, self._key, aad)


class Opener:
    """The host's half: opens what was sealed to its key. Can't be pickled."""

    __slots__ = ("_key", "_prefix")

    def __init__(self, private_key: X25519PrivateKey) -> None:
        self._key = private_key
        self._prefix = _prefix(private_key.public_key())

    @classmethod
    def generate(cls) -> Opener:
        """Make a new key, in memory only."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def create(cls, path: Path) -> Opener:
        """Make a new key and keep it in a new file of mode 0600."""
        opener = cls.generate()
        write_private_file(path, opener._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return opener

    @classmethod
    def load(cls, path: Path) -> Opener:
        """Read the key that `create` wrote."""
        try:
            key = load_pem_private_key(read_private_file(path), password=None)
        except ValueError as error:
            raise RecordError(f"{path} holds no private key") from error
        if not isinstance(key, X25519PrivateKey):
            raise RecordError(f"{path} holds a private key that is not X25519")
        return cls(key)

    def public_bytes(self) -> bytes:
        """Return the 32 bytes that a `Sealer` is made from."""
        return self._key.public_key().public_bytes_raw()

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealError: Sealed to another key, bound to another place, or changed.
        """
        if not sealed.startswith(self._prefix):
            raise SealError("sealed to another key or in an unknown suite")
        try:
            return _SUITE.decrypt(sealed[len(self._prefix) :], self._key, aad)
        except (InvalidTag, ValueError) as error:
            raise SealError("the seal does not open") from error

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key can't be pickled")


def _prefix(key: X25519PublicKey) -> bytes:
    return _SUITE_ID + hashlib.sha256(key.public_bytes_raw()).digest()[:_KEY_NAME_BYTES]
