"""What the technician's screen says, without a screen: cures, places, and how the whole terminal stands."""

from pathlib import Path

import pytest

from drivers.address import parse
from drivers.errors import Reason
from terminal.benches.console import Exchange, Row
from terminal.config import load
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceState
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.home import CONFIG_FILE
from terminal.tui.technician.areas import Areas
from terminal.tui.technician.console_lines import ConsoleLines
from terminal.tui.technician.device_list import ShownDevice, devices_of
from terminal.tui.technician.place import place_of
from terminal.tui.technician.plain_words import is_edited, meaning, next_step
from terminal.tui.technician.probe_pane import summary
from terminal.tui.technician.standing import standing
from terminal.tui.technician.typed import command_in
from tests.terminal.shop import CONFIG
from tests.terminal.tui.workshops import devices, nothing


def workshop(home: Path, **parts: object) -> Workshop:
    """Return a workshop whose devices are never opened."""
    return Workshop(home, DevicePool(devices(), nothing), **parts)  # type: ignore[arg-type]


# Cures


def test_every_reason_has_its_own_plain_sentence() -> None:
    sentences = [meaning(reason.value) for reason in Reason]
    assert len(set(sentences)) == len(sentences)
    assert meaning("a broken frame") not in sentences


@pytest.mark.parametrize(
    ("cure", "command"),
    [
        ("sudo systemctl enable --now pcscd.socket", "sudo systemctl enable --now pcscd.socket"),
        ("sudo usermod -aG dialout $USER, then log in again", "sudo usermod -aG dialout $USER"),
        ("close the program that uses it: sudo fuser -v /dev/ttyUSB0", "sudo fuser -v /dev/ttyUSB0"),
        ("plug it in: ls /dev/ttyUSB* /dev/ttyACM*", "ls /dev/ttyUSB* /dev/ttyACM*"),
        ("attach the reader, then: lsusb", "lsusb"),
        ("sudo pkill -x pcscd; sudo pcscd", "sudo pkill -x pcscd; sudo pcscd"),
        ("fuser -v /dev/video0; if there is none, plug the camera in again", "fuser -v /dev/video0"),
        ("make install-udev, then unplug the reader and plug it in again", "make install-udev"),
        ("tillside enrol --home '/srv/till 1'", "tillside enrol --home '/srv/till 1'"),
        ("put in a new roll, then close the cover", ""),
        ("write camera:0, camera:http://HOST/ or camera:FILE", ""),
        ("keep the file queue.db, and call for help", ""),
        ("tillside.toml line 12, [devices] readers: write camera:0", ""),
        ("", ""),
    ],
)
def test_only_what_can_be_typed_is_copied(cure: str, command: str) -> None:
    assert command_in(cure) == command


def test_the_till_notices_by_itself_only_what_it_can() -> None:
    def told(reason: Reason, cure: str = "") -> str:
        return next_step(reason.value, cure, command_in(cure))

    for reason in (Reason.NOT_FOUND, Reason.BUSY, Reason.SERVICE_DOWN, Reason.OUT_OF_PAPER):
        assert "notices by itself" in told(reason, "do something")
    for reason, cure in (
        (Reason.WRONG_ADDRESS, "write camera:0"),
        (Reason.DRIVER_MISSING, "pip install nfcpy"),
        (Reason.DRIVER_MISSING, "no reader driver is called foo; installed: pcsc, sim"),
        (Reason.NO_PERMISSION, "sudo usermod -aG video $USER, then log in again"),
    ):
        assert "notices by itself" not in told(reason, cure)
        assert "F10" in told(reason, cure)
    assert is_edited(Reason.DRIVER_MISSING.value, "")
    assert not is_edited(Reason.DRIVER_MISSING.value, "pip install nfcpy")


# Places


