"""Independent programs see the virtual card as they see a real one: pcsc_scan and opensc-tool."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from threading import Event

import pytest

from drivers.address import DeviceAddress
from drivers.readers import pcsc
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.cards.misbehaving import Wrapper
from simulators.readers.field import Field
from simulators.readers.virtual_card import VirtualCard

VIRTUAL = "Virtual PCD 00 00"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class StorageCard(Wrapper):
    """Has the ATR that readers make up for a MIFARE Classic 1K."""

    @property
    def atr(self) -> bytes:
        return bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")


def run(program: str, *arguments: str, home: Path) -> str:
    """Return what it prints. It ends by itself, or is ended."""
    path = shutil.which(program)
    if path is None:
        package = {"pcsc_scan": "pcsc-tools", "opensc-tool": "opensc"}[program]
        pytest.skip(f"sudo apt-get install {package}")
    # pcsc_scan would look up a card that it does not know on the network.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [path, *arguments],
        env=environment | {key: value for key, value in os.environ.items() if key.startswith("PCSCLITE")},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return COLOUR.sub("", done.stdout)


def place(card: SimulatedCard, field: Field) -> SimulatedCard:
    """Lay the card there and return when the daemon has seen it."""
    field.place(card)
    reader = pcsc.open(DeviceAddress("pcsc", VIRTUAL))
    found = reader.wait_for_card(Event(), timeout_s=10)
    reader.close()
    assert found
    return card


def test_pcsc_scan_lists_the_reader_and_its_card(
    field: Field, virtual_card: VirtualCard, tmp_path: Path
) -> None:
    card = place(profile.load("visa-approve"), field)
    assert VIRTUAL in run("pcsc_scan", "-r", home=tmp_path)
    printed = run("pcsc_scan", "-n", "-q", "-t", "1", home=tmp_path)
    assert re.search(rf"{VIRTUAL}\s+Event number: \d+\s+Card state: Card inserted", printed), printed
    assert card.atr.hex(" ").upper() in printed


def test_pcsc_scan_names_the_card(field: Field, virtual_card: VirtualCard, tmp_path: Path) -> None:
    place(StorageCard(profile.load("visa-approve")), field)
    printed = run("pcsc_scan", "-q", "-t", "1", home=tmp_path)
    assert "correct checksum" in printed
    assert "MIFARE Classic 1K" in printed


def test_opensc_tool_reads_the_atr_and_talks_to_the_card(
    field: Field, virtual_card: VirtualCard, tmp_path: Path
) -> None:
    card = place(profile.load("visa-approve"), field)
    listed = run("opensc-tool", "--list-readers", home=tmp_path)
    number = re.search(rf"^(\d+)\s+Yes\s+.*{VIRTUAL}", listed, re.MULTILINE)
    assert number, listed
    chosen = ("--reader", number[1])
    assert run("opensc-tool", *chosen, "--atr", home=tmp_path).strip() == card.atr.hex(":")
    assert run("opensc-tool", *chosen, "--name", home=tmp_path).strip()
    answer = run("opensc-tool", *chosen, "-s", "00A404000E325041592E5359532E444446303100", home=tmp_path)
    assert "SW1=0x90, SW2=0x00" in answer
    assert "2PAY.SYS.DDF" in answer
