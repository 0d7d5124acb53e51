"""`tillside emv decode`: what the bytes of a card or a terminal mean, in words."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emv import tlv
from emv.errors import DecodeError
from emv.explain import Node, explain_answer, explain_field, explain_readable
from emv.reset_words import explain_atr, explain_ats
from terminal.commands.errors import FINDING, FINE, WRONG_USE
from terminal.commands.output import complain, fault, say, say_json
from terminal.names import ENGLISH

WIDEST_NAME = 52
"""Columns for tag and name in the tree; a longer name moves only its own line."""
COLUMNS_OF_VALUE = 20
"""Ten bytes of a value are shown whole; of a longer one, both ends."""
WIDEST_MEANING = 60
INDENT = 2
MAX_BYTES = 64 * 1024
"""Far more than cards and terminals say to each other: an answer has 256 bytes."""
_PREFIX, _SEPARATORS, _NO_DIGIT = re.compile(r"\b0[xX]"), re.compile(r"[\s:,-]"), re.compile(r"[^0-9A-Fa-f]")
_INCOMPLETE = ("cut off", "missing", "only one digit")
"""What the reason says where data was perhaps not copied whole."""
_CHARACTERS_A_BYTE = 8
"""At most, of what is read: with separators."""


@dataclass(frozen=True, slots=True)
class _Fault(Exception):
    """Why there is no result."""

    message: str
    offset: int
    tag: int | None = None
    code: int = FINDING


def run(options: argparse.Namespace) -> int:
    """Decode what was given and print it."""
    try:
        data = _bytes(options)
        try:
            nodes = _nodes(options, data)
        except DecodeError as error:
            if not options.json and not (options.tag or options.atr or options.ats):
                _print(explain_readable(data, ENGLISH))
            raise _Fault(error.reason, error.offset, error.tag) from error
    except _Fault as found:
        return _tell(found, as_json=options.json)
    if options.json:
        say_json([node.fields() for node in nodes], indent=2)
    else:
        _print(nodes)
    return FINE


def _nodes(options: argparse.Namespace, data: bytes) -> tuple[Node, ...]:
    if options.atr:
        return explain_atr(data)
    if options.ats:
        return explain_ats(data)
    if options.tag is not None:
        return (explain_field(_tag(options.tag), data, ENGLISH),)
    return explain_answer(data, ENGLISH)


def _bytes(options: argparse.Namespace) -> bytes:
    most = MAX_BYTES * _CHARACTERS_A_BYTE
    text = " ".join(sys.stdin.read(most + 1) if part == "-" else part for part in options.data)
    digits = _SEPARATORS.sub("", _PREFIX.sub("", text))
    if len(text) > most or len(digits) > 2 * MAX_BYTES:
        raise _Fault(
            f"more than {MAX_BYTES // 1024} KiB: give one answer of a card at a time, or one record",
            MAX_BYTES,
            code=WRONG_USE,
        )
    wrong = _NO_DIGIT.search(digits)
    if wrong is not None:
        raise _Fault(
            f"not hexadecimal: {wrong[0]!r} is digit {wrong.start() + 1}; give digits 0 to 9 and A to F only",
            wrong.start() // 2,
            code=WRONG_USE,
        )
    if len(digits) % 2:
        raise _Fault("the last byte has only one digit", len(digits) // 2)
    data = bytes.fromhex(digits)
    if options.tag is None and not any(data):
        raise _Fault(
            "nothing to decode: give data objects in hexadecimal, such as 9F3602000A", 0, code=WRONG_USE
        )
    return data


def _tag(text: str) -> int:
    try:
        tag = int(text, 16)
        tlv.encode_tag(tag)
    except ValueError:
        raise _Fault(f"--tag {text}: not a tag; give one such as 95 or 9F38", 0, code=WRONG_USE) from None
    return tag


def _tell(found: _Fault, *, as_json: bool) -> int:
    tag = None if found.tag is None else f"{found.tag:02X}"
    if as_json:
        told = fault(found.message)
        told["error"] |= {"offset": found.offset, "tag": tag}
        say_json(told)
    sys.stdout.flush()
    if found.code == WRONG_USE:
        complain(found.message)
        return found.code
    where = f"byte {found.offset}" if tag is None else f"tag {tag}, byte {found.offset}"
    hint = "; check that it was copied whole" if any(words in found.message for words in _INCOMPLETE) else ""
    complain(f"malformed at {where} (counted from 0): {found.message}{hint}")
    return found.code


def _print(nodes: Iterable[Node]) -> None:
    """Print a tree: tag and name, length, value, and what it means beside or below it."""
    rows = list(_rows(nodes, 0))
    tags = max((len(_tag_text(node)) for _, node in rows), default=0)
    lines = [(f"{' ' * INDENT * depth}{_named(node, tags)}", node) for depth, node in rows]
    width = max((len(left) for left, node in lines if node.value and len(left) <= WIDEST_NAME), default=0)
    for left, node in lines:
        say(_line(left, width, node))
        for line in node.meaning if _is_long(node) else ():
            say(f"{'':<{width + 7}}- {line}")


def _line(left: str, width: int, node: Node) -> str:
    if not node.value:
        beside = "" if _is_long(node) else " ".join(node.meaning)
        count = f"({node.length})" if node.length else ""
        return "  ".join(part for part in (left, count, beside) if part)
    beside = "" if _is_long(node) else " ".join(node.meaning)
    return f"{left:<{width}}  {node.length:>3}  {_short(node.value):<{COLUMNS_OF_VALUE}}  {beside}".rstrip()


def _is_long(node: Node) -> bool:
    """Say whether the meaning has lines of its own, so that none is pushed out of sight."""
    return len(node.meaning) > 1 or len(" ".join(node.meaning)) > WIDEST_MEANING


def _named(node: Node, tags: int) -> str:
    return f"{_tag_text(node):<{tags}} {node.name}" if tags else node.name


def _tag_text(node: Node) -> str:
    return node.tag_text or ""


def _rows(nodes: Iterable[Node], depth: int) -> Iterator[tuple[int, Node]]:
    for node in nodes:
        yield depth, node
        yield from _rows(node.children, depth + 1)


def _short(value: str) -> str:
    """Return a value in hexadecimal whole, or both ends of a long one."""
    if len(value) <= COLUMNS_OF_VALUE or not value.isalnum():
        return value
    return f"{value[:10]}..{value[-8:]}"
