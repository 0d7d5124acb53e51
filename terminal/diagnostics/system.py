"""The machine below the terminal: system, versions, disk, clock, services, kernel modules, groups."""

from __future__ import annotations

import grp
import os
import platform
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from terminal.diagnostics.apart import apart
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.udev import loaded_nfc_modules
from terminal.diagnostics.workshop import Workshop

AREA = "system"
OLDEST_PYTHON = (3, 11)
SPACE_LOW, SPACE_OUT = 500_000_000, 50_000_000
"""Free bytes on the queue's disk below which it is told of, and below which it is a fault."""
EARLIEST_YEAR = 2025
"""A clock that shows an earlier year was never set."""
TIMEDATECTL_S = 3.0
"""For how long the system may take to tell of its clock, in seconds."""
_GROUPS = ("plugdev", "dialout", "video", "input", "lp", "audio")
_PCSCD_SOCKET = Path("/run/pcscd/pcscd.comm")
_LOCKED = Path(__file__).parents[2] / "requirements.txt"
"""The pinned versions, where the program runs from its project's folder."""


async def probe(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield one finding for each of them.

    Args:
        workshop: Whose machine.
        wall_s: The terminal's clock, in seconds since 1970.
    """
    yield _system()
    yield _python()
    yield _versions()
    yield _disk(workshop.home)
    yield await _clock(wall_s())
    yield _time_zone()
    yield _pcscd(workshop)
    yield _modules()
    yield _groups()


def _system() -> Finding:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    machine = platform.machine()
    text = f"{name or platform.system()}, kernel {platform.release()}, {machine}"
    return Finding(AREA, "system", Mark.OK, text)


def _python() -> Finding:
    text = f"{platform.python_version()}, {ssl.OPENSSL_VERSION}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding(AREA, "Python", Mark.FAULT, text, "Python 3.11 or newer is needed")
    return Finding(AREA, "Python", Mark.OK, text, details={"sqlite3": sqlite3.sqlite_version})


# --- versions -------------------------------------------------------------------------------------


def _versions() -> Finding:
    pinned = dict(_pinned())
    found = {name: _installed(name) for name in _wanted()}
    missing = [name for name, here in found.items() if not here]
    other = {
        name: f"{here}, not {pinned[name]}"
        for name, here in found.items()
        if here and name in pinned and here != pinned[name]
    }
    details = {
        name: here or "missing" for name, here in {"tillside": _installed("tillside"), **found}.items()
    }
    if missing:
        text = f"missing: {', '.join(missing)}"
        return Finding(
            AREA, "libraries", Mark.FAULT, text, f"pip install {' '.join(missing)}", details=details
        )
    if other:
        text = "; ".join(f"{name} is {words}" for name, words in other.items())
        cure = "make setup brings the tested versions"
        return Finding(AREA, "libraries", Mark.WARNING, text, cure, details=details)
    text = (
        f"{len(found)} libraries, all as tested"
        if pinned
        else f"{len(found)} libraries; no list of tested ones"
    )
    return Finding(AREA, "libraries", Mark.OK, text, details=details)


def _wanted() -> list[str]:
    """Return the names of what the program needs on this system."""
    try:
        needed = requires("tillside") or []
    except PackageNotFoundError:
        return []
    here = [line for line in needed if "extra ==" not in line]
    if sys.platform != "linux":
        here = [line for line in here if "linux" not in line]
    return sorted(_name(line) for line in here)


def _pinned() -> Iterator[tuple[str, str]]:
    try:
        lines = _LOCKED.read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        if found := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", line):
            yield _name(found[1]), found[2]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


# --- disk and clock -------------------------------------------------------------------------------


def _disk(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    free, total = shutil.disk_usage(place).free, shutil.disk_usage(place).total
    text = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB are free where the queue is"
    details = {"home": str(home)}
    if free < SPACE_LOW:
        mark = Mark.FAULT if free < SPACE_OUT else Mark.WARNING
        cure = (
            f"make room; what takes it: sudo du -xh / --max-depth=2 | sort -h | tail; the queue is in {home}"
        )
        return Finding(AREA, "disk", mark, text, cure, details=details)
    if home.exists() and not os.access(home, os.W_OK):
        cure = f"sudo chown -R $USER {home}"
        return Finding(AREA, "disk", Mark.FAULT, f"this user can't write to {home}", cure, details=details)
    return Finding(AREA, "disk", Mark.OK, text, details=details)


async def _clock(now_s: float) -> Finding:
    now = datetime.fromtimestamp(now_s).astimezone()
    shown = f"{now:%Y-%m-%d %H:%M:%S%z}"
    cure = "sudo timedatectl set-ntp true; timedatectl shows the clock"
    if now.year < EARLIEST_YEAR:
        return Finding(AREA, "clock", Mark.FAULT, f"it shows {shown}: it was never set", cure)
    nothing: Mapping[str, str] = {}
    told = await apart(_timedatectl, timeout_s=TIMEDATECTL_S, otherwise=nothing)
    synchronised = told.get("NTPSynchronized", "")
    if synchronised == "yes":
        return Finding(AREA, "clock", Mark.OK, f"{shown}, set by the network", details=told)
    if synchronised == "no":
        return Finding(AREA, "clock", Mark.WARNING, f"{shown}, not set by the network", cure, details=told)
    text = f"{shown}; whether the network sets it is not known here (timedatectl does not say)"
    return Finding(AREA, "clock", Mark.NOTE, text, "compare it with the network's step clock")


def _timedatectl() -> dict[str, str]:
    """Return what systemd says of the clock; nothing where there is none."""
    program = shutil.which("timedatectl")
    if program is None:
        return {}
    try:
        done = subprocess.run(  # noqa: S603  a fixed command
            [program, "show"], capture_output=True, text=True, timeout=TIMEDATECTL_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    wanted = ("Timezone", "NTP", "NTPSynchronized", "CanNTP")
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in pairs if name in wanted}


def _time_zone() -> Finding:
    now = datetime.now().astimezone()
    name = os.environ.get("TZ") or _zone_file() or now.tzname() or "unknown"
    text = f"{name}, {now:%z}"
    if name in ("UTC", "Etc/UTC"):
        cure = "for the shop's own: sudo timedatectl set-timezone Europe/Berlin, or the like"
        return Finding(AREA, "time zone", Mark.NOTE, f"{text}: receipts show this time", cure)
    return Finding(AREA, "time zone", Mark.OK, text)


def _zone_file() -> str:
    target = os.path.realpath("/etc/localtime")
    return target.partition("zoneinfo/")[2]


# --- services, modules, groups --------------------------------------------------------------------


def _pcscd(workshop: Workshop) -> Finding:
    name = "pcscd"
    needed = any(worker.status.address.scheme == "pcsc" for worker in workshop.pool.readers)
    if _answers(_PCSCD_SOCKET):
        return Finding(AREA, name, Mark.OK, "answers (where systemd listens for it, it is started by asking)")
    if not needed:
        return Finding(AREA, name, Mark.NOTE, "does not run, and no reader is configured that needs it")
    cure = "sudo systemctl enable --now pcscd.socket; where it is missing: sudo apt-get install pcscd"
    return Finding(AREA, name, Mark.FAULT, "does not run, and a configured reader needs it", cure)


def _answers(path: Path) -> bool:
    """Tell whether somebody accepts connections there. A connection without a word harms nobody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(path))
        except OSError:
            return False
    return True


