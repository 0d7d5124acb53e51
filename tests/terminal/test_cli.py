"""The command: what each exit code means, and that nothing heavy is loaded before it is needed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import apsw
import pytest

from offline_queue.record import RecordKind
from offline_queue.rows import QueueStatus
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from simulators.faults import TcpGate
from simulators.hosts.host import Host
from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.commands import queue
from terminal.config import Config
from terminal.enrolment import KEY_FILE, PINS_FILE, Enrolment, load
from terminal.home import CONFIG_FILE
from terminal.set_up import QUEUE_FILE, open_store
from tests.terminal.shop import TERMINAL_ID

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; gives exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:  # argparse's way
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def at_home(home: Path, config: Config, enrolled: Enrolment) -> Path:
    """The home of a terminal that is enrolled."""
    return home


def write_records(home: Path, config: Config, count: int) -> None:
    with open_store(home, config, load(home, TERMINAL_ID)) as store:
        for _ in range(count):
            append(store)


def append(store: Store) -> None:
    store.append(RecordKind.SHIFT, attempt="", state="", closes=False, secret=b"", summary={}, time_ms=0)


# --- what is loaded

HEAVY = ("cv2", "textual", "zxingcpp", "pyzbar", "smartcard", "nfc", "httpx", "apsw", "cryptography", "babel")


@pytest.mark.parametrize("arguments", [["--help"], ["queue", "--help"], []])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys, terminal.cli\n"
        f"try: terminal.cli.main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print('LOADED', sorted(set(sys.modules) & set({HEAVY!r})))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "usage: tillside" in done.stdout
    assert "LOADED []" in done.stdout


def test_it_is_installed_as_a_command(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "tillside"
    done = subprocess.run([command, "queue", "status", "--home", tmp_path], capture_output=True, text=True)
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("tillside: ")
    assert "Traceback" not in done.stderr


# --- wrong use


def test_without_a_command_it_says_which_there_are(run: Run) -> None:
    code, out, _ = run()
    assert code == WRONG_USE
    for name in ("cashier", "demo", "enrol", "devices", "queue"):
        assert name in out


@pytest.mark.parametrize(
    "arguments", [["sell"], ["queue"], ["queue", "burn"], ["devices", "--loud"], ["--home"]]
)
def test_what_it_does_not_know_is_wrong_use(run: Run, arguments: list[str]) -> None:
    code, _, err = run(*arguments)
    assert code == WRONG_USE
    assert "usage: tillside" in err


COMMANDS = [["cashier"], ["enrol"], ["queue", "status"], ["queue", "verify"], ["queue", "sync"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_home_is_told_with_a_way_out(run: Run, command: list[str], tmp_path: Path) -> None:
    code, out, err = run(*command, "--home", tmp_path / "nowhere")
    assert (code, out) == (WRONG_USE, "")
    assert err.startswith(f"tillside: {tmp_path / 'nowhere' / CONFIG_FILE}: can't be read")
    assert "--home" in err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", [*COMMANDS, ["devices"]])
def test_a_fault_in_the_configuration_is_told_with_its_line(
    run: Run, command: list[str], home: Path, config: Config
) -> None:
    file = home / CONFIG_FILE
    file.write_text(f"{file.read_text()}\nspeed = 7\n")
    code, _, err = run(*command, "--home", home)
    assert code == WRONG_USE
    line = len(file.read_text().splitlines())
    assert err.startswith(f"tillside: {file}:{line}: host.speed: unknown key; allowed here: ca_file, url")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != ["enrol"]])
def test_a_terminal_that_is_not_enrolled_is_told_how(
    run: Run, command: list[str], home: Path, config: Config
) -> None:
    code, _, err = run(*command, "--home", home)
    assert code == FINDING
    assert f"tillside enrol --home {home}" in err
    assert not (home / QUEUE_FILE).exists()


def test_the_screen_needs_a_terminal(run: Run, at_home: Path) -> None:
    code, _, err = run("cashier", "--home", at_home)
    assert (code, err) == (WRONG_USE, "tillside: the cashier's screen needs a terminal\n")


# --- what it says of itself


def test_the_version(run: Run) -> None:
    assert run("--version") == (FINE, f"tillside {version('tillside')}\n", "")


@pytest.mark.parametrize("command", ["cashier", "enrol", "devices", "queue"])
def test_help_names_the_default_home(run: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data/100%")
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = run(command, "--help")
    assert code == FINE
    assert "(default: /data/100%/tillside)" in out


def test_help_tells_where_scripts_and_readers_of_the_demo_are_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    code, out, _ = run("demo", "--help")
    assert code == FINE
    (named,) = re.findall(r"explains the format of scripts: (\S+)", out)
    assert "do = " in Path(named).read_text()
    assert "pcsc: (default), pn532: or sim: are simulated; anything else" in out
    assert "default: a temporary one" in out


@pytest.mark.parametrize("command", [["queue", "status"], ["devices"], ["enrol"]])
def test_a_program_is_told_of_errors_too(run: Run, command: list[str], home: Path, config: Config) -> None:
    (home / CONFIG_FILE).write_text("nonsense")
    code, out, err = run(*command, "--json", "--home", home)
    assert code == WRONG_USE
    assert err == f"tillside: {json.loads(out)['error']['message']}\n"


# --- demo


def test_the_demo_without_a_terminal_says_what_to_do(run: Run) -> None:
    code, _, err = run("demo")
    assert code == WRONG_USE
    assert "tillside demo --script" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json"], "--json goes with --script"),
        (["--script", "--reader", "nonsense"], "no device address: write scheme:target"),
        (["--script", "/nowhere.toml"], "/nowhere.toml"),
    ],
)
def test_a_demo_that_can_not_be_played_is_told(run: Run, arguments: list[str], words: str) -> None:
    code, _, err = run("demo", *arguments)
    assert code == WRONG_USE
    assert words in err


@pytest.mark.parametrize(
    "text", ["not TOML", "[[step]]\nname = 1\n", "", '[[step]]\nname = "x"\ndo = "dance"\n']
)
def test_a_script_with_a_fault_is_told(run: Run, text: str, tmp_path: Path) -> None:
    file = tmp_path / "script.toml"
    file.write_text(text)
    code, _, err = run("demo", "--script", file)
    assert code == WRONG_USE
    assert "script.toml" in err


# --- enrol


def test_enrolling(run: Run, home: Path, config: Config, host: Host) -> None:
    code, out, err = run("enrol", "--home", home)
    assert (code, err) == (FINE, "")
    assert out == f"Enrolled T1 at {config.host.url}. Host key {host.signing_key.key_id}.\n"
    code, out, err = run("enrol", "--json", "--home", home)
    assert (code, err) == (FINE, "")
    assert json.loads(out) == {
        "terminal": "T1",
        "host": config.host.url,
        "host_key": host.signing_key.key_id,
    }
    assert (home / KEY_FILE).exists()
    assert (home / PINS_FILE).exists()


def test_enrolling_where_nobody_is(run: Run, home: Path, config: Config, gate: TcpGate) -> None:
    gate.down()
    words = f"not enrolled at {config.host.url}: the host does not accept connections"
    assert run("enrol", "--home", home) == (FINDING, "", f"tillside: {words}\n")
    code, out, err = run("enrol", "--json", "--home", home)
    assert (code, json.loads(out), err) == (FINDING, {"error": {"message": words}}, f"tillside: {words}\n")


def test_enrolling_where_another_has_the_name(run: Run, home: Path, config: Config, host: Host) -> None:
    host.enrol(TERMINAL_ID, SigningKey.generate().public_key)
    code, out, err = run("enrol", "--home", home)
    assert (code, out) == (FINDING, "")
    assert "refuses to enrol T1" in err


GARBAGE = [
    b"",
    b"no certificate",
    b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    bytes(range(256)),
]


@pytest.mark.parametrize("content", GARBAGE)
@pytest.mark.parametrize("command", [["enrol"], ["queue", "sync"], ["cashier"]])
def test_an_authority_that_is_none_is_told_with_its_line(
    run: Run, command: list[str], home: Path, config: Config, content: bytes
) -> None:
    garbage = home / "ca.pem"
    garbage.write_bytes(content)
    file = home / CONFIG_FILE
    file.write_text(file.read_text().replace(str(config.host.ca_file), str(garbage)))
    line = 1 + [text.startswith("ca_file") for text in file.read_text().splitlines()].index(True)
    words = f"tillside: {file}:{line}: host.ca_file: {garbage} holds no certificate authority in PEM\n"
    assert run(*command, "--home", home) == (WRONG_USE, "", words)


def test_so_is_that_of_a_wallet(run: Run, home: Path, alipay_config: Config) -> None:
    garbage = home / "other.pem"
    garbage.touch()
    file = home / CONFIG_FILE
    before, _, after = file.read_text().rpartition("ca_file = ")
    _, _, rest = after.partition("\n")
    file.write_text(f'{before}ca_file = "other.pem"\n{rest}')
    line = before.count("\n") + 1
    code, _, err = run("enrol", "--home", home)
    assert code == WRONG_USE
    assert (
        err == f"tillside: {file}:{line}: alipay.ca_file: {garbage} holds no certificate authority in PEM\n"
    )


# --- devices


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not look for real hardware."""
    monkeypatch.setattr("terminal.devices.inventory._discover", lambda category, scheme: ())


