"""Recordings whose author has made F of card numbers' digits: 0 is put there, so that they count as cards.

A card number with other digits than 0 to 9 is in error, and no kernel would go on with it.
"""

from __future__ import annotations

from dataclasses import replace

from emv import tlv
from emv.errors import DecodeError
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from terminal.replay.transcript import Exchange, Transcript

_TRACK_2 = {int(Tag.TRACK_2), int(Tag.TRACK_2_MAGSTRIPE)}


def with_digits(transcript: Transcript) -> tuple[Transcript, tuple[int, ...]]:
    """Return a recording with digits for F, and the places where there were some."""
    found = [_with_digits(exchange) for exchange in transcript.exchanges]
    changed = tuple(
        new.number for old, new in zip(transcript.exchanges, found, strict=True) if old is not new
    )
    return replace(transcript, exchanges=tuple(found)), changed


def _with_digits(exchange: Exchange) -> Exchange:
    if exchange.answer is None:
        return exchange
    raw = changed = exchange.answer.reveal()
    try:
        objects = list(tlv.walk(tlv.decode(raw[:-2])))
    except DecodeError:
        return exchange
    for tag, value in objects:
        if tag == Tag.PAN or tag in _TRACK_2:
            changed = changed.replace(value, _digits(value, track_2=tag in _TRACK_2))
    return exchange if changed == raw else replace(exchange, answer=SensitiveBytes(changed))


def _digits(value: bytes, *, track_2: bool) -> bytes:
    """Return a value with 0 for each F that is no padding: only at the end of a number or of a track."""
    text = value.hex().upper()
    body = text[:-1] if track_2 and text.endswith("F") else text if track_2 else text.rstrip("F")
    return bytes.fromhex(body.replace("F", "0") + text[len(body) :])
