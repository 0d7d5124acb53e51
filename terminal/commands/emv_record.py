"""`tillside emv record`: one tap, with all that card and terminal say to each other, in a file."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from drivers.address import AddressError, parse
from drivers.errors import DeviceError
from drivers.protocols import MAX_WAIT_S, Card, ContactlessReader
from drivers.registry import RegistryError, open_reader
from emv.config_file import default_text
from emv.config_file import parse as parse_emv
from emv.outcome import Outcome
from terminal.commands import place
from terminal.commands.errors import FINE, FindingError, UsageError
from terminal.commands.output import complain, say, say_json
from terminal.config import Config, ConfigError
from terminal.home import CONFIG_FILE
from terminal.money import Money, MoneyError, numeric_code
from terminal.money import parse as parse_money
from terminal.payment.transaction import new_transaction
from terminal.payment.unpredictable import UnpredictableNumbers
from terminal.replay.masking import masked
from terminal.replay.recorder import Terminal, record
from terminal.replay.sealed import seal
from terminal.replay.verdict import finding_lines, findings_json
from terminal.set_up import emv_config, shop_settings

WAIT_S = 60.0
"""For how long the command waits for a card, in seconds."""
COUNTRY, CURRENCY = "276", "EUR"
"""Where there is no configuration."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What the command works with."""

    config: Config | None
    terminal: Terminal
    amount: Money


def run(options: argparse.Namespace) -> int:
    """Wait for a card, do the tap, and write the file."""
    home = place.folder(options)
    its = _place(options, home)
    sealer = None
    if options.sealed:
        if its.config is None:
            raise UsageError(f"--sealed seals to this terminal's host, and there is no {home / CONFIG_FILE}")
        sealer = place.enrolment(home, its.config.terminal.id).sealer
    _check(options.out)
    reader = _open(its.terminal.reader)
    try:
        card = _wait(reader, its.terminal.reader)
        transaction = new_transaction(its.amount, UnpredictableNumbers(), 1)
        transcript, outcome = record(card, its.terminal, transaction, datetime.now().astimezone())
    finally:
        reader.close()
    written = seal(transcript, sealer) if sealer is not None else masked(transcript).as_json()
    file = options.out or Path(f"{transcript.id}.json")
    _write(file, written)
    _tell(options, file, len(transcript.exchanges), outcome, _replaying(options, file, its.config))
    return FINE


def _place(options: argparse.Namespace, home: Path) -> _Place:
    config = place.config(home) if (home / CONFIG_FILE).exists() else None
    currency = options.currency or (config.shop.currency if config else CURRENCY)
    try:
        amount = parse_money(options.amount, currency)
        shop = _shop(config, currency)
    except MoneyError as error:
        raise UsageError(f"--amount, --currency: {error}") from error
    reader = options.reader or (str(config.devices.readers[0]) if config and config.devices.readers else "")
    if not reader:
        raise UsageError("which reader? --reader ADDRESS; tillside devices lists what is attached")
    if config is None:
        text = default_text()
        return _Place(config, Terminal(parse_emv(text, shop), text, shop, reader), amount)
    try:
        text = config.cards.emv.read_text("utf-8") if config.cards.emv else default_text()
        return _Place(config, Terminal(emv_config(config), text, shop, reader), amount)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _shop(config: Config | None, currency: str) -> Mapping[str, Any]:
    if config is not None:
        return shop_settings(config)
    return {
        "country": COUNTRY,
        "currency": numeric_code(currency),
        "cvm_limit": parse_money("50", currency).minor,
        "transaction_limit": None,
        "floor_limit": 0,
        "merchant_name": "Tillside",
        "terminal_id": "RECORD",
    }


def _open(address: str) -> ContactlessReader:
    try:
        return open_reader(parse(address))
    except AddressError as error:
        raise UsageError(str(error)) from error
    except DeviceError as error:
        raise FindingError(str(error)) from error  # it names its address
    except RegistryError as error:
        raise FindingError(f"{address}: {error}") from error


def _wait(reader: ContactlessReader, address: str) -> Card:
    complain(f"hold a test card to {address}")
    stop, end = threading.Event(), time.monotonic() + WAIT_S
    try:
        while time.monotonic() < end:
            card = reader.wait_for_card(stop, timeout_s=MAX_WAIT_S)
            if card is not None:
                return card
    except DeviceError as error:
        raise FindingError(f"{address}: {error}") from error
    raise FindingError(f"no card came to {address} in {WAIT_S:.0f} s")


def _check(file: Path | None) -> None:
    """Refuse a file that can't be written before anybody holds a card to the reader."""
    if file is not None:
        os.close(_create(file))
        file.unlink()
    elif not os.access(Path.cwd(), os.W_OK):
        raise FindingError(f"{Path.cwd()}: nothing can be written there; name a file with --out")


def _create(file: Path) -> int:
    """Return the descriptor of a new file that only its owner reads."""
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise FindingError(f"{file}: is there already and is left alone; name another with --out") from error
    except OSError as error:
        why = error.strerror or error
        raise FindingError(f"{file}: can't be written ({why}); name another with --out") from error


def _write(file: Path, value: Mapping[str, Any]) -> None:
    """Write a file that only its owner reads; one that is there already is left alone."""
    with os.fdopen(_create(file), "w", encoding="utf-8") as opened:
        json.dump(value, opened, indent=1)
        opened.write("\n")


def _replaying(options: argparse.Namespace, file: Path, config: Config | None) -> str:
    """Return the command that replays what was recorded, with all that it needs."""
    parts = ["tillside", "emv", "replay", shlex.quote(str(file))]
    if config is not None and config.cards.ca_keys is not None:
        parts += ["--ca-keys", shlex.quote(str(config.cards.ca_keys))]
    if options.sealed:
        parts += ["--key", "HOST-PRIVATE-KEY"]
    return " ".join(parts)


def _tell(options: argparse.Namespace, file: Path, exchanges: int, outcome: Outcome, replaying: str) -> None:
    form = "sealed" if options.sealed else "masked"
    if options.json:
        told = {"file": str(file), "form": form, "exchanges": exchanges, "outcome": outcome.kind.value}
        findings = findings_json(outcome.findings)
        say_json({**told, "reason": outcome.reason, "findings": findings, "replay": replaying})
        return
    say(f"{outcome.kind.value}: {outcome.reason}")
    for line in finding_lines(outcome.findings):
        say(line)
    say(f"{exchanges} commands in {file}, {form}; run: {replaying}")
