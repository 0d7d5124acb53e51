"""A tap that was recorded comes to the same when it is replayed, and not a byte of ours is another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emv.outcome import OutcomeKind
from emv.tags import Tag
from simulators.cards import profile
from terminal.replay.masking import masked
from terminal.replay.replay import Replayed, replay
from tests.terminal.replay.taps import config, payment, tap, written

FLOOR = 5000
"""Payments of 12.50 may be approved offline below it."""


@pytest.mark.parametrize("floor_limit", [0, FLOOR])
@pytest.mark.parametrize("name", profile.profiles())
def test_every_card(name: str, floor_limit: int) -> None:
    terminal = config(floor_limit=floor_limit)
    transcript, outcome = tap(name, terminal)
    replayed = replay(written(transcript), terminal)
    assert replayed.differences == ()
    assert replayed.unused == ()
    again = replayed.outcome
    assert (again.kind, again.reason, again.kernel_id, again.aid) == (
        *(outcome.kind, outcome.reason, outcome.kernel_id, outcome.aid),
    )
    assert (again.cvm, again.scheme_kind, again.data_record) == (
        *(outcome.cvm, outcome.scheme_kind, outcome.data_record),
    )
    if outcome.evidence is not None:
        assert replayed.oda == outcome.evidence.oda
        for tag in (Tag.TVR, Tag.TSI, Tag.CVM_RESULTS):
            assert replayed.value(tag) == outcome.evidence.terminal.get(tag, b"")


@pytest.mark.parametrize("name", [name for name in profile.profiles() if not name.startswith("malicious")])
def test_every_card_masked(name: str) -> None:
    terminal = config(with_keys=False)
    transcript, outcome = tap(name, terminal)
    replayed = replay(written(masked(transcript)), terminal)
    assert replayed.differences == ()
    assert replayed.unused == ()
    assert (replayed.outcome.kind, replayed.outcome.reason) == (outcome.kind, outcome.reason)


def test_above_the_limit_for_verification() -> None:
    terminal = config()
    for name in ("visa-phone", "mastercard-wallet", "unionpay-wallet"):
        transcript, outcome = tap(name, terminal, payment(25_000))
        replayed = replay(written(transcript), terminal)
        assert (replayed.outcome.kind, replayed.outcome.cvm) == (outcome.kind, outcome.cvm), name
        assert replayed.differences == ()


def test_relay_resistance_is_measured_by_the_recorded_times() -> None:
    transcript, _ = tap("mastercard-relay-resistance")
    slow = replace(
        transcript, exchanges=tuple(replace(exchange, ms=400.0) for exchange in transcript.exchanges)
    )

    def relay_bits(replayed: Replayed) -> int:
        return replayed.tvr[4] & 0x0C

    assert relay_bits(replay(transcript, config())) == 0
    assert relay_bits(replay(slow, config())) != 0


@pytest.mark.parametrize(("late_us", "attempts"), [(0, 1), (10_000, 3)])
@pytest.mark.parametrize("pdol", ["", "9F3704"])
def test_a_card_that_was_told_a_number_before_it_is_measured(pdol: str, late_us: int, attempts: int) -> None:
    """Then the number of its processing options is no entropy; else it is the first one."""
    card = profile.make(
        {
            "card": {
                "kind": "mastercard",
                "pan": "5413330089020011",
                "profile": "1981",
                "relay": {"shortest": 0, "longest": 0, "transmission": 20},
                "pdol": pdol,
            },
            "authentication": {},
            "attack": {"delay_us": late_us},
        }
    )
    transcript, outcome = tap(card)
    sent = [its.command for its in transcript.exchanges if its.command]
    entropies = [command[5:9].hex() for command in sent if command[1] == 0xEA]
    assert (
        entropies == (["1a1b1c1d", "2a2b2c2d"] if pdol else ["0a0b0c0d", "1a1b1c1d", "2a2b2c2d"])[:attempts]
    )
    replayed = replay(written(transcript), config())
    assert (replayed.differences, replayed.unused) == ((), ())
    assert (replayed.outcome.kind, replayed.outcome.data_record) == (outcome.kind, outcome.data_record)


def test_the_recorded_date_counts_and_not_todays() -> None:
    transcript, outcome = tap("visa-approve")
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    replayed = replay(written(transcript), config())
    assert replayed.value(Tag.TRANSACTION_DATE) == bytes.fromhex("260701")
    assert replayed.value(Tag.UNPREDICTABLE_NUMBER) == bytes.fromhex("0A0B0C0D")
