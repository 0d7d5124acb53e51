"""The support bundle: one signed zip with everything a technician sees, and no card number in it.

Everything is text. It is masked as it is gathered, and each file is searched once more when it is
complete: one that still looks as if it held a card number is not written. The manifest has the SHA-256 of
each file; the terminal's key signs the manifest:

    manifest.json   {"format": 1, "terminal", "made", "version", "key_id", "public_key", "files": {...}}
    manifest.sig    base64 of Ed25519 over "tillside-bundle-v1" 00 and the bytes of manifest.json

Whoever checks a bundle learns that it is whole and which key signed it; whose key that is, the host knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, Final

from offline_queue.errors import QueueError, RecordError, SignatureError
from offline_queue.signing import PublicKey, SigningKey
from terminal.card_numbers import MASK, looks_free, mask
from terminal.diagnostics import devices, doctor, queue
from terminal.diagnostics.apart import apart
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.redaction import LEFT_OUT, names_secret, redact
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import KEY_FILE
from terminal.home import CONFIG_FILE, LOG_FILE
from terminal.log import levels

AREA = "bundle"
FORMAT = 1
LOG_BYTES = 1_000_000
"""How much of the log's end is taken."""
PART_CHARS = 20_000
"""About so much of it is looked through at once."""
WRITE_S = 120.0
"""How long looking through and writing may take, in seconds; a slow disk is the most of it."""
MAX_BYTES = 64_000_000
"""No bundle unpacks to more."""
_MANIFEST, _SIGNATURE = "manifest.json", "manifest.sig"
_CONTEXT: Final = b"tillside-bundle-v1\x00"
_README = """\
A support bundle of a Tillside terminal. Nothing in it is secret: no card number, no key, no password.

findings.txt, findings.json   every probe: system, configuration, udev, devices, keys, network, queue
devices.json                  each device as it describes itself
queue.json                    what the host refused
taps.txt                      the last taps, masked, with the time of each command
log.txt, log-levels.json      the end of the log, and who logs from which level on
configuration.toml            the configuration; keys are in other files, which are not here
versions.json                 what is installed
manifest.json, manifest.sig   SHA-256 of each file, signed by the terminal's key

To check it: tillside doctor --check FILE
"""

# No number and no password begins in one record of the log and ends in the next.
_RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})? [A-Z]+ [\w.]+: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written. `signed_by` is the key's id, or empty; `masked` counts the masks in it."""

    file: Path
    files: tuple[str, ...]
    signed_by: str
    masked: int


class BundleError(Exception):
    """A bundle that can't be written or read; the message says why."""


# --- writing --------------------------------------------------------------------------------------


async def write(workshop: Workshop, file: Path, findings: Sequence[Finding] | None = None) -> Bundle:
    """Write the bundle to a new file. Without *findings* all probes are run first. Raises BundleError."""
    if findings is None:
        findings = [finding async for finding in doctor.probe(workshop)]
    reports = await devices.reports(workshop)
    try:
        refused = [asdict(one) for one in await queue.quarantined(workshop)]
    except QueueError as error:
        refused = [{"not known": str(error)}]
    told = {
        "findings.txt": "".join(f"{doctor.text_line(finding)}\n" for finding in findings),
        "findings.json": [finding.fields() for finding in findings],
        "devices.json": [report.fields() for report in reports],
        "queue.json": refused,
    }
    # A megabyte of log takes most of a second to be looked through, and the screen goes on meanwhile.
    written = await apart(lambda: _write(workshop, file, told), timeout_s=WRITE_S, otherwise=None)
    if written is None:
        raise BundleError(f"{file}: not written within {WRITE_S:g} s; choose another disk")
    return written


def _write(workshop: Workshop, file: Path, told: Mapping[str, Any]) -> Bundle:
    clean = {name: _redacted(name, text) for name, text in _contents(workshop, told).items()}
    for name, text in clean.items():
        if not all(map(looks_free, _parts(text))):
            raise BundleError(f"{name} still looks as if it held a card number; nothing was written")
    contents = {name: text.encode("utf-8", "replace") for name, text in clean.items()}
    key = _key(workshop)
    manifest = _manifest(workshop, contents, key)
    try:
        _write_zip(file, {**contents, _MANIFEST: manifest, **_signature(manifest, key)})
    except OSError as error:
        raise BundleError(f"{file}: can't be written ({error.strerror or error})") from error
    masked = sum(text.count(MASK) for text in clean.values())
    return Bundle(file, (*contents, _MANIFEST), key.key_id if key else "", masked)


