"""However demo and cashier's screen end, nothing stays behind: signals, Ctrl-C, closed windows and pipes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terminal.config import Config
from terminal.enrolment import Enrolment
from tests.terminal.demo.terminal_window import Window

COMMAND = [sys.executable, "-c", "import sys; from terminal.cli import main; sys.exit(main())"]
SCRIPT = [*COMMAND, "demo", "--script", "--reader", "sim:", "--json"]
ALTERNATE_SCREEN_ON = "\x1b[?1049h"
ALTERNATE_SCREEN_OFF = b"\x1b[?1049l"
CURSOR_ON = b"\x1b[?25h"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the programs under test put their temporary folders."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def start(scratch: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )


def in_session(leader: int) -> list[str]:
    """Return the command lines of the processes in a session."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == leader:
                found.append((entry / "cmdline").read_text())
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


def using(folder: Path) -> list[str]:
    """Return the command lines that name a folder: the demo's own terminals are told theirs."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
        except (ProcessLookupError, FileNotFoundError):
            continue
        if str(folder) in line:
            found.append(line)
    return found


# --- a script


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_script_and_everything_with_it(scratch: Path, number: signal.Signals) -> None:
    with start(scratch, *SCRIPT) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith('{"step": "tap approved online"')
        assert list(scratch.iterdir())
        os.killpg(demo.pid, number)  # as a terminal does it: to all of them
        _, err = demo.communicate()
    assert (demo.returncode, err) == (128 + number, "tillside: stopped\n")
    assert list(scratch.iterdir()) == []
    assert in_session(demo.pid) == []


KILL = """
[[step]]
name = "killed"
do = "kill"
card = "visa-approve"
amount = "1.00"
expect = "killed, then resolved as approved"
"""


def test_a_signal_takes_the_terminal_along_that_a_step_would_kill(scratch: Path, tmp_path: Path) -> None:
    steps, home = tmp_path / "kill.toml", tmp_path / "demo-home"
    steps.write_text(KILL)
    with start(
        scratch, *COMMAND, "demo", "--reader", "sim:", "--home", str(home), "--script", str(steps)
    ) as demo:
        while not any("terminal.demo.victim" in line for line in using(home)):
            assert demo.poll() is None
        demo.terminate()
        _, err = demo.communicate()
    assert (demo.returncode, err) == (128 + signal.SIGTERM, "tillside: stopped\n")
    assert using(home) == []


def test_a_reader_of_lines_who_has_had_enough_ends_a_script(scratch: Path) -> None:
    with start(scratch, *SCRIPT) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert demo.stdout.readline()
        demo.stdout.close()
        err = demo.stderr.read()
    assert (demo.returncode, err) == (128 + signal.SIGPIPE, "")
    assert list(scratch.iterdir()) == []
    assert in_session(demo.pid) == []


def test_help_for_a_reader_who_has_had_enough() -> None:
    read, write = os.pipe()
    os.close(read)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, env=env, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_signal_that_is_ignored_from_the_start_stays_so(scratch: Path) -> None:
    """As `nohup` has it."""
    with start(scratch, "sh", "-c", 'trap "" HUP; exec "$@"', "sh", *SCRIPT) as demo:
        assert demo.stdout is not None
        first = demo.stdout.readline()
        demo.send_signal(signal.SIGHUP)
        second = demo.stdout.readline()
        demo.terminate()
        demo.communicate()
    assert '"ok": true' in first
    assert '"ok": true' in second
    assert demo.returncode == 128 + signal.SIGTERM


# --- a screen


@pytest.fixture
def demo_window(scratch: Path) -> Window:
    """The demo on a screen, up and running."""
    window = Window("demo", "--reader", "sim:", scratch=scratch)
    window.until("Riverside")
    return window


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demos_screen_as_its_key_does(
    demo_window: Window, scratch: Path, number: signal.Signals
) -> None:
    assert demo_window.modes() != demo_window.before
    demo_window.process.send_signal(number)
    assert demo_window.until_end() == 128 + number
    assert demo_window.modes() == demo_window.before
    demo_window.close()
    assert ALTERNATE_SCREEN_OFF in demo_window.shown
    assert CURSOR_ON in demo_window.shown
    assert demo_window.shown.endswith(b"tillside: stopped\r\n")
    assert list(scratch.iterdir()) == []
    assert in_session(demo_window.process.pid) == []


def test_a_signal_while_the_screen_comes_up_leaves_no_traceback(scratch: Path) -> None:
    window = Window("demo", "--reader", "sim:", scratch=scratch)
    window.until(ALTERNATE_SCREEN_ON)
    window.process.terminate()
    assert window.until_end() == 128 + signal.SIGTERM
    assert window.modes() == window.before
    window.close()
    assert b"Traceback" not in window.shown
    assert window.shown.endswith(b"tillside: stopped\r\n")
    assert list(scratch.iterdir()) == []


def test_closing_the_window_ends_the_demo(demo_window: Window, scratch: Path) -> None:
    demo_window.close()
    assert demo_window.process.wait() == 128 + signal.SIGHUP
    assert list(scratch.iterdir()) == []
    assert in_session(demo_window.process.pid) == []


@pytest.fixture
def cashier_window(home: Path, config: Config, enrolled: Enrolment, scratch: Path) -> Window:
    """The cashier's screen on a terminal that is enrolled."""
    window = Window("cashier", "--home", str(home), scratch=scratch)
    window.until("Riverside")
    return window


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_the_cashiers_screen_as_its_key_does(
    cashier_window: Window, home: Path, number: signal.Signals
) -> None:
    cashier_window.process.send_signal(number)
    assert cashier_window.until_end() == 128 + number
    assert cashier_window.modes() == cashier_window.before
    cashier_window.close()
    assert ALTERNATE_SCREEN_OFF in cashier_window.shown


def test_closing_the_window_ends_the_cashiers_screen(cashier_window: Window) -> None:
    cashier_window.close()
    assert cashier_window.process.wait() == 128 + signal.SIGHUP
