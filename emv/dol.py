"""Data object lists: the tags and lengths of what a card wants to be told.

Spec: EMV 4.4 Book 3, 5.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import tlv
from emv.errors import DecodeError
from emv.formats import Format
from emv.tags import describe


@dataclass(frozen=True, slots=True)
class DolEntry:
    """One entry: a tag, and how many bytes the card wants of it."""

    tag: int
    length: int


MAX_DATA_BYTES = 1024
"""Far more than one command takes; a list that asks for more is refused."""


def decode(value: bytes) -> tuple[DolEntry, ...]:
    """Return the entries of a list."""
    entries, position, total = [], 0, 0
    while position < len(value):
        start = position
        tag, position = tlv.read_tag(value, position)
        if position == len(value):
            raise DecodeError("the length is missing", tag=tag, offset=position)
        entries.append(DolEntry(tag, value[position]))
        total += value[position]
        if not tag or total > MAX_DATA_BYTES:
            raise DecodeError("the list asks for too much", tag=tag, offset=start)
        position += 1
    return tuple(entries)


def encode(entries: tuple[DolEntry, ...]) -> bytes:
    """Return the list as a card holds it."""
    return b"".join(tlv.encode_tag(entry.tag) + bytes((entry.length,)) for entry in entries)


def length(entries: tuple[DolEntry, ...]) -> int:
    """Return how many bytes the data of a list has."""
    return sum(entry.length for entry in entries)


def fill(entries: tuple[DolEntry, ...], values: Mapping[int, bytes]) -> bytes:
    """Return the values one after another as the list asks. What is not there is sent as zeros."""
    return b"".join(fit(entry, values.get(entry.tag)) for entry in entries)


def fit(entry: DolEntry, value: bytes | None) -> bytes:
    """Return a value in exactly the length asked for.

    Numeric values keep their right end and are filled with zeros on the left; compressed numeric ones
    keep their left end and are filled with F; all others keep their left end and are filled with zeros.
    An unknown or a constructed object is sent as zeros.
    """
    if value is None or tlv.is_constructed(entry.tag):
        return bytes(entry.length)
    if len(value) == entry.length:
        return value
    info = describe(entry.tag)
    form = info.format if info else Format.B
    if form is Format.N:
        return value[-entry.length :].rjust(entry.length, b"\0") if entry.length else b""
    filler = b"\xff" if form is Format.CN else b"\0"
    return value[: entry.length].ljust(entry.length, filler)