def _contents(workshop: Workshop, told: Mapping[str, Any]) -> dict[str, str]:
    return {
        "README.txt": _README,
        **{name: one if isinstance(one, str) else _json(one) for name, one in told.items()},
        "taps.txt": _taps(workshop),
        "log.txt": _log(workshop),
        "log-levels.json": _json(dict(levels())),
        "configuration.toml": _end_of(workshop.home / CONFIG_FILE, LOG_BYTES),
        "versions.json": _json(_versions()),
    }


def _redacted(name: str, text: str) -> str:
    # What is in JSON was redacted value by value, and stays JSON.
    return mask(text) if name.endswith(".json") else "".join(map(redact, _parts(text)))


def _parts(text: str) -> Iterator[str]:
    """Cut a long log before some of its records: one long search would hold all other threads up."""
    start = 0
    for record in _RECORD.finditer(text):
        if record.start() - start >= PART_CHARS:
            yield text[start : record.start()]
            start = record.start()
    yield text[start:]


def _json(value: Any) -> str:
    return f"{json.dumps(_plain(value), ensure_ascii=False, indent=1)}\n"


def _plain(value: Any) -> Any:
    """Return a value for JSON, masked where a mask would break a number."""
    if isinstance(value, Mapping):
        return {
            redact(str(name)): LEFT_OUT if names_secret(str(name)) else _plain(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, int):
        return value if looks_free(str(value)) else MASK
    return redact(str(value))


def _taps(workshop: Workshop) -> str:
    parts = []
    for tap in workshop.taps.newest_first():
        parts.append(
            f"{tap.when.astimezone():%Y-%m-%d %H:%M:%S} {tap.reader} {tap.identification}\n"
            f"{tap.outcome} {tap.reason}; card {tap.card_ms:.1f} ms, whole {tap.total_ms:.1f} ms\n"
        )
        parts += [f"  {command.card_ms:8.1f} ms  {_indented(command.text)}\n" for command in tap.commands]
        parts.append("\n")
    return "".join(parts) or "no tap since the program started\n"


def _indented(text: str) -> str:
    return text.replace("\n", f"\n{' ' * 15}")


def _log(workshop: Workshop) -> str:
    """Return the end of the log's files, the newest last, and what this program has logged itself."""
    own = "".join(f"{line}\n" for line in reversed(workshop.logs.newest_first()))
    file = workshop.home / LOG_FILE
    before = file.with_name(f"{LOG_FILE}.1")
    room = LOG_BYTES - file.stat().st_size if file.exists() and before.exists() else 0
    older = _end_of(before, room) if room > 0 else ""
    return f"{older}{_end_of(file, LOG_BYTES)}\n--- of the program that wrote this bundle ---\n{own}"


def _end_of(file: Path, count: int) -> str:
    try:
        with file.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            source.seek(max(0, size - count))
            content = source.read(count)
    except OSError as error:
        return f"# not here: {file.name} ({error.strerror or error})\n"
    text = content.decode("utf-8", "replace")
    # What a cut has left of a line may be half a number, which nobody would recognise.
    return text if size <= count else text.partition("\n")[2]


def _versions() -> dict[str, str]:
    return dict(sorted((found.metadata["Name"], found.version) for found in distributions()))


def _key(workshop: Workshop) -> SigningKey | None:
    if workshop.enrolment is not None:
        return workshop.enrolment.key
    try:
        # A broken configuration does not make the terminal's key a wrong one.
        return SigningKey.load(workshop.home / KEY_FILE)
    except (OSError, RecordError):
        return None


def _manifest(workshop: Workshop, contents: Mapping[str, bytes], key: SigningKey | None) -> bytes:
    fields = {
        "format": FORMAT,
        "terminal": workshop.config.terminal.id if workshop.config is not None else "",
        "made": f"{datetime.now().astimezone():%Y-%m-%dT%H:%M:%S%z}",
        "version": version("tillside"),
        "key_id": key.key_id if key else "",
        "public_key": base64.b64encode(key.public_key.to_bytes()).decode() if key else "",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    return f"{json.dumps(fields, indent=1)}\n".encode()


def _signature(manifest: bytes, key: SigningKey | None) -> dict[str, bytes]:
    return {_SIGNATURE: base64.b64encode(key.sign(_CONTEXT + manifest)) + b"\n"} if key else {}


def _write_zip(file: Path, contents: Mapping[str, bytes]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    except BaseException:
        file.unlink()
        raise


# --- checking -------------------------------------------------------------------------------------


def check(file: Path, *, key: PublicKey | None = None) -> tuple[Finding, ...]:
    """Look whether a bundle is whole, as signed, and free of card numbers. Raises BundleError for none.

    Args:
        file: The bundle.
        key: The key that should have signed it, where it is known.
    """
    contents = _read_zip(file)
    manifest = contents.pop(_MANIFEST)
    signature = contents.pop(_SIGNATURE, b"")
    try:
        fields = json.loads(manifest)
        hashes = {str(name): str(told) for name, told in fields["files"].items()}
        public_key = str(fields["public_key"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{file}: its manifest can't be read") from error
    return (
        _check_files(contents, hashes),
        _check_signature(manifest, signature, public_key, key),
        _check_card_numbers(
            {**contents, _MANIFEST: _without(manifest, (*hashes.values(), *_named(public_key)))}
        ),
    )


def _read_zip(file: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise BundleError(f"{file}: larger than any bundle")
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names):
                raise BundleError(f"{file}: a name comes twice")
            contents = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise BundleError(f"{file}: no bundle that can be read ({error})") from error
    if _MANIFEST not in contents:
        raise BundleError(f"{file}: no support bundle: it has no {_MANIFEST}")
    return contents


def _check_files(contents: Mapping[str, bytes], hashes: Mapping[str, str]) -> Finding:
    here = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    wrong = sorted(name for name in here.keys() | hashes.keys() if here.get(name) != hashes.get(name))
    if wrong:
        text = f"changed, missing or added: {', '.join(wrong)}"
        return Finding(AREA, "files", Mark.FAULT, text, "have the terminal write a new bundle")
    return Finding(AREA, "files", Mark.OK, f"{len(here)} files, each as in the manifest")


def _check_signature(manifest: bytes, signature: bytes, public_key: str, key: PublicKey | None) -> Finding:
    name = "signature"
    if not signature or not public_key:
        text = "not signed: the terminal had no key. Nobody can tell where it comes from"
        return Finding(AREA, name, Mark.WARNING, text)
    try:
        signer = PublicKey(base64.b64decode(public_key, validate=True))
        signer.verify(base64.b64decode(signature.strip(), validate=True), _CONTEXT + manifest)
    except (binascii.Error, RecordError, SignatureError):
        text = "the signature does not hold: the manifest was changed"
        return Finding(AREA, name, Mark.FAULT, text, "have the terminal write a new bundle")
    if key is not None and signer != key:
        text = f"signed by key {signer.key_id}, and not by {key.key_id}"
        return Finding(AREA, name, Mark.WARNING, text, "is it another terminal's bundle?")
    text = f"signed by key {signer.key_id}{', this terminal' if key is not None else ''}"
    return Finding(AREA, name, Mark.OK, text)


def _check_card_numbers(contents: Mapping[str, bytes]) -> Finding:
    found = sorted(
        name for name, content in contents.items() if not looks_free(content.decode("utf-8", "replace"))
    )
    if found:
        text = f"something looks like one in {', '.join(found)}"
        return Finding(AREA, "card numbers", Mark.FAULT, text, "don't pass it on; delete it")
    return Finding(AREA, "card numbers", Mark.OK, "nothing looks like one")


def _named(public_key: str) -> tuple[str, ...]:
    """Return a key and its id as the manifest writes them; nothing for what is no key."""
    try:
        return public_key, PublicKey(base64.b64decode(public_key, validate=True)).key_id
    except (binascii.Error, RecordError):
        return ()


def _without(manifest: bytes, hashes: Sequence[str]) -> bytes:
    """Return the manifest without its hashes: among random digits are some that look like a number."""
    for told in hashes:
        manifest = manifest.replace(told.encode(), b"")
    return manifest
