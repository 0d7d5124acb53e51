"""Whether a till is at work in the same home: what it has open is no fault of a device."""

from __future__ import annotations

import os
from pathlib import Path

from terminal.set_up import QUEUE_FILE

_LOCKS = Path("/proc/locks")


def process(home: Path) -> int:
    """Return the process of the other program that has this home's queue; 0 where there is none.

    The lock itself is not tried: a till that starts at that moment would find it taken.
    """
    try:
        inode = str((home / f"{QUEUE_FILE}.lock").stat().st_ino)
        locks = _LOCKS.read_text().splitlines()
    except OSError:
        return 0
    for words in map(str.split, locks):
        # "1: FLOCK ADVISORY WRITE 10174 00:1a:3 0 EOF": process, then device and inode of the file.
        if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
            holder = int(words[4])
            return holder if holder != os.getpid() else 0
    return 0
