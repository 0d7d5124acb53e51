"""A PN532 on a serial line: the far end of a pty, with cards in its field or without.

Theory of operation: one thread reads the host's bytes and gives them to `Pn53xChip`. Like the real chip
it understands the host only at the speed that was agreed: a pty carries every byte at any speed, so
the speed is read from the line's settings.

Spec: NXP UM0701-02 (PN532 user manual), 6.2.4 and 7.2.4.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import tty
from threading import Thread

from drivers.address import DeviceAddress
from simulators.readers.field import Field
from simulators.readers.pn53x_chip import PN532_FIRMWARE as FIRMWARE
from simulators.readers.pn53x_chip import Pn53xChip, Trouble

__all__ = ["FIRMWARE", "Pn532Chip", "Trouble"]

_SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


def _code(speed: int) -> int:
    code: int = getattr(termios, f"B{speed}")
    return code


class Pn532Chip(Pn53xChip):
    """A chip whose `path` a driver opens as its serial port."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._thread: Thread | None = None
        self._speed = 115200

    @property
    def path(self) -> str:
        """The serial port on the host's side."""
        return self._path

    @property
    def address(self) -> DeviceAddress:
        """What a driver opens it by."""
        return DeviceAddress("pn532", self._path)

    @property
    def speed(self) -> int:
        """What the chip's line runs at now, in bits a second."""
        return self._speed

    def start(self) -> None:
        """Make the line and begin."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._path = os.ttyname(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self.stopping.clear()
        self._thread = Thread(target=self._run, name=f"pn532-{self._path}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and hang the line up, as when the cable is pulled."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self.stopping.set()
        os.write(self._wake_write, b"!")
        thread.join()
        for descriptor in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)

    def __enter__(self) -> Pn532Chip:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, data: bytes) -> None:
        """Put bytes on the line to the host; nothing is raised."""
        with contextlib.suppress(OSError):
            os.write(self._master, data)

    def speed_agreed(self) -> None:
        """Change to the speed that the host asked for."""
        self._speed, self.next_speed = self.next_speed or self._speed, None

    def _run(self) -> None:
        while not self.stopping.is_set():
            ready = select.select([self._master, self._wake_read], [], [])[0]
            if self._master in ready:
                self._take(os.read(self._master, 4096))

    def _take(self, data: bytes) -> None:
        line = termios.tcgetattr(self._slave)[5]
        if self.next_speed and line == _code(self.next_speed):
            # The host sent its acknowledgement at the old speed and has changed since.
            self.speed_agreed()
        if line != _code(self._speed):
            self.forget()
            return
        for frame in self.hear(data):
            self.send(frame)

    def _set_speed(self, data: bytes) -> bytes:
        self.next_speed = _SPEEDS[data[0]]
        return b""
