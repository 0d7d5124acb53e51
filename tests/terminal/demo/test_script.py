"""Scripts are checked whole before anything is played, each fault with its step."""

import re
from pathlib import Path

import pytest

from terminal.demo.script import ScriptError, check, load
from terminal.demo.world import find


def step(**fields: str) -> str:
    """Return a step as TOML: a tap, with some fields otherwise."""
    usual = {"name": "x", "do": "tap", "card": "visa-approve", "amount": "1.00", "expect": "approved"}
    lines = [f"{key} = {value!r}" for key, value in (usual | fields).items()]
    return "\n".join(["[[step]]", *lines, ""])


def look(tmp_path: Path, text: str) -> None:
    """Load and check a script."""
    path = tmp_path / "steps.toml"
    path.write_text(text)
    check(path, load(path), find())


def test_the_built_in_script_is_right() -> None:
    check(None, load(None), find())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = 1", ": a script is a list of"),
        ("step = []", ": has no steps"),
        ("step = [1]", ": step 1: a step is a table"),
        ("[[step]", ": can't be read"),
        ('[[step]]\nname = "x"\ndo = "tap"\nexpect = "approved"', ": step 1 (x): missing amount, card"),
        (
            '[[step]]\nname = "x"\ndo = "drain"\nexpect = ""\ncolour = "red"',
            ": step 1 (x): unknown key 'colour'",
        ),
        ('[[step]]\nname = 1\ndo = "drain"\nexpect = ""', ": step 1: name must be text"),
        (step(name=""), ": step 1: name must not be empty"),
        (step(name=" "), ": step 1 ( ): name must not be empty"),
        (step(do="dance"), ": step 1 (x): do is one of tap, code, "),
        (step() + step(name="y", card="visa-nope"), ": step 2 (y): card is one of "),
        (step(do="kill", card="visa-nope"), ": step 1 (x): card is one of "),
        (
            step(do="code", code="plays"),
            ": step 1 (x): code is one of pays, waits, poor, foreign, pays-by-scanner, ",
        ),
        (step(amount="ten"), ": step 1 (x): amount: 'ten' is no amount in CNY"),
        (step(amount="1.234"), ": step 1 (x): amount: '1.234' is no amount in CNY"),
        (step(amount="-1"), ": step 1 (x): amount: '-1' is no amount in CNY"),
        (step(amount="0.00"), ": step 1 (x): amount must be more than 0, not '0.00'"),
        (step(do="network", to="front"), ": step 1 (x): to is one of cut, back, not 'front'"),
        (
            step(do="qr", customer="runs"),
            ": step 1 (x): customer is one of scans, ignores, pays late, not 'runs'",
        ),
    ],
)
def test_each_fault_is_named_with_its_step(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=re.escape(f"steps.toml{words}")):
        look(tmp_path, text)


@pytest.mark.parametrize("card", find().cards())
def test_every_card_of_the_world_may_be_named(tmp_path: Path, card: str) -> None:
    look(tmp_path, step(card=card))


@pytest.mark.parametrize("code", find().codes())
def test_every_code_of_the_world_may_be_named(tmp_path: Path, code: str) -> None:
    look(tmp_path, step(do="code", code=code))
