"""The wheel holds our five packages with their data, and works without the source tree."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"terminal", "drivers", "emv", "offline_queue", "simulators"}
DATA = {".toml", ".tcss", ".sql"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_it_holds_our_packages_and_nothing_else(unpacked: Path) -> None:
    names = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert names == PACKAGES


def test_every_source_and_data_file_is_in_it(unpacked: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *sorted(PACKAGES)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = [name for name in tracked.stdout.splitlines() if Path(name).suffix in {".py", *DATA}]
    assert wanted
    assert [name for name in wanted if not (unpacked / name).is_file()] == []


def test_it_takes_a_payment_without_the_source_tree(unpacked: Path, tmp_path: Path) -> None:
    script = tmp_path / "one.toml"
    script.write_text(
        '[[step]]\nname = "tap"\ndo = "tap"\ncard = "visa-approve"\namount = "1.00"\nexpect = "approved"\n'
    )
    program = (
        "import sys, terminal; from terminal.cli import main; print(terminal.__file__); sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--script", script, "--json", "--reader", "sim:"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    where, report = done.stdout.splitlines()
    assert where.startswith(str(unpacked))
    assert json.loads(report)["ok"], done.stderr
    assert done.returncode == 0
