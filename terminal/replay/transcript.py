"""A recorded tap as JSON: every command and answer, with times and what the terminal was.

    {
      "id": "2026-05-09T12:30:15-T1",
      "interface": "contactless",
      "recorded": "2026-05-09T12:30:15+02:00",
      "reader": "pcsc:ACS ACR122U",
      "masked": true,
      "terminal": {"data": {"9F02": "000000001250"}, "emv": "[terminal]...", "shop": {"country": "276"}},
      "exchanges": [{"c": "00A40400...", "r": "6F...9000", "ms": 12.3}],
      "outcome": {"kind": "approved", "reason": "...", "tvr": "0000008001"}
    }

Only `exchanges` must be there. A command `c` that is null or empty was not captured. An answer `r` that is
empty, missing, or no bytes with a status word is a card that was lost. `ms` is the card's time, in
milliseconds. Keys that are not named here belong to whoever wrote them, and are not read. What is there
and can't be used, so that the recording may be damaged, is told as a note.

`terminal.data` has the terminal's data objects by tag, for those that no command tells; `terminal.emv` is
the terminal's EMV configuration with what stands for "shop" in it: see `emv.config_file`. `outcome` is what
the tap came to: see `terminal.replay.verdict`.

A file has one such object, or several in a list called `cases`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emv import tlv
from emv.formats import Format
from emv.sensitive import SensitiveBytes
from emv.tags import describe
from terminal.replay.verdict import is_verdict

CONTACT, CONTACTLESS = "contact", "contactless"
_STATUS_BYTES = 2
_LONGEST_MS = 24 * 60 * 60 * 1000
"""A time of more than a day was not measured."""


class TranscriptError(ValueError):
    """A file that is no recording; the message says where it fails."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer.

    Args:
        number: Its place in the recording, from 1.
        command: What was sent; None if that was not captured.
        answer: What came, status word included; None if the card was lost.
        ms: The card's time in milliseconds, None if it was not measured.
    """

    number: int
    command: bytes | None
    answer: SensitiveBytes | None
    ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One recorded tap.

    Args:
        id: Its name.
        exchanges: What was said, in order.
        interface: CONTACTLESS or CONTACT.
        recorded: When, ISO 8601; empty if nobody wrote it down.
        reader: By which device.
        masked: Whether card data is replaced by zeros: then no authentication can succeed.
        data: The terminal's data objects by tag.
        emv: The terminal's EMV configuration, TOML; empty if it is not known.
        shop: What "shop" stands for in it.
        outcome: What the tap came to, as `verdict` has it; empty if it is not known.
        notes: What in the file could not be used, in words.
    """

    id: str
    exchanges: Sequence[Exchange]
    interface: str = CONTACTLESS
    recorded: str = ""
    reader: str = ""
    masked: bool = False
    data: Mapping[int, bytes] = field(default_factory=dict)
    emv: str = ""
    shop: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the object as it is written to a file, card data as it is in this transcript."""
        return {
            "id": self.id,
            "interface": self.interface,
            "recorded": self.recorded,
            "reader": self.reader,
            "masked": self.masked,
            "terminal": {
                "data": {f"{tag:02X}": value.hex().upper() for tag, value in self.data.items()},
                "emv": self.emv,
                "shop": dict(self.shop),
            },
            "exchanges": [_exchange_json(exchange) for exchange in self.exchanges],
            **({"outcome": dict(self.outcome)} if self.outcome else {}),
        }


def _exchange_json(exchange: Exchange) -> dict[str, Any]:
    return {
        "c": None if exchange.command is None else exchange.command.hex().upper(),
        "r": "" if exchange.answer is None else exchange.answer.reveal().hex().upper(),
        "ms": exchange.ms,
    }


def parse(text: str) -> tuple[Transcript, ...]:
    """Return the recordings in a JSON text.

    Raises:
        TranscriptError: it has none, or one that can't be read.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TranscriptError(f"not JSON: {error}") from error
    if isinstance(value, dict) and isinstance(value.get("cases"), list):
        cases = [_transcript(case, f"case {place}") for place, case in enumerate(value["cases"], 1)]
        if not cases:
            raise TranscriptError("there are no cases in it")
        return tuple(cases)
    return (_transcript(value, "recording"),)


