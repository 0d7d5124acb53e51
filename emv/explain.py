"""Data objects as a tree of nodes that says in words what they mean, with card data masked.

Ways in: `explain` for a string of data objects, `explain_answer` for one that may have a card's status word
at its end, `explain_field` for the bare value of one, and `explain_atr` and `explain_ats` for what a card
answers to a reset.

What a tag means may depend on the kernel. The application's name, where the data has one, tells the kernel;
without it the value's length and shape decide. Where several meanings are left, all are named and nothing
is read into the value.

Masked are: what the table of tags calls sensitive, and any value that holds the card number found elsewhere
in the same data. Expiry and service code are shown: whoever looks for the reason of a decline needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from emv import aid, dol, field_words, status_words, tlv
from emv.errors import DecodeError
from emv.field_words import Context, Lines
from emv.names import NO_NAMES, Names
from emv.sensitive import Pan, SensitiveBytes, Track2
from emv.tags import MEANINGS, TagInfo, describe

UNKNOWN = "unknown"
STATUS_WORD = "SW"
"""What stands where others have a tag."""
SHOWN = (0x5F24, 0x5F30)
"""Sensitive to a log, but needed by whoever looks for the reason of a decline."""
DOL_TAGS = (0x8C, 0x8D, 0x97, 0x9F38, 0x9F49, 0x9F4F, 0xDF811A)
DOL_NAMES = ("DRDOL", "DSDOL", "UDOL")
TAG_LISTS = (0x5C, 0x9F4A)
_AIDS = (0x84, 0x4F, 0x9F06)
_FORMAT_1, _PAN, _TRACK_1, _TRACK_2 = 0x80, 0x5A, 0x56, (0x57, 0x9F6B)
_CODE_TABLE, _ISSUER_CERTIFICATE = 0x9F11, 0x90
_SHORTEST_PAN, _LONGEST_PAN = 12, 19
_DIGITS = re.compile(f"[0-9]{{{_SHORTEST_PAN},}}")


@dataclass(frozen=True, slots=True)
class Node:
    """One data object, or one part of an answer to reset.

    Args:
        tag: The tag; STATUS_WORD, or None for what has none.
        name: Its name, or "unknown".
        length: Bytes of its value.
        value: The value in hexadecimal, or its mask; empty for a template, whose children have it.
        meaning: What it says, in lines.
        children: What is inside it.
    """

    tag: int | str | None
    name: str
    length: int
    value: str
    meaning: Lines = ()
    children: tuple[Node, ...] = ()

    @property
    def tag_text(self) -> str | None:
        """The tag as people write it, such as 9F38; None for what has none."""
        return f"{self.tag:02X}" if isinstance(self.tag, int) else self.tag

    def fields(self) -> dict[str, Any]:
        """Return the node as JSON has it."""
        return {
            "tag": self.tag_text,
            "name": self.name,
            "length": self.length,
            "value": self.value,
            "meaning": "\n".join(self.meaning),
            "children": [child.fields() for child in self.children],
        }


def explain(data: bytes, names: Names = NO_NAMES) -> tuple[Node, ...]:
    """Return the data objects in `data`.

    A value that does not follow its own format is shown with what is wrong; it spoils nothing else.

    Raises:
        DecodeError: `data` is not made of data objects.
    """
    tlv.decode(data)
    return explain_readable(data, names)


def explain_answer(data: bytes, names: Names = NO_NAMES) -> tuple[Node, ...]:
    """Return the data objects in `data`, and the status word behind them if there is one.

    There is one where `data` is made of data objects only without it, and where it would be an empty object
    90: an issuer's certificate without a byte in it is nothing that a card sends.

    Raises:
        DecodeError: `data` is not made of data objects, whether or not its end is a status word.
    """
    body, status = data[: -status_words.BYTES], data[-status_words.BYTES :]
    meaning = status_words.words(int.from_bytes(status, "big")) if len(status) == status_words.BYTES else None
    if meaning is None or not _is_apart(data):
        return explain(data, names)
    node = Node(STATUS_WORD, "Status word", len(status), status.hex().upper(), (meaning,))
    return (*explain_readable(body, names), node)


def _is_apart(data: bytes) -> bool:
    """Say whether the last two bytes are no part of the data objects in front of them."""
    try:
        last = tlv.decode(data)[-1]
    except DecodeError:
        return _is_whole_tree(data[: -status_words.BYTES])
    except IndexError:
        return False  # nothing but padding
    return last == (_ISSUER_CERTIFICATE, b"") and data.endswith(b"\x90\x00")


def _is_whole_tree(data: bytes) -> bool:
    try:
        tlv.decode(data)
    except DecodeError:
        return False
    return True


def explain_readable(data: bytes, names: Names = NO_NAMES) -> tuple[Node, ...]:
    """Return the data objects in `data` up to the first fault in its structure. It never raises."""
    return _Reader(_primitives(data), names).level(data, 1)[0]


def explain_field(tag: int, value: bytes, names: Names = NO_NAMES) -> Node:
    """Return the data object with this tag and value.

    Raises:
        DecodeError: the value does not follow the format of the tag.
    """
    if tlv.is_constructed(tag):
        tlv.decode(value)
    reader = _Reader([(tag, value)], names)
    info, _ = reader.resolve(tag, value)
    if info is not None:
        try:
            field_words.check_length(tag, value, info)
            reader.read(tag, value, info)
        except DecodeError as error:
            raise DecodeError(error.reason, tag=tag, offset=error.offset) from None
    return reader.node(tag, value, b"", 1)[0]


def _primitives(data: bytes) -> list[tuple[int, bytes]]:
    """Return the primitive objects that can be read."""
    found: list[tuple[int, bytes]] = []

    def collect(level: bytes, depth: int) -> bool:
        for tag, value, whole in readable(level):
            if tlv.is_constructed(tag):
                whole = depth < tlv.MAX_DEPTH and collect(value, depth + 1) and whole
            elif whole:
                found.append((tag, value))
            if not whole:
                return False
        return True

    collect(data, 1)
    return found


def readable(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """Yield tag, value and whether it is whole, until data is at its end or can't be read.

    A template that is cut off is yielded with what there is of it.
    """
    position = 0
    while position < len(data):
        if not data[position]:
            position += 1
            continue
        try:
            tag, start = tlv.read_tag(data, position)
            begin, end = tlv.read_length(data, start)
        except DecodeError:
            return
        if end > len(data) and not tlv.is_constructed(tag):
            return
        yield tag, data[begin:end], end <= len(data)
        position = end


class _Reader:
    """Makes nodes of objects, knowing all that is in the same data."""

    def __init__(self, objects: Iterable[tuple[int, bytes]], names: Names) -> None:
        pairs = list(objects)
        first: dict[int, bytes] = {}
        for tag, value in pairs:
            first.setdefault(tag, value)
        applications = {value for tag, value in pairs if tag in _AIDS if aid.look_up(value)}
        kernels = {aid.default_kernel(value) for value in applications}
        rids = {value[:5] for value in applications}
        self._kernel = kernels.pop() if len(kernels) == 1 else 0
        self._context = Context(names, first, rid=rids.pop() if len(rids) == 1 else b"")
        self._numbers = frozenset(_card_numbers(pairs))
        self._sizes = sorted({len(number) for number in self._numbers})

    def level(self, data: bytes, depth: int) -> tuple[tuple[Node, ...], bool]:
        """Return the nodes of one level, and whether all of it could be read."""
        objects = list(readable(data))
        tables = [value for tag, value, _ in objects if tag == _CODE_TABLE]
        table = tables[0] if len(tables) == 1 else b""
        nodes = []
        for tag, value, whole in objects:
            if tag == _CODE_TABLE:
                table = value
            node, well = self.node(tag, value, table, depth)
            nodes.append(node)
            if not (whole and well):
                return tuple(nodes), False
        return tuple(nodes), _is_whole(data)

    def node(self, tag: int, value: bytes, table: bytes, depth: int) -> tuple[Node, bool]:
        """Return one object, and whether all of it could be read."""
        info, meanings = self.resolve(tag, value)
        name = info.name if info else UNKNOWN
        if tlv.is_constructed(tag):
            if depth == tlv.MAX_DEPTH:
                return Node(tag, name, len(value), ""), False
            children, well = self.level(value, depth + 1)
            return Node(tag, name, len(value), "", (), children), well
        children = ()
        try:
            meaning, children = self.read(tag, value, info, table)
        except DecodeError as error:
            meaning = (f"Not as defined: {error.reason}",)
        if meanings:
            meaning, children = tuple(meanings), ()
        shown = self._shown(tag, value, info)
        if shown is None or self._tells_number(meaning):
            meaning = tuple(line for line in meaning if tag in _TRACK_2 or line.startswith("Not as"))
            children = ()
        if shown is None:
            shown = SensitiveBytes(value).masked()
        return Node(tag, name, len(value), shown, meaning, children), True

    def read(
        self, tag: int, value: bytes, info: TagInfo | None, table: bytes = b""
    ) -> tuple[Lines, tuple[Node, ...]]:
        """Return what a primitive value says, and the objects that it lists."""
        context = replace(self._context, code_table=table)
        if info is not None and (tag in DOL_TAGS or info.name in DOL_NAMES):
            field_words.check_length(tag, value, info)
            return (), tuple(_entry(entry.tag, entry.length) for entry in dol.decode(value))
        if tag in TAG_LISTS:
            return (), tuple(_entry(listed, 0) for listed in tlv.tag_list(value))
        if tag == _FORMAT_1:
            return (), self._format_1(value)
        return field_words.words(tag, value, info, context), ()

    def resolve(self, tag: int, value: bytes) -> tuple[TagInfo | None, list[str]]:
        """Return what a tag means here, and all meanings, in words, if several are left."""
        base = describe(tag)
        others = {kernel: info for (kernel, listed), info in MEANINGS.items() if listed == tag}
        if _is_private(tag) and not (base is not None and _fits(value, base)):
            base = None
        if self._kernel:
            return others.get(self._kernel, base), []
        if not others:
            return base, []
        names = {info.name for info in others.values()}
        left = [(kernel, info) for kernel, info in others.items() if _fits(value, info)]
        if base is not None and base.name not in names and _fits(value, base):
            left.append((0, base))
        if len({info.name for _, info in left}) == 1 and not _is_private(tag):
            return left[0][1], []
        return base, [
            f"Kernel {kernel}: {info.name}" if kernel else f"Others: {info.name}" for kernel, info in left
        ]

    def _format_1(self, value: bytes) -> tuple[Node, ...]:
        """Return the objects in a response of format 1, if it can be only one of the two there are.

        Spec: EMV 4.4 Book 3, 6.5.5 and 6.5.8.
        """
        options = [(0x82, value[:2]), (0x94, value[2:])]
        cryptogram = [(0x9F27, value[:1]), (0x9F36, value[1:3]), (0x9F26, value[3:11]), (0x9F10, value[11:])]
        if len(value) >= 6 and len(value) % 4 == 2 and self._is_readable(0x94, value[2:]):
            found = options
        elif 11 <= len(value) <= 43:
            found = [part for part in cryptogram if part[1]]
        else:
            found = []
        return tuple(self.node(tag, part, b"", 1)[0] for tag, part in found)

    def _is_readable(self, tag: int, value: bytes) -> bool:
        try:
            self.read(tag, value, describe(tag))
        except DecodeError:
            return False
        return True

    def _shown(self, tag: int, value: bytes, info: TagInfo | None) -> str | None:
        """Return a value as it may be shown, or None where only its length may."""
        if not value:
            return ""
        if tag == _PAN or tag in _TRACK_2:
            return _masked(tag, value, info)
        if (info is not None and info.sensitive and tag not in SHOWN) or self._holds_number(value):
            return None
        return value.hex().upper()

    def _holds_number(self, value: bytes) -> bool:
        return self._tells_number((value.hex(), value.decode("latin-1")))

    def _tells_number(self, lines: Lines) -> bool:
        """Say whether a number stands in text. It takes no longer where there are more numbers."""
        if not self._numbers:
            return False
        return any(
            run[at : at + size] in self._numbers
            for line in lines
            for run in _DIGITS.findall(line)
            for size in self._sizes
            for at in range(len(run) - size + 1)
        )


def _masked(tag: int, value: bytes, info: TagInfo | None) -> str | None:
    try:
        if tag == _PAN:
            return Pan.decode(value).masked()
        if info is not None and not info.sensitive:
            return value.hex().upper()
        return Track2(value).masked()
    except DecodeError:
        return None


def _card_numbers(objects: Iterable[tuple[int, bytes]]) -> Iterator[str]:
    """Yield the card numbers that objects hold as such."""
    for tag, value in objects:
        digits = value.hex().upper()
        if tag == _PAN:
            digits = digits.rstrip("F")
        elif tag in _TRACK_2:
            digits = digits.partition("D")[0]
        elif tag == _TRACK_1:
            digits = value.decode("latin-1").lstrip("B").partition("^")[0]
        else:
            continue
        if _SHORTEST_PAN <= len(digits) <= _LONGEST_PAN and digits.isascii() and digits.isdigit():
            yield digits


def _entry(tag: int, length: int) -> Node:
    info = describe(tag)
    return Node(tag, info.name if info else UNKNOWN, length, "")


def _is_whole(data: bytes) -> bool:
    """Say whether reading came to the end of a level."""
    try:
        tlv.split(data)
    except DecodeError:
        return False
    return True


def _is_private(tag: int) -> bool:
    """Say whether a tag is one of those that every issuer and terminal may use for itself."""
    return 0xDF00 < tag < 0xDF80


def _fits(value: bytes, info: TagInfo) -> bool:
    """Say whether a value can be what a meaning says, by its length and shape."""
    if not info.shortest <= len(value) <= info.longest:
        return False
    shape = _SHAPES.get(info.name)
    return shape is None or shape(value)


def _is_form_factor(value: bytes) -> bool:
    return value[0] >> 5 == 1 and not value[2] and not value[3] & 0xF0


def _is_enhanced_capabilities(value: bytes) -> bool:
    """Bits that are fixed: partial online mode, mobile and mobile CVM supported; full online mode not."""
    fixed = value[0] & 0x3B == 0x18 and value[1] & 0x8F == 0x80
    return fixed and not value[2] & 0x3F and not value[3] & 0x18 and bool(value[3] & 0x07)


def _is_card_authentication(value: bytes) -> bool:
    return value[0] in (0x00, 0x01)


def _is_dol(value: bytes) -> bool:
    try:
        return all(describe(entry.tag) for entry in dol.decode(value))
    except DecodeError:
        return False


_SHAPES = {
    "Form Factor Indicator (FFI)": _is_form_factor,
    "Enhanced Contactless Reader Capabilities": _is_enhanced_capabilities,
    "Card Authentication Related Data": _is_card_authentication,
    "DRDOL": _is_dol,
    "DSDOL": _is_dol,
    "UDOL": _is_dol,
}
"""What a value must look like to be of a meaning, where a length alone does not tell."""
