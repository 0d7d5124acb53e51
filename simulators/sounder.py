"""The driver behind ``sim:`` for sounders: keeps what was played, and takes no time over it.

| address | what it is |
| --- | --- |
| ``sim:`` | `EARS`, which hears everything that is played in this process |
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition, Event

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo, Sound


class Ears:
    """Remembers sounds; thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._heard: list[Sound] = []

    @property
    def heard(self) -> tuple[Sound, ...]:
        """Everything that was played, oldest first."""
        with self._changed:
            return tuple(self._heard)

    def hear(self, sound: Sound) -> None:
        """Remember a sound."""
        with self._changed:
            self._heard.append(sound)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            self._heard.clear()

    def wait_for(self, heard: Callable[[Sequence[Sound]], bool], *, timeout_s: float = 5.0) -> bool:
        """Wait until *heard* holds for what was played; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: heard(self._heard), timeout_s)


EARS = Ears()
"""What every ``sim:`` sounder of this process is heard by."""


def write_wave(path: Path, sound: Sound) -> None:
    """Write a sound as a WAV file, for people to listen to."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(sound.samples)


class InProcessSounder:
    """A sounder that is heard by `Ears`."""

    def __init__(self, address: DeviceAddress, ears: Ears) -> None:
        self._address = address
        self._ears = ears
        self._open = True

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return a fixed description."""
        self._check()
        return DeviceInfo("simulated sounder")

    def play(self, sound: Sound, stop: Event) -> None:
        """Be heard at once, unless stopped before."""
        self._check()
        if not stop.is_set():
            self._ears.hear(sound)

    def close(self) -> None:
        self._open = False

    def _check(self) -> None:
        if not self._open:
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, "it was closed; open it again")


def open(address: DeviceAddress) -> InProcessSounder:
    """Open the simulated sounder; it is always there."""
    if address.target:
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, "write sim: alone")
    return InProcessSounder(address, EARS)


def discover() -> Sequence[DeviceAddress]:
    """Return the shared sounder's address."""
    return (DeviceAddress("sim", ""),)