def _transcript(value: Any, name: str) -> Transcript:
    if not isinstance(value, dict):
        raise TranscriptError(f"{name}: not an object")
    name = value["id"] if isinstance(value.get("id"), str) and value["id"] else name
    exchanges = value.get("exchanges")
    if not isinstance(exchanges, list) or not exchanges:
        raise TranscriptError(f'{name}: no list of "exchanges", so nothing to replay')
    notes: list[str] = []
    found = [_exchange(line, place, name, notes) for place, line in enumerate(exchanges, 1)]
    terminal = _object(value, "terminal", notes)
    shop, data = _object(terminal, "shop", notes), _data(_object(terminal, "data", notes), name, notes)
    if not isinstance(terminal.get("emv", ""), str):
        notes.append('"terminal.emv" is no text: not used')
    return Transcript(
        id=name,
        exchanges=tuple(found),
        interface=CONTACT if value.get("interface") == CONTACT else CONTACTLESS,
        recorded=_text(value.get("recorded")),
        reader=_text(value.get("reader")),
        masked=value.get("masked") is True,
        data=data,
        emv=_text(terminal.get("emv")),
        shop=shop,
        outcome=value["outcome"] if is_verdict(value.get("outcome")) else {},
        notes=tuple(notes),
    )


def _object(value: Mapping[str, Any], key: str, notes: list[str]) -> dict[str, Any]:
    """Return the object under a key, or an empty one, with a note if what is there is none."""
    found = value.get(key, {})
    if isinstance(found, dict):
        return found
    notes.append(f'"{key}" is no object: not used, the replaying terminal has its own')
    return {}


def _exchange(line: Any, number: int, name: str, notes: list[str]) -> Exchange:
    if not isinstance(line, dict) or not {"c", "r"} & set(line):
        raise TranscriptError(f'{name}: exchange {number} is no object with "c" and "r"')
    command, answer, ms = line.get("c"), line.get("r"), line.get("ms")
    if not isinstance(command, str | None):
        raise TranscriptError(f"{name}: exchange {number}: the command is neither text nor null")
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= _LONGEST_MS:
        if ms is not None:
            notes.append(f'exchange {number}: "ms" is no time in milliseconds: not used')
        ms = None
    raw = _bytes(answer) if isinstance(answer, str) else None
    if raw is None or len(raw) < _STATUS_BYTES:
        if answer not in (None, ""):
            notes.append(
                f"exchange {number}: the answer is no bytes with a status word: the card counts as lost"
            )
        raw = None
    if command and _bytes(command) is None:
        notes.append(f"exchange {number}: the command is not hexadecimal: it counts as not captured")
    return Exchange(
        number=number,
        command=(_bytes(command) or None) if command else None,
        answer=None if raw is None else SensitiveBytes(raw),
        ms=None if ms is None else float(ms),
    )


def _bytes(text: str) -> bytes | None:
    """Return the bytes in hexadecimal text, or None if it is no such."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _data(values: Mapping[str, Any], name: str, notes: list[str]) -> dict[int, bytes]:
    found = {}
    for tag, text in values.items():
        value = _bytes(text) if isinstance(text, str) else None
        key = int.from_bytes(_bytes(tag) or b"", "big")
        if value is None or not _is_tag(key):
            raise TranscriptError(f"{name}: terminal.data: {tag!r} is no tag with a value in hexadecimal")
        found[key] = value
        info = describe(key)  # text is taken in any length
        text = info is not None and info.format in (Format.A, Format.AN, Format.ANS)
        if info is not None and not text and not info.shortest <= len(value) <= info.longest:
            size = (
                f"{info.shortest}" if info.shortest == info.longest else f"{info.shortest} to {info.longest}"
            )
            notes.append(f"terminal.data: {key:02X} has a length of {len(value)} where {size} is defined")
    return found


def _is_tag(number: int) -> bool:
    try:
        return bool(tlv.encode_tag(number))
    except ValueError:
        return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
