"""The part of a cure that can be typed into a shell."""

from __future__ import annotations

import re

_PROGRAMS = (
    "aplay apt-get chmod curl echo ffplay file fuser getfacl id journalctl loginctl ls lsof lsusb lsmod make "
    "modprobe nc nmcli ping pip ps python3 resolvectl rmmod sudo systemctl tillside timedatectl udevadm "
    "usermod v4l2-ctl"
).split()
_COMMAND = re.compile(
    rf"(?:^|(?<=[:;,(.?] )|(?<=run ))(?:{'|'.join(map(re.escape, _PROGRAMS))})(?![^ ;,])"
    r"[^;]*(?:; (?=sudo )[^;]*)*"
)
_PROSE = re.compile(r",? (?:then|if|or|and|when|where|is|says|tells|shows|writes|lists)\b|, |: |\.(?: |$)")


def command_in(cure: str) -> str:
    """Return the first command that *cure* names; empty where all of it is prose."""
    found = _COMMAND.search(cure)
    if found is None:
        return ""
    command = _PROSE.split(found[0], maxsplit=1)[0].strip()
    # A program's name alone may be a word of a sentence; only few are run without anything behind.
    return command if " " in command or command in ("lsusb", "lsmod", "id") else ""
