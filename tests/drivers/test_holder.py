"""Who holds a device file is named by program and process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers import holder
from drivers.address import parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.registry import open_reader

_HOLD = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_another_program_that_holds_a_port_is_named() -> None:
    parent, line = os.openpty()
    path = os.ttyname(line)
    os.close(line)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            name = Path(f"/proc/{other.pid}/comm").read_text().strip()
            with pytest.raises(DeviceUnavailableError) as caught:
                open_reader(parse(f"pn532:{path}"))
        finally:
            other.communicate()
    os.close(parent)
    assert (caught.value.reason, caught.value.hint) == (
        Reason.BUSY,
        f"{name} ({other.pid}) holds it: end it",
    )


def test_one_that_proc_does_not_tell_is_looked_for_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "_PROCESSES", tmp_path)
    assert holder.cure("/dev/ttyUSB0") == "close the program that uses it: sudo fuser -v /dev/ttyUSB0"


def test_several_are_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "_PROCESSES", tmp_path)
    for pid, name in ((71, "minicom"), (8, "brltty"), (9, "cat")):
        folder = tmp_path / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "fd" / "3").symlink_to("/dev/null" if name == "cat" else "/dev/ttyUSB0")
    assert holder.cure("/dev/ttyUSB0") == "brltty (8), minicom (71) hold it: end them"
