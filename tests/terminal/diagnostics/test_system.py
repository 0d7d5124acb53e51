"""The machine below the terminal, as it is told to a technician."""

from __future__ import annotations

import os
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal.diagnostics import system
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop

Usage = namedtuple("Usage", "total used free")


async def look(workshop: Workshop, now_s: float = 1_795_000_000.0) -> dict[str, Finding]:
    return {finding.name: finding async for finding in system.probe(workshop, wall_s=lambda: now_s)}


async def test_every_part_is_told(workshop: Workshop) -> None:
    found = await look(workshop)
    assert list(found) == [
        *("system", "Python", "libraries", "disk", "clock", "time zone", "pcscd"),
        *("kernel's NFC modules", "groups"),
    ]
    assert found["Python"].mark is Mark.OK
    assert found["libraries"].details["textual"]
    assert all(finding.area == "system" for finding in found.values())
    assert all(finding.cure for finding in found.values() if finding.mark in (Mark.WARNING, Mark.FAULT))


async def test_a_library_that_is_missing_or_another(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "requirements.txt"
    locked.write_text("textual==0.0.1 \\\n    --hash=sha256:00\npython-escpos[usb]==9 \\\n")
    monkeypatch.setattr(system, "_LOCKED", locked)
    libraries = (await look(workshop))["libraries"]
    assert libraries.mark is Mark.WARNING
    assert "not 0.0.1" in libraries.text
    assert "not 9" in libraries.text
    monkeypatch.setattr(system, "_wanted", lambda: ["textual", "nobody-has-this"])
    libraries = (await look(workshop))["libraries"]
    assert (libraries.mark, libraries.text) == (Mark.FAULT, "missing: nobody-has-this")
    assert libraries.cure == "pip install nobody-has-this"


@pytest.mark.parametrize(("free", "mark"), [(10**9, Mark.OK), (10**8, Mark.WARNING), (10**7, Mark.FAULT)])
async def test_a_disk_that_fills(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, free: int, mark: Mark
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**12, 0, free))
    disk = (await look(workshop))["disk"]
    assert disk.mark is mark
    assert bool(disk.cure) == (mark is not Mark.OK)


async def test_a_clock_that_was_never_set(workshop: Workshop) -> None:
    clock = (await look(workshop, 0.0))["clock"]
    assert clock.mark is Mark.FAULT
    assert "timedatectl" in clock.cure


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        ({"NTPSynchronized": "yes"}, Mark.OK),
        ({"NTPSynchronized": "no"}, Mark.WARNING),
        ({}, Mark.NOTE),
    ],
)
async def test_who_sets_the_clock(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], mark: Mark
) -> None:
    monkeypatch.setattr(system, "_timedatectl", lambda: told)
    assert (await look(workshop))["clock"].mark is mark


def test_what_systemd_says_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "timedatectl"
    program.write_text(
        '#!/bin/sh\n[ "$1" = show ] && printf "Timezone=Europe/Berlin\\nNTPSynchronized=yes\\nRTC=1\\n"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert system._timedatectl() == {"Timezone": "Europe/Berlin", "NTPSynchronized": "yes"}
    program.write_text("#!/bin/sh\nexit 1\n")
    assert system._timedatectl() == {}


@pytest.fixture
def pcscd_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where pcscd would listen; nobody does yet."""
    path = tmp_path / "comm"
    monkeypatch.setattr(system, "_PCSCD_SOCKET", path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        yield listener


async def test_pcscd_answers_or_does_not(workshop: Workshop, pcscd_socket: socket.socket) -> None:
    assert (await look(workshop))["pcscd"].mark is Mark.NOTE
    pcscd_socket.listen()
    assert (await look(workshop))["pcscd"].mark is Mark.OK


async def test_nfc_modules_that_are_loaded(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "loaded_nfc_modules", lambda: ("pn533", "nfc"))
    modules = (await look(workshop))["kernel's NFC modules"]
    assert modules.mark is Mark.WARNING
    assert "modprobe" in modules.cure


async def test_groups_of_a_user_who_is_not_root(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.getgroups", lambda: [1])
    monkeypatch.setattr(system, "_group", lambda number: "dialout" if number == 1 else "till")
    groups = (await look(workshop))["groups"]
    assert groups.text == "in dialout of the devices' groups, not in plugdev, video, input, lp, audio"
