"""A file with everything that the host has not acknowledged, to be carried to it by hand.

The file is a CBOR sequence (RFC 8742). First comes a head, a COSE_Sign1 by the terminal's key whose payload
is a map in deterministic encoding:

    {"v": 1, "terminal": text, "first": sequence, "records": count, "previous_head": hash, "head": hash,
     "time_ms": milliseconds since 1970}

then that many records, each the very COSE_Sign1 that would have gone over the wire. They stay sealed to
the host. `previous_head` and `head` are the chain's before the first and after the last, so a file that
was cut, or put together from two, is found out.

Taking such a file in is the host's part.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cbor2

from offline_queue.cose import Sign1, sign
from offline_queue.errors import ChainBrokenError, RecordError
from offline_queue.record import Record, parse_map
from offline_queue.signing import PublicKey, Signer

CONTENT_TYPE: Final = "application/vnd.tillside.export"
_VERSION: Final = 1
_FIELDS: Final = {
    "v": int,
    "terminal": str,
    "first": int,
    "records": int,
    "previous_head": bytes,
    "head": bytes,
    "time_ms": int,
}


@dataclass(frozen=True, slots=True)
class ExportHead:
    """What a file says that it holds."""

    terminal_id: str
    first: int
    records: int
    previous_head: bytes
    head: bytes
    time_ms: int

    @property
    def last(self) -> int:
        """The sequence of the last record."""
        return self.first + self.records - 1

    def encode(self, signer: Signer) -> bytes:
        """Return the head, signed."""
        contents: dict[str, object] = {
            "v": _VERSION,
            "terminal": self.terminal_id,
            "first": self.first,
            "records": self.records,
            "previous_head": self.previous_head,
            "head": self.head,
            "time_ms": self.time_ms,
        }
        return sign(signer, CONTENT_TYPE, cbor2.dumps(contents, canonical=True)).encode()

    @classmethod
    def decode(cls, data: bytes, key: PublicKey) -> ExportHead:
        """Verify and parse a head. Raises RecordError or SignatureError."""
        signed = Sign1.decode(data)
        signed.verify(key, CONTENT_TYPE)
        contents = parse_map(signed.payload, _FIELDS)
        if contents["v"] != _VERSION:
            raise RecordError(f"export format {contents['v']} is not known here")
        return cls(
            terminal_id=contents["terminal"],
            first=contents["first"],
            records=contents["records"],
            previous_head=contents["previous_head"],
            head=contents["head"],
            time_ms=contents["time_ms"],
        )


def create(path: Path, head: bytes) -> ExportWriter:
    """Begin a new file that only its owner can read. Raises FileExistsError, or another OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    writer = ExportWriter(descriptor)
    writer.add(head)
    return writer


class ExportWriter:
    """Writes a file item by item. Close it: what is not closed may not be on the disk."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self.bytes_written = 0

    def add(self, item: bytes) -> None:
        """Write one encoded item."""
        self.bytes_written += self._file.write(item)

    def close(self) -> None:
        """Bring it all to the disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


def read(data: bytes, keys: Mapping[str, PublicKey]) -> tuple[ExportHead, tuple[Record, ...]]:
    """Verify a whole file and return what it holds.

    Raises:
        RecordError: No such file, or not a whole one.
        SignatureError: Head or a record is signed by none of the keys.
        ChainBrokenError: A record does not follow on the one before it.
    """
    items = _items(data)
    try:
        first = next(items)
    except StopIteration:
        raise RecordError("an empty file") from None
    head = _head(first, keys)
    records = tuple(Record.decode(item, keys) for item in items)
    _check(head, records)
    return head, records


def _head(item: bytes, keys: Mapping[str, PublicKey]) -> ExportHead:
    protected = Sign1.decode(item).protected
    for key in keys.values():
        if bytes.fromhex(key.key_id) in protected:
            return ExportHead.decode(item, key)
    raise RecordError("an export by none of the keys that may write one")


def _check(head: ExportHead, records: Iterable[Record]) -> None:
    tip, sequence = head.previous_head, head.first - 1
    for record in records:
        sequence += 1
        if record.sequence != sequence or record.terminal_id != head.terminal_id:
            raise ChainBrokenError(f"record {sequence} is missing or out of its place")
        record.verify_link(tip)
        tip = record.head
    if sequence != head.last or tip != head.head:
        raise RecordError(f"the file should end with record {head.last}, and ends with {sequence}")


def _items(data: bytes) -> Iterator[bytes]:
    """Take a sequence of COSE_Sign1 apart by lengths alone: nothing is looked into."""
    at = 0
    while at < len(data):
        start = at
        _, at = Sign1.read(data, start)
        yield data[start:at]
