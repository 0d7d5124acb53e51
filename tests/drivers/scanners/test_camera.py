"""The camera driver through real OpenCV: the simulated camera's stream, and files."""

import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from drivers.abilities import ShowsPicture
from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.registry import open_scanner
from drivers.scanners import camera as driver
from drivers.scanners import capture, v4l2
from drivers.scanners.camera import Camera
from simulators import scene
from simulators.camera import SimulatedCamera
from simulators.rtsp_camera import RtspCamera
from simulators.scene import Conditions, Symbology

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


def until_it_raises(look: Callable[[], object]) -> None:
    """Look again and again: pictures on their way when a camera goes are still seen."""
    while True:
        look()


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
    details = scanner.info().details
    assert details["picture"] == "1280x720"
    assert float(details["frames per second"]) > 0
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
    assert reason_of("") == (Reason.WRONG_ADDRESS, "write camera:0, camera:http://HOST/ or camera:FILE")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert reason_of(str(tmp_path / "none.mp4")) == (Reason.NOT_FOUND, f"ls -l {tmp_path}/none.mp4")


def test_a_file_that_is_no_picture_is_said_to_be_none() -> None:
    reason, hint = reason_of(__file__)
    assert reason is Reason.WRONG_DEVICE
    assert "no video and no picture" in hint


@pytest.fixture
def device() -> str:
    """A character device that is no camera, under /dev as a camera is."""
    return "/dev/null"


def test_a_device_without_permission_names_the_group(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may open anything, so the answer of the operating system is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != device)
    reason, hint = reason_of(device)
    assert reason is Reason.NO_PERMISSION
    assert hint.startswith("sudo usermod -aG video $USER")


def test_a_device_that_takes_no_pictures_is_no_camera(device: str) -> None:
    assert reason_of(device) == (Reason.WRONG_DEVICE, f"{device} takes no pictures; attached now: none")


def test_a_camera_that_opens_for_nobody_is_held_by_another_program(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the kernel answers for a camera; there is none here.
    monkeypatch.setattr(v4l2, "takes_pictures", lambda path: True)
    reason, hint = reason_of(device)
    assert reason is Reason.BUSY
    assert f"fuser -v {device}" in hint


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
        ("/gone", Reason.WRONG_DEVICE, "answers 404"),
        ("/", Reason.WRONG_DEVICE, "a web page (text/html), perhaps a login"),
    ],
)
def test_an_address_that_is_no_camera_says_what_it_is(web: str, path: str, reason: Reason, said: str) -> None:
    found, hint = reason_of(web + path)
    assert found is reason
    assert said in hint


def test_a_camera_server_that_does_not_run_refuses() -> None:
    with SimulatedCamera() as camera:
        url = camera.url
    reason, hint = reason_of(url)
    assert (reason, hint) == (
        Reason.REFUSED,
        f"start the camera's server, and look at {url} in a browser",
    )


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
    assert v4l2.attached_cameras(tmp_path) == [0, 10]
    assert v4l2.identity(Path("/dev/video0"), tmp_path) == v4l2.Identity("HD Webcam")
    assert v4l2.identity(Path("/dev/video7"), tmp_path) == v4l2.Identity()


def test_a_camera_on_usb_says_who_it_is_by_any_of_its_names(tmp_path: Path) -> None:
    interface = tmp_path / "usb1" / "1-2" / "1-2:1.0"
    interface.mkdir(parents=True)
    for name, value in {"idVendor": "046d", "idProduct": "0825", "bcdDevice": "0012", "serial": "A1"}.items():
        (interface.parent / name).write_text(f"{value}\n")
    node = tmp_path / "class" / "video0"
    node.mkdir(parents=True)
    (node / "name").write_text("HD Webcam\n")
    (node / "device").symlink_to(interface)
    (tmp_path / "video0").touch()
    (tmp_path / "usb-cam-index0").symlink_to(tmp_path / "video0")
    found = v4l2.identity(tmp_path / "usb-cam-index0", tmp_path / "class")
    assert found == v4l2.Identity("HD Webcam", "A1", "046d:0825 release 0012")


