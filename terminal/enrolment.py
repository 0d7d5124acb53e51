"""Who this terminal is to its host: its signing key, and the host's keys pinned when it enrolled."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offline_queue.sealing import Sealer
from offline_queue.signing import PublicKey, SigningKey
from terminal.config import Config, ConfigError
from terminal.http import client, send

KEY_FILE = "terminal.key"
PINS_FILE = "host.json"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The terminal's key, and what its host may sign and open with."""

    terminal_id: str
    key: SigningKey
    host_key: PublicKey
    sealer: Sealer


def load(home: Path, terminal_id: str) -> Enrolment:
    """Return the enrolment kept in a home folder. Raises ConfigError with the command that makes one."""
    try:
        pins = json.loads((home / PINS_FILE).read_text("utf-8"))
        key = SigningKey.load(home / KEY_FILE)
    except FileNotFoundError as error:
        raise ConfigError(f"{home}: not enrolled yet; run: tillside enrol --home {home}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{home / PINS_FILE}: can't be read ({error})") from error
    return Enrolment(
        terminal_id,
        key,
        PublicKey(base64.b64decode(pins["host_signing_key"])),
        Sealer(base64.b64decode(pins["host_sealing_key"])),
    )


async def enrol(home: Path, config: Config) -> Enrolment:
    """Make this terminal's key if there is none, tell the host of it, and pin the host's keys.

    Raises what `terminal.http.send` raises, or ConfigError where the host refuses.
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
            f"{config.host.url}/v1/enrol",
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
    if response.status_code != 200:
        raise ConfigError(f"{config.host.url} refuses to enrol {config.terminal.id}: {response.text[:200]}")
    _pin(home, response.json())
    return load(home, config.terminal.id)


def _own_key(home: Path) -> SigningKey:
    home.mkdir(parents=True, exist_ok=True)
    path = home / KEY_FILE
    return SigningKey.load(path) if path.exists() else SigningKey.create(path)


def _pin(home: Path, pins: dict[str, Any]) -> None:
    text = json.dumps({name: pins[name] for name in ("host_signing_key", "host_sealing_key")}, indent=2)
    (home / PINS_FILE).write_text(f"{text}\n", "utf-8")
