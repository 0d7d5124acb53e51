"""What becomes of a card's honest answer on its way: changes that know what an answer is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from emv import tlv
from emv.errors import DecodeError
from tests.fuzz.choices import LENGTHS, Choices

STATUS_WORDS = (
    0x9000,
    0x6A82,
    0x6985,
    0x6984,
    0x6986,
    0x6283,
    0x6100,
    0x6C00,
    0x6700,
    0x6D00,
    0x63C0,
    0x6FFF,
)
LOST: bytes | None = None
MAX_BYTES = 5_000
"""What a reader hands over at most; a terminal keeps less."""


@dataclass(slots=True)
class Piece:
    """One data object of an answer, as it was received.

    Args:
        tag: Its tag.
        value: What is in it, a template unopened.
        begin, end: Where it stands in the answer's data, header included.
        parents: Where the templates around it begin, the outermost first.
    """

    tag: int
    value: bytes
    begin: int
    end: int
    parents: tuple[int, ...]


def pieces(data: bytes) -> list[Piece]:
    """Return every data object at every depth, as far as the data can be read."""
    found: list[Piece] = []

    def level(content: bytes, base: int, parents: tuple[int, ...]) -> None:
        try:
            spans = tlv.spans(content)
        except DecodeError:
            return
        for tag, begin, end in spans:
            ((_, value),) = tlv.split(content[begin:end])
            found.append(Piece(tag, value, base + begin, base + end, parents))
            if tlv.is_constructed(tag) and len(parents) < tlv.MAX_DEPTH:
                level(value, base + end - len(value), (*parents, base + begin))

    level(data, 0, ())
    return found


class Way:
    """The way from the card to the terminal: most answers arrive as they are, some changed.

    Args:
        choices: The fuzzer's: how many answers arrive unchanged, what becomes of the next, and so on. With
            nothing left, all the others arrive unchanged.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._unchanged = choices.byte() & 0x0F

    def arrives(self, answer: bytes, before: Sequence[bytes]) -> bytes | None:
        """Return what arrives instead of an answer; see `changed`."""
        if self._unchanged or not self._choices:
            self._unchanged = max(0, self._unchanged - 1)
            return answer
        arrived = changed(answer, self._choices, before)
        self._unchanged = self._choices.byte() & 0x0F
        return arrived


def changed(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes | None:
    """Return what becomes of an answer after one change, or up to four; None is a card that was lost.

    Args:
        answer: What the card said, status word included.
        choices: Which changes.
        before: Earlier answers of this card, and of others.
    """
    told = choices.byte()
    current: bytes | None = answer
    for _ in range(1 + (told & 3 if told & 0x80 else 0)):
        if current is None:
            return None
        current = choices.pick(CHANGES)(current, choices, before)
    return None if current is None else current[:MAX_BYTES]


def status(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    sw = STATUS_WORDS[choices.byte() % len(STATUS_WORDS)]
    keeps = choices.byte() & 1
    low = choices.byte() if sw in (0x6100, 0x6C00) else sw & 0xFF
    return (answer[:-2] if keeps else b"") + bytes((sw >> 8, low))


def lost(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes | None:
    return LOST


def noise(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return choices.take(choices.byte()) + answer[-2:]


def no_status(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    """Bytes without even a status word."""
    return choices.take(choices.byte() & 0x0F)


def cut(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return answer[: choices.byte() * (len(answer) - 2) // 256] + answer[-2:]


def flip(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    at = choices.number(2) % len(answer) if answer else 0
    return answer[:at] + bytes((choices.byte(),)) + answer[at + 1 :]


def another(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return before[choices.byte() % len(before)] if before else answer


def lengthen(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    """More than any terminal keeps."""
    return (answer[:-2] * (1 + choices.byte() % 64))[: MAX_BYTES - 2] + answer[-2:]


def set_value(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return _on_piece(answer, choices, lambda piece: tlv.encode_one(piece.tag, choices.value()))


def set_byte(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    def change(piece: Piece) -> bytes:
        at = choices.byte() % max(1, len(piece.value))
        octet = bytes((choices.byte(),))
        return tlv.encode_one(piece.tag, piece.value[:at] + octet + piece.value[at + 1 :])

    return _on_piece(answer, choices, change)


def resize(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    def change(piece: Piece) -> bytes:
        length = LENGTHS[choices.byte() % len(LENGTHS)]
        return tlv.encode_one(piece.tag, piece.value[:length].ljust(length, b"\0"))

    return _on_piece(answer, choices, change)


def rename(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return _on_piece(answer, choices, lambda piece: _object(choices.tag(), piece.value))


def drop(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return _on_piece(answer, choices, lambda piece: b"")


def double(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    return _on_piece(answer, choices, lambda piece: 2 * tlv.encode_one(piece.tag, piece.value))


def insert(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    def change(piece: Piece) -> bytes:
        new = _object(choices.tag(), choices.value())
        old = tlv.encode_one(piece.tag, piece.value)
        return new + old if choices.byte() & 1 else old + new

    return _on_piece(answer, choices, change)


def borrow(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    """The value of an object of the same tag, or of any, out of an earlier answer."""
    theirs = pieces(another(answer, choices, before)[:-2])

    def change(piece: Piece) -> bytes:
        same = [other for other in theirs if other.tag == piece.tag] or theirs
        return tlv.encode_one(piece.tag, same[choices.byte() % len(same)].value if same else b"")

    return _on_piece(answer, choices, change)


def swap(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    found = pieces(answer[:-2])
    if not found:
        return answer
    other = found[choices.byte() % len(found)].value
    return _on_piece(answer, choices, lambda piece: tlv.encode_one(piece.tag, other))


def lie(answer: bytes, choices: Choices, before: Sequence[bytes]) -> bytes:
    """A length byte that is another than it should be; nothing else moves."""
    found = pieces(answer[:-2])
    if not found:
        return answer
    piece = found[choices.byte() % len(found)]
    at = piece.end - len(piece.value) - 1
    return answer[:at] + bytes((choices.byte(),)) + answer[at + 1 :]


def _object(tag: int, value: bytes) -> bytes:
    """Return an object that may have a tag that is none."""
    try:
        return tlv.encode_one(tag, value)
    except ValueError:
        return bytes((tag & 0xFF,)) + bytes((len(value) & 0x7F,)) + value


def _on_piece(answer: bytes, choices: Choices, change: Callable[[Piece], bytes]) -> bytes:
    """Put something in the place of one object, and set the lengths of the templates around it right."""
    data, sw = answer[:-2], answer[-2:]
    found = pieces(data)
    if not found:
        return answer
    piece = found[choices.byte() % len(found)]
    new, begin, end = change(piece), piece.begin, piece.end
    around = {other.begin: other for other in found}
    for parent in reversed([around[begin] for begin in piece.parents]):
        content = data[parent.end - len(parent.value) : begin] + new + data[end : parent.end]
        new, begin, end = tlv.encode_one(parent.tag, content), parent.begin, parent.end
    return data[:begin] + new + data[end:] + sw


Change: TypeAlias = Callable[[bytes, Choices, Sequence[bytes]], bytes | None]

CHANGES: tuple[Change, ...] = (
    set_byte,
    set_value,
    drop,
    insert,
    resize,
    status,
    borrow,
    swap,
    rename,
    double,
    another,
    flip,
    cut,
    lie,
    noise,
    lost,
    no_status,
    lengthen,
)
"""By the number that an input tells; new ones go to the end, or inputs of before mean something else."""
