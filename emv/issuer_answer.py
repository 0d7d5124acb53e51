"""What an issuer sends back for its card: authentication data (91) and script commands (86).

The authentication data has forms that only its length and its reserved bits tell apart:

| form | layout |
|---|---|
| ARPC method 1 (Visa CVN 10 and 17; M/Chip) | ARPC (8), response code (2) |
| ARPC method 2 (CCD, Visa CVN 18 and 22) | ARPC (4), card status update (4), proprietary data (0 to 8) |

What fits both or none is shown as it is.

Spec: EMV 4.4 Book 2, 8.2; Book 3, Annex C10 and 6.5 (commands).
"""

from __future__ import annotations

from emv import bit_words, code_words
from emv.apdu import CommandApdu
from emv.errors import DecodeError

_COMMANDS = {
    0x0E: "ERASE BINARY",
    0x16: "CARD BLOCK",
    0x18: "APPLICATION UNBLOCK",
    0x1E: "APPLICATION BLOCK",
    0x20: "VERIFY",
    0x24: "PIN CHANGE/UNBLOCK",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xA8: "GET PROCESSING OPTIONS",
    0xAE: "GENERATE AC",
    0xB2: "READ RECORD",
    0xC0: "GET RESPONSE",
    0xCA: "GET DATA",
    0xD6: "UPDATE BINARY",
    0xDA: "PUT DATA",
    0xDC: "UPDATE RECORD",
    0xE2: "APPEND RECORD",
}


def authentication_words(value: bytes) -> tuple[str, ...]:
    """Return what issuer authentication data says, in lines."""
    if len(value) < 8:
        return ()
    if len(value) == 10 and value[8:].isalnum() and value[8:].isascii():
        return (_arpc(value[:8]), _response(value[8:]))
    if len(value) == 10 and not value[8] & 0xF0 and not _has_csu(value):
        return (_arpc(value[:8]), f"M/Chip ARPC response code: {value[8:].hex().upper()}")
    if _has_csu(value):
        rest = value[8:]
        lines = [_arpc(value[:4]), *(f"CSU: {text}" for text in bit_words.CSU.words(value[4:8]))]
        if rest:
            lines.append(f"Proprietary authentication data: {rest.hex().upper()}")
        return tuple(lines)
    return ()


def _has_csu(value: bytes) -> bool:
    """Say whether bytes 5 to 8 can be a card status update: its reserved bits are zero."""
    return not value[4] & 0x70 and not value[6] and (len(value) == 8 or bool(value[4] & 0x80))


def _arpc(value: bytes) -> str:
    return f"Authorisation Response Cryptogram (ARPC): {value.hex().upper()}"


def _response(value: bytes) -> str:
    code = value.decode("ascii")
    known = code_words.RESPONSE.get(code)
    return f"Authorisation Response Code: {code}{f' - {known}' if known else ''}"


def command_words(value: bytes) -> tuple[str, ...]:
    """Return which command a script holds.

    Raises:
        DecodeError: it is no command.
    """
    try:
        command = CommandApdu.decode(value)
    except DecodeError as error:
        raise DecodeError(error.reason, tag=0x86, offset=error.offset) from None
    name = _COMMANDS.get(command.ins, f"instruction {command.ins:02X}")
    if command.ins == 0xDA:
        return (f"{name} for BER-TLV field {command.p1:02X}{command.p2:02X}",)
    if command.ins in (0xDC, 0xE2, 0xB2):
        return (f"{name} {command.p1}, SFI {command.p2 >> 3}",)
    return (name,)
