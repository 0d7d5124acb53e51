"""What is fuzzed, by name. The first line of each target's docstring says what is promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fuzz import parsers, personal, replays, taps

CORPUS = Path(__file__).parent / "corpus"

TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "tlv": parsers.tlv_objects,
    "dol": parsers.lists,
    "apdu": parsers.commands,
    "fields": parsers.fields,
    "issuer_data": parsers.issuer_data,
    "resets": parsers.resets,
    "explain": parsers.trees,
    "directory": parsers.directory,
    "oda": parsers.authentication,
    "decisions": parsers.decisions,
    "ca_keys": parsers.ca_keys,
    "config": parsers.config,
    "transcript": parsers.transcripts,
    "replay": replays.run,
    "taps": taps.run,
    "personal": personal.run,
}


def corpus(name: str) -> tuple[Path, ...]:
    """Return the inputs of a target that are kept, in a fixed order."""
    return tuple(sorted((CORPUS / name).iterdir())) if (CORPUS / name).is_dir() else ()
