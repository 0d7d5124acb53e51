"""A recording without card data: F and zeros stand where it was, and everything keeps its length and place.

Of a card number the first six and the last four digits stay, of a track also expiry and service code, which
the kernels decide by: that is what a receipt may show. The other digits are F. Names, certificates that hold
the number, and every data object that is sensitive or unknown become zeros; what is not TLV becomes F as a
whole, so that it still is none. A masked recording replays (`digits` puts zeros for F), but no certificate in
it holds.

At last it is looked through for what was masked: an answer that still has the number anywhere becomes F as a
whole, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from emv import tlv
from emv.aid import default_kernel
from emv.apdu import CommandApdu
from emv.errors import DecodeError
from emv.sensitive import SensitiveBytes
from emv.tags import Tag, describe
from terminal.replay.differences import NO_CARD_DATA
from terminal.replay.sessions import command_of, sessions
from terminal.replay.transcript import Exchange, Transcript

_TRACK_2 = {int(Tag.TRACK_2), int(Tag.TRACK_2_MAGSTRIPE)}
_NAMES_THE_NUMBER = {int(Tag.ICC_CERTIFICATE), int(Tag.ICC_PIN_CERTIFICATE)}
"""Certificates: whoever has the scheme's public key reads the card number in them."""
_NEEDED = {int(Tag.EXPIRATION_DATE), int(Tag.SERVICE_CODE)}
"""Marked as sensitive, and no secret without the number; nothing could be decided without them."""
_FILLED = b"\xff"
_FIRST, _LAST, _WHOLE = 6, 4, 13
"""Digits in front and behind that stay, as in `Pan.masked`; the first only of a number this long."""
_EXPIRY_AND_SERVICE = 7
_SHORTEST = 8
"""Digits that a card number has at least."""


def masked(transcript: Transcript) -> Transcript:
    """Return the recording without card data."""
    numbers = set(_numbers(transcript.exchanges))
    exchanges = tuple(
        _masked(exchange, numbers, default_kernel(session.df_name))
        for session in sessions(transcript.exchanges)
        for exchange in session.exchanges
    )
    return replace(transcript, exchanges=exchanges, masked=True)


def _masked(exchange: Exchange, numbers: set[str], kernel: int) -> Exchange:
    command, answer = exchange.command, exchange.answer
    if command is not None:
        command = _masked_command(command, numbers)
    if answer is not None:
        raw = answer.reveal()
        data = _masked_data(raw[:-2], kernel)
        if _has(data, numbers):
            data = _FILLED * len(data)
        answer = SensitiveBytes(data + raw[-2:])
    return replace(exchange, command=command, answer=answer)


def _masked_command(raw: bytes, numbers: set[str]) -> bytes:
    """Return a command with its data as zeros, if that is not known to be the terminal's."""
    command = command_of(raw)
    if command is None:
        return raw[:4] + bytes(len(raw) - 4)
    if command.ins in NO_CARD_DATA and not _has(command.data, numbers):
        return raw
    return CommandApdu(
        command.cla, command.ins, command.p1, command.p2, bytes(len(command.data)), command.le
    ).encode()


def _masked_data(data: bytes, kernel: int) -> bytes:
    try:
        tlv.decode(data)
    except DecodeError:
        return _FILLED * len(data)
    return b"".join(_pieces(data, kernel))


def _pieces(data: bytes, kernel: int) -> Iterator[bytes]:
    """Yield data that is TLV with masked values; tags, lengths and padding are byte for byte the same."""
    at = 0
    while at < len(data):
        if not data[at]:
            yield data[at : at + 1]
            at += 1
            continue
        tag, length_at = tlv.read_tag(data, at)
        first = data[length_at]
        start = length_at + 1 + (first & 0x7F if first > 0x7F else 0)
        length = int.from_bytes(data[length_at + 1 : start], "big") if first > 0x7F else first
        value = data[start : start + length]
        yield data[at:start]
        if tlv.is_constructed(tag):
            yield from _pieces(value, kernel)
        else:
            yield _masked_value(tag, value, kernel)
        at = start + length


def _masked_value(tag: int, value: bytes, kernel: int) -> bytes:
    if tag == Tag.PAN:
        return bytes.fromhex(_masked_number(value.hex().upper()))
    if tag in _TRACK_2:
        return bytes.fromhex(_masked_track(value.hex().upper()))
    info = describe(tag, kernel)
    hidden = info is None or info.sensitive or tag in _NAMES_THE_NUMBER
    return bytes(len(value)) if hidden and tag not in _NEEDED else value


def _masked_number(text: str) -> str:
    """Return a number with F in the middle, of a short one up to the last four; what fills it up stays."""
    digits = text.rstrip("F")
    first = _FIRST if len(digits) >= _WHOLE else 0
    hidden = max(len(digits) - first - _LAST, 0)
    return digits[:first] + "F" * hidden + digits[first + hidden :] + text[len(digits) :]


def _masked_track(text: str) -> str:
    number, separator, rest = text.partition("D")
    kept, hidden = rest[:_EXPIRY_AND_SERVICE], rest[_EXPIRY_AND_SERVICE:]
    return _masked_number(number) + separator + kept + "F" * len(hidden) if separator else "F" * len(text)


def _numbers(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Yield the card numbers in a recording, all digits of them."""
    for exchange in exchanges:
        if exchange.answer is None:
            continue
        try:
            objects = list(tlv.walk(tlv.decode(exchange.answer.reveal()[:-2])))
        except DecodeError:
            continue
        for tag, value in objects:
            digits = ""
            if tag == Tag.PAN:
                digits = value.hex().upper().rstrip("F")
            elif tag in _TRACK_2:
                digits = value.hex().upper().partition("D")[0]
            if len(digits) >= _SHORTEST and digits.isdecimal():
                yield digits


def _has(data: bytes, numbers: set[str]) -> bool:
    """Say whether a number stands anywhere in data, as digits of half a byte or as text."""
    digits = data.hex().upper()
    return any(number in digits or number.encode() in data for number in numbers)
