"""`tillside emv replay FILE`: runs the kernels against a recorded card and says where they differ."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emv.config import EmvConfig
from emv.config_file import ConfigFileError, default_text
from emv.config_file import parse as parse_emv
from emv.errors import DecodeError
from emv.explain import explain_field
from emv.fields import Tvr
from emv.outcome import CvmResult
from emv.tags import Tag
from offline_queue.errors import RecordError
from offline_queue.sealing import Opener
from terminal.commands.errors import FINE, FindingError, UsageError
from terminal.commands.output import say, say_json
from terminal.config import ConfigError
from terminal.replay.replay import Replayed, replay
from terminal.replay.sealed import is_sealed, unseal
from terminal.replay.transcript import Transcript, TranscriptError, parse
from terminal.replay.verdict import finding_lines, in_words
from terminal.set_up import read_ca_keys, read_emv

SHOP: Mapping[str, Any] = {
    "country": "276",
    "currency": "978",
    "cvm_limit": 5000,
    "transaction_limit": None,
    "floor_limit": 0,
    "merchant_name": "Tillside",
    "terminal_id": "REPLAY",
}
"""What stands for "shop" in an EMV configuration where the recording does not say it."""


def run(options: argparse.Namespace) -> int:
    """Replay the recordings in a file, or the one that was named."""
    named = options.case is not None
    transcripts = _chosen(_transcripts(options), options.case)
    replayed = [replay(transcript, _config(transcript, options)) for transcript in transcripts]
    if options.json:
        found = [its.as_json() for its in replayed]
        say_json(found[0] if named or len(found) == 1 else found, indent=2)
        return FINE
    for number, its in enumerate(replayed):
        if number:
            say("")
        for line in _lines(its):
            say(line)
    return FINE


def _transcripts(options: argparse.Namespace) -> tuple[Transcript, ...]:
    try:
        text = options.file.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{options.file}: can't be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{options.file}: can't be read (it is no text in UTF-8)") from error
    try:
        if is_sealed(text):
            text = unseal(text, _opener(options))
        return parse(text)
    except TranscriptError as error:
        raise FindingError(f"{options.file}: {error}") from error


def _opener(options: argparse.Namespace) -> Opener:
    if options.key is None:
        raise UsageError(
            f"{options.file} is sealed to a host: --key names the file of the host's private key"
        )
    try:
        return Opener.load(options.key)
    except OSError as error:
        raise UsageError(f"{options.key}: can't be used ({error.strerror or error})") from error
    except RecordError as error:
        raise UsageError(f"{options.key}: can't be used ({error})") from error


def _chosen(transcripts: tuple[Transcript, ...], case: str | None) -> tuple[Transcript, ...]:
    if case is None:
        return transcripts
    found = tuple(its for its in transcripts if its.id == case)
    if not found:
        known = ", ".join(its.id for its in transcripts)
        raise UsageError(f"there is no case {case!r}; there are {known}")
    return found


def _config(transcript: Transcript, options: argparse.Namespace) -> EmvConfig:
    """Return the terminal: the one that is named, else the recording's own, else the default."""
    shop = {**SHOP, **transcript.shop}
    try:
        config = _emv(transcript, options.emv, shop)
        return replace(config, ca_keys=read_ca_keys(options.ca_keys)) if options.ca_keys else config
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _emv(transcript: Transcript, named: Path | None, shop: Mapping[str, Any]) -> EmvConfig:
    if named is not None:
        return read_emv(named, shop)
    try:
        return parse_emv(transcript.emv or default_text(), shop)
    except ConfigFileError as error:
        what = f"its EMV configuration is none: {error}; name one with --emv"
        raise FindingError(f"{transcript.id}: {what}") from error


def _verification(cvm: CvmResult, results: bytes) -> str:
    """Return how the cardholder was verified, and what the CVM results say of it."""
    words = "none was needed or came to pass" if cvm is CvmResult.NOT_APPLICABLE else cvm.value
    if not results:
        return words
    try:
        told = "; ".join(explain_field(Tag.CVM_RESULTS, results).meaning)
    except DecodeError as error:
        told = error.reason
    return f"{words} ({results.hex().upper()}: {told})"


def _lines(its: Replayed) -> Iterator[str]:
    """Yield what came of a replay, in words."""
    outcome, oda = its.outcome, its.oda
    selected = f"kernel {outcome.kernel_id}, {outcome.aid.hex().upper()} {outcome.label}".rstrip()
    yield its.id
    yield f"  application: {selected if outcome.kernel_id else 'none was reached'}"
    yield f"  outcome: {outcome.kind.value} ({its.reason})"
    if its.recorded:
        yield f"  recorded: {in_words(its.recorded)}"
    if outcome.scheme_kind is not None:
        yield f"  by the scheme's rules alone: {outcome.scheme_kind.value}"
    yield from (f"  {line}" for line in finding_lines(its.findings))
    tvr = its.tvr
    bits = [str(bit.name).lower().replace("_", " ") for bit in Tvr(int.from_bytes(tvr, "big")) if bit.name]
    yield f"  TVR: {tvr.hex().upper()}{' ' + ', '.join(bits) if bits else ''}"
    yield f"  TSI: {its.tsi.hex().upper()}"
    yield f"  verification: {_verification(outcome.cvm, its.value(Tag.CVM_RESULTS))}"
    why = f" ({oda.reason})" if oda.reason else ""
    yield f"  authentication: {oda.method.value}, {oda.result.value}{why}"
    yield f"  differences: {len(its.differences) or 'none'}"
    for one in its.differences:
        yield f"    {f'exchange {one.exchange}: ' if one.exchange else ''}{one.what}"
        yield f"      recorded {one.recorded or '-'}"
        yield f"      sent     {one.sent or '-'}"
    if its.unused:
        yield f"  recorded and not asked for: {', '.join(str(number) for number in its.unused)}"
    yield from (f"  note: {note}" for note in its.notes)
