"""The demo's home: a folder of its own, never that of a real terminal, and one demo at a time in it."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terminal.enrolment import KEY_FILE
from terminal.home import CONFIG_FILE

MARK = "# Written by the demo"
"""How the demo's configuration begins. A file that begins otherwise is somebody's own."""
HEADER = (
    f"{MARK}, anew at each start: what is changed here is lost.\n"
    "# All hosts here are simulated and on loopback.\n\n"
)
LOCK_FILE = "demo.lock"


class FolderError(Exception):
    """The demo must not or can't use a folder; the message says why, and what to do."""


@contextmanager
def demo_folder(named: Path | None) -> Iterator[Path]:
    """Give the folder that was named, for this demo alone, or one that is gone afterwards.

    Raises FolderError.
    """
    if named is None:
        with tempfile.TemporaryDirectory(prefix="tillside-demo-") as name:
            yield Path(name)
        return
    _refuse_real_home(named)
    try:
        named.mkdir(parents=True, exist_ok=True)
        lock = (named / LOCK_FILE).open("a")
    except OSError as error:
        raise FolderError(f"{named} can't be the demo's folder ({error.strerror}); name another") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderError(f"another demo runs in {named}; name another folder with --home") from error
        # Absolute: files that a configuration names are looked for beside it.
        yield named.absolute()


def write_config(folder: Path, text: str) -> Path:
    """Write the configuration of the demo's terminal, marked as the demo's."""
    path = folder / CONFIG_FILE
    path.write_text(HEADER + text, "utf-8")
    return path


def _refuse_real_home(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file; name a folder with --home")
    config = folder / CONFIG_FILE
    if config.exists():
        real = not config.read_bytes().startswith(MARK.encode())
    else:
        real = (folder / KEY_FILE).exists()
    if real:
        raise FolderError(
            f"{folder} is the home of a terminal that is not the demo's, and is left alone; "
            "name an empty folder with --home, or none for a temporary one"
        )
