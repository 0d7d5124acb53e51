"""What the status word at the end of a card's answer says, in words.

Spec: ISO/IEC 7816-4, 5.6 (table 5 and 6); what EMV cards send of it: EMV 4.4 Book 1, 11 and Book 3, 6.3.5.
"""

from __future__ import annotations

BYTES = 2
STATUS = {
    0x9000: "fine",
    0x6200: "warning, nothing changed",
    0x6281: "part of the data may be corrupted",
    0x6282: "the end of the file was reached before all that was asked for",
    0x6283: "the selected file or application is blocked",
    0x6284: "the file control information is not formatted as asked for",
    0x6285: "the selected file is in termination state",
    0x6300: "warning, something changed; for EMV: authentication failed",
    0x6381: "the file was filled by the last write",
    0x6400: "execution error, nothing changed",
    0x6401: "an immediate response is required",
    0x6500: "execution error, something changed",
    0x6581: "memory failure",
    0x6600: "security-related failure",
    0x6700: "wrong length",
    0x6800: "the class byte asks for what is not supported",
    0x6881: "logical channels are not supported",
    0x6882: "secure messaging is not supported",
    0x6900: "the command is not allowed",
    0x6981: "the command does not fit the structure of the file",
    0x6982: "the security status is not satisfied",
    0x6983: "the authentication method is blocked (PIN try limit exceeded)",
    0x6984: "the reference data is invalidated",
    0x6985: "the conditions of use are not satisfied",
    0x6986: "the command is not allowed: no file is selected",
    0x6987: "secure messaging objects are missing",
    0x6988: "secure messaging objects are wrong",
    0x6A00: "wrong parameters P1 P2",
    0x6A80: "wrong data in the command",
    0x6A81: "the function is not supported (card or application blocked)",
    0x6A82: "file or application not found",
    0x6A83: "record not found",
    0x6A84: "not enough memory in the file",
    0x6A85: "the length does not fit the structure",
    0x6A86: "wrong parameters P1 P2",
    0x6A87: "the length does not fit P1 P2",
    0x6A88: "the data asked for was not found",
    0x6A89: "the file is there already",
    0x6A8A: "the name of the file is there already",
    0x6B00: "wrong parameters P1 P2",
    0x6D00: "the instruction is not supported",
    0x6E00: "the class is not supported",
    0x6F00: "no precise diagnosis",
}
_MORE, _LENGTH, _COUNTER = 0x61, 0x6C, 0x63C0


def words(status: int) -> str | None:
    """Return what a status word says, or None if it is none that is known."""
    first, second = divmod(status, 0x100)
    if first == _MORE:
        return f"{_count(second)} more can be fetched (GET RESPONSE)"
    if first == _LENGTH:
        return f"wrong length: ask again for {_count(second)}"
    if status & 0xFFF0 == _COUNTER:
        tries = status & 0x0F
        return f"failed; {tries} {'try' if tries == 1 else 'tries'} left"
    return STATUS.get(status)


def _count(count: int) -> str:
    """Return a count of bytes; 00 stands for 256."""
    count = count or 0x100
    return "1 byte" if count == 1 else f"{count} bytes"
