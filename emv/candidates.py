"""Which applications of a card the terminal can take, and in which order.

Spec: EMV Contactless Book B 2.5, 3.3.2 and 3.3.3; EMV 4.4 Book 1, 12.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emv import dol, tlv
from emv.aid import default_kernel
from emv.config import CombinationConfig
from emv.errors import DecodeError
from emv.kernel import Indicators
from emv.tags import Tag


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One application as the PPSE announces it.

    Args:
        name: The application's name, empty if it is missing.
        label: For the receipt and the screen.
        priority: 1 is the highest, 15 the lowest; 0 if there is none.
        kernel: The Kernel Identifier's bytes.
        extended_selection: What may be appended to the name in SELECT.
    """

    name: bytes
    label: str = ""
    priority: int = 0
    kernel: bytes = b""
    extended_selection: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination that card and terminal have in common."""

    entry: DirectoryEntry
    combination: CombinationConfig
    indicators: Indicators


def directory(fci: bytes) -> tuple[DirectoryEntry, ...]:
    """Return the entries of the PPSE's answer to SELECT, in its order.

    Raises:
        DecodeError: the answer is not TLV.
    """
    inside = tlv.find_template(tlv.decode(fci), Tag.FCI_TEMPLATE, Tag.FCI_PROPRIETARY, Tag.FCI_DISCRETIONARY)
    found = (value for tag, value in inside or () if tag == Tag.APPLICATION_TEMPLATE)
    return tuple(_entry(value) for value in found if isinstance(value, tuple))


def _entry(objects: tuple[tlv.Tlv, ...]) -> DirectoryEntry:
    values = {tag: value for tag, value in reversed(objects) if isinstance(value, bytes)}
    priority = values.get(Tag.PRIORITY, b"")
    label = values.get(Tag.APPLICATION_LABEL, b"")
    return DirectoryEntry(
        name=values.get(Tag.ADF_NAME, b""),
        label=printable(label),
        priority=priority[0] & 0x0F if len(priority) == 1 else 0,
        kernel=values.get(Tag.KERNEL_IDENTIFIER, b""),
        extended_selection=values.get(Tag.EXTENDED_SELECTION, b""),
    )


def printable(text: bytes) -> str:
    """Return a card's text with everything that can't be printed left out."""
    return "".join(character for character in text.decode("latin-1") if character.isprintable()).strip()


def requested_kernel(entry: DirectoryEntry, aid: bytes) -> int | None:
    """Return the kernel the card asks for: 0 for any, None if the identifier is malformed.

    Where bits 8 and 7 are 10 or 11 and the short identifier is zero, Book B leaves the meaning open;
    we compare the whole value with the configured number.

    Spec: Book B, 3.3.2.5 C.
    """
    identifier = entry.kernel
    if not identifier:
        return default_kernel(aid)
    if identifier[0] < 0x80:
        return identifier[0]
    if len(identifier) < 3:
        return None
    return int.from_bytes(identifier[:3] if identifier[0] & 0x3F else identifier, "big")


def matches(entry: DirectoryEntry, combination: CombinationConfig) -> bool:
    """Say whether a directory entry is for a combination.

    Spec: Book B, 3.3.2.5 A to D.
    """
    name, aid = entry.name, combination.aid
    if not 5 <= len(name) <= 16 or not name.startswith(aid):
        return False
    if len(name) > len(aid) and not combination.partial_selection:
        return False
    kernel = requested_kernel(entry, aid)
    return kernel is not None and kernel in (0, combination.kernel_id)


def candidate_list(
    entries: Sequence[DirectoryEntry],
    combinations: Sequence[tuple[CombinationConfig, Indicators]],
) -> tuple[Candidate, ...]:
    """Return what card and terminal have in common, the one to select first in front.

    The order is by the card's priority, then by the place in the PPSE. No priority is the lowest.

    Spec: Book B, 3.3.2.5 and 3.3.3.2.
    """
    found = [
        Candidate(entry, combination, indicators)
        for entry in entries
        for combination, indicators in combinations
        if not indicators.not_allowed and matches(entry, combination)
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.entry.priority or 16))


def asks_for_ttq(fci: bytes) -> bool:
    """Say whether the application's PDOL asks for the TTQ, as kernel 3 needs it.

    Spec: Book B, 3.3.3.6.
    """
    try:
        pdol = tlv.find_bytes(tlv.decode(fci), Tag.FCI_TEMPLATE, Tag.FCI_PROPRIETARY, Tag.PDOL)
        return pdol is not None and any(entry.tag == Tag.TTQ for entry in dol.decode(pdol))
    except DecodeError:
        return False
