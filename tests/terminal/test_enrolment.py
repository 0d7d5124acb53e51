"""Enrolling: the terminal's key is made once, the host's keys are pinned and stay."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from offline_queue.host import NotSentReason
from offline_queue.sealing import Opener
from offline_queue.signing import SigningKey
from simulators.faults import TcpGate
from simulators.hosts import certificates as authority
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import ANYTHING, Fault
from simulators.hosts.server import TlsServer
from terminal.config import Config, ConfigError
from terminal.enrolment import KEY_FILE, PINS_FILE, Enrolment, enrol, load
from terminal.http import NoAnswerError, NotSentError
from tests.terminal.shop import TERMINAL_ID


def at(config: Config, url: str) -> Config:
    """Return the configuration of a terminal whose host is somewhere else."""
    return replace(config, host=replace(config.host, url=url))


async def test_the_host_knows_the_terminal_and_the_terminal_its_host(
    home: Path, host: Host, enrolled: Enrolment
) -> None:
    (terminal,) = host.terminals()
    assert terminal.terminal_id == TERMINAL_ID
    assert terminal.signing_key == enrolled.key.public_key.to_bytes()
    assert enrolled.host_key == host.signing_key
    pins = json.loads((home / PINS_FILE).read_text())
    assert base64.b64decode(pins["host_sealing_key"]) == host.sealing_key


async def test_only_the_owner_can_read_the_key(home: Path, enrolled: Enrolment) -> None:
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600


async def test_what_was_pinned_is_loaded_again(home: Path, enrolled: Enrolment) -> None:
    again = load(home, TERMINAL_ID)
    assert again.key.public_key == enrolled.key.public_key
    assert again.host_key == enrolled.host_key


async def test_enrolling_again_changes_nothing(home: Path, config: Config, enrolled: Enrolment) -> None:
    before = [(home / name).read_bytes() for name in (KEY_FILE, PINS_FILE)]
    await enrol(home, config)
    assert [(home / name).read_bytes() for name in (KEY_FILE, PINS_FILE)] == before


async def test_a_slash_at_the_end_of_the_address_does_no_harm(home: Path, config: Config, host: Host) -> None:
    await enrol(home, at(config, f"{config.host.url}/"))
    assert len(host.terminals()) == 1


async def test_keys_that_are_pinned_are_not_replaced_by_another_hosts(
    home: Path, config: Config, enrolled: Enrolment, certificates: authority.Files
) -> None:
    before = (home / PINS_FILE).read_bytes()
    with Host(certificate=certificates.certificate, key=certificates.key) as other:
        with pytest.raises(ConfigError, match="other keys than those pinned"):
            await enrol(home, at(config, other.url))
    assert (home / PINS_FILE).read_bytes() == before


async def test_a_host_that_knows_another_terminal_of_this_name_refuses(
    home: Path, config: Config, host: Host
) -> None:
    host.enrol(TERMINAL_ID, SigningKey.generate().public_key)
    with pytest.raises(ConfigError, match=r"refuses to enrol T1: .*other_key"):
        await enrol(home, config)
    assert not (home / PINS_FILE).exists()


async def test_a_host_that_is_away_pins_nothing(home: Path, config: Config, gate: TcpGate) -> None:
    gate.down()
    with pytest.raises(NotSentError) as caught:
        await enrol(home, config)
    assert caught.value.reason is NotSentReason.REFUSED_CONNECTION
    assert not (home / PINS_FILE).exists()
    gate.up()
    await enrol(home, config)


async def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(
    home: Path, config: Config, host: Host
) -> None:
    host.behaviour.next(Fault.LOSE_ANSWER, path=ANYTHING)
    with pytest.raises(NoAnswerError):
        await enrol(home, config)
    assert len(host.terminals()) == 1
    await enrol(home, config)
    assert len(host.terminals()) == 1


PAGE = b"<html><h1>Welcome to the guest network</h1><form>...</form></html>"
KEY = base64.b64encode(SigningKey.generate().public_key.to_bytes()).decode()
SEAL = base64.b64encode(Opener.generate().public_bytes()).decode()


@pytest.mark.parametrize(
    "body",
    [
        PAGE,
        b"",
        b"[]",
        b'"ok"',
        b"{}",
        json.dumps({"host_signing_key": KEY}).encode(),
        json.dumps({"host_signing_key": KEY, "host_sealing_key": "no base64"}).encode(),
        json.dumps({"host_signing_key": KEY[8:], "host_sealing_key": SEAL}).encode(),
        json.dumps({"host_signing_key": 7, "host_sealing_key": SEAL}).encode(),
        b"\xff\xfe\xff",
    ],
    ids=range(10),
)
async def test_what_answers_200_and_is_no_host_pins_nothing(
    body: bytes, home: Path, config: Config, certificates: authority.Files
) -> None:
    app = Starlette(routes=[Route("/v1/enrol", lambda request: Response(body), methods=["POST"])])
    with TlsServer(app, certificate=certificates.certificate, key=certificates.key) as server:
        with pytest.raises(ConfigError, match="no payment host"):
            await enrol(home, at(config, server.url))
    assert not (home / PINS_FILE).exists()


def test_a_terminal_that_is_not_enrolled_is_told_how(home: Path) -> None:
    with pytest.raises(ConfigError, match=f"tillside enrol --home {home}"):
        load(home, TERMINAL_ID)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "7", '{"host_signing_key": "x", "host_sealing_key": "x"}']
)
async def test_pins_that_were_damaged_are_told(content: str, home: Path, enrolled: Enrolment) -> None:
    (home / PINS_FILE).write_text(content)
    with pytest.raises(ConfigError, match=f"{PINS_FILE}: .*enrol again"):
        load(home, TERMINAL_ID)


async def test_a_key_that_others_may_read_is_not_used(
    home: Path, config: Config, enrolled: Enrolment
) -> None:
    (home / KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load(home, TERMINAL_ID)
    with pytest.raises(ConfigError, match="chmod 600"):
        await enrol(home, config)


async def test_a_key_that_was_damaged_is_told(home: Path, enrolled: Enrolment) -> None:
    (home / KEY_FILE).write_text("no key")
    with pytest.raises(ConfigError, match="holds no private key"):
        load(home, TERMINAL_ID)
