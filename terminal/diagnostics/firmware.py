"""What is known of devices' firmware: faults and good versions, each with its source.

The data file says what its fields mean. A version that no entry is for is unknown, and told so.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

_ORDER = ("fault", "note", "good")


@dataclass(frozen=True, slots=True)
class KnownFirmware:
    """One entry of the data file. `verdict` is ``good``, ``fault`` or ``note``."""

    model: str
    firmware: str
    verdict: str
    text: str
    cure: str
    source: str


@cache
def known() -> tuple[KnownFirmware, ...]:
    """Return the whole data file."""
    text = resources.files("terminal.diagnostics").joinpath("firmware.toml").read_text("utf-8")
    return tuple(KnownFirmware(**entry) for entry in tomllib.loads(text)["known"])


def about(model: str, firmware: str) -> tuple[KnownFirmware, ...]:
    """Return the entries for a device, faults first; none where nothing is known."""
    if not model:
        return ()
    found = [
        entry for entry in known() if model.startswith(entry.model) and re.fullmatch(entry.firmware, firmware)
    ]
    return tuple(sorted(found, key=lambda entry: _ORDER.index(entry.verdict)))
