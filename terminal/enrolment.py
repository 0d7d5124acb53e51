"""Who this terminal is to its host: its signing key, and the host's keys pinned when it enrolled."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offline_queue.errors import RecordError
from offline_queue.sealing import Sealer
from offline_queue.signing import PublicKey, SigningKey
from terminal.config import Config, ConfigError
from terminal.http import client, send

KEY_FILE = "terminal.key"
PINS_FILE = "host.json"
_PINNED = ("host_signing_key", "host_sealing_key")


class EnrolmentError(ConfigError):
    """The terminal is not enrolled, or can't be, though its configuration is a right one."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The terminal's key, and what its host may sign and open with."""

    terminal_id: str
    key: SigningKey
    host_key: PublicKey
    sealer: Sealer


def load(home: Path, terminal_id: str) -> Enrolment:
    """Return the enrolment kept in a home folder. Raises EnrolmentError with what cures it."""
    try:
        pins = (home / PINS_FILE).read_bytes()
        key = SigningKey.load(home / KEY_FILE)
    except FileNotFoundError as error:
        raise EnrolmentError(f"{home}: not enrolled yet; run: tillside enrol --home {home}") from error
    except (OSError, RecordError) as error:
        raise EnrolmentError(f"{home}: its keys can't be read ({error})") from error
    try:
        return Enrolment(terminal_id, key, *_host_keys(pins))
    except ValueError as error:
        raise EnrolmentError(f"{home / PINS_FILE}: {error}; move it away and enrol again") from error


async def enrol(home: Path, config: Config) -> Enrolment:
    """Make this terminal's key if there is none, tell the host of it, and pin the host's keys.

    Raises what `terminal.http.send` raises, ConfigError where the authority's file holds none, or
    EnrolmentError where the host refuses, is none, or shows other keys than those that are pinned already.
    """
    key = _own_key(home)
    body = {
        "terminal_id": config.terminal.id,
        "signing_key": base64.b64encode(key.public_key.to_bytes()).decode(),
        "name": config.shop.name,
    }
    async with client(config.host.ca_file) as http:
        response = await send(
            http,
            "POST",
            f"{config.host.url.rstrip('/')}/v1/enrol",
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
    if response.status_code != 200:
        raise EnrolmentError(
            f"{config.host.url} refuses to enrol {config.terminal.id}: {response.text[:200]}"
        )
    try:
        _host_keys(response.content)
    except ValueError as error:
        raise EnrolmentError(f"what answers at {config.host.url} is no payment host: {error}") from error
    _pin(home, response.json())
    return load(home, config.terminal.id)


def _own_key(home: Path) -> SigningKey:
    home.mkdir(parents=True, exist_ok=True)
    path = home / KEY_FILE
    try:
        return SigningKey.load(path) if path.exists() else SigningKey.create(path)
    except (OSError, RecordError) as error:
        raise EnrolmentError(f"{path}: can't be used ({error})") from error


def _host_keys(content: bytes) -> tuple[PublicKey, Sealer]:
    """Return the host's keys as it shows them, and as they are pinned. Raises ValueError."""
    try:
        pins = json.loads(content)
        signing, sealing = (base64.b64decode(pins[name], validate=True) for name in _PINNED)
        return PublicKey(signing), Sealer(sealing)
    except (ValueError, KeyError, TypeError, RecordError) as error:
        raise ValueError("it does not name the host's keys") from error


def _pin(home: Path, shown: dict[str, Any]) -> None:
    """Keep the host's keys. Keys that are pinned are never replaced: records are sealed to them."""
    path = home / PINS_FILE
    pins = {name: shown[name] for name in _PINNED}
    if path.exists():
        if json.loads(path.read_bytes()) != pins:
            raise EnrolmentError(
                f"the host shows other keys than those pinned in {path}; if it was really replaced, "
                "deliver the queue first, then move that file away and enrol again"
            )
        return
    written = path.with_suffix(".new")
    written.write_text(f"{json.dumps(pins, indent=2)}\n", "utf-8")
    written.replace(path)
