"""The card's answer to GENERATE AC, and to the commands of kernel 2 that are answered alike.

Spec: EMV 4.4 Book 3, 6.5.5.4; EMV Contactless Book C-2, 5.2, 5.4 and 5.8.
"""

from __future__ import annotations

from emv import tlv
from emv.errors import DecodeError
from emv.tags import Tag

_SHORTEST, _LONGEST = 11, 43
"""CID, ATC and cryptogram, then up to 32 bytes of issuer application data."""


def generated(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in an answer to GENERATE AC, format 1 or 2."""
    objects = tlv.decode(data)
    if len(objects) == 1 and objects[0][0] == Tag.RESPONSE_FORMAT_1:
        return _format_1(objects[0][1])
    return format_2(data)


def format_2(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in an answer that has them in one template 77."""
    objects = tlv.decode(data)
    value = objects[0][1] if len(objects) == 1 and objects[0][0] == Tag.RESPONSE_FORMAT_2 else None
    if not isinstance(value, tuple):
        raise DecodeError("the cryptogram is not in one template 77")
    return value


def _format_1(value: bytes | tuple[tlv.Tlv, ...]) -> tuple[tlv.Tlv, ...]:
    if not isinstance(value, bytes) or not _SHORTEST <= len(value) <= _LONGEST:
        raise DecodeError("a cryptogram in format 1 has 11 to 43 bytes", tag=Tag.RESPONSE_FORMAT_1)
    fields = [(int(Tag.CID), value[:1]), (int(Tag.ATC), value[1:3]), (int(Tag.CRYPTOGRAM), value[3:11])]
    if len(value) > _SHORTEST:
        fields.append((int(Tag.ISSUER_APPLICATION_DATA), value[11:]))
    return tuple(fields)
