"""The ``camera:`` driver: codes read from a camera, a stream or a file by OpenCV.

| function | supported | remarks |
| --- | --- | --- |
| V4L2 cameras | yes | by index or path; `discover` lists them |
| MJPEG and RTSP streams | yes | IP cameras, phone cameras, the simulated camera |
| files | yes | videos and pictures; they start over at their end |
| symbologies | QR, Code 128 | what wallets show; see `drivers.scanners.decode` |
| finding streams | no | they do not announce themselves |

Three parts: `capture` opens and explains, `frame_source` grabs on its own thread, `decode` reads.
Pictures are decoded in the caller's thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import MAX_WAIT_S, Code, DeviceInfo
from drivers.scanners import capture
from drivers.scanners.decode import Decoder
from drivers.scanners.frame_source import FramesEndedError, FrameSource


class Camera:
    """A camera that reads codes."""

    def __init__(self, address: DeviceAddress, source: FrameSource, decoder: Decoder) -> None:
        self._address = address
        self._source = source
        self._decoder = decoder
        self._size = ""

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def info(self) -> DeviceInfo:
        """Return the kernel's name of the camera, or its address, and the size of its pictures."""
        if self._source.ended:
            raise self._gone()
        details = {"picture": self._size} if self._size else {}
        return DeviceInfo(capture.camera_name(self._address.target), details=details)

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
                        return code
                if left_s <= 0:
                    return None
            return None
        except FramesEndedError as error:
            raise self._gone() from error
        finally:
            self._source.want(False)

    def close(self) -> None:
        """Give the camera back."""
        self._source.stop()

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            self._address, Reason.NOT_FOUND, capture.gone_hint(self._address.target)
        )


def open(address: DeviceAddress) -> Camera:
    """Open the camera and start grabbing. Raises DeviceUnavailableError with reason and cure."""
    capture.check(address)
    target = address.target
    source = FrameSource(lambda: capture.open_capture(target), live=capture.is_live(target))
    if not source.start():
        raise capture.explain(address)
    return Camera(address, source, Decoder())


def discover() -> Sequence[DeviceAddress]:
    """Return the V4L2 cameras that are attached now."""
    return tuple(DeviceAddress("camera", str(index)) for index in capture.attached_cameras())
