"""Records: what the terminal did, in bytes that can't be changed unnoticed.

A record's body is deterministic CBOR: version, terminal, sequence, kind, attempt, time, the masked
summary, and the secret part sealed to the host. Bodies are chained, and each link is signed:

    head(0)  = SHA-256("tillside-genesis-v1" 00, terminal id)
    head(n)  = SHA-256("tillside-chain-v1" 00, head(n-1), body(n))
    signed   = COSE_Sign1 with body(n) as payload and head(n) as external_aad

So one good signature vouches for every record up to it. On the wire and in the store a record is that
COSE_Sign1, with head(n-1) in its unprotected header; the exact bytes that were signed are kept, and
verifying never encodes anything again. Nothing of the body is parsed before its signature holds.

Spec: RFC 8949, section 4.2.1; RFC 9052, section 4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import cbor2

from offline_queue.cose import Sign1, protected_header, sign
from offline_queue.errors import ChainBrokenError, RecordError, SignatureError
from offline_queue.sealing import Sealer
from offline_queue.signing import PublicKey, Signer
from offline_queue.summary import Summary, checked

CONTENT_TYPE: Final = "application/vnd.tillside.record"
HEAD_BYTES: Final = 32
_VERSION: Final = 1
_MAX_INTEGER: Final = 2**63 - 1
_FIELDS: Final = {
    "v": int,
    "terminal": str,
    "sequence": int,
    "kind": str,
    "attempt": str,
    "time_ms": int,
    "summary": dict,
    "sealed": bytes,
}


class RecordKind(StrEnum):
    """What a record says."""

    INTENT = "intent"
    RESULT = "result"
    REVERSAL = "reversal"
    REFUND = "refund"
    VOID = "void"
    SHIFT = "shift"
    Z_REPORT = "z_report"


@dataclass(frozen=True, slots=True)
class Record:
    """One signed link of a terminal's chain. Made by `create`, `decode` and `from_stored` only.

    Attributes:
        sequence: Counts the terminal's records from 1 without a gap.
        attempt: Key of the attempt that the record belongs to, or empty.
        time_ms: Milliseconds since 1970 by the terminal's clock; a statement, never used for order.
        summary: Masked and plain, for screens and reports.
        sealed: For the host only; empty when there was nothing secret.
        body: The exact bytes that are hashed and signed.
    """

    terminal_id: str
    sequence: int
    kind: RecordKind
    attempt: str
    time_ms: int
    summary: Summary
    sealed: bytes = field(repr=False)
    body: bytes = field(repr=False)
    previous_head: bytes = field(repr=False)
    head: bytes
    key_id: str
    signature: bytes = field(repr=False)

    @classmethod
    def create(
        cls,
        *,
        signer: Signer,
        sealer: Sealer,
        terminal_id: str,
        sequence: int,
        previous_head: bytes,
        kind: RecordKind,
        attempt: str,
        time_ms: int,
        summary: Summary,
        secret: bytes,
    ) -> Record:
        """Seal `secret`, build the body, link it behind `previous_head`, and sign it.

        Raises:
            CardDataError: The summary holds something that looks like a full card number.
        """
        _check_numbers(sequence, time_ms)
        plain = checked(summary)
        sealed = sealer.seal(secret, seal_binding(terminal_id, sequence)) if secret else b""
        contents: dict[str, object] = {
            "v": _VERSION,
            "terminal": terminal_id,
            "sequence": sequence,
            "kind": kind.value,
            "attempt": attempt,
            "time_ms": time_ms,
            "summary": dict(plain),
            "sealed": sealed,
        }
        body = cbor2.dumps(contents, canonical=True)
        head = chain_head(previous_head, body)
        signed = sign(signer, CONTENT_TYPE, body, linked=previous_head, external_aad=head)
        return cls(
            terminal_id=terminal_id,
            sequence=sequence,
            kind=kind,
            attempt=attempt,
            time_ms=time_ms,
            summary=plain,
            sealed=sealed,
            body=body,
            previous_head=previous_head,
            head=head,
            key_id=signer.key_id,
            signature=signed.signature,
        )

    @classmethod
    def decode(cls, data: bytes, keys: Mapping[str, PublicKey]) -> Record:
        """Verify and parse what `encode` gave.

        Args:
            data: One whole record.
            keys: The keys that may have signed it, by key id.

        Raises:
            RecordError: These bytes are no record.
            SignatureError: None of the keys signed it.
        """
        signed = Sign1.decode(data)
        if len(signed.linked) != HEAD_BYTES:
            raise RecordError("a record without the head of the record before it")
        head = chain_head(signed.linked, signed.payload)
        for key in keys.values():
            if signed.protected == protected_header(key.key_id, CONTENT_TYPE):
                signed.verify(key, CONTENT_TYPE, head)
                return cls._parse(signed, head, key.key_id)
        raise SignatureError("a record signed by none of the keys that may sign it")

    @classmethod
    def from_stored(
        cls, *, body: bytes, previous_head: bytes, head: bytes, key_id: str, signature: bytes
    ) -> Record:
        """Rebuild a record from the terminal's own store, where a later signature vouches for `head`.

        Raises:
            ChainBrokenError: The body is not the one that the head was made from.
        """
        if chain_head(previous_head, body) != head:
            raise ChainBrokenError("a stored record was changed")
        return cls._parse(
            Sign1(protected_header(key_id, CONTENT_TYPE), previous_head, body, signature), head, key_id
        )

    def encode(self) -> bytes:
        """Return the record as it travels."""
        return self._signed().encode()

    def verify_link(self, previous_head: bytes) -> None:
        """Raise ChainBrokenError unless this record follows directly on `previous_head`."""
        if self.previous_head != previous_head or chain_head(previous_head, self.body) != self.head:
            raise ChainBrokenError(f"record {self.sequence} does not follow on the one before it")

    def verify_signature(self, public_key: PublicKey) -> None:
        """Raise SignatureError unless `public_key` signed this record at this place in the chain."""
        self._signed().verify(public_key, CONTENT_TYPE, self.head)

    def _signed(self) -> Sign1:
        return Sign1(
            protected_header(self.key_id, CONTENT_TYPE), self.previous_head, self.body, self.signature
        )

    @classmethod
    def _parse(cls, signed: Sign1, head: bytes, key_id: str) -> Record:
        contents = parse_map(signed.payload, _FIELDS)
        if contents["v"] != _VERSION:
            raise RecordError(f"record format {contents['v']} is not known here")
        _check_numbers(contents["sequence"], contents["time_ms"])
        try:
            kind = RecordKind(contents["kind"])
        except ValueError:
            raise RecordError("a record of unknown kind") from None
        return cls(
            terminal_id=contents["terminal"],
            sequence=contents["sequence"],
            kind=kind,
            attempt=contents["attempt"],
            time_ms=contents["time_ms"],
            summary=checked(contents["summary"]),
            sealed=contents["sealed"],
            body=signed.payload,
            previous_head=signed.linked,
            head=head,
            key_id=key_id,
            signature=signed.signature,
        )


def genesis_head(terminal_id: str) -> bytes:
    """Return the head that a terminal's first record links to."""
    return hashlib.sha256(b"tillside-genesis-v1\x00" + terminal_id.encode()).digest()


