"""Taps of simulated cards, recorded as the command records them."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from functools import cache
from threading import Event
from typing import Any

from drivers.address import DeviceAddress
from emv.capk import CaKeys, parse_ca_keys
from emv.config import EmvConfig
from emv.config_file import default_text
from emv.config_file import parse as parse_emv
from emv.kernel import Transaction
from emv.outcome import Outcome
from simulators import scheme
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessReader
from terminal.replay.recorder import Terminal, record
from terminal.replay.transcript import Transcript, parse

NOW = datetime.datetime(2026, 7, 1, 12, 30, 15, tzinfo=datetime.UTC)
SHOP: dict[str, Any] = {
    "country": "156",
    "currency": "156",
    "cvm_limit": 5000,
    "transaction_limit": None,
    "floor_limit": 0,
    "merchant_name": "Riverside Tea House",
    "terminal_id": "T1",
}


@cache
def ca_keys() -> CaKeys:
    """The public keys of the test schemes."""
    return parse_ca_keys(scheme.ca_keys_json())


@cache
def config(*, with_keys: bool = True, floor_limit: int = 0) -> EmvConfig:
    """The default terminal."""
    found = parse_emv(default_text(), {**SHOP, "floor_limit": floor_limit})
    return replace(found, ca_keys=ca_keys()) if with_keys else found


def payment(amount_minor: int = 1250) -> Transaction:
    return Transaction(
        amount_minor=amount_minor,
        currency="156",
        date=NOW.date(),
        time=NOW.time(),
        unpredictable_number=bytes.fromhex("0A0B0C0D"),
        spare_unpredictable_numbers=(bytes.fromhex("1A1B1C1D"), bytes.fromhex("2A2B2C2D")),
        sequence_counter=7,
    )


def tap(
    card: SimulatedCard | str, terminal: EmvConfig | None = None, transaction: Transaction | None = None
) -> tuple[Transcript, Outcome]:
    """Tap a card, or the one of a profile."""
    found = profile.load(card) if isinstance(card, str) else card
    reader = InProcessReader(DeviceAddress("sim", ""), Field(found))
    held = reader.wait_for_card(Event(), timeout_s=1.0)
    assert held is not None
    its = Terminal(terminal or config(), default_text(), SHOP, "sim:")
    return record(held, its, transaction or payment(), NOW)


def written(transcript: Transcript) -> Transcript:
    """Return a recording as it is after it was written and read."""
    (read,) = parse(json.dumps(transcript.as_json()))
    return read
