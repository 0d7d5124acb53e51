"""A simulated code scanner on a serial line: a pty whose far end is a real serial path.

Real pyserial opens `path`. What is sent while nobody listens waits in the line, as it does with
a scanner on USB.
"""

from __future__ import annotations

import os
import termios
import tty
from typing import Self

# Zero bits and framing errors: what is left of text that is read at another speed.
_NOISE = bytes.fromhex("00 E0 FE 80 78 F8 66 9E 1C 06")


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

    def scan(self, text: str, end: str = "\r", *, identifier: str = "", encoding: str = "utf-8") -> None:
        """Send a whole line, as a scanner does after a good read.

        Args:
            text: What the code says.
            end: What the scanner is set up to send after it.
            identifier: What it sends before it to name the symbology, such as ``]Q1`` (ISO/IEC 15424).
            encoding: How it sends text, such as ``gb18030``.
        """
        self.send(f"{identifier}{text}{end}".encode(encoding))

    def break_off(self, text: str, after: int) -> None:
        """Send the first bytes of a line, and no more of it: a cable that came loose for a moment."""
        self.send(text.encode()[:after])

    def noise(self, length: int = 16) -> None:
        """Send what a line at the wrong baud rate looks like. The same bytes each time, no line end."""
        self.send(bytes(_NOISE[at % len(_NOISE)] for at in range(length)))

    def send(self, raw: bytes) -> None:
        """Send bytes as they are: half a line, noise, a flood.

        Raises BlockingIOError when the line is full because nobody reads it.
        """
        if self._near is None:
            raise RuntimeError("the scanner is not plugged in: call start()")
        while raw:
            raw = raw[os.write(self._near, raw) :]
