"""A serial line that misbehaves: a pty in front of a device's own.

Theory of operation: the device's port is opened as a driver would open it. The driver gets `path`,
a link that stays, as those in /dev/serial/by-id do, and leads to `port`, which is numbered as
/dev/ttyUSB0 is: a device that re-enumerates comes back under the next number, and the stable link
follows it. Each time that it is plugged in there is a new pty behind them.

The speed that the driver sets on its end is set on the device's before bytes go there.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import struct
import tempfile
import termios
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep

from simulators.wire_fault_script import Fault, What
from simulators.wire_faults import FaultyLine, Flow, Link

_ARRIVAL_S = 0.02


class FaultyPty(FaultyLine):
    """A line in front of a serial device.

    Args:
        device_path: The device's own port.
        faults: What strikes, each once.
        seed: Of what noise does.
        folder: Where the two links are made; by default a temporary folder.
    """

    def __init__(
        self, device_path: str, faults: Sequence[Fault] = (), *, seed: int = 0, folder: Path | None = None
    ) -> None:
        super().__init__(faults, seed=seed)
        self._device_path = device_path
        self._folder = folder
        self._own_folder: Path | None = None
        self._number = 0
        self._device = self._host = self._slave = -1
        self._holder = -1

    @property
    def path(self) -> str:
        """The stable path of the device, once started."""
        return str(self._place / "by-id-device")

    @property
    def port(self) -> str:
        """The path that changes when the device re-enumerates, once started."""
        return str(self._place / f"tty{self._number}")

    @property
    def _place(self) -> Path:
        place = self._folder or self._own_folder
        if place is None:
            raise RuntimeError("the line is not there: call start()")
        return place

    def _begin(self) -> None:
        if self._folder is None:
            self._own_folder = Path(tempfile.mkdtemp(prefix="tillside-line-"))

    def _plug_in(self, *, elsewhere: bool = False) -> None:
        self._unlink()
        self._open_device()
        self._number += elsewhere
        self._open_pty()

    def _open_device(self) -> None:
        if self._device < 0:
            self._device = os.open(self._device_path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._device, termios.TCSANOW)
            termios.tcflush(self._device, termios.TCIFLUSH)

    def _open_pty(self) -> None:
        self._close_pty()
        self._host, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        os.set_blocking(self._host, False)
        os.symlink(os.ttyname(self._slave), self.port)
        # Replaced in one step: whoever looks finds the old device or the new one.
        os.symlink(self.port, f"{self.path}.new")
        os.replace(f"{self.path}.new", self.path)
        self._links = [Link(self._host, self._device, self._ways)]

    def _hang_up(self, *, there: bool) -> None:
        self._unlink()
        self._close_pty()
        if there:
            self._open_device()
            self._open_pty()
        else:
            self._close_device()

    def _keep_out(self, what: What) -> None:
        if what is What.NO_PERMISSION:
            os.chmod(os.ttyname(self._slave), 0)
            return
        self._holder = os.open(os.ttyname(self._slave), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        fcntl.flock(self._holder, fcntl.LOCK_EX)
        fcntl.ioctl(self._holder, termios.TIOCEXCL)

    def _end(self) -> None:
        if self._own_folder or self._folder:
            self._unlink()
        self._close_pty()
        self._close_device()
        if self._own_folder is not None:
            shutil.rmtree(self._own_folder)
            self._own_folder = None

    def _listeners(self) -> dict[int, Callable[[], None]]:
        return {}

    def _check(self, fault: Fault) -> None:
        """A serial line can have every fault."""

    def _over(self, link: Link) -> None:
        """The device itself has gone: so does the line, until it is cured."""
        self._now = What.UNPLUG
        self._hang_up(there=False)

    def _tell_end(self, flow: Flow) -> None:
        """A device that says no more has been unplugged itself."""
        self._over(self._links[0])

    def _before_device(self, link: Link) -> None:
        wanted = termios.tcgetattr(self._slave)
        settings = termios.tcgetattr(self._device)
        if settings[4:6] != wanted[4:6]:
            settings[4:6] = wanted[4:6]
            settings[2] = (settings[2] & ~_SPEED_BITS) | (wanted[2] & _SPEED_BITS)
            termios.tcsetattr(self._device, termios.TCSANOW, settings)

    def _delivered(self) -> None:
        """A pty that is hung up loses what its reader has not read: let it be read, if somebody reads."""
        deadline = monotonic() + _ARRIVAL_S
        select.select([self._slave], [], [], _ARRIVAL_S / 4)
        while monotonic() < deadline:
            if not struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))[0]:
                return
            sleep(_ARRIVAL_S / 40)

    def _unlink(self) -> None:
        for path in (self.path, self.port):
            Path(path).unlink(missing_ok=True)

    def _close_pty(self) -> None:
        self._links = []
        for end in (self._holder, self._host, self._slave):
            if end >= 0:
                os.close(end)
        self._holder = self._host = self._slave = -1

    def _close_device(self) -> None:
        if self._device >= 0:
            os.close(self._device)
        self._device = -1


_SPEED_BITS = getattr(termios, "CBAUD", 0o010017)
