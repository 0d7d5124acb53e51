"""A disk that fails, or a power switch, at a chosen write or sync: a shim under SQLite's own file layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

Before = Callable[[str, str], None]
REAL_DISK = apsw.vfs_names()[0]


class FaultyDisk(apsw.VFS):
    """Calls `before(operation, file)` before each operation that changes a file; it may raise or kill."""

    def __init__(self, before: Before) -> None:
        self.before = before
        super().__init__("faulty", REAL_DISK, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _FaultyFile(self, name, flags)


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(REAL_DISK, name, flags)
        path = name if isinstance(name, str) else name.filename() if name else ""
        self._kind = "log" if path.endswith("-wal") else "database"
        self._disk = disk

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.before("write", self._kind)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.before("sync", self._kind)
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        self._disk.before("truncate", self._kind)
        super().xTruncate(newsize)


@contextmanager
def faulty_disk(before: Before) -> Iterator[FaultyDisk]:
    """Put every SQLite file that is opened in the block on a faulty disk."""
    disk = FaultyDisk(before)
    try:
        yield disk
    finally:
        disk.unregister()
