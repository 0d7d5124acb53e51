"""The keyboard scanner driver: real events through a pipe, and through uinput where this machine has it."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import evdev
import pytest

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason, TransmissionError
from drivers.protocols import Category
from drivers.registry import drivers, open_scanner
from drivers.scanners import keyboard_wedge, keyboards
from drivers.scanners.keyboard_wedge import KeyboardScanner
from simulators.keyboard import DOWN, UP, events, key, typed
from simulators.keyboard import KeyboardScanner as Wire

PAY_CODE = "281234567890123456"
LONG_S = 10.0


@dataclass
class PipeDevice:
    """An input device whose events come through a pipe; what evdev is asked for is noted."""

    path: str
    near: int
    fd: int
    grabs: list[bool] = field(default_factory=list)
    name: str = "Newland HR32 Scanner"
    uniq: str = "A1B2"
    info: object = field(
        default_factory=lambda: SimpleNamespace(vendor=0x1EAB, product=0x8003, version=0x0110)
    )

    def grab(self) -> None:
        self.grabs.append(True)

    def ungrab(self) -> None:
        self.grabs.append(False)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def capabilities(self) -> dict[int, list[int]]:
        return {1: list(range(1, 120))}


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeDevice]:
    path = tmp_path / "usb-Newland_HR32-event-kbd"
    path.touch()
    far, near = os.pipe()
    device = PipeDevice(str(path), near, far)
    monkeypatch.setattr(evdev, "InputDevice", lambda _: device)
    yield device
    device.close()
    os.close(near)


@pytest.fixture
def scanner(device: PipeDevice) -> Iterator[KeyboardScanner]:
    with closing(keyboard_wedge.open(parse(f"keyboard-scanner:{device.path}"))) as scanner:
        yield scanner


class Typing:
    """Types as soon as the driver has begun to wait: what came before counts as old."""

    def __init__(self, scanner: KeyboardScanner, device: PipeDevice, *bursts: bytes) -> None:
        self._bursts, self._device, self._read = list(bursts), device, scanner._read
        scanner._read = self  # type: ignore[method-assign]

    def __call__(self, timeout_s: float) -> list[str] | None:
        read = self._read(timeout_s)
        if read is None and self._bursts:
            os.write(self._device.near, self._bursts.pop(0))
        return read


def scan(scanner: KeyboardScanner, device: PipeDevice, *bursts: bytes) -> tuple[str, str] | None:
    Typing(scanner, device, *bursts)
    code = scanner.next_code(Event(), timeout_s=LONG_S)
    return None if code is None else (code.text, code.symbology)


def test_reads_what_is_typed(scanner: KeyboardScanner, device: PipeDevice) -> None:
    assert scan(scanner, device, typed(PAY_CODE)) == (PAY_CODE, "")
    assert scan(scanner, device, typed("]Q1https://pay/A?b=1", start_s=1010)) == (
        "https://pay/A?b=1",
        "QR Code",
    )


def test_a_line_in_pieces_is_one_code(scanner: KeyboardScanner, device: PipeDevice) -> None:
    raw = typed(PAY_CODE)
    assert scan(scanner, device, raw[:1001], raw[1001:]) == (PAY_CODE, "")


def test_what_was_typed_before_the_call_is_dropped(scanner: KeyboardScanner, device: PipeDevice) -> None:
    os.write(device.near, typed("yesterday") + typed("281", end="", start_s=1010))
    assert scan(scanner, device, typed("today", start_s=1020)) == ("today", "")


def test_a_layout_is_asked_for_in_the_address(device: PipeDevice) -> None:
    with closing(keyboard_wedge.open(parse(f"keyboard-scanner:{device.path}#layout=de"))) as scanner:
        assert scan(scanner, device, typed("yz")) == ("zy", "")
        assert scanner.info().details["layout"] == "de"


def test_a_key_without_a_character_is_refused_without_its_text(
    scanner: KeyboardScanner, device: PipeDevice
) -> None:
    names = [(key(name), value) for name in ("2", "F1", "ENTER") for value in (DOWN, UP)]
    with pytest.raises(TransmissionError, match="set its country to USA"):
        scan(scanner, device, events(iter(names)))
    assert scan(scanner, device, typed("next", start_s=1010)) == ("next", "")


def test_the_keyboard_is_its_own_from_open_to_close(device: PipeDevice) -> None:
    scanner = keyboard_wedge.open(parse(f"keyboard-scanner:{device.path}"))
    assert device.grabs == [True]
    scanner.close()
    assert device.grabs == [True, False]
    scanner.close()
    with pytest.raises(DeviceUnavailableError):
        scanner.next_code(Event(), timeout_s=LONG_S)


def test_a_person_who_types_gets_the_keyboard_back_until_a_scanner_types(
    scanner: KeyboardScanner, device: PipeDevice
) -> None:
    os.write(device.near, typed("hello there", gap_s=0.12))
    assert scanner.next_code(Event(), timeout_s=0.1) is None
    assert device.grabs == [True, False]
    assert scanner.info().details["grab"].startswith("let go")
    assert scan(scanner, device, typed(PAY_CODE, start_s=1100)) == (PAY_CODE, "")
    assert device.grabs == [True, False, True]
    assert scanner.info().details["grab"] == "exclusive"


def test_a_person_who_types_while_no_sale_runs_gets_the_keyboard_back(
    scanner: KeyboardScanner, device: PipeDevice
) -> None:
    """An idle till asks for `info` alone."""
    os.write(device.near, typed("hello", gap_s=0.3))
    assert scanner.info().details["grab"].startswith("let go")
    assert device.grabs == [True, False]
    os.write(device.near, typed(PAY_CODE, start_s=1100))
    assert scanner.info().details["grab"] == "exclusive"
    assert scan(scanner, device, typed("next", start_s=1200)) == ("next", "")


def test_a_device_that_is_closed_as_it_is_read_is_kept_until_then(
    scanner: KeyboardScanner, device: PipeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its descriptor may be another file's a moment after it was closed."""
    real, closed = os.read, []

    def closed_meanwhile(descriptor: int, count: int) -> bytes:
        scanner.close()
        closed.append(device.fd < 0)
        return real(descriptor, count)

    os.write(device.near, typed("yesterday"))
    monkeypatch.setattr(os, "read", closed_meanwhile)
    with pytest.raises(DeviceUnavailableError):
        scanner.info()
    assert closed == [False]
    assert device.fd == -1


