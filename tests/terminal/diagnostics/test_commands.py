"""`tillside doctor` and `tillside devices`: words, JSON and exit codes, whatever state the terminal is in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators.faults import TcpGate
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip
from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.config import Config
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.set_up import open_store
from tests.terminal.diagnostics.bench import Bench, bench

__all__ = ["bench"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; return exit code, output and errors."""

    def running(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leave:
            code = int(leave.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return running


def lines_of(out: str, area: str) -> list[str]:
    return [line for line in out.splitlines() if line[5:].startswith(area)]


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine below have nothing that a doctor would warn of."""
    monkeypatch.setattr("terminal.diagnostics.system._timedatectl", lambda: {"NTPSynchronized": "yes"})
    monkeypatch.setattr("terminal.diagnostics.system._LOCKED", Path("/nowhere"))
    monkeypatch.setattr("terminal.diagnostics.system.loaded_nfc_modules", lambda: ())
    monkeypatch.setattr("terminal.diagnostics.udev.usb_devices", lambda root: ())


@pytest.fixture
async def ready(devices: None, enrolled: Enrolment) -> Enrolment:
    """A terminal that is set up, with two simulated devices."""
    return enrolled


@pytest.mark.usefixtures("calm", "ready")
def test_a_terminal_that_is_well(run: Run, home: Path) -> None:
    code, out, err = run("doctor", "--home", home)
    assert (code, err) == (FINE, ""), out
    assert "ok   devices       sim:" in out
    assert "ok   network       host: echo: the host answers, signed by its key (" in out
    assert not (home / "queue.db").exists()
    assert not (home / "tillside.log").exists()


@pytest.mark.usefixtures("calm", "ready")
def test_a_finding_has_its_cure_below(run: Run, home: Path, gate: TcpGate) -> None:
    gate.down()
    code, out, _ = run("doctor", "--home", home)
    assert code == FINDING
    lines = out.splitlines()
    (fault,) = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    assert "refuses connections" in lines[fault]
    assert lines[fault + 1].startswith("       cure: ")
    assert "skip network       host: TLS: TCP failed" in out


@pytest.mark.usefixtures("calm", "ready")
def test_the_same_for_a_program_with_a_bundle(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "support.zip"
    code, out, _ = run("doctor", "--home", home, "--json", "--bundle", file)
    told = json.loads(out)
    assert (code, told["fine"]) == (FINE, True)
    assert {"area", "name", "mark", "text", "cure", "took_ms", "details"} <= told["findings"][0].keys()
    assert told["bundle"]["file"] == str(file)
    code, out, _ = run("doctor", "--check", file)
    assert code == FINE
    assert "signed by key" in out
    code, out, _ = run("doctor", "--check", file, "--json")
    assert json.loads(out)["fine"] is True
    code, _, err = run("doctor", "--home", home, "--bundle", file)
    assert code == WRONG_USE
    assert "is there already" in err


def test_a_bundle_that_was_changed_is_a_finding(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "support.zip"
    file.write_bytes(b"rubbish")
    code, _, err = run("doctor", "--check", file)
    assert code == FINDING
    assert "no bundle that can be read" in err


@pytest.mark.parametrize("content", [None, "rubbish = [", "[shop]\nname = 3\n"])
def test_a_configuration_that_is_missing_or_broken(run: Run, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / CONFIG_FILE).write_text(content)
    code, out, _ = run("doctor", "--home", tmp_path)
    assert code == FINDING
    assert len(lines_of(out, "configuration")) == 1
    assert out.count("FAIL configuration") == 1
    assert "skip network" in out


def test_a_terminal_that_is_not_enrolled(run: Run, home: Path, config: Config) -> None:
    code, out, _ = run("doctor", "--home", home)
    assert code == FINDING
    assert "FAIL configuration enrolment:" in out
    assert "cure: tillside enrol" in out


@pytest.mark.usefixtures("calm", "ready")
def test_a_queue_that_a_running_cashier_holds(run: Run, home: Path, config: Config, ready: Enrolment) -> None:
    with open_store(home, config, ready):
        code, out, _ = run("doctor", "--home", home)
    assert code == FINE, out
    assert "note queue         state: " in out
    assert "in use by process" in out


# --- devices


def test_a_devices_self_test(run: Run, bench: Bench, tmp_path: Path) -> None:
    code, out, _ = run("devices", "test", "bench:reader", "--home", tmp_path)
    assert code == FINDING
    assert out == "ok   communication\nFAIL RAM: bit 3\n?    antenna: raw 0E\n"
    code, out, _ = run("devices", "--json", "--home", tmp_path, "test", "bench:reader")
    assert json.loads(out)[2] == {"name": "antenna", "passed": None, "text": "raw 0E"}


def test_a_chip_on_a_serial_line_tests_itself(run: Run, tmp_path: Path, field: Field) -> None:
    """The real driver, over a real line."""
    with Pn532Chip(field) as chip:
        code, out, err = run("devices", "test", f"pn532:{chip.path}", "--home", tmp_path)
    assert (code, err) == (FINE, ""), out
    assert "ok   " in out


def test_backup_and_restore(run: Run, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "kept.toml"
    assert run("devices", "backup", "bench:reader", file, "--home", tmp_path)[0] == FINE
    bench.settings["led"] = "00"
    code, out, _ = run("devices", "restore", "bench:reader", file, "--home", tmp_path)
    assert (code, bench.settings["led"]) == (FINE, "03")
    assert "What it had before is in" in out
    code, _, err = run("devices", "backup", "bench:reader", file, "--home", tmp_path)
    assert code == WRONG_USE
    assert "is there already" in err
    bench.stubborn, bench.settings["led"] = True, "07"
    code, _, err = run("devices", "restore", "bench:reader", file, "--home", tmp_path)
    assert code == FINDING
    assert "kept something else" in err


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("rubbish", WRONG_USE, "is no device address"),
        ("typewriter:1", WRONG_USE, "no driver is called typewriter"),
        ("sim:", FINDING, "this device has no self-test"),
        ("pn532:/dev/nothing", FINDING, "not found; cure: "),
    ],
)
def test_devices_that_can_not_be_tested(
    run: Run, tmp_path: Path, address: str, code: int, words: str
) -> None:
    found, _, err = run("devices", "test", address, "--home", tmp_path)
    assert found == code
    assert words in err


def test_what_is_expected_and_what_is_there(run: Run, bench: Bench, tmp_path: Path) -> None:
    bench.attached = ["bench:reader"]
    code, out, _ = run("devices", "expect", "--home", tmp_path)
    assert code == FINE
    assert tomllib.loads(out)["device"][0]["serial_number"] == "S-17"
    file = tmp_path / "expected.toml"
    file.write_text(out)
    assert run("devices", "compare", file, "--home", tmp_path)[:2] == (FINE, "as expected: 1 devices\n")
    bench.attached = []
    code, out, _ = run("devices", "compare", file, "--home", tmp_path)
    assert code == FINDING
    assert out.startswith("reader   bench:reader missing: expected ACR122U ACR122U216 S-17\n       cure:")
    code, out, _ = run("devices", "compare", file, "--home", tmp_path, "--json")
    assert json.loads(out)["differences"][0]["what"] == "missing"
    code, _, err = run("devices", "compare", tmp_path / "nothing", "--home", tmp_path)
    assert code == WRONG_USE
    assert "can't be read" in err


def test_changes_are_told_as_they_happen_until_a_signal(home: Path, config: Config, tmp_path: Path) -> None:
    """The command as a process: a device file that is made is a device that is plugged in."""
    port = tmp_path / "port"
    text = (home / CONFIG_FILE).read_text()
    (home / CONFIG_FILE).write_text(
        f'{text}\n[devices]\nreaders = ["sim:"]\nscanners = ["serial-scanner:{port}"]\n'
    )
    program = Path(sys.executable).parent / "tillside"
    command: list[str | Path] = [program, "devices", "--watch", "--json", "--home", home]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        try:
            seen: dict[str, str] = {}
            while len(seen) < 2:
                change = next(lines)
                if change["configured"]:
                    seen[change["address"]] = change["state"]
            assert seen == {"sim:": "ready", f"serial-scanner:{port}": "unavailable"}
            parent, line = os.openpty()
            try:
                port.symlink_to(os.ttyname(line))
                plugged = next(one for one in lines if one["kind"] == "scanner" and one["configured"])
                assert plugged["state"] == "ready"
                port.unlink()
                os.close(line)
                os.close(parent)
                parent = line = -1
                gone = next(one for one in lines if one["kind"] == "scanner" and one["configured"])
                assert gone["state"] == "unavailable"
                assert gone["cure"]
            finally:
                for descriptor in (parent, line):
                    if descriptor >= 0:
                        os.close(descriptor)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
        assert process.returncode == 128 + signal.SIGINT
