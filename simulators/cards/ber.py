"""Just enough BER-TLV for a card to speak, kept apart from the terminal's codec on purpose.

A card that shared its encoder with the terminal's decoder would agree with its mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator


def tlv(tag: str, *values: bytes) -> bytes:
    """Return one data object: tag in hex, definite length, the values joined."""
    value = b"".join(values)
    size = len(value)
    if size < 0x80:
        length = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes.fromhex(tag) + length + value


def _read_tag(data: bytes, offset: int) -> tuple[str, int]:
    end = offset + 1
    if data[offset] & 0x1F == 0x1F:
        while data[end] & 0x80:
            end += 1
        end += 1
    return data[offset:end].hex().upper(), end


def _read_length(data: bytes, offset: int) -> tuple[int, int]:
    first = data[offset]
    if first < 0x80:
        return first, offset + 1
    end = offset + 1 + (first & 0x7F)
    if first == 0x80 or end > len(data):
        raise ValueError("bad length")
    return int.from_bytes(data[offset + 1 : end], "big"), end


def siblings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the data objects of a string, without what constructed ones hold.

    Raises ValueError for anything that is no BER-TLV.
    """
    offset = 0
    while offset < len(data):
        try:
            tag, start = _read_tag(data, offset)
            size, start = _read_length(data, start)
        except IndexError:
            raise ValueError("cut off in a header") from None
        value = data[start : start + size]
        if len(value) < size:
            raise ValueError("cut off in a value")
        yield tag, value
        offset = start + size


def objects(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the data objects of a string, constructed ones followed by what they hold.

    Raises ValueError for anything that is no BER-TLV.
    """
    for tag, value in siblings(data):
        yield tag, value
        if bytes.fromhex(tag)[0] & 0x20:
            yield from objects(value)


def split_by_dol(dol: bytes, data: bytes) -> dict[str, bytes]:
    """Return what the terminal sent for each tag of a data object list.

    Raises ValueError if the data is not exactly as long as the list asks for.
    """
    found: dict[str, bytes] = {}
    at = offset = 0
    while at < len(dol):
        tag, at = _read_tag(dol, at)
        size, at = _read_length(dol, at)
        found[tag] = data[offset : offset + size]
        offset += size
    if offset != len(data):
        raise ValueError(f"the list asks for {offset} bytes, {len(data)} came")
    return found
