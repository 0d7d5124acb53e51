"""The taps recorded in this folder come to what they came to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from terminal.replay.replay import replay
from terminal.replay.transcript import parse
from tests.replay.make import COMPARED, FOLDER
from tests.terminal.replay.taps import config

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_recorded_tap(file: Path) -> None:
    text = file.read_text("utf-8")
    (transcript,) = parse(text)
    replayed = replay(transcript, config())
    found = replayed.as_json()
    assert {key: found[key] for key in COMPARED} == json.loads(text)["expected"]
    assert (replayed.differences, replayed.unused) == ((), ())


def test_there_are_taps_of_every_kernel() -> None:
    assert {json.loads(file.read_text("utf-8"))["expected"]["kernel"] for file in FILES} == {2, 3, 4, 5, 6, 7}