def with_devices(home: Path, readers: str) -> None:
    file = home / CONFIG_FILE
    file.write_text(f'{file.read_text()}\n[devices]\nreaders = [{readers}]\nscanners = ["sim:"]\n')


@pytest.mark.usefixtures("only_ours")
def test_devices_that_work(run: Run, home: Path, config: Config) -> None:
    with_devices(home, '"sim:"')
    code, out, _ = run("devices", "--home", home)
    assert code == FINE
    assert out == "ok   reader   sim: Simulated reader\nok   scanner  sim: simulated code scanner\n"


@pytest.mark.usefixtures("only_ours")
def test_a_device_that_does_not_is_a_finding(run: Run, home: Path, config: Config) -> None:
    with_devices(home, '"sim:", "typewriter:1"')
    code, out, _ = run("devices", "--json", "--home", home)
    assert code == FINDING
    good, bad, scanner = json.loads(out)
    assert (good["address"], good["works"]) == ("sim:", True)
    assert (bad["address"], bad["works"], bad["text"]) == ("typewriter:1", False, "wrong address")
    assert "typewriter" in bad["cure"]
    assert scanner["kind"] == "scanner"
    code, out, _ = run("devices", "--home", home)
    assert code == FINDING
    assert "\n       cure: no reader driver" in out


