"""BER-TLV as EMV uses it: strict, bounded, and fast enough not to matter in a tap.

A data object is a plain tuple `(tag, value)`; the tag is an integer with the tag bytes in it
(0x9F26), the value is `bytes` for a primitive object and a tuple of data objects for a constructed
one (bit 6 of the first tag byte). Order and repetitions are kept.

What is refused, always with `DecodeError` naming tag and offset: a tag, length or value that is cut
off, tags longer than four bytes, the indefinite length form (80), lengths of more than four bytes,
and nesting deeper than `MAX_DEPTH`. What is allowed: a length that is not in its shortest form
(BER permits it and cards send it), and 00 bytes between objects, which are padding.

Repetitions are a question for whoever turns a tree into a mapping: `flatten` takes the policy.

`decode(encode(x)) == x` for every tree; `encode(decode(y)) == y` for every y in shortest form
without padding.

Spec: EMV 4.4 Book 3, Annex B; ISO/IEC 8825-1, 8.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TypeAlias

from emv.errors import DecodeError

Tlv: TypeAlias = "tuple[int, bytes | tuple[Tlv, ...]]"

MAX_DEPTH = 8
"""Templates in templates: EMV itself needs four (6F, A5, BF0C, 61)."""
MAX_TAG_BYTES = 4
MAX_LENGTH_BYTES = 4


class Duplicates(Enum):
    """What `flatten` does with a tag that comes twice."""

    REFUSE = "refuse"
    """The card's data is in error (EMV 4.4 Book 3, 10.2)."""
    FIRST = "first"
    LAST = "last"


def decode(data: bytes) -> tuple[Tlv, ...]:
    """Return the data objects in `data`."""
    return _decode(data, 0, 1)


