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
milliseconds. Keys that are not named here belong to whoever wrote them, and are not read.

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
from emv.sensitive import SensitiveBytes
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
    found = [_exchange(line, place, name) for place, line in enumerate(exchanges, 1)]
    terminal = value.get("terminal")
    terminal = terminal if isinstance(terminal, dict) else {}
    shop, data = terminal.get("shop"), terminal.get("data")
    return Transcript(
        id=name,
        exchanges=tuple(found),
        interface=CONTACT if value.get("interface") == CONTACT else CONTACTLESS,
        recorded=_text(value.get("recorded")),
        reader=_text(value.get("reader")),
        masked=value.get("masked") is True,
        data=_data(data if isinstance(data, dict) else {}, name),
        emv=_text(terminal.get("emv")),
        shop=shop if isinstance(shop, dict) else {},
        outcome=value["outcome"] if is_verdict(value.get("outcome")) else {},
    )


def _exchange(line: Any, number: int, name: str) -> Exchange:
    if not isinstance(line, dict) or not {"c", "r"} & set(line):
        raise TranscriptError(f'{name}: exchange {number} is no object with "c" and "r"')
    command, answer, ms = line.get("c"), line.get("r"), line.get("ms")
    if not isinstance(command, str | None):
        raise TranscriptError(f"{name}: exchange {number}: the command is neither text nor null")
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= _LONGEST_MS:
        ms = None
    raw = _bytes(answer) if isinstance(answer, str) else None
    return Exchange(
        number=number,
        command=(_bytes(command) or None) if command else None,
        answer=SensitiveBytes(raw) if raw is not None and len(raw) >= _STATUS_BYTES else None,
        ms=None if ms is None else float(ms),
    )


def _bytes(text: str) -> bytes | None:
    """Return the bytes in hexadecimal text, or None if it is no such."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _data(values: Mapping[str, Any], name: str) -> dict[int, bytes]:
    found = {}
    for tag, text in values.items():
        value = _bytes(text) if isinstance(text, str) else None
        key = int.from_bytes(_bytes(tag) or b"", "big")
        if value is None or not _is_tag(key):
            raise TranscriptError(f"{name}: terminal.data: {tag!r} is no tag with a value in hexadecimal")
        found[key] = value
    return found


def _is_tag(number: int) -> bool:
    try:
        return bool(tlv.encode_tag(number))
    except ValueError:
        return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
