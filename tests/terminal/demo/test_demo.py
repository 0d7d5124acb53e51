"""The demo as a newcomer and as a machine run it: `tillside demo --script`, on each kind of reader."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.world import SimulatedWorld
from terminal.demo.script import load
from terminal.demo.world import Pace

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


TAP = """
[[step]]
name = "{name}"
do = "tap"
card = "{card}"
amount = "1.00"
expect = "{expect}"
"""


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
    text = TAP.format(name="fine", card="visa-approve", expect="approved") + TAP.format(
        name="wrong", card="visa-nope", expect="approved"
    )
    file = script(tmp_path / "steps.toml", text)
    done = demo("--script", file, "--json", "--reader", "sim:")
    assert done.returncode == 2
    assert done.stderr.startswith(f"tillside: {file}: step 2 (wrong): card is one of ")
    assert json.loads(done.stdout)["error"]["message"] in done.stderr  # and nothing was played


def test_a_screen_without_a_terminal_says_what_to_do() -> None:
    done = demo()
    assert done.returncode == 2
    assert "--script" in done.stderr


def test_an_address_that_is_none_names_the_syntax() -> None:
    done = demo("--script", "--reader", "my reader")
    assert done.returncode == 2
    assert "scheme:target" in done.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ("sim:visa-aprove", "sim:visa-aprove: wrong address (write sim:visa-approve or sim:"),
        ("pn532:/dev/no-such-port", "pn532:/dev/no-such-port: not found (attach the reader, then: ls "),
        ("foo:", "foo: wrong address (no reader driver is called foo; "),
    ],
)
def test_a_reader_that_is_not_there_is_a_finding_with_its_cure(reader: str, words: str) -> None:
    done = demo("--script", "--reader", reader)
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"tillside: the demo did not come up: {words}")
    assert last.endswith(")")
    assert done.stdout == ""


def test_a_port_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    world = SimulatedWorld()
    port = tmp_path / "ttyUSB9"
    try:
        text = world.start(tmp_path / "home", f"pn532:{port}", Pace.SCRIPT)
    finally:
        world.stop()
    assert f'readers = ["pn532:{port}"]' in text
    assert not port.is_symlink()
    assert world.notes == (f"pn532:{port} is taken for a real device: no simulated card comes near it.",)


@pytest.mark.timeout(10)
def test_nobody_waits_for_an_answer_that_is_not_held_any_more(tmp_path: Path) -> None:
    world = SimulatedWorld()
    world.start(tmp_path / "home", "sim:", Pace.SCRIPT)
    try:
        world.hold_host_answer()
        with ThreadPoolExecutor() as pool:
            held = pool.submit(world.wait_until_held)
            world.release_host_answer()
        assert held.result() is False
    finally:
        world.stop()


def test_a_part_that_does_not_end_keeps_no_other_from_it(tmp_path: Path) -> None:
    world = SimulatedWorld()
    world.start(tmp_path / "home", "sim:", Pace.SCRIPT)

    def fail() -> None:
        raise RuntimeError

    world._ends.append(fail)
    world.stop()
    assert world.host.running is False


DRAIN = '[[step]]\nname = "waits"\ndo = "drain"\nexpect = "drained"\n'


def test_a_folder_may_be_named_from_here_and_be_used_again(tmp_path: Path) -> None:
    script(tmp_path / "steps.toml", DRAIN)
    for _ in range(2):
        done = subprocess.run(
            [*COMMAND, "--home", "mine", "--reader", "sim:", "--script", "steps.toml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert {"tillside.toml", "queue.db"} <= {path.name for path in (tmp_path / "mine").iterdir()}


def test_books_agree_in_a_folder_with_payments_of_an_earlier_run(tmp_path: Path) -> None:
    audit = '[[step]]\nname = "audit"\ndo = "audit"\nexpect = "they agree"\n'
    file = script(tmp_path / "steps.toml", THEN + audit)
    for _ in range(2):
        done = demo("--home", str(tmp_path / "mine"), "--reader", "sim:", "--script", file)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_folder_that_lost_its_host_is_a_finding(tmp_path: Path) -> None:
    file = script(tmp_path / "steps.toml", DRAIN)
    home = tmp_path / "mine"
    assert demo("--home", str(home), "--reader", "sim:", "--script", file).returncode == 0
    shutil.rmtree(home / "world")
    done = demo("--home", str(home), "--reader", "sim:", "--script", file)
    assert done.returncode == 1
    assert done.stderr.startswith("tillside: the demo did not come up: the host shows other keys")
    assert done.stderr.endswith(f"; try another folder than {home}\n")
    assert len(done.stderr.splitlines()) == 1


# --- what goes wrong inside a step


def patched(patch: str, steps: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """Play a script in a program that has been changed before."""
    home.mkdir()
    program = f"import sys\nHOME = {str(home)!r}\n{patch}\nfrom terminal.cli import main; sys.exit(main())"
    return subprocess.run(
        [
            *(sys.executable, "-c", program, "demo", "--home", str(home), "--reader", "sim:"),
            *("--json", "--script", script(home.parent / "steps.toml", steps)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


THEN = TAP.format(name="then", card="visa-approve", expect="approved")


def test_a_step_that_fails_is_told_and_the_next_one_is_played(tmp_path: Path) -> None:
    patch = """
from simulators.world import SimulatedWorld as World
right = World.hold_card
def wrong(self, name):
    World.hold_card = right
    raise ZeroDivisionError
World.hold_card = wrong
"""
    steps = TAP.format(name="fails", card="visa-approve", expect="approved") + THEN
    done = patched(patch, steps, tmp_path / "home")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["outcome"], first["ok"]) == ("failed: ZeroDivisionError", False)
    assert (second["outcome"], second["ok"]) == ("approved", True)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_fault_between_two_steps_is_told(tmp_path: Path) -> None:
    patch = """
from simulators.world import SimulatedWorld as World
right = World.hide_code
def wrong(self):
    World.hide_code = right
    raise ZeroDivisionError
World.hide_code = wrong
"""
    done = patched(patch, DRAIN + THEN, tmp_path / "home")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["outcome"], first["ok"]) == ("drained, then failed: ZeroDivisionError", False)
    assert second["ok"]
    assert (done.returncode, done.stderr) == (1, "")


def test_what_goes_wrong_with_the_terminal_to_be_killed_is_told_in_words(tmp_path: Path) -> None:
    patch = """
from pathlib import Path
from simulators.world import SimulatedWorld as World
right = World.hold_host_answer
def wrong(self):
    (Path(HOME) / "tillside.toml").write_text("nonsense")
    right(self)
World.hold_host_answer = wrong
"""
    steps = """
        [[step]]
        name = "to be killed"
        do = "kill"
        card = "visa-approve"
        amount = "1.00"
        expect = "killed, then resolved as approved"
    """
    home = tmp_path / "home"
    done = patched(patch, steps + THEN, home)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["outcome"].startswith(
        f"the terminal that was to be killed ended by itself: {home}/tillside.toml:1: not valid TOML"
    )
    assert second["ok"]
    assert (done.returncode, done.stderr) == (1, "")
