"""What is known of devices' firmware: faults and good versions, each with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownFirmware:
    """One entry of the data file. `firmware` is a regular expression for the whole version; empty is any.

    `verdict` is ``good``, ``fault`` or ``note``.
    """

    model: str
    firmware: str
    verdict: str
    text: str
    cure: str
    source: str


def known() -> tuple[KnownFirmware, ...]:
    """Return the whole data file."""
    raise NotImplementedError


def about(model: str, firmware: str) -> tuple[KnownFirmware, ...]:
    """Return the entries for a device, faults first; none where nothing is known."""
    raise NotImplementedError
