"""The support bundle: whole, signed, and free of card numbers wherever one was planted."""

from __future__ import annotations

import json
import logging
import os
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.errors import DeviceTimeoutError
from drivers.protocols import DeviceInfo
from offline_queue.signing import SigningKey
from terminal import log
from terminal.card_numbers import MASK
from terminal.diagnostics import bundle as module
from terminal.diagnostics import doctor
from terminal.diagnostics.bundle import BundleError
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.open_workshop import open_workshop, settled
from terminal.diagnostics.redaction import redact
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE, LOG_FILE
from terminal.payment.tap_trace import TapTrace, TracedCommand
from tests.terminal.diagnostics.bench import Bench, bench

__all__ = ["bench"]

PAN = "4761739001010119"
TRACK_2 = f"{PAN}D22122011143804400000F"


def contents(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def marks(file: Path) -> dict[str, Mark]:
    return {finding.name: finding.mark for finding in module.check(file)}


FINE = {"files": Mark.OK, "signature": Mark.OK, "card numbers": Mark.OK}


async def test_a_bundle_holds_everything_and_checks(
    devices: None, queue: Path, workshop: Workshop, tmp_path: Path, enrolled: Enrolment
) -> None:
    file = tmp_path / "support.zip"
    written = await module.write(workshop, file)
    assert written.signed_by == enrolled.key.key_id
    assert marks(file) == FINE
    held = contents(file)
    assert set(held) == {*written.files, "manifest.sig"}
    areas = {finding["area"] for finding in json.loads(held["findings.json"])}
    assert areas >= {"system", "configuration", "udev", "devices", "keys", "network", "queue"}
    faults = [line for line in held["findings.txt"].splitlines() if line.startswith("FAIL")]
    assert [line[5:10] for line in faults] == ["queue"]
    assert [(device["address"], device["name"]) for device in json.loads(held["devices.json"])] == [
        ("sim:", "Simulated reader"),
        ("sim:", "simulated code scanner"),
    ]
    assert "tillside" in json.loads(held["versions.json"])
    assert 'name = "Riverside Tea House"' in held["configuration.toml"]
    assert json.loads(held["manifest.json"])["terminal"] == "T1"
    assert file.stat().st_mode & 0o077 == 0
    own, other = enrolled.key.public_key, SigningKey.generate().public_key
    assert "this terminal" in module.check(file, key=own)[1].text
    assert module.check(file, key=other)[1].mark is Mark.WARNING


async def test_no_card_number_is_in_it_wherever_one_was(
    bench: Bench, home: Path, tmp_path: Path, enrolled: Enrolment
) -> None:
    """In log, configuration, device names, serial numbers, tap traces, findings and exceptions' texts."""
    log_file, config_file = home / LOG_FILE, home / CONFIG_FILE
    dump = bytes.fromhex(PAN).hex(" ")
    grouped = f"{PAN[:4]} {PAN[4:8]} {PAN[8:12]} {PAN[12:]}"
    log_file.write_text(f"an older program wrote {PAN}\n{grouped}\n{dump}\n")
    config_file.write_text(f'{config_file.read_text()}\n# {PAN}\n[devices]\nreaders = ["bench:{PAN}"]\n')
    bench.info = DeviceInfo(
        f"Reader of {PAN}", serial_number=PAN, model=TRACK_2, details={PAN: f"57 {dump} D2 51 2F"}
    )
    async with open_workshop(home, logs=log.start_in_memory("INFO"), deliver=False) as workshop:
        await settled(workshop)
        try:
            raise ValueError(repr(bytes.fromhex(PAN)))
        except ValueError:
            logging.getLogger("terminal.payment").exception("bad track %s", TRACK_2)
        command = TracedCommand(f"> 00 B2 01 0C\n< 57 {TRACK_2}", 4.2)
        workshop.taps.add(
            TapTrace(datetime.now(UTC), f"reader {PAN}", dump, (command,), f"label {PAN}", PAN, 4.2, 9.9)
        )
        workshop.store_fault = f"store of {PAN}"
        planted = Finding("devices", PAN, Mark.NOTE, f"text {PAN}", f"cure {PAN}", details={PAN: PAN})
        found = [planted, *[finding async for finding in doctor.probe(workshop)]]
        written = await module.write(workshop, tmp_path / "support.zip", found)
    held = contents(tmp_path / "support.zip")
    for name, text in held.items():
        dense = "".join(character for character in text if character.isalnum())
        assert PAN not in dense, name
        assert "1143804400000" not in dense, name
        assert repr(bytes.fromhex(PAN)) not in text, name
    assert written.masked > 20
    assert all(MASK in held[name] for name in ("log.txt", "taps.txt", "devices.json", "configuration.toml"))
    assert marks(tmp_path / "support.zip") == FINE


async def test_the_search_of_this_test_would_find_one(workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "support.zip"
    await module.write(workshop, file, [])
    changed(file, "taps.txt", f"a card {PAN}")
    assert marks(file)["card numbers"] is Mark.FAULT


async def test_a_number_that_survives_the_mask_writes_nothing(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "redact", lambda text: text)
    planted = Finding("devices", "x", Mark.NOTE, PAN)
    with pytest.raises(BundleError, match=r"findings\.txt still looks"):
        await module.write(workshop, tmp_path / "support.zip", [planted])
    assert not any(name.endswith(".zip") for name in os.listdir(tmp_path))


async def test_passwords_and_keys_stay_at_home(workshop: Workshop, home: Path, tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----"
    (home / CONFIG_FILE).write_text(
        f'scanner = "camera:rtsp://admin:hunter2@192.0.2.7/live"\napi_token = "hunter2"\nx = """{key}"""\n'
    )
    await module.write(workshop, tmp_path / "support.zip", [])
    text = "".join(contents(tmp_path / "support.zip").values())
    assert "hunter2" not in text
    assert "MC4CAQ" not in text
    assert "camera:rtsp://[left out]@192.0.2.7/live" in text


async def test_secrets_among_the_details_stay_at_home_and_json_stays_json(
    workshop: Workshop, tmp_path: Path
) -> None:
    details = {"pin": "hunter2", "address": "http://h/?x=hunter2", "text": 'password = "hunter2"'}
    await module.write(workshop, tmp_path / "support.zip", [Finding("a", "b", Mark.OK, "c", details=details)])
    held = contents(tmp_path / "support.zip")
    assert "hunter2" not in "".join(held.values())
    assert json.loads(held["findings.json"])[0]["details"] == {
        "pin": "[left out]",
        "address": "http://h/?x=[left out]",
        "text": 'password = "[left out]"',
    }


async def test_it_is_looked_through_in_a_thread_of_its_own(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen goes on meanwhile."""
    threads: set[threading.Thread] = set()

    def noted(text: str) -> str:
        threads.add(threading.current_thread())
        return redact(text)

    monkeypatch.setattr(module, "redact", noted)
    await module.write(workshop, tmp_path / "support.zip", [])
    assert [thread.daemon for thread in threads] == [True]
    assert threading.current_thread() not in threads


async def test_a_disk_that_never_answers_is_told(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(module, "WRITE_S", 0.01)
    monkeypatch.setattr(module, "_write_zip", lambda file, contents: answers.wait(15))
    with pytest.raises(BundleError, match="not written within"):
        await module.write(workshop, tmp_path / "support.zip", [])
    answers.set()


async def test_a_long_log_is_looked_through_in_parts_and_comes_whole(
    workshop: Workshop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [f"2026-11-22 02:43:30,123 INFO terminal.x: no {number}\n{PAN}\n" for number in range(50)]
    (home / LOG_FILE).write_text("".join(records))
    monkeypatch.setattr(module, "PART_CHARS", 100)
    parts: list[str] = []

    def noted(text: str) -> str:
        parts.append(text)
        return redact(text)

    monkeypatch.setattr(module, "redact", noted)
    await module.write(workshop, tmp_path / "support.zip", [])
    assert len([part for part in parts if PAN in part]) > 20
    log_text = contents(tmp_path / "support.zip")["log.txt"]
    assert log_text.startswith("".join(records).replace(PAN, MASK))


async def test_the_end_of_the_file_that_was_put_away_comes_where_the_log_has_just_begun(
    workshop: Workshop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_BYTES", 30)
    (home / f"{LOG_FILE}.1").write_text("long ago\nat the end of it\n")
    (home / LOG_FILE).write_text("begun\n")
    await module.write(workshop, tmp_path / "a.zip", [])
    assert contents(tmp_path / "a.zip")["log.txt"].startswith("at the end of it\nbegun\n\n---")
    (home / LOG_FILE).write_text("begun long enough ago, it is\nfull\n")
    await module.write(workshop, tmp_path / "b.zip", [])
    assert contents(tmp_path / "b.zip")["log.txt"].startswith("full\n\n---")


def changed(file: Path, name: str, text: str | None) -> None:
    """Write a bundle anew with one file changed, added or (None) left out."""
    held = contents(file)
    if text is None:
        del held[name]
    else:
        held[name] = text
    with zipfile.ZipFile(file, "w") as archive:
        for each, content in held.items():
            archive.writestr(each, content)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("findings.txt", "all is well", "files"),
        ("findings.txt", None, "files"),
        ("added.txt", "hello", "files"),
        ("manifest.sig", "AAAA", "signature"),
    ],
)
async def test_whatever_is_changed_is_found_out(
    workshop: Workshop, tmp_path: Path, name: str, text: str | None, wrong: str
) -> None:
    file = tmp_path / "support.zip"
    await module.write(workshop, file, [])
    changed(file, name, text)
    assert marks(file) == {**FINE, wrong: Mark.FAULT}


async def test_a_manifest_that_was_mended_has_no_signature_any_more(
    workshop: Workshop, tmp_path: Path
) -> None:
    file = tmp_path / "support.zip"
    await module.write(workshop, file, [])
    fields = json.loads(contents(file)["manifest.json"])
    changed(file, "manifest.json", json.dumps({**fields, "terminal": "T2"}))
    assert marks(file)["signature"] is Mark.FAULT


async def test_a_key_whose_id_looks_like_a_card_number_is_no_card_number(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key in some hundred has such an id."""
    keys = (SigningKey.generate() for _ in range(10_000))
    key = next(key for key in keys if MASK in redact(key.key_id))
    monkeypatch.setattr(module, "_key", lambda workshop: key)
    await module.write(workshop, tmp_path / "support.zip", [])
    assert marks(tmp_path / "support.zip") == FINE


async def test_without_a_key_it_says_that_it_is_not_signed(
    workshop: Workshop, home: Path, tmp_path: Path
) -> None:
    workshop.enrolment = None
    (home / "terminal.key").unlink()
    written = await module.write(workshop, tmp_path / "support.zip", [])
    assert written.signed_by == ""
    finding = module.check(tmp_path / "support.zip")[1]
    assert finding.mark is Mark.WARNING
    assert "not signed" in finding.text


async def test_a_broken_configuration_does_not_keep_the_key_from_signing(
    home: Path, enrolled: Enrolment, tmp_path: Path
) -> None:
    (home / CONFIG_FILE).write_text("rubbish = [")
    async with open_workshop(home, deliver=False) as workshop:
        written = await module.write(workshop, tmp_path / "support.zip")
    assert written.signed_by == enrolled.key.key_id
    assert marks(tmp_path / "support.zip") == FINE


async def test_none_is_overwritten(workshop: Workshop, tmp_path: Path) -> None:
    await module.write(workshop, tmp_path / "support.zip", [])
    with pytest.raises(BundleError, match="can't be written"):
        await module.write(workshop, tmp_path / "support.zip", [])


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04rubbish"])
def test_what_is_no_bundle_is_called_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(BundleError):
        module.check(file)


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": 3, "public_key": ""}'])
def test_a_manifest_that_is_none(tmp_path: Path, manifest: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("manifest.json", manifest)
    with pytest.raises(BundleError):
        module.check(tmp_path / "x.zip")


async def test_a_long_log_is_cut_at_a_line(
    workshop: Workshop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a card number at the cut would be recognised by nobody."""
    monkeypatch.setattr(module, "LOG_BYTES", 40)
    (home / LOG_FILE).write_text(f"first {PAN} {'x' * 26}\nlast line\n")
    await module.write(workshop, tmp_path / "support.zip", [])
    assert contents(tmp_path / "support.zip")["log.txt"].startswith("last line\n")


async def test_a_probe_that_fails_itself_hides_no_other(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise DeviceTimeoutError("x")

    monkeypatch.setattr("terminal.diagnostics.system._system", fail)
    found = [finding async for finding in doctor.probe(workshop)]
    assert found[0].text == "this probe failed itself (DeviceTimeoutError)"
    assert {finding.area for finding in found} >= {"system", "keys", "network", "queue"}
