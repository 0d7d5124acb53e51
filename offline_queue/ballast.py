"""Space on the disk that the store owns before it needs it.

A file of real blocks beside the store. When the disk is full it is thrown overboard: what it frees is for
ending the payments under way and for writing down what the host acknowledges, not for new business. There
is no new business until the ballast can be taken in again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

BALLAST_BYTES: Final = 1024 * 1024


class Ballast:
    """The reserve beside the store at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".ballast")

    def take_in(self) -> bool:
        """Make sure that the reserve is there; False when the disk has no room for it."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:
            self.drop()
            return False
        finally:
            os.close(descriptor)
        return True

    def drop(self) -> None:
        """Give the reserve back to the disk."""
        # A disk that can't even delete leaves things as they are; the next write says what is wrong.
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
