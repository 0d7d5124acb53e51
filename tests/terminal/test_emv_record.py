"""`tillside emv record`: the file it writes, what is in it, and what it refuses."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators import scheme
from simulators.hosts.host import Host
from terminal.cli import FINDING, FINE, WRONG_USE, main
from terminal.commands import emv_record
from terminal.config import Config
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.replay.replay import CANT_BE_JUDGED

Run = Callable[..., tuple[int, str, str]]
PAN = "4761739001010119"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; gives exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_masked_recording_that_replays(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tap.json"
    code, out, err = run(
        *("emv", "record", "--home", tmp_path, "--reader", "sim:visa-approve", "--out", file, "--json"),
        *("--amount", "12.50"),
    )
    assert code == FINE
    assert "hold a test card to sim:visa-approve" in err
    told = json.loads(out)
    assert (told["form"], told["outcome"], told["exchanges"]) == ("masked", "online request", 4)
    text = file.read_text()
    assert PAN not in text
    assert json.loads(text)["masked"] is True
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, out, _ = run("emv", "replay", file, "--json")
    found = json.loads(out)
    assert (code, found["outcome"], found["differences"], found["unused"]) == (FINE, "online request", [], [])
    assert found["data_record"]["9F02"] == "000000001250"
    assert found["data_record"]["5F2A"] == "0978"


def test_for_a_person_it_says_what_to_do_with_the_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tap.json"
    _, out, _ = run("emv", "record", "--home", tmp_path, "--reader", "sim:mastercard-approve", "--out", file)
    assert out.splitlines()[-1].endswith(f"masked; run: tillside emv replay {file}")


def test_the_command_that_replays_has_all_it_needs(
    run: Run, home: Path, config: Config, enrolled: Enrolment, host: Host, tmp_path: Path
) -> None:
    keys, file = tmp_path / "the keys.json", tmp_path / "tap.json"
    keys.write_text(scheme.ca_keys_json())
    (home / CONFIG_FILE).write_text((home / CONFIG_FILE).read_text() + f'[cards]\nca_keys = "{keys}"\n')
    tap = ("emv", "record", "--home", home, "--reader", "sim:malicious-weak-key-visa", "--out", file)
    code, out, _ = run(*tap, "--sealed", "--json")
    told = json.loads(out)
    assert code == FINE
    assert told["replay"] == f"tillside emv replay {file} --ca-keys '{keys}' --key HOST-PRIVATE-KEY"
    assert [its["check"] for its in told["findings"]] == ["weak_key"]
    file.unlink()
    _, out, _ = run(*tap)
    assert out.splitlines()[1].startswith("found: ")
    assert out.splitlines()[-1].endswith(f"tillside emv replay {file} --ca-keys '{keys}'")
    _, out, _ = run("emv", "replay", file, "--ca-keys", keys)
    assert f"  recorded: {told['outcome']} (" in out
    assert CANT_BE_JUDGED in out


def test_the_shops_configuration_is_the_terminals(
    run: Run, home: Path, config: Config, tmp_path: Path
) -> None:
    file = tmp_path / "tap.json"
    (home / CONFIG_FILE).write_text(
        (home / CONFIG_FILE).read_text() + '[devices]\nreaders = ["sim:unionpay-approve"]\n'
    )
    assert run("emv", "record", "--home", home, "--out", file)[0] == FINE
    recorded = json.loads(file.read_text())
    assert recorded["reader"] == "sim:unionpay-approve"
    assert recorded["terminal"]["shop"]["merchant_name"] == "Riverside Tea House"
    assert recorded["terminal"]["data"]["5F2A"] == "0156"


def test_a_sealed_recording_is_opened_by_the_host_alone(
    run: Run, home: Path, config: Config, enrolled: Enrolment, host: Host, tmp_path: Path
) -> None:
    file, key = tmp_path / "tap.json", tmp_path / "host.pem"
    code, out, _ = run(
        *(
            "emv",
            "record",
            "--home",
            home,
            "--reader",
            "sim:visa-approve",
            "--out",
            file,
            "--sealed",
            "--json",
        ),
    )
    assert (code, json.loads(out)["form"]) == (FINE, "sealed")
    sealed = json.loads(file.read_text())
    assert set(sealed) == {"id", "recorded", "reader", "sealed"}
    assert PAN not in file.read_text()

    code, out, _ = run("emv", "replay", file, "--json")
    assert (code, "--key" in json.loads(out)["error"]["message"]) == (WRONG_USE, True)

    stranger = emv_record_key(key)
    code, out, _ = run("emv", "replay", file, "--key", stranger, "--json")
    assert (code, "can't be opened" in json.loads(out)["error"]["message"]) == (FINDING, True)


def emv_record_key(path: Path) -> Path:
    """Make a key that is not the host's."""
    from offline_queue.sealing import Opener

    Opener.create(path)
    return path


