"""One exchange as text for logs and traces, with everything sensitive masked.

TLV is shown tag by tag; the table in `tags` says what is masked. What is not TLV, and what is not in
the table, is shown as its length only. The command data is shown only where it can't be card data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emv import tlv
from emv.apdu import CommandApdu, ResponseApdu
from emv.errors import DecodeError
from emv.tags import describe, is_sensitive

INSTRUCTIONS = {
    0x20: "VERIFY",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xA8: "GET PROCESSING OPTIONS",
    0xAE: "GENERATE AC",
    0xB2: "READ RECORD",
    0xC0: "GET RESPONSE",
    0xCA: "GET DATA",
}
_SELECT = 0xA4


def render(capdu: bytes, rapdu: bytes) -> str:
    """Return the exchange in lines: the command, the answer's status word, the answer's data objects."""
    return "\n".join((f"> {_command(capdu)}", *(f"< {line}" for line in _response(rapdu))))


def _command(capdu: bytes) -> str:
    try:
        command = CommandApdu.decode(capdu)
    except DecodeError:
        return f"{len(capdu)} bytes that are no command"
    header = bytes((command.cla, command.ins, command.p1, command.p2)).hex(" ").upper()
    name = INSTRUCTIONS.get(command.ins, "command")
    if not command.data:
        return f"{header} {name}"
    if command.ins == _SELECT:
        return f"{header} {name} {_name(command.data)}"
    return f"{header} {name} ({len(command.data)} bytes)"


def _name(name: bytes) -> str:
    text = name.decode("latin-1")
    return text if text.isascii() and text.isprintable() else name.hex().upper()


def _response(rapdu: bytes) -> Iterator[str]:
    try:
        response = ResponseApdu.decode(rapdu)
    except DecodeError:
        yield f"{len(rapdu)} bytes, no status word"
        return
    yield f"{response.sw} ({len(response.data)} bytes)"
    try:
        yield from lines(tlv.decode(response.data))
    except DecodeError as error:
        yield f"  not TLV: {error.reason}"


def lines(objects: Iterable[tlv.Tlv], indent: int = 1) -> Iterator[str]:
    """Yield data objects one a line, what is inside a template indented below it."""
    for tag, value in objects:
        info = describe(tag)
        start = f"{'  ' * indent}{tag:02X} {info.name if info else 'unknown'}"
        if isinstance(value, tuple):
            yield start
            yield from lines(value, indent + 1)
        elif is_sensitive(tag):
            yield f"{start}: <{len(value)} bytes>"
        else:
            yield f"{start}: {value.hex().upper()}"
