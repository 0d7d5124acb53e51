"""The driver behind ``sim:`` for customer displays: one in the same process, without a wire.

| address | what it is |
| --- | --- |
| ``sim:`` | `GLASS`, the one display that this process shares, of two rows of twenty |
| ``sim:32x4`` | the same with so many columns and rows |

Its wire has a simulator of its own: `simulators.display`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Condition

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo

_SIZE = re.compile(r"([1-9]\d?)x([1-9])")
_USUAL = (20, 2)


class Glass:
    """What is to be seen, and all that was; thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._history: list[tuple[str, ...]] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands there; empty before anything was shown."""
        with self._changed:
            return self._history[-1] if self._history else ()

    @property
    def history(self) -> tuple[tuple[str, ...], ...]:
        """Everything that was shown, oldest first."""
        with self._changed:
            return tuple(self._history)

    def show(self, lines: tuple[str, ...]) -> None:
        """Show these in place of what is there."""
        with self._changed:
            self._history.append(lines)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            self._history.clear()

    def wait_for(self, shown: Callable[[tuple[str, ...]], bool], *, timeout_s: float = 5.0) -> bool:
        """Wait until *shown* holds for the lines; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._history) and shown(self._history[-1]), timeout_s)


GLASS = Glass()
"""What every ``sim:`` display in this process shows."""


class InProcessDisplay:
    """A display of some size."""

    def __init__(self, address: DeviceAddress, size: tuple[int, int], glass: Glass) -> None:
        self._address = address
        self._size = size
        self._glass = glass
        self._open = True

    @property
    def address(self) -> DeviceAddress:
        return self._address

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def info(self) -> DeviceInfo:
        """Return a fixed description."""
        self._check()
        return DeviceInfo("simulated customer display")

    def show(self, lines: Sequence[str]) -> None:
        """Keep the lines, cut and filled as a display does."""
        self._check()
        columns, rows = self._size
        cut = [line[:columns].ljust(columns) for line in lines[:rows]]
        self._glass.show((*cut, *(" " * columns for _ in range(rows - len(cut)))))

    def close(self) -> None:
        self._open = False

    def _check(self) -> None:
        if not self._open:
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, "it was closed; open it again")


def open(address: DeviceAddress) -> InProcessDisplay:
    """Open the simulated display; it is always there."""
    match = _SIZE.fullmatch(address.target)
    if address.target and match is None:
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, "write sim: or a size, such as sim:20x4")
    size = (int(match[1]), int(match[2])) if match else _USUAL
    return InProcessDisplay(address, size, GLASS)


def discover() -> Sequence[DeviceAddress]:
    """Return the shared display's address."""
    return (DeviceAddress("sim", ""),)
