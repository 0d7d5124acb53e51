"""Signing keys: Ed25519 in a file of mode 0600, and the form that a key in a token would take.

A key's id is the first 16 hex digits of the SHA-256 of its public key.

The requests and answers of the host API are signed too, over the messages built here:

    tillside-request-v1 LF method LF path LF time LF hex SHA-256 of the body
    tillside-answer-v1 LF hex SHA-256 of the request's signature LF hex SHA-256 of the answer's body

Signatures travel in `Tillside-Signature` as standard base64. The answer names the request's signature by
the hash of its 64 bytes (decoded), so that an answer to one request can't be passed off for another.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from offline_queue.errors import RecordError, SignatureError


class Signer(Protocol):
    """Whatever can sign for the terminal: a key file now, a token with a key inside later."""

    @property
    def key_id(self) -> str:
        """First 16 hex digits of the SHA-256 of the public key."""

    @property
    def public_key(self) -> PublicKey:
        """The key that checks this signer's signatures."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`."""


class PublicKey:
    """An Ed25519 public key.

    Args:
        raw: Its 32 bytes. Spec: RFC 8032, section 5.1.5.
    """

    __slots__ = ("_key", "_raw", "key_id")

    def __init__(self, raw: bytes) -> None:
        try:
            self._key = Ed25519PublicKey.from_public_bytes(raw)
        except ValueError as error:
            raise RecordError("not an Ed25519 public key") from error
        self._raw = bytes(raw)
        self.key_id = hashlib.sha256(self._raw).hexdigest()[:16]

    def to_bytes(self) -> bytes:
        """Return the key's 32 bytes."""
        return self._raw

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise SignatureError unless this key signed `message`."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise SignatureError(f"signature does not hold under key {self.key_id}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.key_id})"


class SigningKey:
    """An Ed25519 private key; prints as its id and can't be pickled."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = PublicKey(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key, in memory only."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def create(cls, path: Path) -> SigningKey:
        """Make a new key and keep it in a new file that only the owner can read.

        Raises:
            FileExistsError: A key is there already; it may have signed records, so it is never replaced.
        """
        key = cls.generate()
        write_private_file(path, key._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read the key that `create` wrote.

        Raises:
            RecordError: The file is no Ed25519 key, or others than its owner may read it.
        """
        try:
            key = load_pem_private_key(read_private_file(path), password=None)
        except ValueError as error:
            raise RecordError(f"{path} holds no private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise RecordError(f"{path} holds a private key that is not Ed25519")
        return cls(key)

    @property
    def key_id(self) -> str:
        """First 16 hex digits of the SHA-256 of the public key."""
        return self.public_key.key_id

    def sign(self, message: bytes) -> bytes:
        """Return the 64 byte signature of `message`."""
        return self._key.sign(message)

    def derive(self, purpose: bytes) -> bytes:
        """Return a secret key of 32 bytes for one purpose, always the same. Spec: RFC 5869."""
        secret = self._key.private_bytes_raw()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key can't be pickled")


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600, durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_private_file(path: Path) -> bytes:
    """Return the content of a file that nobody but its owner may read."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise RecordError(f"others may read {path}: chmod 600 {path}")
        return file.read()


def request_message(method: str, path: str, time: str, body: bytes) -> bytes:
    """Return what the terminal signs for a request; `time` is the text of the `Tillside-Time` header."""
    digest = hashlib.sha256(body).hexdigest()
    return f"tillside-request-v1\n{method}\n{path}\n{time}\n{digest}".encode()


def answer_message(request_signature: bytes, body: bytes) -> bytes:
    """Return what the host signs for its answer to the request that carried this signature (64 bytes)."""
    request = hashlib.sha256(request_signature).hexdigest()
    return f"tillside-answer-v1\n{request}\n{hashlib.sha256(body).hexdigest()}".encode()
