"""The camera driver through real OpenCV: the simulated camera's stream, and files."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.registry import open_scanner
from drivers.scanners import camera as driver
from drivers.scanners import capture
from drivers.scanners.camera import Camera
from simulators import scene
from simulators.camera import SimulatedCamera
from simulators.scene import Symbology

PAY_CODE = "281234567890123456"
LONG_S = 15.0


@pytest.fixture
def scanner(camera: SimulatedCamera) -> Iterator[Camera]:
    scanner = driver.open(parse(camera.address))
    yield scanner
    scanner.close()


def read(scanner: Camera) -> str | None:
    code = scanner.next_code(Event(), timeout_s=LONG_S)
    return None if code is None else code.text


def test_reads_a_code_from_a_video_stream(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    code = scanner.next_code(Event(), timeout_s=LONG_S)
    assert code is not None
    assert (code.text, code.symbology) == (PAY_CODE, "QR Code")


def test_reads_bars_from_a_video_stream(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE, Symbology.CODE_128)
    code = scanner.next_code(Event(), timeout_s=LONG_S)
    assert code is not None
    assert (code.text, code.symbology) == (PAY_CODE, "Code 128")


def test_a_code_that_stays_is_read_once_for_each_call(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    assert [read(scanner), read(scanner)] == [PAY_CODE, PAY_CODE]


def test_never_reads_what_was_shown_before_the_call(scanner: Camera, camera: SimulatedCamera) -> None:
    for number in range(8):
        camera.show(f"customer {number}")
        assert read(scanner) == f"customer {number}"
    camera.clear()
    assert scanner.next_code(Event(), timeout_s=0.3) is None


def test_stop_ends_the_wait(scanner: Camera) -> None:
    stop = Event()
    codes: list[object] = []
    waiting = threading.Thread(target=lambda: codes.append(scanner.next_code(stop, timeout_s=3600)))
    waiting.start()
    stop.set()
    waiting.join(LONG_S)
    assert codes == [None]


def test_info_names_the_camera_and_its_picture(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    assert scanner.info().name == camera.url
    read(scanner)
    assert scanner.info().details == {"picture": "1280x720"}
    assert str(scanner.address) == camera.address


def test_a_camera_that_goes_away_is_not_found(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.stop()
    with pytest.raises(DeviceUnavailableError, match="power and network") as raised:
        scanner.next_code(Event(), timeout_s=LONG_S)
    assert raised.value.reason is Reason.NOT_FOUND
    with pytest.raises(DeviceUnavailableError):
        scanner.info()


def test_a_camera_can_be_opened_again(camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    for _ in range(2):
        scanner = open_scanner(parse(camera.address))
        code = scanner.next_code(Event(), timeout_s=LONG_S)
        scanner.close()
        scanner.close()
        assert code is not None
        assert code.text == PAY_CODE


def write_picture(path: Path, text: str) -> Path:
    cv2.imwrite(str(path), scene.phone(text, Symbology.QR, 1280, 720))
    return path


def opened(target: object) -> Camera:
    return driver.open(DeviceAddress("camera", str(target)))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_reads_a_picture_again_and_again(tmp_path: Path, suffix: str) -> None:
    scanner = opened(write_picture(tmp_path / f"shot.{suffix}", PAY_CODE))
    assert [read(scanner) for _ in range(3)] == [PAY_CODE] * 3
    scanner.close()


def test_reads_every_picture_of_a_numbered_sequence_and_starts_over(tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / f"shot_{number:03d}.png", f"code {number}")
    scanner = opened(tmp_path / "shot_%03d.png")
    assert [read(scanner) for _ in range(6)] == [f"code {number % 3}" for number in range(6)]
    scanner.close()


def test_reads_a_video_file(tmp_path: Path) -> None:
    path = tmp_path / "counter.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (1280, 720))
    for picture in (scene.empty_counter(1280, 720), scene.phone(PAY_CODE, Symbology.QR, 1280, 720)):
        for _ in range(3):
            video.write(picture)
    video.release()
    scanner = opened(path)
    assert [read(scanner), read(scanner)] == [PAY_CODE, PAY_CODE]
    scanner.close()


def reason_of(target: str) -> tuple[Reason, str]:
    with pytest.raises(DeviceUnavailableError) as raised:
        driver.open(DeviceAddress("camera", target))
    return raised.value.reason, raised.value.hint


@pytest.mark.parametrize("target", ["97", "/dev/video97"])
def test_a_missing_camera_is_not_found(target: str) -> None:
    reason, hint = reason_of(target)
    assert reason is Reason.NOT_FOUND
    assert "plug the camera in" in hint


def test_an_empty_target_names_the_right_syntax() -> None:
    assert reason_of("") == (Reason.NOT_FOUND, "write camera:0, camera:http://HOST/ or camera:FILE")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert reason_of(str(tmp_path / "none.mp4")) == (Reason.NOT_FOUND, f"ls -l {tmp_path}/none.mp4")


def test_a_file_that_is_no_picture_is_said_to_be_none() -> None:
    reason, hint = reason_of(__file__)
    assert reason is Reason.NOT_FOUND
    assert "no video and no picture" in hint


@pytest.fixture
def device(tmp_path: Path) -> str:
    """A character device that is no camera, under /dev as a camera is."""
    return "/dev/null"


def test_a_device_without_permission_names_the_group(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may open anything, so the answer of the operating system is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != device)
    reason, hint = reason_of(device)
    assert reason is Reason.NO_PERMISSION
    assert hint.startswith("sudo usermod -aG video $USER")


def test_a_device_that_gives_no_video_is_held_by_another_program(device: str) -> None:
    reason, hint = reason_of(device)
    assert reason is Reason.BUSY
    assert "fuser -v" in hint


class Answers(BaseHTTPRequestHandler):
    """A web server that is no camera."""

    def do_GET(self) -> None:
        self.send_response({"/locked": 401, "/": 200}.get(self.path, 404))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "reason", "said"),
    [
        ("/locked", Reason.NO_PERMISSION, "answers 401"),
        ("/gone", Reason.NOT_FOUND, "answers 404"),
        ("/", Reason.NOT_FOUND, "with text/html, not with video"),
    ],
)
def test_an_address_that_is_no_camera_says_what_it_is(web: str, path: str, reason: Reason, said: str) -> None:
    found, hint = reason_of(web + path)
    assert found is reason
    assert said in hint


def test_a_camera_server_that_does_not_run_is_a_service_that_is_down() -> None:
    with SimulatedCamera() as camera:
        url = camera.url
    reason, hint = reason_of(url)
    assert reason is Reason.SERVICE_DOWN
    assert f"curl -sI {url}" in hint


def test_finds_cameras_and_leaves_out_their_metadata_nodes(tmp_path: Path) -> None:
    for node, index, name in [
        ("video10", "0", "Side"),
        ("video0", "0", "HD Webcam"),
        ("video1", "1", "Meta"),
    ]:
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n")
    (tmp_path / "v4l-subdev0").mkdir()
    assert capture.attached_cameras(tmp_path) == [0, 10]
    assert capture.camera_name("0", tmp_path) == "HD Webcam"
    assert capture.camera_name("http://phone/", tmp_path) == "http://phone/"


def test_discovery_gives_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "attached_cameras", lambda: [0, 2])
    assert driver.discover() == (parse("camera:0"), parse("camera:2"))


def test_nothing_is_written_to_the_terminals_screen(
    camera: SimulatedCamera, capfd: pytest.CaptureFixture[str]
) -> None:
    reason_of("97")
    reason_of(__file__)
    reason_of("http://127.0.0.1:9/")
    camera.show(PAY_CODE)
    scanner = driver.open(parse(camera.address))
    read(scanner)
    scanner.close()
    assert capfd.readouterr() == ("", "")


def test_the_pictures_are_what_the_camera_sends(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    first = scanner._source.want(True)
    frame = scanner._source.next_frame(first, timeout_s=LONG_S)
    assert frame is not None
    drawn = scene.phone(PAY_CODE, Symbology.QR, 1280, 720).astype(np.int16)
    assert frame.picture.shape == drawn.shape
    assert np.abs(frame.picture.astype(np.int16) - drawn).mean() < 4
