"""A simulated pole display on a serial line: a pty whose far end is a real serial path.

Real pyserial opens `path`; what it sends is read on a thread and kept as a display keeps it. As a
real one, it never answers.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Self

from simulators import display_picture
from simulators.display_memory import DisplayMemory, Protocol

_SLICE_S = 0.05


class PoleDisplay:
    """A display on a pty.

    Args:
        protocol: What its switches are set to.
        columns: Characters in a row.
        rows: How many rows.
        code_page: The character table in its memory, as Python calls it.
        on_change: Called on the display's thread after bytes have come.
    """

    def __init__(
        self,
        protocol: Protocol = "cd5220",
        *,
        columns: int = 20,
        rows: int = 2,
        code_page: str = "cp437",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._protocol = protocol
        self._size = columns, rows
        self._code_page = code_page
        self._on_change = on_change
        self._changed = threading.Condition()
        self._memory = DisplayMemory(protocol, columns, rows, code_page)
        self._received = bytearray()
        self._ends: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self._unplugged = threading.Event()
        self._path = ""

    @property
    def path(self) -> str:
        """The serial device to open, once started."""
        return self._path

    @property
    def address(self) -> str:
        """The device address of this display, once started, with the options that it needs."""
        columns, rows = self._size
        options = f"protocol={self._protocol},columns={columns},rows={rows},codepage={self._code_page}"
        return f"serial-display:{self._path}#{options}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands on it."""
        with self._changed:
            return self._memory.lines

    @property
    def brightness(self) -> int:
        """1 to 4."""
        with self._changed:
            return self._memory.brightness

    @property
    def unknown(self) -> tuple[bytes, ...]:
        """What came that is no command of this display."""
        with self._changed:
            return tuple(self._memory.unknown)

    @property
    def received(self) -> bytes:
        """All bytes since it was plugged in."""
        with self._changed:
            return bytes(self._received)

    def start(self) -> None:
        """Plug it in, empty."""
        near, far = os.openpty()
        tty.setraw(far, termios.TCSANOW)
        self._ends = near, far
        self._path = os.ttyname(far)
        self._memory = DisplayMemory(self._protocol, *self._size, self._code_page)
        self._received.clear()
        self._unplugged.clear()
        self._thread = threading.Thread(
            target=self._listen, args=(near,), name="simulated pole display", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Pull the plug: whoever has the line open sees it go away. Stopping twice is allowed."""
        self._unplugged.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for end in self._ends or ():
            os.close(end)
        self._ends = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_for(self, shown: Callable[[tuple[str, ...]], bool], *, timeout_s: float = 5.0) -> bool:
        """Wait until *shown* holds for its rows; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: shown(self._memory.lines), timeout_s)

    def save(self, path: Path) -> None:
        """Draw it as it looks now, as a PNG."""
        display_picture.save(path, self.lines, self.brightness)

    def _listen(self, near: int) -> None:
        while not self._unplugged.is_set():
            if not select.select([near], [], [], _SLICE_S)[0]:
                continue
            try:
                data = os.read(near, 4096)
            except OSError:
                return
            with self._changed:
                self._received += data
                self._memory.feed(data)
                self._changed.notify_all()
            self._on_change()
