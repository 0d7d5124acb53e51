"""Acknowledgements: what the host has taken over, in its own signed words.

An acknowledgement is a COSE_Sign1 by the host over deterministic CBOR. It names the terminal, the last
sequence that the host holds without a gap, and the chain's head there: a terminal accepts it only where
that head is its own. It also names the records that the host holds but refuses to act on, and what became
of payments that had been approved offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import cbor2

from offline_queue.cose import Sign1, sign
from offline_queue.errors import RecordError
from offline_queue.record import HEAD_BYTES, parse_map
from offline_queue.signing import PublicKey, Signer

CONTENT_TYPE: Final = "application/vnd.tillside.acknowledgement"
FATES: Final = ("approved", "declined")
_VERSION: Final = 1
_FIELDS: Final = {"v": int, "terminal": str, "through": int, "head": bytes, "refused": list, "settled": dict}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the host holds but does not act on, and why."""

    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Made by `issue` at the host and by `decode` at the terminal, so that one in hand is a signed one.

    Attributes:
        through: Last sequence that the host holds with all before it; 0 for none.
        head: The chain's head there.
        settled: What became of attempts that were approved offline: "approved" or "declined".
    """

    terminal_id: str
    through: int
    head: bytes
    refused: tuple[Refusal, ...]
    settled: Mapping[str, str]
    signed: Sign1 = field(repr=False, compare=False)

    @classmethod
    def issue(
        cls,
        signer: Signer,
        *,
        terminal_id: str,
        through: int,
        head: bytes,
        refused: tuple[Refusal, ...] = (),
        settled: Mapping[str, str] | None = None,
    ) -> Acknowledgement:
        """Write and sign an acknowledgement, as the host does."""
        contents: dict[str, object] = {
            "v": _VERSION,
            "terminal": terminal_id,
            "through": through,
            "head": head,
            "refused": [[refusal.sequence, refusal.reason] for refusal in refused],
            "settled": dict(settled or {}),
        }
        return cls._parse(sign(signer, CONTENT_TYPE, cbor2.dumps(contents, canonical=True)))

    @classmethod
    def decode(cls, data: bytes, host_key: PublicKey) -> Acknowledgement:
        """Verify and parse what `encode` gave.

        Raises:
            RecordError: These bytes are no acknowledgement.
            SignatureError: `host_key` did not sign it.
        """
        signed = Sign1.decode(data)
        signed.verify(host_key, CONTENT_TYPE)
        return cls._parse(signed)

    def encode(self) -> bytes:
        """Return the acknowledgement as it travels."""
        return self.signed.encode()

    def verify_signature(self, host_key: PublicKey) -> None:
        """Raise SignatureError unless `host_key` signed this."""
        self.signed.verify(host_key, CONTENT_TYPE)

    @classmethod
    def _parse(cls, signed: Sign1) -> Acknowledgement:
        contents = parse_map(signed.payload, _FIELDS)
        if contents["v"] != _VERSION:
            raise RecordError(f"acknowledgement format {contents['v']} is not known here")
        if contents["through"] < 0 or len(contents["head"]) != HEAD_BYTES:
            raise RecordError("an acknowledgement with an impossible sequence or head")
        for attempt, fate in contents["settled"].items():
            if not isinstance(attempt, str) or fate not in FATES:
                raise RecordError("an acknowledgement that settles nothing known")
        return cls(
            terminal_id=contents["terminal"],
            through=contents["through"],
            head=contents["head"],
            refused=tuple(_refusal(item) for item in contents["refused"]),
            settled=MappingProxyType(contents["settled"]),
            signed=signed,
        )


def _refusal(item: object) -> Refusal:
    match item:
        case [int(sequence), str(reason)] if sequence >= 1 and not isinstance(sequence, bool):
            return Refusal(sequence, reason)
    raise RecordError("an acknowledgement with a refusal in the wrong form")