def chain_head(previous_head: bytes, body: bytes) -> bytes:
    """Return the head after `body`."""
    return hashlib.sha256(b"tillside-chain-v1\x00" + previous_head + body).digest()


def seal_binding(terminal_id: str, sequence: int) -> bytes:
    """Return what a record's seal is bound to: its terminal and its place in the chain."""
    return b"tillside-seal-v1\x00" + sequence.to_bytes(8, "big") + terminal_id.encode()


def _check_numbers(sequence: int, time_ms: int) -> None:
    if not 1 <= sequence <= _MAX_INTEGER or not 0 <= time_ms <= _MAX_INTEGER:
        raise RecordError("a record with an impossible sequence or time")


def parse_map(payload: bytes, fields: Mapping[str, type]) -> dict[str, Any]:
    """Return the map in `payload`, which must hold exactly `fields` in deterministic encoding.

    Raises:
        RecordError: Anything else.
    """
    try:
        contents = cbor2.loads(
            payload,
            max_depth=8,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        deterministic = isinstance(contents, dict) and cbor2.dumps(contents, canonical=True) == payload
    except cbor2.CBORError as error:
        raise RecordError("not CBOR in the form that records use") from error
    if not deterministic or contents.keys() != fields.keys():
        raise RecordError("not a map of the expected fields in deterministic encoding")
    for name, kind in fields.items():
        if type(contents[name]) is not kind:
            raise RecordError(f"{name} is not of its type")
    return dict(contents)
