"""A PN532 reader on a cable: it can be pulled out and plugged in again, each time under another path."""

from __future__ import annotations

from pathlib import Path

from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip


class ReaderOnCable:
    """The lasting name of a reader, as udev makes it, and the reader that it leads to."""

    def __init__(self, folder: Path, field: Field) -> None:
        self._link = folder / "usb-reader"
        self._field = field
        self._chip: Pn532Chip | None = None

    @property
    def address(self) -> str:
        """What is written into the configuration."""
        return f"pn532:{self._link}"

    def plug_in(self) -> None:
        """Attach a chip that has just got power."""
        self._chip = Pn532Chip(self._field)
        self._chip.start()
        self._link.symlink_to(self._chip.path)

    def pull_out(self) -> None:
        """Take it away."""
        chip, self._chip = self._chip, None
        if chip is not None:
            self._link.unlink()
            chip.stop()
