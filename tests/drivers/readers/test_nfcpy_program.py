"""nfcpy's own program, `python -m nfc`, sees the simulated chip as it sees a real one.

It opens names in /dev only, and tries every serial port that it finds there. So it gets a /dev of its
own, in a mount namespace that ends with it: nothing on this machine is touched, and nothing is left.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip

_NAMESPACE = ("unshare", "--mount", "--map-root-user")
_OWN_DEV = """
set -e
mkdir "$1/pts"
mount --rbind /dev/pts "$1/pts"
for name in null urandom; do : > "$1/$name"; mount --bind "/dev/$name" "$1/$name"; done
ln -s "$2" "$1/ttyUSB0"
mount --rbind "$1" /dev
exec "$3" -W ignore -m nfc --search-tty
"""


def _missing() -> str:
    if not shutil.which("unshare"):
        return "no unshare: apt-get install util-linux"
    done = subprocess.run([*_NAMESPACE, "true"], capture_output=True, timeout=10)
    return "" if done.returncode == 0 else f"no mount namespaces here: {done.stderr.decode().strip()}"


def test_the_chip_is_found_and_named(field: Field, tmp_path: Path) -> None:
    if missing := _missing():
        pytest.skip(missing)
    field.place(profile.load("visa-approve"))
    dev = tmp_path / "dev"
    dev.mkdir()
    with Pn532Chip(field) as chip:
        own_dev = ["sh", "-c", _OWN_DEV, "sh", str(dev), chip.path, sys.executable]
        done = subprocess.run([*_NAMESPACE, *own_dev], capture_output=True, text=True, timeout=15)
        assert chip.speed == 115200
    assert "** found PN532v1.6 at /dev/ttyUSB0" in done.stdout, done.stdout + done.stderr
    assert not any(os.path.ismount(dev / name) for name in os.listdir(dev)), "a mount was left behind"
