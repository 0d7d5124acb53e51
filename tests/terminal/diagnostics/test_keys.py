"""Keys and certificates with their end dates; nothing secret among them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.faults import TcpGate
from terminal.config import Config
from terminal.diagnostics import keys
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import KEY_FILE, Enrolment
from terminal.home import CONFIG_FILE

DAY = 86400


async def look(workshop: Workshop, ahead_s: float = 0.0) -> dict[str, Finding]:
    return {
        finding.name: finding async for finding in keys.probe(workshop, wall_s=lambda: time.time() + ahead_s)
    }


async def test_every_key_is_told_by_its_fingerprint(
    alipay_config: Config, workshop: Workshop, enrolled: Enrolment
) -> None:
    workshop.config = alipay_config
    found = await look(workshop)
    assert list(found) == [
        "terminal key",
        "host's signing key",
        "host's sealing key",
        "host's certificate",
        "[host] ca_file",
        "scheme keys",
        "alipay: the merchant's key",
        "alipay: Alipay's public key",
        "[alipay] ca_file",
    ]
    assert found["terminal key"].details["fingerprint"] == enrolled.key.key_id
    assert found["host's signing key"].details["fingerprint"] == enrolled.host_key.key_id
    assert found["host's certificate"].details["made out to"] == "localhost"
    assert found["[host] ca_file"].details["made out to"] == "Tillside simulated authority"
    assert {finding.mark for name, finding in found.items() if name != "scheme keys"} == {Mark.OK}
    assert found["scheme keys"].mark is Mark.NOTE
    told = json.dumps([finding.fields() for finding in found.values()])
    assert alipay_config.alipay is not None
    for file in (workshop.home / "terminal.key", alipay_config.alipay.key_file):
        secret = "".join(file.read_text().splitlines()[1:-1])
        assert not any(secret[at : at + 16] in told for at in range(0, len(secret) - 16, 4))


async def test_ends_are_told_in_time(workshop: Workshop) -> None:
    found = await look(workshop, 350 * DAY)
    assert found["host's certificate"].mark is found["[host] ca_file"].mark is Mark.WARNING
    found = await look(workshop, 400 * DAY)
    assert found["host's certificate"].mark is found["[host] ca_file"].mark is Mark.FAULT


async def test_a_host_that_is_away_has_no_certificate_to_show(workshop: Workshop, gate: TcpGate) -> None:
    gate.down()
    assert (await look(workshop))["host's certificate"].mark is Mark.SKIPPED


async def test_a_terminal_that_is_not_enrolled(workshop: Workshop) -> None:
    for name in ("terminal.key", "host.json"):
        (workshop.home / name).unlink()
    found = await look(workshop)
    assert found["terminal key"].mark is found["host's keys"].mark is Mark.FAULT
    assert found["terminal key"].cure == f"tillside enrol --home {workshop.home}"


async def test_files_that_can_not_be_used(alipay_config: Config, workshop: Workshop) -> None:
    workshop.config = alipay_config
    assert alipay_config.alipay is not None
    (workshop.home / "terminal.key").chmod(0o644)
    (workshop.home / "host.json").write_text("{}")
    alipay_config.alipay.key_file.chmod(0o640)
    alipay_config.alipay.alipay_key_file.write_text("rubbish")
    found = await look(workshop)
    for name in ("terminal key", "host's keys", "alipay: the merchant's key", "alipay: Alipay's public key"):
        assert found[name].mark is Mark.FAULT
        assert found[name].cure
    assert "chmod 600" in found["alipay: the merchant's key"].cure


@pytest.fixture
def scheme_file(home: Path, config: Config) -> Path:
    """Let the terminal have four scheme keys: expired, expiring, good, and without an end."""
    today = datetime.now(UTC).date()
    ends = [today - timedelta(days=2), today + timedelta(days=30), today + timedelta(days=900), None]
    entries = [
        {
            "rid": "A000000003",
            "index": f"{0x90 + number:02X}",
            "modulus": f"{'C7' * 100}{number:02X}01",
            "exponent": "03",
            "expiry": end.isoformat() if end else None,
        }
        for number, end in enumerate(ends)
    ]
    file = home / "ca-keys.json"
    file.write_text(json.dumps(entries))
    config_file = home / CONFIG_FILE
    config_file.write_text(f'{config_file.read_text()}\n[cards]\nca_keys = "{file}"\n')
    return file


async def test_the_default_home_needs_no_option(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    (workshop.home / KEY_FILE).unlink()
    monkeypatch.setattr("terminal.home.default", lambda: workshop.home)
    assert (await look(workshop))["terminal key"].cure == "tillside enrol"


async def test_scheme_keys_that_end(scheme_file: Path, workshop: Workshop) -> None:
    found = await look(workshop)
    assert found["scheme keys expired"].text.startswith("A000000003/90 on ")
    assert found["scheme keys ending"].text.startswith("A000000003/91 on ")
    assert found["scheme keys"].text == "3 keys valid, 1 expired, 1 without an end"
    assert found["scheme keys"].details["A000000003/93"] == "no end is set"


async def test_a_scheme_file_that_is_none(scheme_file: Path, workshop: Workshop) -> None:
    scheme_file.write_text("{")  # noqa: ASYNC240  a test's own file
    assert (await look(workshop))["scheme keys"].mark is Mark.FAULT


async def test_an_authority_that_is_none(workshop: Workshop, tmp_path: Path) -> None:
    assert workshop.config is not None
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    workshop.config = replace(workshop.config, host=replace(workshop.config.host, ca_file=rubbish))
    found = await look(workshop)
    assert found["[host] ca_file"].mark is Mark.FAULT


async def test_without_a_configuration_the_terminals_own_keys_are_told(workshop: Workshop) -> None:
    workshop.config = None
    found = await look(workshop)
    assert found["terminal key"].mark is Mark.OK
    assert found["configured keys"].mark is Mark.SKIPPED