def test_discovery_gives_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "attached_cameras", lambda: [0, 2])
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


def test_says_how_old_the_picture_was_when_its_code_was_known(
    scanner: Camera, camera: SimulatedCamera
) -> None:
    camera.show(PAY_CODE)
    code = scanner.next_code(Event(), timeout_s=LONG_S)
    assert code is not None
    assert code.age_ms >= code.decode_ms > 0


def test_who_comes_late_sees_the_newest_picture_alone(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.show("first")
    assert read(scanner) == "first"
    # Nobody takes a picture now: a queue would fill.
    for number in range(5):
        camera.show(f"while nobody looked {number}")
        assert camera.wait_sent(3, timeout_s=LONG_S)
    camera.show("newest")
    assert camera.wait_sent(1, timeout_s=LONG_S)
    assert read(scanner) == "newest"


def test_shows_its_picture_in_colour_and_no_larger_than_asked(
    scanner: Camera, camera: SimulatedCamera
) -> None:
    red = np.zeros((720, 1280, 3), dtype=np.uint8)
    red[:] = (20, 30, 220)
    camera._set(red)
    assert isinstance(scanner, ShowsPicture)
    assert camera.wait_sent(3, timeout_s=LONG_S)
    for width, height, size in (
        (80, 80, (80, 45)),
        (320, 90, (160, 90)),
        (9999, 9999, (1280, 720)),
        (1, 1, (1, 1)),
    ):
        shown = scanner.picture(width, height)
        assert shown is not None
        assert (shown.width, shown.height) == size
        assert len(shown.rgb) == 3 * shown.width * shown.height
        assert shown.age_ms >= 0
        assert shown.rgb[0] > 180
        assert max(shown.rgb[1:3]) < 80


def test_looking_at_the_picture_takes_nothing_from_the_codes(tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / f"shot_{number:03d}.png", f"code {number}")
    with closing(opened(tmp_path / "shot_%03d.png")) as scanner:
        texts = []
        for _ in range(4):
            for _ in range(2):
                assert scanner.picture(64, 64) is not None
            texts.append(read(scanner))
        assert texts == ["code 0", "code 1", "code 2", "code 0"]


def test_a_camera_that_went_away_shows_nothing(scanner: Camera, camera: SimulatedCamera) -> None:
    camera.stop()
    with pytest.raises(DeviceUnavailableError):
        until_it_raises(lambda: scanner.picture(64, 64))


def test_a_camera_that_falls_silent_is_stuck(
    monkeypatch: pytest.MonkeyPatch, camera: SimulatedCamera
) -> None:
    monkeypatch.setattr(capture, "READ_TIMEOUT_MS", 400)
    camera.show(PAY_CODE)
    with closing(driver.open(parse(camera.address))) as scanner:
        assert read(scanner) == PAY_CODE
        camera.freeze()
        with pytest.raises(DeviceUnavailableError, match="power and network") as raised:
            until_it_raises(lambda: scanner.next_code(Event(), timeout_s=1))
    assert raised.value.reason is Reason.STUCK
    camera.thaw()
    with closing(driver.open(parse(camera.address))) as scanner:
        assert read(scanner) == PAY_CODE


def test_waits_for_a_camera_that_starts_slowly() -> None:
    with SimulatedCamera(slow_start_s=0.3) as camera:
        camera.show(PAY_CODE)
        with closing(driver.open(parse(camera.address))) as scanner:
            assert read(scanner) == PAY_CODE


BAD_LIGHT = {
    "blur": Conditions(blur_px=1.5),
    "glare": Conditions(glare=0.8),
    "rotation": Conditions(rotation_deg=30),
    "upside down": Conditions(rotation_deg=180),
    "low light": Conditions(light=0.2),
    "perspective": Conditions(tilt=0.3),
    "everything": Conditions(blur_px=0.8, glare=0.4, rotation_deg=10, light=0.6, tilt=0.1),
}


@pytest.mark.parametrize("conditions", BAD_LIGHT.values(), ids=BAD_LIGHT)
def test_reads_codes_under_bad_conditions(
    scanner: Camera, camera: SimulatedCamera, conditions: Conditions
) -> None:
    camera.drop_every = 3
    camera.look_under(conditions)
    camera.show(PAY_CODE)
    assert read(scanner) == PAY_CODE


def test_reads_a_code_over_rtsp() -> None:
    with RtspCamera() as camera:
        camera.show(PAY_CODE)
        with closing(driver.open(parse(camera.address))) as scanner:
            assert read(scanner) == PAY_CODE
            camera.show("next")
            assert read(scanner) == "next"
            camera.stop()
            with pytest.raises(DeviceUnavailableError, match="power and network"):
                until_it_raises(lambda: scanner.next_code(Event(), timeout_s=1))


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (b"RTSP/1.0 401 Unauthorized\r\n\r\n", Reason.NO_PERMISSION, "write rtsp://USER:PASSWORD@HOST/"),
        (b"RTSP/1.0 404 Not Found\r\n\r\n", Reason.WRONG_DEVICE, "answers 404"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Reason.NO_ANSWER, "no video that can be read"),
        (b"hello\r\n\r\n", Reason.WRONG_DEVICE, "does not speak RTSP"),
    ],
)
def test_an_rtsp_address_says_why_it_gives_nothing(answer: bytes, reason: Reason, said: str) -> None:
    class Says(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Says) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            found, hint = reason_of(f"rtsp://me:secret@127.0.0.1:{server.server_address[1]}/")
        finally:
            server.shutdown()
            thread.join()
    assert found is reason
    assert said in hint
    assert "secret" not in hint


