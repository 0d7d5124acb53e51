"""`tillside emv replay`: what it prints, for a person and for a program, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emv.config_file import default_text
from simulators import scheme
from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.replay.transcript import Transcript
from tests.terminal.replay.taps import config, tap

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `emv replay` in this process; gives exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main(["emv", "replay", *(str(argument) for argument in arguments)])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def file(folder: Path, *transcripts: Transcript, **more: Any) -> Path:
    path = folder / "recorded.json"
    written = [its.as_json() | more for its in transcripts]
    path.write_text(json.dumps(written[0] if len(written) == 1 else {"cases": written}))
    return path


def mastercard(*, with_keys: bool = True) -> Transcript:
    return tap("mastercard-approve", config(with_keys=with_keys))[0]


def test_what_a_program_is_told(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(scheme.ca_keys_json())
    code, out, _ = run(file(tmp_path, mastercard()), "--json", "--ca-keys", keys)
    assert code == FINE
    found = json.loads(out)
    assert {
        name: found[name] for name in ("id", "kernel", "aid", "outcome", "reason", "tvr", "tsi", "cvm")
    } == {
        "id": "tap-20260701-123015",
        "kernel": 2,
        "aid": "A0000000041010",
        "outcome": "online request",
        "reason": "the issuer is asked",
        "tvr": "0000008001",
        "tsi": found["tsi"],
        "cvm": "no CVM",
    }
    assert found["oda"] == {"method": "CDA", "result": "succeeded", "reason": ""}
    assert (found["differences"], found["unused"], found["notes"]) == ([], [], [])


def test_a_difference_for_a_program(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(file(tmp_path, mastercard()), "--json")
    differences = json.loads(out)["differences"]
    assert code == FINE
    assert [its["what"] for its in differences] == [
        "GENERATE AC: ARQC with CDA was asked for, ours asks for ARQC",
        "GENERATE AC: 95 Terminal Verification Results (TVR)",
        "outcome: online request was recorded, ours is end application",
    ]
    assert set(differences[0]) == {"exchange", "recorded", "sent", "what"}
    assert differences[1]["recorded"] == "0000008001"
    assert differences[1]["sent"] == "8000008001"


def test_a_difference_for_a_person(run: Run, tmp_path: Path) -> None:
    _, out, _ = run(file(tmp_path, mastercard()))
    lines = out.splitlines()
    assert "  differences: 3" in lines
    assert "    outcome: online request was recorded, ours is end application" in lines
    assert any("--ca-keys" in line for line in lines)
    at = lines.index("    exchange 9: GENERATE AC: 95 Terminal Verification Results (TVR)")
    assert lines[at + 1 : at + 3] == ["      recorded 0000008001", "      sent     8000008001"]
    assert any("without CA keys" in line for line in lines)


def test_what_a_person_is_told(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(file(tmp_path, mastercard(with_keys=False)))
    assert code == FINE
    for line in (
        "  application: kernel 2, A0000000041010 Mastercard",
        "  outcome: online request (the issuer is asked)",
        "  recorded: online request (the issuer is asked); authentication: none, not performed",
        "  TVR: 8000008001 oda not performed, floor limit exceeded",
        "  verification: no CVM (1F0302: No CVM required; Condition: if terminal supports the CVM; "
        "Result: successful)",
        "  authentication: none, not performed (no CA keys)",
        "  differences: none",
    ):
        assert line in out.splitlines(), line


def test_all_cases_or_one(run: Run, tmp_path: Path) -> None:
    visa, card = tap("visa-approve")[0], mastercard()
    path = tmp_path / "cases.json"
    cases = [visa.as_json() | {"id": "a"}, card.as_json() | {"id": "b"}]
    path.write_text(json.dumps({"cases": cases}))
    assert [its["id"] for its in json.loads(run(path, "--json")[1])] == ["a", "b"]
    assert json.loads(run(path, "--json", "--case", "b")[1])["kernel"] == 2
    code, _, err = run(path, "--case", "c")
    assert (code, "there are a, b" in err) == (WRONG_USE, True)


def test_the_recordings_configuration_counts_or_the_one_that_is_named(run: Run, tmp_path: Path) -> None:
    recorded = tap("visa-approve", config())[0].as_json()
    recorded["terminal"]["emv"] = default_text().replace('"A0000000031010",', "")
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(recorded))
    assert "is not configured" in run(path)[1]
    named = tmp_path / "emv.toml"
    named.write_text(default_text())
    assert "is not configured" not in run(path, "--emv", named)[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("{}", "nothing to replay"),
        ('{"sealed": "AAAA"}', "--key"),
        ('{"exchanges": [{"c": "", "r": ""}], "terminal": {"emv": "[terminal"}}', "name one with --emv"),
        ('{"exchanges": [{"c": "", "r": ""}], "terminal": {"shop": {"country": 5}}}', "terminal.country"),
    ],
)
def test_what_is_no_recording(run: Run, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(text)
    code, out, err = run(path, "--json")
    assert code == (WRONG_USE if "sealed" in text else FINDING)
    assert words in json.loads(out)["error"]["message"]
    assert words in err


@pytest.mark.parametrize("option", ["--ca-keys", "--emv"])
@pytest.mark.parametrize("content", [None, "\xff{"])
def test_files_that_can_t_be_used(run: Run, tmp_path: Path, option: str, content: str | None) -> None:
    other = tmp_path / "other"
    if content is not None:
        other.write_text(content)
    code, out, err = run(file(tmp_path, mastercard()), option, other)
    assert (code, out) == (WRONG_USE, "")
    assert str(other) in err
    assert ("can't be read (No such file or directory)" in err) is (content is None)
    other.write_bytes(b"\xff")
    assert "can't be read (it is no text in UTF-8)" in run(file(tmp_path, mastercard()), option, other)[2]


def test_keys_that_are_left_out_are_counted_in_a_line(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = json.loads(scheme.ca_keys_json())
    listed = keys if isinstance(keys, list) else keys["keys"]
    for index in ("E1", "E2", "E3"):
        listed.append({"rid": "A000000003", "index": index, "modulus": "C1" * 128, "exponent": "02"})
    file_of_keys = tmp_path / "keys.json"
    file_of_keys.write_text(json.dumps(keys))
    assert run(file(tmp_path, mastercard()), "--ca-keys", file_of_keys)[0] == FINE
    (line,) = [its.getMessage() for its in caplog.records if its.levelname == "WARNING"]
    assert line.endswith("keys are taken, 3 left out")


def test_wrong_use(run: Run, tmp_path: Path) -> None:
    assert run()[0] == WRONG_USE
    code, _, err = run(tmp_path / "nowhere.json")
    assert (code, "can't be read (No such file or directory)" in err) == (WRONG_USE, True)
