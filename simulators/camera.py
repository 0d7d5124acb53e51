"""A simulated counter camera: MJPEG over HTTP on loopback, as IP cameras and phone cameras send it.

`camera:http://127.0.0.1:PORT/` opens it through the real video driver. A frame is drawn and
encoded once for each change and sent again and again, so a resting camera costs almost nothing.

    camera = SimulatedCamera()
    camera.start()
    scanner = open_scanner(parse(camera.address))
    camera.show("281234567890123456")
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Self

import cv2
import numpy as np

from simulators import scene
from simulators.scene import Picture, Symbology

_BOUNDARY = "frame"
_JPEG_QUALITY = 85
# A player looks at the first frames to learn the format: sent without a pause it starts at once.
_UNPACED_FRAMES = 3


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, camera: SimulatedCamera) -> None:
        super().__init__(("127.0.0.1", port), _Stream)
        self.camera = camera

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a viewer that hangs up is no fault of a camera."""


class _Stream(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        sent = 0
        while (jpeg := self.server.camera.next_frame(paced=sent >= _UNPACED_FRAMES)) is not None:
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            sent += 1

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the screen belongs to the terminal."""


class SimulatedCamera:
    """A camera over a counter.

    Args:
        port: TCP port on loopback; 0 takes a free one.
        width: Width of a frame in pixels.
        height: Height of a frame in pixels.
        frames_per_second: How often the frame is sent again.
    """

    def __init__(
        self, *, port: int = 0, width: int = 1280, height: int = 720, frames_per_second: float = 12.0
    ) -> None:
        self._port = port
        self._size = (width, height)
        self._pause_s = 1.0 / frames_per_second
        self._changed = Condition()
        self._jpeg = self._encode(scene.empty_counter(width, height))
        self._running = False
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where the stream is, once started."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def address(self) -> str:
        """The device address of this camera, once started: ``camera:http://127.0.0.1:PORT/``."""
        return f"camera:{self.url}"

    def start(self) -> None:
        """Listen and stream from now on."""
        self._server = _Server(self._port, self)
        self._port = self._server.server_address[1]
        self._running = True
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="simulated-camera",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End all streams, as if the plug was pulled. Stopping twice is allowed."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def show(self, text: str, symbology: Symbology = Symbology.QR) -> None:
        """Hold a phone that shows *text* before the camera."""
        self._set(scene.phone(text, symbology, *self._size))

    def show_picture(self, path: Path | str) -> None:
        """Hold a picture before the camera. Raises ValueError where OpenCV can't read it."""
        picture = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{path} is no picture that OpenCV can read")
        self._set(scene.fit(np.asarray(picture, dtype=np.uint8), *self._size))

    def clear(self) -> None:
        """Take away whatever is before the camera."""
        self._set(scene.empty_counter(*self._size))

    def next_frame(self, *, paced: bool) -> bytes | None:
        """Return the JPEG to send next: the new one as soon as there is one, else the old one again."""
        with self._changed:
            if paced and self._running:
                self._changed.wait(self._pause_s)
            return self._jpeg if self._running else None

    def _set(self, picture: Picture) -> None:
        jpeg = self._encode(picture)
        with self._changed:
            self._jpeg = jpeg
            self._changed.notify_all()

    @staticmethod
    def _encode(picture: Picture) -> bytes:
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return jpeg.tobytes()