def test_an_rtsp_server_that_does_not_run_refuses() -> None:
    with RtspCamera() as camera:
        url = camera.url
    assert reason_of(url)[0] is Reason.REFUSED


class Adjustable:
    """A camera's settings as V4L2 has them: some are taken, some are not."""

    def __init__(self, *taken: int) -> None:
        self._taken = taken
        self._values: dict[int, float] = {cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480}

    def set(self, setting: int, value: float) -> bool:
        if setting in self._taken:
            self._values[setting] = value
        return setting in self._taken

    def get(self, setting: int) -> float:
        return self._values.get(setting, -1)


SIZE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
EXPOSURE = (cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE)


@pytest.mark.parametrize(
    ("taken", "resolution", "exposure"),
    [
        ((*SIZE, *EXPOSURE), "1280x720", "156"),
        (EXPOSURE, "640x480: the camera did not take 1280x720", "156"),
        (SIZE, "1280x720", "its own: the camera did not take 156"),
    ],
)
def test_says_which_settings_the_camera_took(taken: tuple[int, ...], resolution: str, exposure: str) -> None:
    wish = capture.wish(parse("camera:0#resolution=1280x720,exposure=156"))
    told = capture.adjust(Adjustable(*taken), wish)  # type: ignore[arg-type]
    assert told == {"resolution": resolution, "exposure": exposure}


def test_a_stream_keeps_its_own_resolution_and_says_so(camera: SimulatedCamera) -> None:
    camera.show(PAY_CODE)
    with closing(driver.open(parse(f"{camera.address}#resolution=640x480,exposure=9"))) as scanner:
        assert read(scanner) == PAY_CODE
        details = scanner.info().details
        assert details["resolution"] == "1280x720: the camera did not take 640x480"
        assert details["exposure"] == "its own: the camera did not take 9"
        assert scanner.info().name == camera.url


@pytest.mark.parametrize("option", ["zoom=2", "resolution=large", "resolution=0x0", "exposure=auto"])
def test_an_option_that_can_not_be_is_refused(option: str) -> None:
    assert reason_of(f"0#{option}")[0] is Reason.WRONG_ADDRESS


def test_passwords_of_streams_are_not_shown() -> None:
    assert capture.shown("rtsp://me:secret@camera:554/live?x=1") == "rtsp://camera:554/live?x=1"
    assert capture.shown("http://camera/") == "http://camera/"
    assert capture.shown("http://me:se/cret@camera/") == "http://camera/"
    assert capture.shown("http://camera/v?user=me&pwd=secret") == "http://camera/v?user=me&pwd=***"
    assert capture.shown("/home/me@shop/film.avi") == "/home/me@shop/film.avi"
