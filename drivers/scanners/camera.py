"""The ``camera:`` driver: codes read from a camera, a stream or a file by OpenCV.

| function | supported | remarks |
| --- | --- | --- |
| V4L2 cameras | yes | by index or path, /dev/v4l/by-id/... too; `discover` lists them |
| MJPEG and RTSP streams | yes | IP cameras, phone cameras, the simulated camera |
| files | yes | videos and pictures; they start over at their end |
| resolution, exposure | V4L2 | ``camera:0#resolution=1280x720,exposure=156``; see `info` for what was taken |
| automatic exposure again | no | an exposure stays set until the camera is unplugged |
| symbologies | QR, Code 128 | what wallets show; see `drivers.scanners.decode` |
| its picture | yes | `drivers.abilities.ShowsPicture` |
| finding streams | no | they do not announce themselves |

Four parts: `capture` opens, `camera_cures` explains, `frame_source` grabs on its own thread, `decode`
reads. Pictures are decoded in the caller's thread.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from threading import Event

import cv2
import numpy as np

from drivers.abilities import Picture
from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo
from drivers.scanners import camera_cures, capture, v4l2
from drivers.scanners.decode import Decoder
from drivers.scanners.frame_source import FramesEndedError, FrameSource


class Camera:
    """A camera that reads codes.

    Args:
        address: The whole address.
        target: The address's target, without options.
        source: Its pictures.
        settings: What became of the options.
        decoder: Reads the pictures.
    """

    def __init__(
        self,
        address: DeviceAddress,
        target: str,
        source: FrameSource,
        settings: Mapping[str, str],
        decoder: Decoder,
    ) -> None:
        self._address = address
        self._target = target
        self._source = source
        self._settings = settings
        self._decoder = decoder
        self._size = ""

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return the kernel's name of the camera, or its address, and what its pictures are like."""
        device = capture.device_path(self._target)
        # A camera that was pulled out is seen here before its last, empty grab has timed out.
        if self._source.ended or (device is not None and not device.exists()):
            raise self._gone()
        details = dict(self._settings)
        if self._size:
            details["picture"] = self._size
        rate = self._source.frames_per_second
        if rate is not None:
            details["frames per second"] = f"{rate:.1f}"
        if device is None:
            return DeviceInfo(capture.shown(self._target), details=details)
        known = v4l2.identity(device)
        if known.usb:
            details["usb"] = known.usb
        return DeviceInfo(
            known.name or self._target,
            serial_number=known.serial_number,
            details=details,
            model=known.name,
        )

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        """Wait for a picture with a code in it, taken after this call; None on time-out or stop."""
        deadline = time.monotonic() + timeout_s
        first = self._source.want(True)
        try:
            while not stop.is_set():
                left_s = deadline - time.monotonic()
                frame = self._source.next_frame(first, timeout_s=max(0.0, min(MAX_WAIT_S / 2, left_s)))
                if frame is not None:
                    first = frame.number + 1
                    self._size = f"{frame.picture.shape[1]}x{frame.picture.shape[0]}"
                    code = self._decoder.decode(frame.picture)
                    if code is not None:
                        return dataclasses.replace(code, age_ms=frame.age_ms)
                if left_s <= 0:
                    return None
            return None
        except FramesEndedError as error:
            raise self._gone() from error
        finally:
            self._source.want(False)

    def picture(self, width: int, height: int) -> Picture | None:
        """Return the newest picture, made smaller to fit; codes are read as if nobody had looked."""
        try:
            frame = self._source.newest(timeout_s=MAX_WAIT_S)
        except FramesEndedError as error:
            raise self._gone() from error
        if frame is None:
            return None
        rows, columns = frame.picture.shape[:2]
        factor = min(width / columns, height / rows, 1.0)
        size = (max(1, int(columns * factor)), max(1, int(rows * factor)))
        small = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA)
        rgb = np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        return Picture(size[0], size[1], rgb.tobytes(), frame.age_ms)

    def close(self) -> None:
        """Give the camera back."""
        self._source.stop()

    def _gone(self) -> DeviceUnavailableError:
        reason = Reason.STUCK if self._source.fell_silent else Reason.NOT_FOUND
        return DeviceUnavailableError(self._address, reason, camera_cures.gone_hint(self._target))


def open(address: DeviceAddress) -> Camera:
    """Open the camera and start grabbing. Raises DeviceUnavailableError with reason and cure."""
    wish = capture.wish(address)
    camera_cures.check(address, wish.target)
    settings: dict[str, str] = {}

    def open_capture() -> cv2.VideoCapture | None:
        opened = capture.open_capture(wish.target)
        if opened is not None:
            settings.update(capture.adjust(opened, wish))
        return opened

    # A read that took nearly all the time that OpenCV gives it has timed out.
    silence_s = 0.9 * capture.READ_TIMEOUT_MS / 1000
    source = FrameSource(open_capture, live=capture.is_live(wish.target), silence_s=silence_s)
    if not source.start():
        raise camera_cures.explain(address, wish.target)
    return Camera(address, wish.target, source, settings, Decoder())


def discover() -> Sequence[DeviceAddress]:
    """Return the V4L2 cameras that are attached now."""
    return tuple(DeviceAddress("camera", str(index)) for index in v4l2.attached_cameras())
