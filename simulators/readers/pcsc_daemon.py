"""The real PC/SC daemon, with the virtual reader that vsmartcard-vpcd adds to it.

Theory of operation: only one daemon can run on a machine, while several processes (test runs, a
demo) may want it. Each user holds a shared lock. Whoever finds no daemon starts one and notes its
process id; whoever is last ends the one that was started so. A daemon that ran before, such as a
systemd service, is used and left alone.

A daemon with readers of its own choice, such as one called ACR122U, needs the one socket for itself:
its user holds the lock alone, as soon as nobody shares it, and everybody else waits. The note says
which kind it was, so that one whose user was killed is not taken for the ordinary one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO

from drivers.readers import pcsc

READER = "Virtual PCD"
"""How the virtual reader's names begin; slot numbers follow."""

_CONFIGURED = Path("/etc/reader.conf.d")
_CCID = "libccidtwin.so"
_INFO = Path("ifd-ccid.bundle/Contents/Info.plist")
_PID_OF_DAEMON = Path("/run/pcscd/pcscd.pid")
_POLL_S = 0.02


class PcscDaemonError(Exception):
    """The daemon can't be had; the message says what to type."""


@dataclass(frozen=True, slots=True)
class VirtualReader:
    """A virtual reader with a name of its own, and two slots; the second has the next port.

    The daemon lists it as the name, its number among readers of that name, and its slot:
    ``ACS ACR122U PICC Interface 00 00`` and ``... 00 01``.
    """

    name: str
    port: int

    @staticmethod
    def on_free_ports(name: str) -> VirtualReader:
        """Return one at two ports that are free now."""
        while True:
            with socket.socket() as first, socket.socket() as second:
                first.bind(("", 0))
                port = first.getsockname()[1]
                with contextlib.suppress(OSError, OverflowError):
                    second.bind(("", port + 1))
                    return VirtualReader(name, port)

    @property
    def ports(self) -> tuple[int, int]:
        """Where the card of the first slot and that of the second go."""
        return self.port, self.port + 1


@dataclass(frozen=True, slots=True)
class SerialReader:
    """A reader on a serial line, driven by the real CCID driver, with a name of its own and one slot."""

    name: str
    path: str


OwnReader = VirtualReader | SerialReader
"""What a daemon with readers of its own can have."""


