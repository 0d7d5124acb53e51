"""Taps that others have recorded, replayed: none breaks anything, and complete ones come to the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv.capk import parse_ca_keys
from emv.outcome import OutcomeKind
from terminal.replay.replay import Replayed, replay
from terminal.replay.transcript import parse
from tests.terminal.replay.taps import config

VISA = "A000000003"


@pytest.fixture(scope="module")
def replayed(vectors: Callable[[str], Any]) -> list[tuple[dict[str, Any], Replayed]]:
    """Every case with what its replay comes to, authenticated by the published keys."""
    cases = vectors("transcripts.json")["cases"]
    terminal = replace(config(), ca_keys=parse_ca_keys(json.dumps(vectors("ca_keys.json"))))
    transcripts = parse(json.dumps({"cases": cases}))
    return [(case, replay(its, terminal)) for case, its in zip(cases, transcripts, strict=True)]


def test_every_case_comes_to_an_outcome(replayed: list[tuple[dict[str, Any], Replayed]]) -> None:
    assert len(replayed) >= 21
    for case, its in replayed:
        found = json.loads(json.dumps(its.as_json()))
        assert found["id"] == case["id"]
        assert (len(found["tvr"]), len(found["tsi"])) == (10, 4)
        assert found["reason"], case["id"]


def test_nothing_of_a_card_is_printed(replayed: list[tuple[dict[str, Any], Replayed]]) -> None:
    for case, its in replayed:
        text = json.dumps(its.as_json())
        for application in case["facts"].get("applications", []):
            for secret in ("pan", "track2"):
                if len(application.get(secret, "")) >= 13:
                    assert application[secret] not in text, case["id"]


def test_visa_taps_go_online_with_the_recorded_cryptogram(
    replayed: list[tuple[dict[str, Any], Replayed]],
) -> None:
    checked = 0
    for case, its in replayed:
        complete = [
            application
            for application in case["facts"].get("applications", [])
            if "ac" in application and application["aid"].startswith(VISA)
        ]
        if case["interface"] != "contactless" or not case["id"].startswith("tec-") or not complete:
            continue
        assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST, (case["id"], its.reason)
        assert its.as_json()["data_record"]["9F26"] == complete[0]["ac"]
        assert its.differences == (), case["id"]
        checked += 1
    assert checked >= 3


def test_a_cryptogram_that_was_generated_comes_again(
    replayed: list[tuple[dict[str, Any], Replayed]],
) -> None:
    checked = 0
    for case, its in replayed:
        applications = case["facts"].get("applications", [])
        asked = [
            one["generate_ac"][0]["ac"] for one in applications if "ac" in one.get("generate_ac", [{}])[0]
        ]
        if not asked or its.outcome.kind is not OutcomeKind.ONLINE_REQUEST:
            continue
        assert its.as_json()["data_record"]["9F26"] == asked[0], case["id"]
        checked += 1
    assert checked >= 3


def test_a_card_lost_in_the_recording_is_to_be_presented_again(
    replayed: list[tuple[dict[str, Any], Replayed]],
) -> None:
    lost = [its for case, its in replayed if "connection_lost" in case["id"]]
    assert [its.outcome.kind for its in lost] == [OutcomeKind.TRY_AGAIN] * len(lost)
    assert all("lost in the recording" in its.reason for its in lost)


def test_signatures_over_recorded_transactions_hold(
    replayed: list[tuple[dict[str, Any], Replayed]],
) -> None:
    """What was told the card has to be the same, byte for byte, for a signature to hold."""
    held = {case["id"]: its.oda.method.value for case, its in replayed if its.oda.succeeded}
    assert held.items() >= {"binaryfoo-amex-cda": "CDA", "binaryfoo-contact-upi": "DDA"}.items()
