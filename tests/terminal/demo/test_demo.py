"""The demo as a newcomer and as a machine run it: `tillside demo --script`, on each kind of reader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.readers.pcsc_daemon import PcscDaemon
from terminal.demo.script import ScriptError, load

COMMAND = [sys.executable, "-c", "import sys; from terminal.cli import main; sys.exit(main())", "demo"]


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=150,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("reader", ["sim:", "pcsc:", "pn532:"])
def test_the_built_in_script_comes_out_as_it_says(reader: str) -> None:
    if reader == "pcsc:" and (missing := PcscDaemon.missing()):
        pytest.skip(f"the PC/SC daemon can't be had: {missing}")
    done = demo("--script", "--json", "--reader", reader)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report for report in reports if not report["ok"]] == []
    assert [report["step"] for report in reports] == [step.name for step in load(None)]
    assert all(list(report) == ["step", "expected", "outcome", "ok", "ms"] for report in reports)
    assert done.stderr == ""
    assert done.returncode == 0


def script(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_step_that_comes_out_otherwise_is_a_finding(tmp_path: Path) -> None:
    text = """
        [[step]]
        name = "hopeful"
        do = "tap"
        card = "visa-issuer-declines"
        amount = "1.00"
        expect = "approved"
    """
    done = demo("--script", script(tmp_path / "steps.toml", text), "--reader", "sim:")
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "declined   expected: approved" in done.stdout


def test_a_fault_in_a_script_is_wrong_use_and_named(tmp_path: Path) -> None:
    done = demo(
        "--script", script(tmp_path / "steps.toml", '[[step]]\nname = "x"\ndo = "dance"\nexpect = ""')
    )
    assert done.returncode == 2
    assert "step 1" in done.stderr
    assert "dance" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = 1", "list of"),
        ('[[step]]\nname = "x"\ndo = "tap"\nexpect = "approved"', "missing amount, card"),
        ('[[step]]\nname = "x"\ndo = "drain"\nexpect = ""\ncolour = "red"', "unknown key 'colour'"),
        ('[[step]]\nname = 1\ndo = "drain"\nexpect = ""', "name must be text"),
        ("[[step]", "can't be read"),
    ],
)
def test_each_fault_in_a_script_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=words):
        load(Path(script(tmp_path / "steps.toml", text)))


def test_a_screen_without_a_terminal_says_what_to_do() -> None:
    done = demo()
    assert done.returncode == 2
    assert "--script" in done.stderr


def test_an_address_that_is_none_names_the_syntax() -> None:
    done = demo("--script", "--reader", "my reader")
    assert done.returncode == 2
    assert "scheme:target" in done.stderr


def test_a_reader_that_is_not_there_is_named_with_its_cure() -> None:
    done = demo("--script", "--reader", "sim:no-such-card")
    assert done.returncode == 2
    assert "no-such-card: not found" in done.stderr
