"""Recordings as JSON: what is read, what counts as a lost card, and what is no recording."""

from __future__ import annotations

import json
from typing import Any

import pytest

from terminal.replay.replay import replay
from terminal.replay.transcript import CONTACT, CONTACTLESS, TranscriptError, parse
from tests.terminal.replay.taps import config, tap, written

SELECT = "00A404000E325041592E5359532E444446303100"


def one(exchange: dict[str, Any], **more: Any) -> Any:
    (found,) = parse(json.dumps({"exchanges": [exchange], **more}))
    return found


def test_what_is_written_is_read_again() -> None:
    transcript, _ = tap("visa-approve")
    assert written(transcript) == transcript


def test_only_exchanges_must_be_there() -> None:
    found = one({"c": SELECT, "r": "6A82"})
    assert (found.id, found.interface, found.masked) == ("recording", CONTACTLESS, False)
    (exchange,) = found.exchanges
    assert (exchange.number, exchange.command, exchange.ms) == (1, bytes.fromhex(SELECT), None)
    assert exchange.answer.reveal() == bytes.fromhex("6A82")


@pytest.mark.parametrize("command", [None, "", "00A", "xyz"])
def test_a_command_that_was_not_captured(command: str | None) -> None:
    assert one({"c": command, "r": "9000"}).exchanges[0].command is None


@pytest.mark.parametrize("answer", [None, "", "9", "900", "90", "zz", 5, "04810201001A0591AFAED"])
def test_an_answer_that_is_a_lost_card(answer: Any) -> None:
    assert one({"c": SELECT, "r": answer}).exchanges[0].answer is None
    assert one({"c": SELECT}).exchanges[0].answer is None


@pytest.mark.parametrize(
    ("ms", "read"),
    [
        (12.5, 12.5),
        (3, 3.0),
        (None, None),
        (-1, None),
        (True, None),
        ("1", None),
        (10**400, None),
        (1e300, None),
    ],
)
def test_the_time_of_the_card(ms: Any, read: float | None) -> None:
    assert one({"c": SELECT, "r": "9000", "ms": ms}).exchanges[0].ms == read


def test_what_is_said_of_the_tap() -> None:
    found = one({"c": SELECT, "r": "9000"}, id="x", interface="contact", masked=True, expected={"any": 1})
    assert (found.id, found.interface, found.masked) == ("x", CONTACT, True)


def test_several_cases() -> None:
    cases = [{"id": name, "exchanges": [{"c": SELECT, "r": ""}]} for name in "ab"]
    assert [found.id for found in parse(json.dumps({"about": "two", "cases": cases}))] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not an object"),
        ("{}", "nothing to replay"),
        ('{"exchanges": []}', "nothing to replay"),
        ('{"exchanges": {}}', "nothing to replay"),
        ('{"cases": []}', "no cases"),
        ('{"cases": [5]}', "case 1: not an object"),
        ('{"cases": [{"id": "first"}]}', "first: no list"),
        ('{"exchanges": [5]}', "exchange 1 is no object"),
        ('{"exchanges": [{}]}', "exchange 1 is no object"),
        ('{"exchanges": [{"c": 5}]}', "exchange 1: the command is neither"),
        ('{"exchanges": [{"c": ""}], "terminal": {"data": {"9F02": 5}}}', "terminal.data: '9F02'"),
        ('{"exchanges": [{"c": ""}], "terminal": {"data": {"x": "00"}}}', "terminal.data: 'x'"),
        ('{"exchanges": [{"c": ""}], "terminal": {"data": {"0F02": "00"}}}', "terminal.data: '0F02'"),
    ],
)
def test_what_is_no_recording(text: str, words: str) -> None:
    with pytest.raises(TranscriptError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"terminal": None}, '"terminal" is no object'),
        ({"terminal": {"shop": 5}}, '"shop" is no object'),
        ({"terminal": {"data": []}}, '"data" is no object'),
        ({"terminal": {"emv": 5}}, '"terminal.emv" is no text'),
        ({"terminal": {"data": {"9F37": "010203"}}}, "9F37 has a length of 3 where 4 is defined"),
        ({"exchanges": [{"c": SELECT, "r": "9000", "ms": "x"}]}, 'exchange 1: "ms" is no time'),
        ({"exchanges": [{"c": SELECT, "r": "9000ZZ"}]}, "exchange 1: the answer is no bytes"),
        ({"exchanges": [{"c": "00A4ZZ", "r": "9000"}]}, "exchange 1: the command is not hexadecimal"),
    ],
)
def test_what_is_damaged_is_noted(change: dict[str, Any], words: str) -> None:
    transcript, _ = tap("visa-approve")
    (found,) = parse(json.dumps(transcript.as_json() | change))
    assert any(words in note for note in found.notes)
    assert any(words in note for note in replay(found, config()).notes)


def test_what_is_sound_has_no_notes() -> None:
    assert written(tap("mastercard-approve")[0]).notes == ()
    assert one({"c": None, "r": ""}).notes == ()
