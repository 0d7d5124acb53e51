"""A terminal window for a program under test: a pty that is the program's controlling terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

_PROGRAM = (
    "import fcntl, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "from terminal.cli import main\n"
    "sys.exit(main())\n"
)


class Window:
    """Runs `tillside` with arguments in a window of 80 columns and 24 lines.

    Args:
        arguments: The command's.
        scratch: Where the program puts its temporary folders.
    """

    def __init__(self, *arguments: str, scratch: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = self.modes()
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(scratch), "TERM": "xterm-256color"},
        )
        os.close(slave)

    def modes(self) -> list[Any]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._master)

    def until(self, text: str) -> None:
        """Read until the program has shown a text."""
        while text.encode() not in self.shown:
            piece = self._read()
            assert piece, f"it ended and did not show {text!r}: {self.shown[-2000:]!r}"

    def until_end(self) -> int:
        """Read what the program shows until it has ended; returns its exit code."""
        while self._read():
            pass
        return self.process.wait()

    def close(self) -> None:
        """Close the window, as a person does at its corner."""
        os.close(self._master)

    def _read(self) -> bytes:
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # nobody has the far end open any more
            return b""
        self.shown += piece
        return piece