def test_a_device_is_found_in_the_configuration_by_line_and_field(tmp_path: Path) -> None:
    file = tmp_path / CONFIG_FILE
    file.touch()
    text = CONFIG.format(terminal="T1", host="https://127.0.0.1", ca=file)
    file.write_text(
        f"{text}\n[devices]\nscanners = ['camera:0', 'camera:rtsp://user:secret@cam/']\n"
        "readers = [\n  'pcsc:ACS',\n  'pn532:/dev/ttyUSB0',\n]\n"
    )
    lines = file.read_text().splitlines()
    shop = workshop(tmp_path, config=load(file))
    number = lines.index("  'pn532:/dev/ttyUSB0',") + 1
    assert place_of(shop, "reader", "pn532:/dev/ttyUSB0") == f"tillside.toml line {number}, [devices] readers"
    number = lines.index("[devices]") + 2
    camera = str(parse("camera:rtsp://user:secret@cam/"))
    assert place_of(shop, "scanner", camera) == f"tillside.toml line {number}, [devices] scanners"
    assert place_of(shop, "printer", "escpos:x") == ""
    file.unlink()
    assert place_of(shop, "reader", "pn532:/dev/ttyUSB0") == ""


def test_a_configuration_with_a_mistake_is_not_missing(tmp_path: Path) -> None:
    file = tmp_path / CONFIG_FILE
    shop = workshop(tmp_path, config_fault=f"{file}:7: shop.nam: unknown key")
    (row,) = devices_of(shop)
    assert (row.word, row.cure) == ("missing", f"write {file}, then leave (F10) and start again")
    file.touch()
    (row,) = devices_of(shop)
    assert (row.word, row.cure) == ("can't be read", f"edit {file}, line 7, then leave (F10) and start again")


def test_keys_that_are_missing_name_the_home_in_their_cure(tmp_path: Path) -> None:
    (row,) = devices_of(workshop(tmp_path, enrolment_fault="not enrolled yet"))
    assert row.cure == f"tillside enrol --home {tmp_path}"


# The whole terminal


def _device(state: DeviceState, name: str = "pcsc:one") -> ShownDevice:
    return ShownDevice(name, "reader", state)


def test_the_header_counts_what_every_pane_knows() -> None:
    ready, dead = _device(DeviceState.READY), _device(DeviceState.UNAVAILABLE, "pcsc:two")
    keys = ShownDevice("keys", "keys", DeviceState.UNAVAILABLE, "none", is_device=False)
    assert standing([ready], ()) == ("✓ 1 device works", False)
    assert standing([ready, ready], ()) == ("✓ 2 devices work", False)
    assert standing([ready, dead], ()) == ("✗ 1 of 2 devices fails", True)
    assert standing([dead, dead], ()) == ("✗ 2 of 2 devices fail", True)
    assert standing([ready, ready], ["Network"]) == ("✗ network · 2 devices work", True)
    assert standing([dead, keys], ["Keys", "Network"]) == ("✗ keys, network · ✗ 1 of 1 device fails", True)
    assert standing([], ()) == ("no device", True)


def test_nothing_is_well_that_nobody_could_look_at() -> None:
    def told(*marks: Mark) -> str:
        return summary([Finding("queue", "state", mark, "") for mark in marks])

    assert told(Mark.OK, Mark.NOTE) == "all is well"
    assert told(Mark.NOTE) == "nothing to look at"
    assert told(Mark.OK, Mark.SKIPPED) == "1 not looked at"
    assert told(Mark.OK, Mark.FAULT, Mark.WARNING) == "1 fault, 1 warning"


async def test_other_panes_are_looked_at_beside_no_open_order(tmp_path: Path) -> None:
    ordering = True
    shop = workshop(tmp_path, in_order=lambda: ordering)
    areas = Areas(shop)
    assert not await areas.look()
    assert not areas.faulty
    ordering = False
    assert await areas.look()
    assert areas.faulty == {"Keys", "Queue"}
    areas.tell("Queue", [Finding("queue", "state", Mark.OK, "")])
    assert areas.faulty == {"Keys"}


def test_the_newest_answer_begins_where_it_is_scrolled_to() -> None:
    lines = ConsoleLines()
    rows = tuple(Row(0, f"9F{number:02X}", "value") for number in range(30))
    lines.show([Exchange("00 A4 SELECT", "9000 fine", rows, 1.0), Exchange("00 B2 READ", "6A83", (), 1.0)])
    shown = lines.lines(999).plain.splitlines()
    assert shown[lines.newest_top()].startswith("› 00 B2 READ")