def test_the_hosts_key_opens_it(run: Run, tmp_path: Path) -> None:
    from offline_queue.sealing import Opener, Sealer
    from terminal.replay.sealed import seal
    from tests.terminal.replay.taps import tap

    opener = Opener.create(tmp_path / "host.pem")
    transcript, _ = tap("visa-approve")
    file = tmp_path / "sealed.json"
    file.write_text(json.dumps(seal(transcript, Sealer(opener.public_bytes()))))
    code, out, _ = run("emv", "replay", file, "--key", tmp_path / "host.pem", "--json")
    found = json.loads(out)
    assert (code, found["outcome"], found["pan"]) == (FINE, "online request", "476173******0119")
    assert PAN not in out
    # Moved to another name it is another recording.
    moved = json.loads(file.read_text()) | {"id": "another"}
    file.write_text(json.dumps(moved))
    assert run("emv", "replay", file, "--key", tmp_path / "host.pem", "--json")[0] == FINDING


# --- what it refuses


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], WRONG_USE, "--reader ADDRESS"),
        (["--reader", "nonsense"], WRONG_USE, "nonsense"),
        (["--reader", "abc:x"], FINDING, "no reader driver is called abc"),
        (["--reader", "sim:nobody"], FINDING, "sim:nobody"),
        (["--reader", "sim:visa-approve", "--amount", "ten"], WRONG_USE, "--amount"),
        (["--reader", "sim:visa-approve", "--currency", "XXQ"], WRONG_USE, "--currency"),
        (["--reader", "sim:visa-approve", "--sealed"], WRONG_USE, "--sealed seals to this terminal's host"),
        (["--reader", "sim:visa-approve", "--out", "/nowhere/tap.json"], FINDING, "--out"),
    ],
)
def test_what_can_t_be_done_is_told(
    run: Run, tmp_path: Path, arguments: list[str], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, out, err = run("emv", "record", "--home", tmp_path, *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tap.json"
    file.write_text("mine")
    code, _, err = run("emv", "record", "--home", tmp_path, "--reader", "sim:visa-approve", "--out", file)
    assert (code, file.read_text()) == (FINDING, "mine")
    assert "is there already" in err
    assert "--out" in err
    assert "hold a test card" not in err  # nobody taps in vain


def test_what_can_t_be_written_is_told_before_the_tap(run: Run, tmp_path: Path) -> None:
    for file in (tmp_path / "no" / "where.json", tmp_path, tmp_path / ("x" * 300)):
        code, _, err = run("emv", "record", "--home", tmp_path, "--reader", "sim:visa-approve", "--out", file)
        assert (code, "hold a test card" in err) == (FINDING, False)
        assert "Errno" not in err
    assert list(tmp_path.iterdir()) == []


def test_without_a_card_it_gives_up(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emv_record, "WAIT_S", 0.0)
    code, _, err = run("emv", "record", "--home", tmp_path, "--reader", "sim:")
    assert code == FINDING
    assert "no card came to sim:" in err
