"""A simulated counter camera: MJPEG over HTTP on loopback, as IP cameras and phone cameras send it.

`camera:http://127.0.0.1:PORT/` opens it through the real video driver. A frame is drawn and
encoded once for each change and sent again and again, so a resting camera costs almost nothing.

    camera = SimulatedCamera()
    camera.start()
    scanner = open_scanner(parse(camera.address))
    camera.show("281234567890123456")

It fails as cameras do: bad light and a shaking hand (`look_under`), frames that are dropped, a slow
start, a line that is open and silent (`freeze`), and one that ends (`stop`).
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Condition, Thread
from typing import Any, ClassVar, Self

import cv2
import numpy as np

from simulators import scene
from simulators.scene import Conditions, Picture, Symbology

_BOUNDARY = "frame"
_JPEG_QUALITY = 85
# A player looks at the first frames to learn the format: sent without a pause it starts at once.
_UNPACED_FRAMES = 3


class Server(ThreadingTCPServer):
    """Has a thread for each viewer of a camera."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, camera: SimulatedCamera, viewer: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", port), viewer)
        self.camera = camera

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a viewer that hangs up is no fault of a camera."""


class _Stream(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.0"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.server.camera.wait_start()
        sent = 0
        while (jpeg := self.server.camera.next_frame(paced=sent >= _UNPACED_FRAMES)) is not None:
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            self.server.camera.count_sent()
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
        drop_every: Of so many frames one is lost; 1 loses all, 0 none.
        slow_start_s: How long a viewer waits for its first frame, in seconds.
    """

    scheme: ClassVar[str] = "http"
    viewer: ClassVar[type[BaseRequestHandler]] = _Stream

    def __init__(
        self,
        *,
        port: int = 0,
        width: int = 1280,
        height: int = 720,
        frames_per_second: float = 12.0,
        drop_every: int = 0,
        slow_start_s: float = 0.0,
    ) -> None:
        self.drop_every = drop_every
        self.dropped = 0
        """How many frames were lost so far."""
        self.slow_start_s = slow_start_s
        self._port = port
        self._size = (width, height)
        self.pause_s = 1.0 / frames_per_second
        self._changed = Condition()
        self._conditions = scene.GOOD
        self._picture = scene.empty_counter(width, height)
        self._jpeg = self._encode(self._picture)
        self._drawn = self._sent = 0
        self._frozen = False
        self._running = False
        self._server: Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where the stream is, once started."""
        return f"{self.scheme}://127.0.0.1:{self._port}/"

    @property
    def address(self) -> str:
        """The device address of this camera, once started: ``camera:http://127.0.0.1:PORT/``."""
        return f"camera:{self.url}"

    def start(self) -> None:
        """Listen and stream from now on."""
        self._server = Server(self._port, self, self.viewer)
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

    def look_under(self, conditions: Conditions) -> None:
        """Change light, focus and how the phone is held, from the next frame on."""
        self._conditions = conditions
        self._set(self._picture)

    def freeze(self) -> None:
        """Fall silent with every line open, as a camera does whose program hangs."""
        with self._changed:
            self._frozen = True

    def thaw(self) -> None:
        """Send again."""
        with self._changed:
            self._frozen = False
            self._changed.notify_all()

    def wait_start(self) -> None:
        """Let a viewer wait as long as a slow camera does."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, self.slow_start_s)

    def next_frame(self, *, paced: bool) -> bytes | None:
        """Return the JPEG to send next: the new one as soon as there is one, else the old one again."""
        with self._changed:
            if paced:
                self._pause()
            self._drawn += 1
            while self.drop_every and self._drawn % self.drop_every == 0 and self._running:
                self._pause()
                self._drawn += 1
                self.dropped += 1
            self._changed.wait_for(lambda: not (self._frozen and self._running))
            return self._jpeg if self._running else None

    def _pause(self) -> None:
        """Let the time of one frame pass, unless something new is to be seen."""
        before = self._jpeg
        self._changed.wait_for(lambda: self._jpeg is not before or not self._running, self.pause_s)

    def count_sent(self) -> None:
        """Note that a frame is on its way to a viewer."""
        with self._changed:
            self._sent += 1
            self._changed.notify_all()

    def wait_sent(self, frames: int, *, timeout_s: float) -> bool:
        """Wait until so many more frames were sent; False on time-out."""
        with self._changed:
            until = self._sent + frames
            return self._changed.wait_for(lambda: self._sent >= until, timeout_s)

    def _set(self, picture: Picture) -> None:
        jpeg = self._encode(scene.seen_under(picture, self._conditions))
        with self._changed:
            self._picture = picture
            self._jpeg = jpeg
            self._changed.notify_all()

    @staticmethod
    def _encode(picture: Picture) -> bytes:
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return jpeg.tobytes()