def _modules() -> Finding:
    name = "kernel's NFC modules"
    loaded = loaded_nfc_modules()
    if loaded is None:
        return Finding(AREA, name, Mark.NOTE, "which modules are loaded can't be read here")
    if loaded:
        text = f"{', '.join(loaded)} loaded: they take PN53x readers and some ACR122U"
        cure = "sudo modprobe -r pn533_usb pn533 nfc; and for good: make install-udev"
        return Finding(AREA, name, Mark.WARNING, text, cure)
    return Finding(AREA, name, Mark.OK, "not loaded")


def _groups() -> Finding:
    name = "groups"
    if os.geteuid() == 0:
        text = "this runs as root: every device opens, and a cashier's terminal should not"
        return Finding(AREA, name, Mark.NOTE, text, "run the terminal as its own user")
    mine = {_group(number) for number in {*os.getgroups(), os.getegid()}}
    here = [group for group in _GROUPS if group in mine]
    lacking = [group for group in _GROUPS if group not in mine]
    if not lacking:
        return Finding(AREA, name, Mark.OK, ", ".join(here))
    text = f"in {', '.join(here) or 'none'} of the devices' groups, not in {', '.join(lacking)}"
    cure = "needed only where nobody is logged in at this machine: sudo usermod -aG GROUP USER"
    return Finding(AREA, name, Mark.NOTE, text, cure)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
