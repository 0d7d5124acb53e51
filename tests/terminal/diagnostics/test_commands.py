"""`tillside doctor` and `tillside devices`: words, JSON and exit codes, whatever state the terminal is in."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.abilities import TestResult
from simulators.faults import TcpGate
from simulators.printer import NetworkPrinter
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip
from simulators.scanner import InProcessScanner
from simulators.sounder import InProcessSounder
from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.config import Config, load
from terminal.devices.watch import Watch
from terminal.diagnostics.other_till import process
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
    assert f"cure: tillside enrol --home {home}\n" in out


@pytest.mark.usefixtures("calm", "ready")
def test_a_queue_that_a_running_cashier_holds(run: Run, home: Path, config: Config, ready: Enrolment) -> None:
    with open_store(home, config, ready):
        code, out, _ = run("doctor", "--home", home)
    assert code == FINE, out
    assert "note queue         state: " in out
    assert "in use by process" in out


# --- beside a running till

_TILL = """
import fcntl, os, socket, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
port = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
printer = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
print("at work", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def till(home: Path, enrolled: Enrolment) -> Iterator[subprocess.Popen[str]]:
    """A till as others see it: it has the queue, a serial port and the one connection of a printer."""
    parent, line = os.openpty()
    with NetworkPrinter() as printer:
        path = os.ttyname(line)
        os.close(line)
        file = home / CONFIG_FILE
        file.write_text(
            f'{file.read_text()}\n[devices]\nreaders = ["pn532:{path}"]\nscanners = ["sim:"]\n'
            f'printers = ["{printer.address}"]\n'
        )
        with subprocess.Popen(
            [sys.executable, "-c", _TILL, home / "queue.db.lock", path, str(printer.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "at work\n"
                yield process
            finally:
                process.communicate()
    os.close(parent)


@pytest.mark.usefixtures("calm", "queue")
def test_what_a_running_till_has_open_is_no_fault(
    run: Run, home: Path, tmp_path: Path, till: subprocess.Popen[str]
) -> None:
    used = f"in use by this till (process {till.pid})"
    code, out, _ = run("devices", "--home", home)
    assert (code, out.count(used), out.count("note ")) == (FINE, 2, 2), out
    code, out, _ = run("doctor", "--home", home)
    assert out.count(f": {used}\n") == 2, out
    assert "FAIL" not in out
    code, out, _ = run("devices", "expect", "--home", home)
    listed = tomllib.loads(out)["device"]
    assert [(one["kind"], one["model"]) for one in listed][::2] == [("reader", ""), ("printer", "")]
    assert out.count(f"# What it is, is not known: {used}.\n") == 2
    file = tmp_path / "expected.toml"
    file.write_text(out.replace('model = ""', 'model = "PN532"', 1))
    assert run("devices", "compare", file, "--home", home)[:2] == (FINE, "as expected: 3 devices\n")
    (change,) = [
        one
        for one in first_changes(home, 3)
        if (one["kind"], one["state"], one["text"], one["cure"]) == ("reader", "in use", used, "")
    ]
    assert change["configured"]


def first_changes(home: Path, count: int) -> list[dict[str, Any]]:
    with Watch(load(home / CONFIG_FILE).devices, lambda: process(home)) as watch:
        changes = iter(watch)
        return [next(changes).fields() for _ in range(count)]


@pytest.mark.usefixtures("calm", "queue")
def test_what_another_program_has_open_is_a_fault_beside_a_till_too(
    run: Run, home: Path, till: subprocess.Popen[str]
) -> None:
    parent, line = os.openpty()
    path = os.ttyname(line)
    os.close(line)
    file = home / CONFIG_FILE
    file.write_text(file.read_text().replace('["sim:"]', f'["serial-scanner:{path}"]'))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        elsewhere = [str(home / "none"), path, str(listener.getsockname()[1])]
        with subprocess.Popen(
            [sys.executable, "-c", _TILL, *elsewhere],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            try:
                assert other.stdout is not None
                assert other.stdout.readline() == "at work\n"
                code, out, _ = run("devices", "--home", home)
            finally:
                other.communicate()
    os.close(parent)
    assert code == FINDING
    assert f"({other.pid}) holds it: end it" in out
    assert out.count("in use by this till") == 2


def test_without_a_till_nobody_has_the_queue(home: Path) -> None:
    assert process(home) == 0


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


@pytest.mark.parametrize("configured", [False, True])
def test_an_address_of_several_kinds_is_the_one_that_can_do_it(
    run: Run, home: Path, config: Config, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    """``sim:`` is a reader, a scanner, a printer and more."""

    def self_test(self: object) -> list[TestResult]:
        return [TestResult(type(self).__name__, True)]

    if configured:
        file = home / CONFIG_FILE
        file.write_text(f'{file.read_text()}\n[devices]\nscanners = ["sim:"]\nsounders = ["sim:"]\n')
    monkeypatch.setattr(InProcessSounder, "self_test", self_test, raising=False)
    code, out, err = run("devices", "test", "sim:", "--home", home)
    assert (code, out, err) == (FINE, "ok   InProcessSounder\n", "")
    monkeypatch.setattr(InProcessScanner, "self_test", self_test, raising=False)
    code, _, err = run("devices", "test", "sim:", "--home", home)
    assert code == WRONG_USE
    assert "sim: is a scanner and a sounder, each of which can do it: configure it" in err


def test_the_help_says_what_has_to_be_named(run: Run) -> None:
    _, out, _ = run("devices", "--help")
    words = " ".join(out.split())
    assert "test ADDRESS: have that device test itself" in words
    assert "restore ADDRESS FILE: write settings" in words


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
