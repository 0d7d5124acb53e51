"""The thread that grabs: however it ends, the camera is given back and nobody waits for it."""

from __future__ import annotations

from threading import Event

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.scanners.frame_source import FramesEndedError, FrameSource

LONG_S = 15.0


class Broken:
    """A capture that OpenCV gives up on; no real camera can be made to send what it stumbles over."""

    def __init__(self, fault: Exception, *, grabs: bool) -> None:
        self._fault = fault
        self._grabs = grabs
        self.released = Event()

    def grab(self) -> bool:
        if not self._grabs:
            raise self._fault
        return True

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        raise self._fault

    def release(self) -> None:
        self.released.set()


@pytest.mark.parametrize("grabs", [True, False])
@pytest.mark.parametrize("fault", [cv2.error("corrupt JPEG data"), MemoryError()])
def test_whatever_ends_it_is_told_and_the_camera_given_back(fault: Exception, grabs: bool) -> None:
    capture = Broken(fault, grabs=grabs)
    source = FrameSource(lambda: capture, live=True)  # type: ignore[arg-type, return-value]
    assert source.start()
    first = source.want(True)
    with pytest.raises(FramesEndedError):
        source.next_frame(first, timeout_s=LONG_S)
    with pytest.raises(FramesEndedError):
        source.newest(timeout_s=LONG_S)
    assert source.ended
    assert capture.released.wait(LONG_S)
    source.stop()
