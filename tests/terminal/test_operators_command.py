"""`tillside operators` as a person and as a program run it."""

import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.operators import Operators, Role


def run(*arguments: str, home: Path) -> int:
    return main(["operators", *arguments, "--home", str(home)])


def types(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let a person at a terminal type these, unseen."""
    asked: list[str] = []
    waiting = iter(answers)

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return next(waiting)

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", ask)
    return asked


def test_somebody_is_added_listed_changed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", home=tmp_path) == FINE
    asked = types(monkeypatch, "2580", "2580")
    assert run("add", "Tess", "--role", "technician", home=tmp_path) == FINE
    assert len(asked) == 2
    types(monkeypatch, "1357", "1357")
    assert run("pin", "Tess", home=tmp_path) == FINE
    assert run("list", home=tmp_path) == FINE
    assert Operators(tmp_path).check("1357", set(Role)).role is Role.TECHNICIAN
    assert run("remove", "Tess", home=tmp_path) == FINE
    out = capsys.readouterr().out
    assert "nobody yet" in out
    assert "--role technician" in out
    assert "technician Tess" in out
    assert "2580" not in out
    assert Operators(tmp_path).all == ()


def test_two_pins_that_differ_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, "2580", "2581")
    assert run("add", "Tess", "--role", "technician", home=tmp_path) == WRONG_USE
    assert "differ" in capsys.readouterr().err
    assert Operators(tmp_path).all == ()


def test_a_program_gives_the_pin_on_standard_input_and_reads_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("2580\n"))
    assert run("add", "Tess", "--role", "supervisor", "--json", home=tmp_path) == FINE
    assert json.loads(capsys.readouterr().out) == {"done": "added: supervisor Tess"}
    assert run("list", "--json", home=tmp_path) == FINE
    assert json.loads(capsys.readouterr().out) == [{"name": "Tess", "role": "supervisor"}]


def test_what_can_not_be_is_a_finding_in_words_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("remove", "Eve", "--json", home=tmp_path) == FINDING
    done = capsys.readouterr()
    assert "no operator is called Eve" in done.err
    assert "no operator" in json.loads(done.out)["error"]["message"]


def test_a_role_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run("add", "Tess", home=tmp_path)
    assert caught.value.code == WRONG_USE