class PcscDaemon:
    """A user of the daemon, from `start` to `stop`.

    Args:
        readers: What the daemon is to have; nothing means the virtual reader that the system configures.
        escapes: Whether the CCID driver lets escape commands through to its serial readers; as installed,
            it does not.
    """

    def __init__(self, readers: Sequence[OwnReader] = (), *, escapes: bool = False) -> None:
        place = _own_folder()
        self._mutex_path = place / f"tillside-pcscd-{os.getuid()}.mutex"
        self._users_path = place / f"tillside-pcscd-{os.getuid()}.users"
        self._users: IO[str] | None = None
        self._readers = tuple(readers)
        self._escapes = escapes
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @staticmethod
    def missing() -> str:
        """Return what to type so that the daemon can be used at all; empty if nothing is missing."""
        if _program() is None or not _has_virtual_reader():
            return "sudo apt-get install pcscd vsmartcard-vpcd"
        if os.geteuid() != 0 and not _runs() and not _may_sudo():
            return "sudo pcscd"
        return ""

    def start(self, *, wait_s: float = 10.0) -> None:
        """Use the daemon that runs, or start one; returns when it lists the virtual readers.

        Waits so long for other users where the daemon is to be had alone, or is.
        """
        if missing := self.missing():
            raise PcscDaemonError(missing)
        users = self._users = self._users_path.open("a+")
        deadline = monotonic() + wait_s
        try:
            while not self._joined(users, wait_s):
                if monotonic() >= deadline:
                    raise PcscDaemonError("another process uses pcscd with other readers: try again")
                Event().wait(_POLL_S)
        except BaseException:
            self.stop(wait_s=wait_s)
            raise

    @contextlib.contextmanager
    def replaced_by(
        self, *readers: OwnReader, escapes: bool = False, wait_s: float = 10.0
    ) -> Iterator[PcscDaemon]:
        """Give the ordinary daemon up, run one with these readers for a while, and go back.

        Raises PcscDaemonError if somebody else goes on using the ordinary one.
        """
        self.stop()
        try:
            own = PcscDaemon(readers, escapes=escapes)
            own.start(wait_s=wait_s)
            try:
                yield own
            finally:
                own.stop()
        finally:
            self.start()

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
            pid, _ = _noted(users)
            users.truncate(0)
            if pid:
                _end(pid, wait_s)
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

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

    def _joined(self, users: IO[str], wait_s: float) -> bool:
        """Take the lock and have the daemon run; false while others keep the lock."""
        with self._alone(wait_s):
            try:
                fcntl.flock(users, (fcntl.LOCK_EX if self._readers else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            pid, own = _noted(users)
            if pid and (own or self._readers):
                # Its user was killed: with the lock in hand, nobody can be using it.
                _end(pid, wait_s)
            runs = _runs()
            if runs and self._readers:
                raise PcscDaemonError("pcscd runs already: sudo systemctl stop pcscd.socket pcscd")
            if not runs:
                self._launch(users)
            self._wait_for_reader(wait_s)
            return True

    def _launch(self, users: IO[str]) -> None:
        program = _program()
        if program is None:
            raise PcscDaemonError(self.missing())
        # The program puts itself into the background and returns once it is ready.
        done = subprocess.run(  # noqa: S603 - a fixed command line
            [*_sudo(), *self._command(program)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PcscDaemonError(f"pcscd did not start: {done.stderr.strip() or done.stdout.strip()}")
        users.truncate(0)
        pid = _PID_OF_DAEMON.read_bytes().rstrip(b"\0\n").decode()
        users.write(f"{pid} own" if self._readers else pid)
        users.flush()

    def _command(self, program: str) -> list[str]:
        """Write the configuration, if it is not the system's, and return the command line."""
        if not self._readers:
            return [program]
        # Readable by us and root only, and somewhere that programs may be loaded from.
        self._folder = tempfile.TemporaryDirectory(prefix="tillside-pcscd-")
        place = Path(self._folder.name)
        library = _library()
        (place / "readers").mkdir()
        for number, reader in enumerate(self._readers):
            if isinstance(reader, SerialReader):
                driver, device, channel = library.parent / _CCID, f"{reader.path}:GemPCTwin", number
            else:
                # This driver keeps its slots in its own memory: two readers need two drivers.
                driver = Path(shutil.copy(library, place / f"driver-{number}.so")) if number else library
                device, channel = f"/dev/null:{reader.port:#x}", reader.port
            (place / "readers" / str(number)).write_text(
                f'FRIENDLYNAME "{reader.name}"\nDEVICENAME {device}\n'
                f"LIBPATH {driver}\nCHANNELID {channel:#x}\n",
                "utf-8",
            )
        options = _ccid_options(library, place / "drivers", self._escapes) if self._has_serial else []
        return [*options, program, "--config", str(place / "readers")]

    @property
    def _has_serial(self) -> bool:
        return any(isinstance(reader, SerialReader) for reader in self._readers)

    def _wait_for_reader(self, wait_s: float) -> None:
        wanted = [reader.name for reader in self._readers] or [READER]
        deadline = monotonic() + wait_s
        while True:
            listed = [address.target for address in pcsc.discover()]
            if all(any(name.startswith(one) for name in listed) for one in wanted):
                return
            if monotonic() >= deadline:
                raise PcscDaemonError("pcscd runs without the virtual reader: sudo systemctl restart pcscd")
            Event().wait(_POLL_S)


def _own_folder() -> Path:
    """Return a folder that nobody else can write to, where the machine has one, gone with a restart."""
    return Path("/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())


def _program() -> str | None:
    return shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin")


def _has_virtual_reader() -> bool:
    return _CONFIGURED.is_dir() and any("vpcd" in path.name for path in _CONFIGURED.iterdir())


def _library() -> Path:
    """Return the path of the virtual reader's driver, as the system configures it."""
    for path in _CONFIGURED.iterdir():
        found = re.search(r"^\s*LIBPATH\s+(\S+)", path.read_text(), re.MULTILINE)
        if "vpcd" in path.name and found:
            return Path(found[1])
    raise PcscDaemonError(f"no LIBPATH of the virtual reader in {_CONFIGURED}")


def _ccid_options(library: Path, place: Path, escapes: bool) -> list[str]:
    """Write the CCID driver's options, and return what has the driver read them there."""
    installed = library.parent.parent / _INFO
    if not installed.exists() or not (library.parent / _CCID).exists():
        raise PcscDaemonError("sudo apt-get install libccid")
    # 2: short APDUs; 1: escape commands.
    option = r"(<key>ifdDriverOptions</key>\s*<string>)[^<]*"
    text = re.sub(option, rf"\g<1>{2 | escapes:#06x}", installed.read_text("utf-8"))
    (place / _INFO).parent.mkdir(parents=True)
    (place / _INFO).write_text(text, "utf-8")
    return ["env", f"PCSCLITE_HP_DROPDIR={place}"]


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


def _noted(users: IO[str]) -> tuple[int, bool]:
    """Return the id of the daemon that one of us started, 0 for none, and whether it has its own readers."""
    users.seek(0)
    words = users.read().split()
    pid = int(words[0]) if words else 0
    return (pid, words[1:] == ["own"]) if pid and _is_daemon(pid) else (0, False)


def _is_daemon(pid: int) -> bool:
    try:
        name, _, state = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(") ")
    except OSError:
        return False
    # One that has ended stays a zombie for as long as its parent likes.
    return name == "pcscd" and not state.startswith("Z")


def _end(pid: int, wait_s: float) -> None:
    if os.geteuid() == 0:
        os.kill(pid, signal.SIGTERM)
    else:
        subprocess.run([*_sudo(), "kill", str(pid)], capture_output=True, check=False)  # noqa: S603
    deadline = monotonic() + wait_s
    while _is_daemon(pid) and monotonic() < deadline:
        Event().wait(_POLL_S)
