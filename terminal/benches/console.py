"""One command to a card and its answer as lines for a technician, masked.

The masking is that of `emv.explain` and, for what is no TLV, of `emv.trace`; what still looks like a card
number afterwards is masked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emv import trace
from emv.apdu import CommandApdu, ResponseApdu
from emv.commands import PPSE, select
from emv.errors import DecodeError
from emv.explain import Node, explain
from emv.status_words import words
from terminal.card_numbers import mask
from terminal.names import ENGLISH

SELECT_PPSE = select(PPSE).encode()
"""The command that every contactless payment begins with."""


class ApduError(ValueError):
    """Text that is no command; the message says what a command looks like."""


@dataclass(frozen=True, slots=True)
class Row:
    """One data object of an answer: how deep it lies, its tag and name, and what it says."""

    depth: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer. Nothing in it is secret."""

    command: str
    status: str
    rows: tuple[Row, ...]
    ms: float


def parse_apdu(text: str) -> bytes:
    """Return the command written in *text* in hexadecimal, blanks and colons allowed. Raises ApduError."""
    digits = "".join(text.split()).replace(":", "").removeprefix("0x")
    try:
        capdu = bytes.fromhex(digits)
        CommandApdu.decode(capdu)
    except ValueError as error:
        raise ApduError("A command is hexadecimal, two digits a byte, such as 00A40400") from error
    except DecodeError as error:
        raise ApduError(f"No command: {error}") from error
    return capdu


def exchange_of(capdu: bytes, rapdu: bytes, ms: float) -> Exchange:
    """Return an exchange with everything sensitive masked."""
    command, *rest = trace.render(capdu, rapdu).splitlines()
    try:
        response = ResponseApdu.decode(rapdu)
    except DecodeError:
        return Exchange(mask(command[2:]), rest[0][2:], (), ms)
    status = f"{int(response.sw):04X} {words(int(response.sw)) or ''}".rstrip()
    if response.data:
        status = f"{status}, {len(response.data)} bytes"
    try:
        rows = tuple(_rows(explain(response.data, ENGLISH), 0))
    except DecodeError:
        rows = (Row(0, "not TLV", "not shown"),) if response.data else ()
    return Exchange(mask(command[2:]), status, rows, ms)


def rows_of(nodes: Iterable[Node]) -> tuple[Row, ...]:
    """Return nodes as rows."""
    return tuple(_rows(nodes, 0))


def _rows(nodes: Iterable[Node], depth: int) -> Iterator[Row]:
    for node in nodes:
        name = f"{node.tag_text} {node.name}" if node.tag_text else node.name
        yield Row(depth, name, mask("; ".join(node.meaning) or node.value))
        yield from _rows(node.children, depth + 1)
