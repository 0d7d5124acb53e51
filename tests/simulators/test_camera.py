"""The simulated camera as its viewers see it: the bytes of its stream, and what is drawn."""

import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.address import parse
from drivers.scanners.decode import Decoder
from simulators import code128, rtsp_camera, scene
from simulators.camera import SimulatedCamera
from simulators.scene import Conditions, Symbology

LONG_S = 15.0


class Viewer:
    """Takes the stream apart by hand, so that the framing itself is looked at."""

    def __init__(self, camera: SimulatedCamera) -> None:
        port = int(camera.url.rpartition(":")[2].strip("/"))
        self._line = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        self._file = self._line.makefile("rb")
        self.head = self._block()

    def _block(self) -> list[bytes]:
        lines = []
        while (line := self._file.readline()) not in (b"\r\n", b""):
            lines.append(line.rstrip(b"\r\n"))
        return lines

    def jpeg(self) -> bytes:
        boundary, kind, length = self._block()
        assert (boundary, kind) == (b"--frame", b"Content-Type: image/jpeg")
        jpeg = self._file.read(int(length.partition(b": ")[2]))
        assert self._file.read(2) == b"\r\n"
        return jpeg

    def picture(self) -> NDArray[np.uint8]:
        picture = cv2.imdecode(np.frombuffer(self.jpeg(), dtype=np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return np.asarray(picture, dtype=np.uint8)

    def close(self) -> None:
        self._file.close()
        self._line.close()

    def wait_end(self) -> None:
        while self._block():
            pass


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        yield camera


@pytest.fixture
def watch(camera: SimulatedCamera) -> Iterator[Callable[[], Viewer]]:
    viewers: list[Viewer] = []

    def watch() -> Viewer:
        viewers.append(Viewer(camera))
        return viewers[-1]

    yield watch
    for viewer in viewers:
        viewer.close()


Watch = Callable[[], Viewer]


def text_in(picture: NDArray[np.uint8]) -> str | None:
    code = Decoder(budget_s=float("inf")).decode(picture)
    return None if code is None else code.text


def test_sends_the_empty_counter_until_something_is_shown(watch: Watch) -> None:
    viewer = watch()
    assert viewer.head[0].endswith(b"200 OK")
    assert b"Content-Type: multipart/x-mixed-replace;boundary=frame" in viewer.head
    picture = viewer.picture()
    assert picture.shape == (720, 1280, 3)
    assert text_in(picture) is None


def comes(viewer: Viewer, text: str | None) -> bool:
    """Look until the text is there. Pictures on their way when it was shown still lack it."""
    return any(text_in(viewer.picture()) == text for _ in range(100))


def test_shows_what_it_is_told_and_then_the_empty_counter(camera: SimulatedCamera, watch: Watch) -> None:
    viewer = watch()
    for text in ("281234567890123456", "https://qr.alipay.com/bax1"):
        camera.show(text)
        assert comes(viewer, text)
    camera.clear()
    assert comes(viewer, None)


def test_the_same_picture_is_not_encoded_again(watch: Watch) -> None:
    viewer = watch()
    assert len({viewer.jpeg() for _ in range(5)}) == 1


def test_shows_a_given_picture_whole(camera: SimulatedCamera, watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "tall.png"
    cv2.imwrite(str(path), scene.phone("a tall picture", Symbology.QR, 720, 1280))
    camera.show_picture(path)
    picture = watch().picture()
    assert picture.shape == (720, 1280, 3)
    assert text_in(picture) == "a tall picture"


def test_what_is_no_picture_is_refused(camera: SimulatedCamera) -> None:
    with pytest.raises(ValueError, match="no picture"):
        camera.show_picture(__file__)


def test_a_viewer_that_leaves_harms_nobody(camera: SimulatedCamera, watch: Watch) -> None:
    leaving, staying = watch(), watch()
    leaving.close()
    camera.show("still there")
    assert comes(staying, "still there")


def test_stopping_ends_streams_and_frees_the_port(camera: SimulatedCamera, watch: Watch) -> None:
    viewer = watch()
    ended = Thread(target=viewer.wait_end)
    ended.start()
    camera.stop()
    camera.stop()
    ended.join(10)
    assert not ended.is_alive()
    address = camera.address
    camera.start()
    assert camera.address == address


def test_its_address_is_a_device_address(camera: SimulatedCamera) -> None:
    address = parse(camera.address)
    assert address.scheme == "camera"
    assert address.target == camera.url


@pytest.mark.parametrize(
    "text", ["281234567890123456", "12345", "A1", "Till 12345678", "tail1234567", "~ !", "0", "x" * 20]
)
def test_bars_say_what_they_should(text: str) -> None:
    code = Decoder().decode(code128.draw(text, module_px=3))
    assert code is not None
    assert (code.text, code.symbology) == (text, "Code 128")


@pytest.mark.parametrize("text", ["", "付款码", "tab\t"])
def test_bars_are_for_printable_ascii(text: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        code128.draw(text)


CONDITIONS = {
    "blur": Conditions(blur_px=2),
    "glare": Conditions(glare=0.8),
    "rotation": Conditions(rotation_deg=30),
    "low light": Conditions(light=0.2),
    "perspective": Conditions(tilt=0.3),
}


@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
def test_bad_conditions_change_the_picture_the_same_way_each_time(conditions: Conditions) -> None:
    good = scene.phone("281234567890123456", Symbology.QR, 640, 360)
    bad = scene.seen_under(good, conditions)
    assert bad.shape == good.shape
    assert np.abs(bad.astype(np.int16) - good.astype(np.int16)).mean() > 1
    assert (scene.seen_under(good, conditions) == bad).all()


def test_good_conditions_change_nothing() -> None:
    good = scene.phone("281234567890123456", Symbology.QR, 640, 360)
    assert scene.seen_under(good, Conditions()) is good


@pytest.mark.parametrize(
    "conditions",
    [Conditions(blur_px=12), Conditions(light=0.01), Conditions(glare=30), Conditions(tilt=0.95)],
)
def test_what_is_too_bad_is_read_by_nobody(conditions: Conditions) -> None:
    picture = scene.phone("281234567890123456", Symbology.QR, 1280, 720)
    assert text_in(picture) == "281234567890123456"
    assert text_in(scene.seen_under(picture, conditions)) is None


def test_conditions_hold_for_what_is_in_view_and_what_comes(camera: SimulatedCamera, watch: Watch) -> None:
    viewer = watch()
    camera.show("281234567890123456")
    camera.look_under(Conditions(light=0.0))
    assert any(viewer.picture().mean() < 10 for _ in range(100))
    camera.look_under(Conditions())
    assert comes(viewer, "281234567890123456")


def test_of_every_so_many_frames_one_is_dropped(watch: Watch, camera: SimulatedCamera) -> None:
    camera.drop_every = 3
    viewer = watch()
    for _ in range(6):
        viewer.jpeg()
    # Another one or two may be on their way.
    assert 2 <= camera.dropped <= 4
    camera.drop_every = 1
    assert not camera.wait_sent(3, timeout_s=0.5)
    camera.drop_every = 0
    assert camera.wait_sent(1, timeout_s=LONG_S)


def test_a_frozen_camera_keeps_its_lines_open_and_sends_nothing(
    watch: Watch, camera: SimulatedCamera
) -> None:
    viewer = watch()
    assert viewer.jpeg()
    camera.freeze()
    while camera.wait_sent(1, timeout_s=0.3):
        pass
    camera.thaw()
    assert camera.wait_sent(1, timeout_s=LONG_S)
    assert viewer.jpeg()


def test_a_frozen_camera_can_be_stopped(watch: Watch, camera: SimulatedCamera) -> None:
    viewer = watch()
    viewer.jpeg()
    camera.freeze()
    camera.stop()
    viewer.wait_end()


def test_a_jpeg_is_cut_into_packets_that_follow_each_other() -> None:
    _, jpeg = cv2.imencode(".jpg", scene.phone("281234567890123456", Symbology.QR, 640, 360))
    cut = list(rtsp_camera.packets(jpeg.tobytes()))
    assert [last for last, _ in cut] == [False] * (len(cut) - 1) + [True]
    assert cut[0][1][:8] == bytes([0, 0, 0, 0, 1, 255, 640 // 8, 360 // 8])
    assert cut[0][1][8:12] == bytes([0, 0, 0, 128])
    scans = [cut[0][1][12 + 128 :], *(packet[8:] for _, packet in cut[1:])]
    offsets = [int.from_bytes(packet[:4], "big") for _, packet in cut]
    assert offsets == [sum(map(len, scans[:at])) for at in range(len(cut))]
    assert jpeg.tobytes().endswith(b"".join(scans) + bytes.fromhex("FFD9"))


def test_a_question_for_the_head_alone_is_answered() -> None:
    """What `curl -I` asks, which a cure names."""
    with SimulatedCamera() as camera:
        request = urllib.request.Request(camera.url, method="HEAD")  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=LONG_S) as answer:  # noqa: S310
            assert answer.headers.get_content_type() == "multipart/x-mixed-replace"
            assert answer.read() == b""
