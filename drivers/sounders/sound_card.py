"""The ``sound-card:`` driver: the machine's own sound, by miniaudio.

| function | supported | remarks |
| --- | --- | --- |
| default device | yes | ``sound-card:`` |
| a named device | yes | ``sound-card:USB Audio``: the first whose name has these words |
| no device at all | yes | ``sound-card:null`` plays in real time to nobody: for machines without sound |
| volume | no | it is the machine's: ``alsamixer`` or the desktop's settings |
| unplugged while idle | where there is ALSA | by its list of cards; elsewhere the next sound tells |
| finding devices | yes | what miniaudio lists, but for those that only throw sound away |

The device is opened once and started for each sound, which takes less than a millisecond; opening may
take many. Its buffer holds three times `BUFFER_MS`: so much later is a sound heard.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import Any

import miniaudio  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo, Sound

BUFFER_MS = 10
RATE_HZ = 48000
NULL = "null"
_LATE_S = 1.0
"""How much longer than it lasts a sound may take before the device counts as gone."""
_LOOK_S = 0.05
_TAIL_BUFFERS = 4
"""So much silence follows a sound, in buffers: what was handed over last has been heard by then."""
_THROWN_AWAY = ("Discard all samples", "NULL Playback")
_CARDS = Path("/proc/asound/cards")
_FRAME_BYTES = 2


class _Device(miniaudio.PlaybackDevice):  # type: ignore[misc]  # without types
    """Gives its context back too, which miniaudio's own leaves behind at each opening that fails."""

    _own_context: Any = None

    def __init__(self, **how: Any) -> None:
        try:
            super().__init__(output_format=miniaudio.SampleFormat.SIGNED16, nchannels=1, **how)
        except miniaudio.MiniaudioError:
            self.close()
            raise

    def _make_context(self, *how: Any) -> Any:
        self._own_context = super()._make_context(*how)
        return self._own_context

    def close(self) -> None:
        super().close()
        context, self._own_context = self._own_context, None
        if context is not None:
            miniaudio.lib.ma_context_uninit(context)


class _Playing:
    """One sound on its way into the device's buffers. `next_frames` runs on miniaudio's thread."""

    def __init__(self, sound: Sound) -> None:
        self._samples = memoryview(sound.samples)
        self._at = 0
        self._tail_frames = sound.rate_hz * BUFFER_MS * _TAIL_BUFFERS // 1000
        self.stop = Event()
        self.done = Event()

    def next_frames(self) -> Generator[bytes, int, None]:
        """Yield as many frames as are asked for: the sound, then silence."""
        frames = yield b""
        while True:
            frames = yield self._take(frames)

    def _take(self, frames: int) -> bytes:
        part = bytes(self._samples[self._at : self._at + frames * _FRAME_BYTES])
        self._at += len(part)
        if self.stop.is_set() and part:
            part, self._at = _faded(part), len(self._samples)
        silent = frames - len(part) // _FRAME_BYTES
        if not part:
            self._tail_frames -= silent
            if self._tail_frames <= 0:
                self.done.set()
        return part + bytes(silent * _FRAME_BYTES)


def _faded(part: bytes) -> bytes:
    """Return samples that go down to silence: a sound that is cut off clicks."""
    count = len(part) // _FRAME_BYTES
    faded = bytearray()
    for number in range(count):
        sample = int.from_bytes(part[2 * number : 2 * number + 2], "little", signed=True)
        faded += (sample * (count - 1 - number) // count).to_bytes(2, "little", signed=True)
    return bytes(faded)


class SoundCard:
    """A playback device, opened."""

    def __init__(self, address: DeviceAddress, name: str, device_id: Any, device: _Device) -> None:
        self._address = address
        self._name = name
        self._id = device_id
        self._device: _Device | None = device
        self._rate_hz = RATE_HZ
        self._cards = _cards()
        self._lost = False
        self._at_device = Lock()
        """The library must not be told to close what it is just starting."""

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return the device's name and the sound system behind it."""
        device = self._device
        if device is None or self._lost or (self._address.target != NULL and _cards() != self._cards):
            raise self._gone()
        return DeviceInfo(
            self._name,
            details={"backend": device.backend, "buffer": f"{BUFFER_MS} ms", "rate": f"{RATE_HZ} Hz"},
        )

    def play(self, sound: Sound, stop: Event) -> None:
        """Play to the end, or until stop; a sound that is stopped fades out within a buffer."""
        if stop.is_set() or not sound.samples:
            return
        device = self._at_rate(sound.rate_hz)
        playing = _Playing(sound)
        frames = playing.next_frames()
        next(frames)
        try:
            with self._at_device:
                self._check(device)
                device.start(frames)
            self._wait(playing, sound, stop)
            with self._at_device:
                self._check(device)
                device.stop()
        except miniaudio.MiniaudioError as error:
            self._lost = True
            raise self._gone() from error

    def close(self) -> None:
        """Give the device back. One that hangs while it starts is taken away under it, after a moment."""
        mine = self._at_device.acquire(timeout=_LATE_S)
        try:
            device, self._device = self._device, None
            if device is not None:
                device.close()
        finally:
            if mine:
                self._at_device.release()

    def _wait(self, playing: _Playing, sound: Sound, stop: Event) -> None:
        looks = int((sound.duration_s + _LATE_S) / _LOOK_S)
        for _ in range(looks):
            if playing.done.wait(_LOOK_S):
                return
            if self._device is None:
                break
            if stop.is_set():
                playing.stop.set()
        self._lost = True
        raise self._gone()

    def _at_rate(self, rate_hz: int) -> _Device:
        device = self._device
        if device is None or self._lost:
            raise self._gone()
        if rate_hz != self._rate_hz:
            device.close()
            self._device = device = _started(self._address, self._id, rate_hz)
            self._rate_hz = rate_hz
        return device

    def _check(self, device: _Device) -> None:
        if self._device is not device:
            raise self._gone()

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address,
            Reason.NOT_FOUND,
            "plug the loudspeaker or sound card in again: aplay -l",
            started=True,
        )


