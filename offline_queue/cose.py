"""COSE_Sign1, as far as records and acknowledgements need it.

Everything signed here is a tagged COSE_Sign1 of RFC 9052, so any COSE library can check it:

    18([ protected, unprotected, payload, signature ])
    protected    {1: algorithm, 3: content type, 4: key id}
    unprotected  {} or {-65537: hash}            the label is from the range for private use
    signature    over ["Signature1", protected, external_aad, payload]

A verifier never parses what it has not verified: the header it expects under a key is rebuilt and
compared byte by byte, and the frame is read by the few lines below, which know byte strings only.

Spec: RFC 9052, sections 3, 4.2, 4.4; RFC 9053, section 2.2; RFC 8949, section 4.2 (deterministic encoding).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cbor2

from offline_queue.errors import RecordError, SignatureError
from offline_queue.signing import PublicKey, Signer

EDDSA = -8

_TAGGED_ARRAY_OF_4 = b"\xd2\x84"
_NO_HEADERS = b"\xa0"
_ONE_HASH = b"\xa1\x3a\x00\x01\x00\x00"  # a map of one entry, its label -65537
_CONTEXT = b"\x84\x6aSignature1"


@dataclass(frozen=True, slots=True)
class Sign1:
    """The parts of a COSE_Sign1; `linked` is the hash in the unprotected header, or empty."""

    protected: bytes
    linked: bytes
    payload: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the tagged COSE_Sign1."""
        return b"".join(
            (
                _TAGGED_ARRAY_OF_4,
                _byte_string(self.protected),
                _ONE_HASH + _byte_string(self.linked) if self.linked else _NO_HEADERS,
                _byte_string(self.payload),
                _byte_string(self.signature),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Sign1:
        """Take a tagged COSE_Sign1 apart without looking into it.

        Raises:
            RecordError: For anything but one whole COSE_Sign1 in deterministic encoding.
        """
        signed, at = cls.read(data, 0)
        if at != len(data):
            raise RecordError(f"{len(data) - at} bytes after the end")
        return signed

    @classmethod
    def read(cls, data: bytes, at: int) -> tuple[Sign1, int]:
        """Take the tagged COSE_Sign1 at an offset apart; return it and the offset behind it.

        Raises:
            RecordError: For anything but a COSE_Sign1 in deterministic encoding.
        """
        if not data.startswith(_TAGGED_ARRAY_OF_4, at):
            raise RecordError("not a COSE_Sign1")
        protected, at = _read_byte_string(data, at + len(_TAGGED_ARRAY_OF_4))
        linked = b""
        if data.startswith(_ONE_HASH, at):
            linked, at = _read_byte_string(data, at + len(_ONE_HASH))
            if not linked:
                raise RecordError("empty hash in the header")
        elif data.startswith(_NO_HEADERS, at):
            at += len(_NO_HEADERS)
        else:
            raise RecordError(f"unexpected header at offset {at}")
        payload, at = _read_byte_string(data, at)
        signature, at = _read_byte_string(data, at)
        return cls(protected, linked, payload, signature), at

    def verify(self, key: PublicKey, content_type: str, external_aad: bytes = b"") -> None:
        """Check that `key` signed this as `content_type`, over `external_aad` as well.

        Raises:
            SignatureError: If it did not.
        """
        if self.protected != protected_header(key.key_id, content_type):
            raise SignatureError(f"not signed by key {key.key_id} as {content_type}")
        key.verify(self.signature, to_be_signed(self.protected, external_aad, self.payload))


def sign(
    signer: Signer, content_type: str, payload: bytes, *, linked: bytes = b"", external_aad: bytes = b""
) -> Sign1:
    """Sign `payload` as `content_type`."""
    protected = protected_header(signer.key_id, content_type)
    return Sign1(protected, linked, payload, signer.sign(to_be_signed(protected, external_aad, payload)))


def to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Return the encoded Sig_structure. Spec: RFC 9052, section 4.4."""
    return b"".join((_CONTEXT, _byte_string(protected), _byte_string(external_aad), _byte_string(payload)))


@lru_cache(maxsize=64)
def protected_header(key_id: str, content_type: str) -> bytes:
    """Return the encoded protected header of what this key signs as this content type."""
    return cbor2.dumps({1: EDDSA, 3: content_type, 4: bytes.fromhex(key_id)}, canonical=True)


def _byte_string(value: bytes) -> bytes:
    length = len(value)
    if length < 24:
        return bytes((0x40 | length,)) + value
    if length < 0x100:
        return b"\x58" + length.to_bytes(1, "big") + value
    if length < 0x10000:
        return b"\x59" + length.to_bytes(2, "big") + value
    return b"\x5a" + length.to_bytes(4, "big") + value


def _read_byte_string(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the byte string at `at` and the offset behind it; only its shortest encoding will do."""
    head = data[at : at + 1]
    if not head or not 0x40 <= head[0] <= 0x5A:
        raise RecordError(f"no byte string at offset {at}")
    start = at + 1
    length = head[0] & 0x1F
    if length >= 24:
        width = 1 << (length - 24)
        start += width
        length = int.from_bytes(data[at + 1 : start], "big")
    end = start + length
    value = data[start:end]
    if len(data) < end or data[at:start] != _byte_string(value)[: start - at]:
        raise RecordError(f"bad byte string at offset {at}")
    return value, end
