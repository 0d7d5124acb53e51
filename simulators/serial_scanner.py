"""A simulated code scanner on a serial line: a pty whose far end is a real serial path.

Real pyserial opens `path`. What is sent while nobody listens waits in the line, as it does with
a scanner on USB.
"""

from __future__ import annotations

import os
import termios
import tty
from typing import Self


class SerialScanner:
    """A scanner on a pty. Not thread-safe: one caller scans."""

    def __init__(self) -> None:
        self._near: int | None = None
        self._far: int | None = None
        self._path = ""

    @property
    def path(self) -> str:
        """The serial device to open, once started."""
        return self._path

    @property
    def address(self) -> str:
        """The device address of this scanner, once started: ``serial-scanner:PATH``."""
        return f"serial-scanner:{self._path}"

    def start(self) -> None:
        """Plug the scanner in."""
        self._near, self._far = os.openpty()
        tty.setraw(self._far, termios.TCSANOW)
        os.set_blocking(self._near, False)
        self._path = os.ttyname(self._far)

    def stop(self) -> None:
        """Pull the plug: whoever has the line open sees it go away. Stopping twice is allowed."""
        for end in (self._near, self._far):
            if end is not None:
                os.close(end)
        self._near = self._far = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def scan(self, text: str, end: str = "\r") -> None:
        """Send a whole line, as a scanner does after a good read."""
        self.send(text.encode() + end.encode())

    def send(self, raw: bytes) -> None:
        """Send bytes as they are: half a line, noise, a flood.

        Raises BlockingIOError when the line is full because nobody reads it.
        """
        if self._near is None:
            raise RuntimeError("the scanner is not plugged in: call start()")
        while raw:
            raw = raw[os.write(self._near, raw) :]