@pytest.mark.usefixtures("only_ours")
def test_devices_can_be_listed_before_there_is_a_terminal(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("devices", "--json", "--home", tmp_path / "nowhere")
    assert (code, json.loads(out)) == (FINE, [])


def test_devices_are_looked_for(run: Run, tmp_path: Path) -> None:
    """Whatever is attached to this machine: the answer has the right form."""
    code, out, _ = run("devices", "--json", "--home", tmp_path / "nowhere")
    lines: list[dict[str, Any]] = json.loads(out)
    assert code == (FINE if all(line["works"] for line in lines) else FINDING)


# --- queue


def test_an_empty_queue_is_fine(run: Run, at_home: Path) -> None:
    code, out, _ = run("queue", "status", "--json", "--home", at_home)
    assert code == FINE
    facts = json.loads(out)
    assert set(facts) == {
        *("unsent", "quarantined", "deferred_count", "deferred_total_minor", "sequence", "head", "damage"),
        *("approved_count", "approved_total_minor"),
    }
    assert facts.items() >= {"unsent": 0, "quarantined": 0, "deferred_count": 0, "sequence": 0}.items()
    code, out, _ = run("queue", "verify", "--json", "--home", at_home)
    assert (code, json.loads(out)) == (FINE, {"records": 0, "signatures_checked": 0, "damage": []})


def test_an_empty_queue_in_words(run: Run, at_home: Path) -> None:
    assert run("queue", "status", "--home", at_home) == (
        FINE,
        "waits to be sent: none\nrefused by the host: none\ntaken offline, not settled: none\n"
        "approved offline, not settled: none\nlast record: none\ndamage: none\n",
        "",
    )


def test_a_queue_in_words(config: Config) -> None:
    status = QueueStatus(
        unsent=3,
        quarantined=1,
        oldest_unsent_ms=0,
        sequence=7,
        head=bytes(range(32)),
        deferred_count=2,
        deferred_total_minor=1980,
        approved_count=1,
        approved_total_minor=300,
        oldest_offline_ms=0,
        bytes_used=1,
        damage="record 2: changed",
    )
    assert queue._lines(status, config) == (
        "waits to be sent: 3",
        "refused by the host: 1",
        "taken offline, not settled: 2, CN¥19.80",
        "approved offline, not settled: 1, CN¥3.00",
        "last record: 7, head 0001020304050607",
        "damage: record 2: changed",
    )


def test_what_waits_is_a_finding_until_it_is_delivered(
    run: Run, at_home: Path, config: Config, host: Host
) -> None:
    write_records(at_home, config, 3)
    code, out, _ = run("queue", "status", "--home", at_home)
    assert code == FINDING
    assert "waits to be sent: 3\n" in out
    code, out, err = run("queue", "sync", "--json", "--home", at_home)
    assert (code, err) == (FINE, "")
    assert json.loads(out)["unsent"] == 0
    assert host.terminals()[0].through == 3
    code, out, _ = run("queue", "verify", "--home", at_home)
    assert (code, out) == (FINE, "records: 3\nsignatures checked: 3\ndamage: none\n")


def test_a_host_that_is_away_is_a_finding_and_no_wrong_use(
    run: Run, at_home: Path, config: Config, gate: TcpGate
) -> None:
    write_records(at_home, config, 1)
    gate.down()
    code, out, err = run("queue", "sync", "--json", "--home", at_home)
    assert code == FINDING
    words = "not delivered: the host does not accept connections"
    facts = json.loads(out)
    assert (facts["unsent"], facts["error"]) == (1, {"message": words})
    assert err == f"tillside: {words}\n"
    code, out, err = run("queue", "sync", "--home", at_home)
    assert (code, err) == (FINDING, f"tillside: {words}\n")
    assert "waits to be sent: 1\n" in out


def test_a_record_that_was_edited_is_a_finding(run: Run, at_home: Path, config: Config) -> None:
    write_records(at_home, config, 3)
    database = apsw.Connection(str(at_home / QUEUE_FILE))
    trigger = database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in trigger:
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE records SET head = zeroblob(32) WHERE sequence = 2")
    database.close()
    code, out, _ = run("queue", "verify", "--json", "--home", at_home)
    assert code == FINDING
    assert json.loads(out)["damage"]
    code, out, _ = run("queue", "status", "--json", "--home", at_home)
    assert code == FINDING
    assert json.loads(out)["damage"]


def test_a_queue_that_is_in_use_is_told(run: Run, at_home: Path, config: Config) -> None:
    """The lock is between processes, so another one holds it."""
    program = (
        "import sys; from pathlib import Path\n"
        "from terminal import config, enrolment, home, set_up\n"
        "folder = Path(sys.argv[1]); its = config.load(folder / home.CONFIG_FILE)\n"
        "store = set_up.open_store(folder, its, enrolment.load(folder, its.terminal.id))\n"
        "print('open', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(at_home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        code, _, err = run("queue", "status", "--home", at_home)
        holder.stdin.close()
    assert code == FINDING
    assert f"is in use by process {holder.pid}; if that is the cashier's screen: it shows the same" in err
    assert "s sends the queue there" in err


def test_a_queue_of_another_terminal_is_refused(run: Run, at_home: Path, config: Config) -> None:
    write_records(at_home, config, 1)
    file = at_home / CONFIG_FILE
    file.write_text(file.read_text().replace('"T1"', '"T2"'))
    code, _, err = run("queue", "status", "--home", at_home)
    assert code == FINDING
    assert "T1" in err
    assert "cashier's screen" not in err


@pytest.mark.parametrize("what", ["status", "verify", "sync"])
def test_a_queue_that_is_damaged_is_a_finding(run: Run, at_home: Path, config: Config, what: str) -> None:
    write_records(at_home, config, 1)
    (at_home / QUEUE_FILE).write_bytes(b"no database" * 1000)
    code, out, err = run("queue", what, "--json", "--home", at_home)
    assert code == FINDING
    assert str(at_home / QUEUE_FILE) in err
    assert json.loads(out)["error"]["message"] in err


def test_a_break_off_by_hand_is_no_crash(run: Run, at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queue, "_sync", interrupt)
    code, _, err = run("queue", "sync", "--home", at_home)
    assert (code, err) == (128 + signal.SIGINT, "tillside: stopped\n")


def test_the_home_is_where_the_system_keeps_such_things(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code, _, err = run("queue", "status")
    assert code == WRONG_USE
    assert str(tmp_path / "tillside" / CONFIG_FILE) in err