def test_info_says_what_the_device_says(scanner: KeyboardScanner, device: PipeDevice) -> None:
    info = scanner.info()
    assert (info.name, info.serial_number) == ("Newland HR32 Scanner", "A1B2")
    assert info.details["usb"] == "1eab:8003 release 0110"
    os.unlink(device.path)
    with pytest.raises(DeviceUnavailableError, match="plug the scanner in again"):
        scanner.info()


def test_stop_and_time_end_the_wait(scanner: KeyboardScanner) -> None:
    stop = Event()
    assert scanner.next_code(stop, timeout_s=0) is None
    stop.set()
    assert scanner.next_code(stop, timeout_s=3600) is None


def test_a_wait_ends_when_another_thread_closes(scanner: KeyboardScanner) -> None:
    raised: list[DeviceUnavailableError] = []

    def wait() -> None:
        try:
            scanner.next_code(Event(), timeout_s=3600)
        except DeviceUnavailableError as error:
            raised.append(error)

    waiting = Thread(target=wait)
    waiting.start()
    scanner.close()
    waiting.join(LONG_S)
    assert [error.reason for error in raised] == [Reason.NOT_FOUND]


def attach(root: Path, number: int, name: str, *, link: str = "", keys: str = "", vendor: str = "") -> None:
    """Lay out a keyboard as sysfs and /dev have it."""
    node = root / f"sys/event{number}/device"
    (node / "capabilities").mkdir(parents=True)
    (node / "id").mkdir()
    (node / "name").write_text(f"{name}\n")
    (node / "id/vendor").write_text(f"{vendor}\n")
    (node / "capabilities/key").write_text(
        f"{keys or '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe'}\n"
    )
    device = root / f"dev/event{number}"
    device.parent.mkdir(exist_ok=True)
    device.touch()
    if link:
        (root / "dev/by-id").mkdir(exist_ok=True)
        (root / "dev/by-id" / link).symlink_to(device)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an office keyboard, a power button, and two scanners of a kind."""
    attach(tmp_path, 2, "Dell KB216 Wired Keyboard", link="usb-Dell-event-kbd")
    attach(tmp_path, 0, "Power Button", keys="10000000000000 0")
    attach(tmp_path, 10, "Newland HR32", link="usb-Newland_HR32_A-event-kbd", vendor="1eab")
    attach(tmp_path, 11, "Newland HR32", vendor="1eab")
    attach(tmp_path, 12, "USB Barcode Scanner", link="usb-Barcode-event-kbd")
    monkeypatch.setattr(keyboards, "SYSFS", tmp_path / "sys")
    monkeypatch.setattr(keyboards, "DEV", tmp_path / "dev")
    return tmp_path


def refusal(target: str) -> tuple[Reason, str]:
    with pytest.raises(DeviceUnavailableError) as raised:
        keyboard_wedge.open(DeviceAddress("keyboard-scanner", target))
    return raised.value.reason, raised.value.hint


def test_finds_keyboards_without_opening_them(machine: Path) -> None:
    assert [(known.device.name, known.seems_scanner) for known in keyboards.attached()] == [
        ("event2", False),
        ("event10", True),
        ("event11", True),
        ("event12", True),
    ]
    assert [address.target for address in keyboard_wedge.discover()] == [
        f"{machine}/dev/by-id/usb-Newland_HR32_A-event-kbd",
        f"{machine}/dev/event11",
        f"{machine}/dev/by-id/usb-Barcode-event-kbd",
    ]


def test_a_name_that_fits_several_is_refused_and_they_are_listed(machine: Path) -> None:
    reason, hint = refusal("newland")
    assert reason is Reason.WRONG_ADDRESS
    lasting = f"keyboard-scanner:{machine}/dev/by-id/usb-Newland_HR32_A-event-kbd"
    other = f"keyboard-scanner:{machine}/dev/event11"
    assert hint == f"more than one is called so, write {lasting} or {other}"


@pytest.mark.parametrize("target", ["", "Zebra", "/dev/input/event99"])
def test_what_is_not_there_lists_what_is(machine: Path, target: str) -> None:
    reason, hint = refusal(target)
    assert reason is Reason.NOT_FOUND
    assert f"keyboard-scanner:{machine}/dev/by-id/usb-Barcode-event-kbd (USB Barcode Scanner)" in hint
    assert "Power Button" not in hint


def test_part_of_a_name_that_fits_one_opens_it(machine: Path, device: PipeDevice) -> None:
    keyboard_wedge.open(parse("keyboard-scanner:barcode")).close()
    assert device.grabs == [True, False]


def test_a_machine_without_keyboards_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyboards, "SYSFS", tmp_path)
    assert refusal("scanner")[1].endswith("keyboards attached now: none")
    assert keyboard_wedge.discover() == ()


def test_what_is_no_input_device_says_so() -> None:
    # Real evdev asks a real device that is no keyboard.
    assert refusal("/dev/null") == (Reason.WRONG_DEVICE, "/dev/null is no input device: ls -l /dev/null")


@pytest.mark.parametrize(
    ("number", "reason", "said"),
    [
        (errno.EACCES, Reason.NO_PERMISSION, "sudo usermod -aG input $USER"),
        (errno.EBUSY, Reason.BUSY, "fuser -v"),
        (errno.ENODEV, Reason.NOT_FOUND, "plug the scanner in again"),
    ],
)
def test_a_device_that_can_not_be_had_says_why(
    device: PipeDevice, monkeypatch: pytest.MonkeyPatch, number: int, reason: Reason, said: str
) -> None:
    # Root may open anything and nobody else is here, so the kernel's answer is given.
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(device, "grab", refuse)
    found, hint = refusal(device.path)
    assert found is reason
    assert said in hint
    assert device.fd == -1


def test_a_device_without_text_keys_is_not_grabbed(
    device: PipeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "capabilities", lambda: {1: [116]})
    assert "has no keys for text" in refusal(device.path)[1]
    assert device.grabs == []
    assert device.fd == -1


def test_a_bad_option_lists_what_can_be(device: PipeDevice) -> None:
    assert refusal(f"{device.path}#layout=xx")[1] == "layout=xx can't be, write one of us, de, fr"


def test_the_registry_has_it() -> None:
    assert drivers(Category.CODE_SCANNER)["keyboard-scanner"].distribution == "tillside"


@pytest.fixture
def plugged_in() -> Iterator[Wire]:
    if missing := Wire.missing():
        pytest.skip(missing)
    with Wire() as wire:
        yield wire


def test_reads_from_a_real_input_device(plugged_in: Wire) -> None:
    with closing(open_scanner(parse(plugged_in.address))) as scanner:
        texts: list[str] = []

        def read() -> None:
            code = scanner.next_code(Event(), timeout_s=LONG_S)
            texts.append("" if code is None else code.text)

        waiting = Thread(target=read)
        waiting.start()
        while waiting.is_alive():
            plugged_in.scan(PAY_CODE)
            waiting.join(0.3)
    assert texts == [PAY_CODE]


def test_a_grabbed_device_is_busy_for_the_next(plugged_in: Wire) -> None:
    with closing(open_scanner(parse(plugged_in.address))):
        assert refusal(plugged_in.path)[0] is Reason.BUSY
