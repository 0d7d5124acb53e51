"""Which speeds of a serial line are usual."""

from __future__ import annotations

from collections.abc import Mapping

_USUAL = (
    *(300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 76800),
    *(115200, 128000, 230400, 250000, 256000, 460800, 500000, 576000, 921600),
)


def note(baud: int) -> Mapping[str, str]:
    """Return a detail for a device's information where its speed looks like a slip of the pen."""
    return {} if baud in _USUAL else {"baud rate": f"{baud} is no usual rate"}
