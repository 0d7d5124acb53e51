"""Names the programs that hold a device file, as far as /proc tells it without being root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")
_NAMED = 3


def cure(path: str) -> str:
    """Return what frees a device file: who holds it, else the command that finds that out."""
    found = dict(_holders(os.path.realpath(path)))
    if not 0 < len(found) <= _NAMED:
        return f"close the program that uses it: sudo fuser -v {path}"
    if os.getpid() in found:
        return f"this program itself has {path} open: name it once in the configuration"
    named = ", ".join(f"{name} ({pid})" for pid, name in sorted(found.items()))
    return f"{named} holds it: end it" if len(found) == 1 else f"{named} hold it: end them"


def _holders(path: str) -> Iterator[tuple[int, str]]:
    """Yield process and program of whoever has the file open; other users' programs can't be looked into."""
    for process in _PROCESSES.iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                if any(_leads_to(link, path) for link in (process / "fd").iterdir()):
                    yield int(process.name), (process / "comm").read_text().strip()


def _leads_to(link: Path, path: str) -> bool:
    try:
        return os.readlink(link) == path
    except OSError:
        return False
