"""What the terminal computes in a whole tap, as a part of the 500 ms that a tap may take.

The card's own time is left out; authentication is in. Both cards approve offline, so nothing is skipped.
"""

import datetime
import secrets
import time
from dataclasses import replace

from emv.apdu import Exchange
from emv.capk import parse_ca_keys
from emv.config import EmvConfig, default_config
from emv.entry_point import EntryPoint
from emv.kernel import Begin, CardAnswered, Complete, Event, SendCommand, Transaction
from emv.oda import OdaResult
from emv.outcome import OutcomeKind
from simulators import scheme
from simulators.cards import profile
from tests.benchmarks.measure import line, p50

TAP_MS = 500.0
_TAPS = 200
_CARDS = (("C-3, fDDA", "visa-offline", 3.0), ("C-2, CDA", "mastercard-approve", 5.0))


def run() -> None:
    """Print each kernel's time, and where it goes."""
    keys = parse_ca_keys(scheme.ca_keys_json())
    config = replace(default_config("276", "978", floor_limit=100_000), ca_keys=keys)
    for name, card, limit_ms in _CARDS:
        taps = [_tap(card, config) for _ in range(_TAPS)]
        total = p50([sum(tap.values()) for tap in taps])
        line(
            f"terminal's time in a tap, {name}",
            f"{total:.2f} ms",
            f"{total / TAP_MS:.2%} of a {TAP_MS:.0f} ms tap",
            f"{total / limit_ms:.2f} of the {limit_ms:.0f} ms allowed",
        )
        for step in dict.fromkeys(step for tap in taps for step in tap):
            line(f"  of it: {step}", f"{p50([tap[step] for tap in taps]):.2f} ms")


def _tap(name: str, config: EmvConfig) -> dict[str, float]:
    """Return the milliseconds by what the terminal had to answer to."""
    card = profile.load(name)
    card.power_on()
    machine = EntryPoint(config)
    event: Event = Begin(_transaction())
    spent: dict[str, float] = {}
    step = "start"
    while True:
        began = time.perf_counter()
        actions = machine.handle(event)
        spent[step] = spent.get(step, 0.0) + (time.perf_counter() - began) * 1e3
        last = actions[-1]
        if isinstance(last, Complete):
            outcome = last.outcome
            assert outcome.kind is OutcomeKind.APPROVED, outcome.reason
            assert outcome.evidence is not None
            assert outcome.evidence.oda.result is OdaResult.SUCCEEDED
            return spent
        assert isinstance(last, SendCommand)
        step = _STEPS.get(last.command.ins, "other answers")
        exchange = Exchange(last.command)
        raw: bytes | None = exchange.first()
        while raw is not None:
            raw = exchange.next(card.transmit(raw) or b"")
        event = CardAnswered(exchange.response, 300)


_STEPS = {0xA4: "applications", 0xA8: "processing options", 0xB2: "records", 0xAE: "cryptogram"}
"""By instruction: what the card's answer is about. The last answer's time includes the decision."""


def _transaction() -> Transaction:
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    return Transaction(
        amount_minor=1250,
        currency="978",
        date=now.date(),
        time=now.time(),
        unpredictable_number=secrets.token_bytes(4),
    )
