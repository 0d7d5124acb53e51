"""The driver that the README shows, installed from a folder as a distribution of its own, and used."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SECTION = "### A driver of your own"
MOST_LINES = 40
FINDING = 1
PIP = (
    *(sys.executable, "-m", "pip", "install", "--quiet"),
    *("--no-deps", "--no-build-isolation", "--no-index"),
)
TILLSIDE = (sys.executable, "-c", "import sys; from terminal.cli import main; sys.exit(main())")

USE = """
import sys, threading
from drivers.address import parse
from drivers.registry import drivers, open_scanner
from drivers.protocols import Category
from terminal.config import Devices
from terminal.devices.pool import DevicePool

address = parse(sys.argv[1])
print(drivers(Category.CODE_SCANNER)[address.scheme].distribution)
pool = DevicePool(Devices(scanners=(address,)), lambda: None)
pool.start()
job = pool.scanners[0].submit(lambda scanner, lease: scanner.next_code(lease.stop, timeout_s=10))
print(job.future.result(10).text)
pool.close()
"""


def block(kind: str) -> str:
    section = (ROOT / "README.md").read_text("utf-8").partition(SECTION)[2]
    found = re.search(rf"```{kind}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which the distribution is installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "line_scanner.py").write_text(block("python"))
    (source / "pyproject.toml").write_text(block("toml"))
    subprocess.run(
        [*PIP, "--target", str(target), str(source)],
        check=True,
    )
    return {**os.environ, "PYTHONPATH": str(target)}


@pytest.fixture
def scanner() -> socket.socket:
    """Return what listens where the scanner is."""
    return socket.create_server(("127.0.0.1", 0))


def test_it_is_shorter_than_it_may_be() -> None:
    assert len(block("python").splitlines()) < MOST_LINES


@pytest.mark.timeout(60)
def test_it_reads_a_code_through_the_terminals_own_worker(
    installed: dict[str, str], scanner: socket.socket
) -> None:
    address = f"line-scanner:127.0.0.1:{scanner.getsockname()[1]}"
    with (
        scanner,
        subprocess.Popen(
            [sys.executable, "-c", USE, address], env=installed, stdout=subprocess.PIPE, text=True
        ) as run,
    ):
        link, _ = scanner.accept()
        with link:
            link.sendall(b"2812345678\n")
            out, _ = run.communicate(timeout=30)
    assert out.splitlines() == ["tillside-line-scanner", "2812345678"]
    assert run.returncode == 0


@pytest.mark.timeout(60)
def test_it_stands_in_the_list_of_devices_with_its_distribution_and_its_cure(
    installed: dict[str, str], scanner: socket.socket, tmp_path: Path
) -> None:
    scanner.close()
    (tmp_path / "tillside.toml").write_text(
        '[shop]\nname = "x"\ncurrency = "EUR"\ncountry = "276"\n[terminal]\nid = "T1"\n'
        '[host]\nurl = "https://127.0.0.1:1"\n[devices]\nscanners = ["line-scanner:127.0.0.1:1"]\n'
    )
    listed = subprocess.run(
        [*TILLSIDE, "devices", "--json", "--home", str(tmp_path)],
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == FINDING, listed.stderr
    (line,) = [line for line in json.loads(listed.stdout) if line["address"].startswith("line-scanner")]
    assert line["driver"] == "line-scanner (tillside-line-scanner)"
    assert (line["works"], line["text"]) == (False, "not found")
    assert line["cure"] == "switch on what is at 127.0.0.1:1"