def split(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return the data objects of the top level only, templates unopened.

    For what may be wrong inside and must not spoil the rest, such as an issuer's scripts.
    """
    found, position = [], 0
    while position < len(data):
        if not data[position]:
            position += 1
            continue
        tag, start = read_tag(data, position)
        try:
            value, position = _read_length(data, start)
        except DecodeError as error:
            raise DecodeError(error.reason, tag=tag, offset=error.offset) from None
        found.append((tag, data[value:position]))
    return tuple(found)


def spans(data: bytes) -> tuple[tuple[int, int, int], ...]:
    """Return tag, begin and end of each data object of the top level.

    For what is hashed as it was received, whatever form its lengths have.
    """
    found, position = [], 0
    while position < len(data):
        if not data[position]:
            position += 1
            continue
        tag, start = read_tag(data, position)
        _, end = _read_length(data, start)
        found.append((tag, position, end))
        position = end
    return tuple(found)


def _decode(data: bytes, base: int, depth: int) -> tuple[Tlv, ...]:
    """Decode one level. `base` is where `data` starts in what the caller gave to `decode`.

    The loop checks no bound: reading behind the end raises IndexError, and a slice behind the end is
    short and leaves `position` too far. `_fault` then finds out what exactly is wrong.
    """
    found: list[Tlv] = []
    append = found.append
    position = 0
    size = len(data)
    try:
        while position < size:
            tag = data[position]
            constructed = tag & 0x20
            if tag & 0x1F == 0x1F:
                more = data[position + 1]
                if more > 0x7F:
                    tag, position = _long_tag(data, position)
                    length = data[position]
                    position += 1
                else:
                    tag = tag << 8 | more
                    length = data[position + 2]
                    position += 3
            elif tag:
                length = data[position + 1]
                position += 2
            else:
                position += 1
                continue
            if length > 0x7F:
                count = length - 0x80
                if not 0 < count <= MAX_LENGTH_BYTES or position + count > size:
                    break
                length = int.from_bytes(data[position : position + count], "big")
                position += count
            end = position + length
            if constructed:
                if depth == MAX_DEPTH or end > size:
                    break
                append((tag, _decode(data[position:end], base + position, depth + 1)))
            else:
                append((tag, data[position:end]))
            position = end
        else:
            if position == size:
                return tuple(found)
    except IndexError:
        pass
    raise _fault(data, base, depth)


def _long_tag(data: bytes, position: int) -> tuple[int, int]:
    """Read a tag of three or four bytes; IndexError if it is longer or cut off."""
    tag = data[position]
    for end in range(position + 1, position + MAX_TAG_BYTES):
        tag = tag << 8 | data[end]
        if not data[end] & 0x80:
            return tag, end + 1
    raise IndexError


def _fault(data: bytes, base: int, depth: int) -> DecodeError:
    """Say what is wrong with the first bad data object of a level. Runs only once something is."""
    position = 0
    while True:
        start = position
        if not data[start]:
            position += 1
            continue
        try:
            tag, position = read_tag(data, start)
        except DecodeError as error:
            return DecodeError(error.reason, tag=error.tag, offset=base + start)
        if data[start] & 0x20 and depth == MAX_DEPTH:
            return DecodeError("templates are nested too deep", tag=tag, offset=base + start)
        try:
            _, position = _read_length(data, position)
        except DecodeError as error:
            return DecodeError(error.reason, tag=tag, offset=base + error.offset)


def _read_length(data: bytes, position: int) -> tuple[int, int]:
    """Return where the value begins and ends whose length stands at `position`, all of it being there."""
    begin, end = read_length(data, position)
    if end > len(data):
        told, there = end - begin, len(data) - begin
        raise DecodeError(
            f"the value is cut off: its length counts {told} bytes, {there} follow", offset=begin
        )
    return begin, end


def read_length(data: bytes, position: int) -> tuple[int, int]:
    """Return where the value begins and should end whose length stands at `position`."""
    if position == len(data):
        raise DecodeError("the length is missing", offset=position)
    length = data[position]
    position += 1
    if length > 0x7F:
        count = length - 0x80
        if not count:
            raise DecodeError("the indefinite length is not allowed", offset=position - 1)
        if count > MAX_LENGTH_BYTES:
            raise DecodeError("the length has too many bytes", offset=position - 1)
        if position + count > len(data):
            raise DecodeError("the length is cut off", offset=position)
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    return position, position + length


def encode(objects: Iterable[Tlv]) -> bytes:
    """Return the data objects as bytes, each length in its shortest form."""
    return b"".join(encode_one(tag, value) for tag, value in objects)


def encode_one(tag: int, value: bytes | tuple[Tlv, ...]) -> bytes:
    """Return one data object as bytes.

    Raises:
        ValueError: the tag is not a BER-TLV tag, or the value does not match its constructed bit.
    """
    name = encode_tag(tag)
    if is_constructed(tag):
        content = value if isinstance(value, bytes) else encode(value)
    elif isinstance(value, tuple):
        raise ValueError(f"tag {tag:02X} is primitive and can't hold other objects")
    else:
        content = value
    return name + encode_length(len(content)) + content


def encode_length(length: int) -> bytes:
    """Return a length in its shortest form."""
    if length < 0x80:
        return bytes((length,))
    count = (length.bit_length() + 7) // 8
    if count > MAX_LENGTH_BYTES:
        raise ValueError("a value longer than four length bytes can say")
    return bytes((0x80 + count,)) + length.to_bytes(count, "big")


def encode_tag(tag: int) -> bytes:
    """Return the bytes of a tag, refusing what `decode` would not read as one."""
    if not 0 < tag <= 0xFFFFFFFF:
        raise ValueError("a tag has one to four bytes and is not zero")
    name = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    long = name[0] & 0x1F == 0x1F
    if long != (len(name) > 1) or any(not byte & 0x80 for byte in name[1:-1]) or (long and name[-1] & 0x80):
        raise ValueError(f"{tag:02X} is not a BER-TLV tag")
    return name


def is_constructed(tag: int) -> bool:
    """Say whether objects with this tag hold other objects: bit 6 of the first byte."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & 0x20)


def tag_list(data: bytes) -> tuple[int, ...]:
    """Return the tags of a list of tags without lengths, such as tag 9F4A."""
    tags, position = [], 0
    while position < len(data):
        tag, position = read_tag(data, position)
        tags.append(tag)
    return tuple(tags)


def read_tag(data: bytes, position: int) -> tuple[int, int]:
    """Return the tag at `position` and the position behind it."""
    start, tag = position, data[position]
    position += 1
    if tag & 0x1F == 0x1F:
        more = 0x80
        while more & 0x80:
            if position - start == MAX_TAG_BYTES:
                raise DecodeError("the tag is too long", tag=tag, offset=start)
            if position == len(data):
                raise DecodeError("the tag is cut off", tag=tag, offset=start)
            more = data[position]
            tag, position = tag << 8 | more, position + 1
    return tag, position


def walk(objects: Iterable[Tlv]) -> Iterator[tuple[int, bytes]]:
    """Yield every primitive object, depth first, templates opened."""
    for tag, value in objects:
        if isinstance(value, bytes):
            yield tag, value
        else:
            yield from walk(value)


def flatten(objects: Iterable[Tlv], duplicates: Duplicates = Duplicates.REFUSE) -> dict[int, bytes]:
    """Return every primitive object by tag."""
    flat: dict[int, bytes] = {}
    for tag, value in walk(objects):
        if tag in flat:
            if duplicates is Duplicates.REFUSE:
                raise DecodeError("the tag comes twice", tag=tag)
            if duplicates is Duplicates.FIRST:
                continue
        flat[tag] = value
    return flat


def find(objects: Iterable[Tlv], *path: int) -> bytes | tuple[Tlv, ...] | None:
    """Return the value of the first object at the end of a path of tags, or None."""
    value: bytes | tuple[Tlv, ...] | None = tuple(objects)
    for step in path:
        if not isinstance(value, tuple):
            return None
        value = next((inner for tag, inner in value if tag == step), None)
    return value


def find_template(objects: Iterable[Tlv], *path: int) -> tuple[Tlv, ...] | None:
    """Return the objects inside the first template at the end of a path of tags, or None."""
    value = find(objects, *path)
    return value if isinstance(value, tuple) else None


def find_bytes(objects: Iterable[Tlv], *path: int) -> bytes | None:
    """Return the first primitive value at the end of a path of tags, or None."""
    value = find(objects, *path)
    return value if isinstance(value, bytes) else None
