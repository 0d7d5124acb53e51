"""``tillside sim``: each program started as a person starts it, and its address used by a real driver."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from drivers.address import parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Page, Text
from drivers.registry import open_display, open_printer, open_reader, open_scanner
from simulators.keyboard import KeyboardScanner
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.serial_scanner import SerialScanner

TILLSIDE = [sys.executable, "-c", "from terminal.cli import main; import sys; sys.exit(main())", "sim"]
SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
PATIENCE_S = 10.0


class Running:
    """A program that runs, with its address."""

    def __init__(self, *arguments: str, stdin: int = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [*TILLSIDE, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = self.line()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().rstrip("\n")

    def complaint(self) -> str:
        assert self.process.stderr
        return self.process.stderr.readline().rstrip("\n")

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it by its process id; what it said last must be nothing."""
        os.kill(self.process.pid, number)
        rest, complaints = self.process.communicate(timeout=PATIENCE_S)
        assert (rest, complaints) == ("", "")
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def running(*arguments: str, stdin: int = subprocess.PIPE) -> Iterator[Running]:
    with contextlib.closing(Running(*arguments, stdin=stdin)) as program:
        yield program


def sim(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TILLSIDE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_reader_with_cards(number: int) -> None:
    with running("reader") as program:
        with contextlib.closing(open_reader(parse(program.address))) as reader:
            assert reader.wait_for_card(Event(), timeout_s=0) is None
            program.type("place visa-approve")
            card = reader.wait_for_card(Event(), timeout_s=PATIENCE_S)
            assert card
            assert card.transceive(SELECT_PPSE, timeout_s=1)[-2:] == b"\x90\x00"
            program.type("take")
            assert reader.wait_for_removal(Event(), timeout_s=PATIENCE_S)
        assert program.end(number) == 0


def test_a_card_behind_the_daemon(pcsc_daemon: PcscDaemon) -> None:
    with running("card", "--place", "visa-approve") as program:
        assert program.address == "pcsc:Virtual PCD 00 00"
        with contextlib.closing(open_reader(parse(program.address))) as reader:
            card = reader.wait_for_card(Event(), timeout_s=PATIENCE_S)
            assert card
            assert card.transceive(SELECT_PPSE, timeout_s=1)[-2:] == b"\x90\x00"
            card.release()
            program.type("take")
            assert reader.wait_for_removal(Event(), timeout_s=PATIENCE_S)
        assert program.end() == 0


def test_a_slot_that_is_taken_is_told_at_once_and_the_other_is_named(pcsc_daemon: PcscDaemon) -> None:
    with running("card", "--slot", "2") as program:
        done = sim("card", "--slot", "2")
        assert done.returncode == 1
        assert done.stderr == "tillside: slot 2 is taken by another program: try --slot 1\n"
        program.type("place vsa-approve")
        told = program.complaint()
        assert told.startswith("tillside: there is no card 'vsa-approve'; did you mean visa-approve, ")
        assert told.endswith("? python -m simulators.cards lists them all")
        program.type("place 0123456789")
        assert program.complaint() == (
            "tillside: there is no card '0123456789'; python -m simulators.cards lists them all"
        )


def test_a_scanner_scans_what_is_typed() -> None:
    with running("scanner", "--end", "crlf") as program:
        with contextlib.closing(open_scanner(parse(program.address))) as scanner:
            # What is typed before the driver waits is old to it: so again, until it was read.
            for attempt in range(100):
                program.type(f"28123 {attempt}")
                if code := scanner.next_code(Event(), timeout_s=0.1):
                    break
            assert code
            assert code.text.startswith("28123 ")
        assert program.end() == 0


def test_a_camera_shows_what_is_typed() -> None:
    with running("camera") as program:
        with contextlib.closing(open_scanner(parse(program.address))) as camera:
            program.type("show 281234567890123456")
            code = camera.next_code(Event(), timeout_s=PATIENCE_S)
            assert code
            assert code.text == "281234567890123456"
            program.type("rotate 90")
            program.type("blur 2")
            assert camera.next_code(Event(), timeout_s=PATIENCE_S)
            program.type("blur much")
            assert "a number from 0 to 50, not 'much'" in program.complaint()
        program.type("picture /nonexistent.png")
        assert "nonexistent" in program.complaint()
        assert program.end() == 0


def test_a_printer_draws_receipts_and_runs_out_of_paper(tmp_path: Path) -> None:
    with running("printer", "--folder", str(tmp_path), "--json") as program:
        address = parse(json.loads(program.address)["address"])
        with contextlib.closing(open_printer(address)) as printer:
            printer.print_page(Page((Text("EUR 12.50"),)))
            path = Path(json.loads(program.line())["receipt"])
            assert path.parent == tmp_path
            assert path.read_bytes().startswith(b"\x89PNG")
            program.type("paper out")
            program.type("nonsense")
            assert "write paper out, paper low" in program.complaint()
            assert printer.status().paper_out
        assert program.end() == 0


def test_a_display_prints_its_rows() -> None:
    with running("display") as program:
        with contextlib.closing(open_display(parse(program.address))) as display:
            display.show(["TOTAL", "EUR 12.50"])
            line = ""
            while "12.50" not in line:
                line = program.line()
            assert [part.strip() for part in line.removeprefix("display:").split("|")] == [
                "TOTAL",
                "EUR 12.50",
            ]
        assert program.end() == 0


def test_a_keyboard_types_what_is_typed() -> None:
    if missing := KeyboardScanner.missing():
        told = sim("keyboard")
        assert told.returncode == 1
        assert missing in told.stderr
        return
    with running("keyboard") as program:
        with contextlib.closing(open_scanner(parse(program.address))) as scanner:
            for _ in range(100):
                program.type("28123")
                if code := scanner.next_code(Event(), timeout_s=0.1):
                    break
            assert code
        assert program.end() == 0


def test_faults_before_a_device(tmp_path: Path) -> None:
    script = tmp_path / "faults.toml"
    script.write_text('[[fault]]\nat_byte = 4\ndirection = "from device"\nwhat = "unplug"\n')
    with SerialScanner() as device, running("faults", f"{device.address}#baud=9600", str(script)) as program:
        assert program.address.endswith("#baud=9600")
        with contextlib.closing(open_scanner(parse(program.address))) as scanner:
            device.scan("12345678")
            assert program.line() == "fault: unplug (from device)"
            with pytest.raises(DeviceUnavailableError) as caught:
                scanner.next_code(Event(), timeout_s=PATIENCE_S)
            assert caught.value.reason is Reason.NOT_FOUND
        program.type("busy to device")
        assert program.line() == "fault: busy (to device)"
        with pytest.raises(DeviceUnavailableError) as caught:
            open_scanner(parse(program.address))
        assert caught.value.reason is Reason.BUSY
        program.type("cure")
        program.type("unplug sideways")
        assert "to device or from device" in program.complaint()
        open_scanner(parse(program.address)).close()
        assert program.end() == 0


def test_a_closed_standard_input_ends_nothing() -> None:
    with running("scanner", stdin=subprocess.DEVNULL) as program:
        open_scanner(parse(program.address)).close()
        assert program.end() == 0


def test_help_names_every_device() -> None:
    told = sim("--help")
    assert told.returncode == 0
    for name in ("camera", "card", "display", "faults", "keyboard", "printer", "reader", "scanner"):
        assert f"\n  {name} " in told.stdout
    assert sim().returncode == 2
    own = sim("camera", "--help")
    assert own.returncode == 0
    assert "show TEXT" in own.stdout


@pytest.mark.parametrize("name", ["card", "display", "faults", "keyboard", "printer", "reader", "scanner"])
def test_each_device_has_help(name: str) -> None:
    own = sim(name, "--help")
    assert (own.returncode, own.stderr) == (0, "")
    assert f"usage: tillside sim {name}" in own.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["toaster"], 2, "there are camera, card, display"),
        (["reader", "--place", "visa-aprove"], 2, "visa-approve"),
        (["camera", "--port", "99999"], 1, "port 99999"),
        (["faults", "nonsense"], 2, "scheme:target"),
        (["faults", "pcsc:Virtual PCD"], 2, "a device with a path"),
        (["faults", "pn532:/nonexistent"], 1, "No such file"),
        (["faults", "pn532:/dev/null", "/nonexistent.toml"], 2, "can't be read"),
        (["printer", "--folder", "/dev/null"], 2, "can't be a folder"),
        (["scanner", "--fast"], 2, "unrecognized arguments: --fast"),
    ],
)
def test_what_can_not_be(arguments: list[str], code: int, said: str) -> None:
    told = sim(*arguments)
    assert (told.returncode, told.stdout) == (code, "")
    assert said in told.stderr
    assert "Traceback" not in told.stderr
