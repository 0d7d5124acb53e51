"""The real PC/SC daemon, with the virtual reader that vsmartcard-vpcd adds to it.

Theory of operation: only one daemon can run on a machine, while several processes (test runs, a
demo) may want it. Each user holds a shared lock. Whoever finds no daemon starts one and notes its
process id; whoever is last ends the one that was started so. A daemon that ran before, such as a
systemd service, is used and left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO

from drivers.readers import pcsc

READER = "Virtual PCD"
"""How the virtual reader's names begin; slot numbers follow."""

_PID_OF_DAEMON = Path("/run/pcscd/pcscd.pid")
_POLL_S = 0.02


class PcscDaemonError(Exception):
    """The daemon can't be had; the message says what to type."""


class PcscDaemon:
    """A user of the daemon, from `start` to `stop`."""

    def __init__(self) -> None:
        place = _own_folder()
        self._mutex_path = place / f"tillside-pcscd-{os.getuid()}.mutex"
        self._users_path = place / f"tillside-pcscd-{os.getuid()}.users"
        self._users: IO[str] | None = None

    @staticmethod
    def missing() -> str:
        """Return what to type so that the daemon can be used at all; empty if nothing is missing."""
        if _program() is None or not _has_virtual_reader():
            return "sudo apt-get install pcscd vsmartcard-vpcd"
        if os.geteuid() != 0 and not _runs() and not _may_sudo():
            return "sudo pcscd"
        return ""

    def start(self, *, wait_s: float = 10.0) -> None:
        """Use the daemon that runs, or start one; returns when it lists the virtual reader."""
        if missing := self.missing():
            raise PcscDaemonError(missing)
        users = self._users = self._users_path.open("a+")
        try:
            with self._alone(wait_s):
                fcntl.flock(users, fcntl.LOCK_SH)
                if not _runs():
                    self._launch(users)
                self._wait_for_reader(wait_s)
        except BaseException:
            self.stop(wait_s=wait_s)
            raise

    def stop(self, *, wait_s: float = 10.0) -> None:
        """End the daemon if one of us started it and nobody else of us uses it."""
        users, self._users = self._users, None
        if users is None:
            return
        with users, self._alone(wait_s):
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            users.seek(0)
            pid = users.read().strip()
            users.truncate(0)
            if pid and _is_daemon(int(pid)):
                _end(int(pid), wait_s)

    def __enter__(self) -> PcscDaemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def _alone(self, wait_s: float) -> Iterator[None]:
        deadline = monotonic() + wait_s
        with self._mutex_path.open("a") as mutex:
            while True:
                try:
                    fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if monotonic() >= deadline:
                        raise PcscDaemonError("another process is starting or ending pcscd") from None
                    Event().wait(_POLL_S)
            yield

    def _launch(self, users: IO[str]) -> None:
        program = _program()
        if program is None:
            raise PcscDaemonError(self.missing())
        # The program puts itself into the background and returns once it is ready.
        done = subprocess.run(  # noqa: S603 - a fixed command line
            [*_sudo(), program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PcscDaemonError(f"pcscd did not start: {done.stderr.strip() or done.stdout.strip()}")
        users.truncate(0)
        users.write(_PID_OF_DAEMON.read_bytes().rstrip(b"\0\n").decode())
        users.flush()

    @staticmethod
    def _wait_for_reader(wait_s: float) -> None:
        deadline = monotonic() + wait_s
        while not any(address.target.startswith(READER) for address in pcsc.discover()):
            if monotonic() >= deadline:
                raise PcscDaemonError("pcscd runs without the virtual reader: sudo systemctl restart pcscd")
            Event().wait(_POLL_S)


def _own_folder() -> Path:
    """Return a folder that nobody else can write to, where the machine has one, gone with a restart."""
    return Path("/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())


def _program() -> str | None:
    return shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin")


def _has_virtual_reader() -> bool:
    configured = Path("/etc/reader.conf.d")
    return configured.is_dir() and any("vpcd" in path.name for path in configured.iterdir())


def _sudo() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def _may_sudo() -> bool:
    if (sudo := shutil.which("sudo")) is None:
        return False
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)  # noqa: S603 - fixed
    return asked.returncode == 0


def _runs() -> bool:
    """Tell whether a daemon answers; where systemd listens for it, asking starts it."""
    return bool(pcsc.discover())


def _is_daemon(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "pcscd"
    except OSError:
        return False


def _end(pid: int, wait_s: float) -> None:
    if os.geteuid() == 0:
        os.kill(pid, signal.SIGTERM)
    else:
        subprocess.run([*_sudo(), "kill", str(pid)], capture_output=True, check=False)  # noqa: S603
    deadline = monotonic() + wait_s
    while _is_daemon(pid) and monotonic() < deadline:
        Event().wait(_POLL_S)