def open(address: DeviceAddress) -> SoundCard:
    """Open a sound device. Raises DeviceUnavailableError with reason and cure."""
    _silence_alsa()
    if address.target == NULL:
        return SoundCard(address, "no sound (null)", None, _started(address, None, RATE_HZ))
    found = _playbacks()
    if not found:
        raise _none(address)
    wanted = address.target
    named = [device for device in found if wanted.casefold() in device["name"].casefold()]
    if not named:
        there = ", ".join(device["name"] for device in found)
        raise DeviceUnavailableError(
            address,
            Reason.NOT_FOUND,
            f"plug in the {wanted}; if it has another name, write one of these after sound-card: {there}",
        )
    device_id = named[0]["id"] if wanted else None
    name = named[0]["name"] if wanted else "default sound device"
    return SoundCard(address, name, device_id, _started(address, device_id, RATE_HZ))


def discover() -> Sequence[DeviceAddress]:
    """Return every device that can be heard."""
    _silence_alsa()
    return tuple(DeviceAddress("sound-card", device["name"]) for device in _playbacks())


def _started(address: DeviceAddress, device_id: Any, rate_hz: int) -> _Device:
    backends = [miniaudio.Backend.NULL] if address.target == NULL else None
    try:
        device = _Device(
            sample_rate=rate_hz, buffersize_msec=BUFFER_MS, device_id=device_id, backends=backends
        )
    except miniaudio.MiniaudioError as error:
        raise _explain(address, error) from error
    if device.backend == "Null" and backends is None:
        device.close()
        raise _none(address)
    return device


def _playbacks() -> list[dict[str, Any]]:
    try:
        devices = miniaudio.Devices()
        found = devices.get_playbacks() if devices.backend != "Null" else []
    except miniaudio.MiniaudioError:
        return []
    return [device for device in found if not device["name"].startswith(_THROWN_AWAY)]


def _none(address: DeviceAddress) -> DeviceUnavailableError:
    if any(not os.access(path, os.R_OK | os.W_OK) for path in Path("/dev/snd").glob("pcm*p")):
        return DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "sudo usermod -aG audio $USER, then log in again"
        )
    return DeviceUnavailableError(
        address,
        Reason.NOT_FOUND,
        "plug a loudspeaker or sound card in: aplay -l; where there is to be none, write "
        'sounders = ["sound-card:null"] under [devices] in tillside.toml',
    )


def _explain(address: DeviceAddress, error: miniaudio.MiniaudioError) -> DeviceUnavailableError:
    code = error.args[1] if len(error.args) > 1 else None
    if code == miniaudio.lib.MA_BUSY:
        return DeviceUnavailableError(
            address, Reason.BUSY, "close the program that uses it: fuser -v /dev/snd/*"
        )
    if code == miniaudio.lib.MA_ACCESS_DENIED:
        return DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "sudo usermod -aG audio $USER, then log in again"
        )
    return _none(address)


def _cards() -> bytes:
    """Return ALSA's list of cards, or nothing where there is no ALSA."""
    with suppress(OSError):
        return _CARDS.read_bytes()
    return b""


_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_quiet = _HANDLER(lambda *_: None)
"""Kept for as long as the library may call it."""


def _silence_alsa() -> None:
    """Keep ALSA's complaints off the screen: it writes them to standard error, over what is drawn there."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_quiet)
