"""The technician's screen: keys, devices with faults and cures, coming and going."""

import logging
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.binding import Binding

from drivers.abilities import TestResult
from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo
from terminal.config import load
from terminal.devices.worker import DeviceState, Lease
from terminal.home import CONFIG_FILE
from terminal.tui.cashier.app import CashierApp
from terminal.tui.technician.app import TechnicianApp
from terminal.tui.technician.bindings import COMMON_BINDINGS
from terminal.tui.technician.command_input import CommandInput
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.panes import PANES
from terminal.tui.technician.plain_words import meaning
from terminal.tui.technician.screen import TechnicianScreen
from tests.terminal.shop import CONFIG
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import words_of
from tests.terminal.tui.workshops import (
    devices,
    failing,
    until,
    until_shown,
    worker_of,
    workshop_of,
)

SCREEN = [each for each in TechnicianScreen.BINDINGS if isinstance(each, Binding)]


class Device:
    """A device that can test itself, and nothing else."""

    def __init__(self, address: DeviceAddress) -> None:
        self.address = address

    def info(self) -> DeviceInfo:
        return DeviceInfo("made up", model="M1", firmware="1.0", details={"field strength": "7"})

    def self_test(self) -> tuple[TestResult, ...]:
        return (TestResult("antenna", True, "tuned"),)

    def close(self) -> None:
        pass


class Flaky:
    """Opens a device that can be broken and mended."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.opened = 0

    def open(self, address: DeviceAddress) -> Device:
        if not self.works:
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in: lsusb")
        self.opened += 1
        return Device(address)


# Keys


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.TITLE)
def test_every_key_can_be_listed_and_remapped_and_none_is_taken_twice(pane: type[Pane]) -> None:
    bindings = [*pane.own_bindings(), *SCREEN]
    assert all(each.id and each.tooltip for each in bindings)
    keys = [key for each in bindings for key in each.key.split(",")]
    assert len(keys) == len(set(keys))
    assert len({each.id for each in bindings}) == len(bindings)
    assert not any("alt+" in key for key in keys)


def test_what_is_typed_in_has_its_keys_listed_too() -> None:
    assert all(isinstance(each, Binding) and each.id and each.tooltip for each in CommandInput.BINDINGS)


def test_ids_are_not_shared_between_panes() -> None:
    ids = [each.id for pane in PANES for each in pane.own_bindings()]
    ids += [each.id for each in SCREEN]
    assert len(ids) == len(set(ids))
    assert {each.id for each in COMMON_BINDINGS} <= set(ids)


async def test_digits_and_function_keys_open_the_panes_and_f1_lists_the_keys(tmp_path: Path) -> None:
    """The terminal has nothing at all: each pane says what to do, and each key why it does nothing."""
    missing = "this terminal is not enrolled"
    with workshop_of(tmp_path, store_fault=missing, store_elsewhere=True) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            shown = await until_shown(
                pilot, "NO DEVICE", f"tillside devices --home {tmp_path}", 'readers = ["'
            )
            assert "leave (F10) and start again" in shown
            for number, pane in enumerate(PANES, start=1):
                await pilot.press(str(number))
                assert app.technician.pane.TITLE == pane.TITLE
            for number in (2, 9):
                await pilot.press(f"f{number}")
                assert app.technician.pane.TITLE == PANES[number - 1].TITLE
            for keys, words in (
                (("9", "d"), "No card was tapped yet"),
                (("9", "down"), "No card was tapped yet"),
                (("2", "x"), 'readers = ["pcsc:'),
                (("2", "x"), "No stress loop is running"),
                (("2", "g"), "There is no reader"),
                (("3",), 'scanners = ["camera:0"]'),
                (("4",), 'printers = ["escpos:'),
                (("6", "s"), f"Nothing can be done: {missing}: tillside enrol --home"),
                (("6", "e"), f"Nothing can be done: {missing}: tillside enrol --home"),
                (("7",), "cure: tillside enrol --home"),
                (("1", "c"), f"Copied: tillside devices --home {tmp_path}"),
            ):
                await pilot.press(*keys)
                await until_shown(pilot, words)
            assert app.clipboard == f"tillside devices --home {tmp_path}"
            # The sentence was about that key: the next one, whatever it is, puts it away.
            await pilot.press("y")
            await until(pilot, lambda: "Copied" not in words_of(app))
            assert "all is well" not in words_of(app)
            await pilot.press("f12", "f1")
            await until_shown(pilot, "Copy the cure's command", "Write everything into one signed file")
            await pilot.press("5")
            await until(
                pilot, lambda: app.screen is app.technician and app.technician.pane.TITLE == "Network"
            )
            await pilot.press("escape")
            await until(pilot, lambda: not app.is_running)


# Devices


@pytest.mark.parametrize(
    ("size", "reasons"),
    [((80, 24), tuple(Reason)), ((120, 40), (Reason.BUSY,))],
    ids=lambda value: f"{value[0]}x{value[1]}" if isinstance(value[0], int) else "",
)
async def test_a_stranger_sees_the_fault_and_its_cure_without_a_key(
    tmp_path: Path, size: tuple[int, int], reasons: tuple[Reason, ...]
) -> None:
    cure = "sudo make the-reader --work now"
    present = list(reasons)
    broken = worker_of("pcsc:ACS ACR122U", lambda address: failing(present[0], cure)(address))
    configured = devices(readers="sim:visa-approve", scanners="sim:")
    with workshop_of(tmp_path, configured, readers=(worker_of("pn532:a", Flaky().open), broken)) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test(size=size) as pilot:
            while True:
                reason = present[0]
                broken.nudge()
                shown = await until_shown(pilot, cure, "1 of 4 devices fails", meaning(reason.value))
                assert "What cures it" in shown
                assert "pcsc:ACS ACR122U" in shown
                assert reason.value.upper() in shown.upper()
                # All of the cure is on the screen, without scrolling.
                box = app.screen.query_one("#device-cure")
                assert app.screen.query_one("#device").region.contains_region(box.region)
                if len(present) == 1:
                    break
                del present[0]


async def test_what_is_tried_by_hand_has_its_outcome_told(tmp_path: Path) -> None:
    reader, scanner = Flaky(works=False), failing(Reason.OUT_OF_PAPER, "put in a new roll")
    workers = (worker_of("pcsc:one", reader.open), worker_of("pcsc:two", scanner))
    with workshop_of(tmp_path, readers=workers) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            await until_shown(pilot, "2 of 2 devices fail", "plug it in: lsusb", "c copies the command")
            assert " t Test" not in words_of(app)
            await pilot.press("r")
            await until_shown(pilot, "reader pcsc:one, tried again: still not found")
            await pilot.press("t")
            await until_shown(pilot, "can't be tested: not found")
            await pilot.press("c")
            await until_shown(pilot, "Copied: lsusb")
            assert app.clipboard == "lsusb"
            reader.works = True
            await pilot.press("r")
            await until_shown(
                pilot, "reader pcsc:one works again", "put in a new roll", "1 of 2 devices fails"
            )
            assert "c copies" not in words_of(app)
            await pilot.press("c")
            await until_shown(pilot, "Not copied: there is no command")
            # What somebody has chosen is not taken back, and sentences about the one before go.
            await pilot.press("up")
            shown = await until_shown(pilot, "READY", "made up", "M1", "field strength")
            assert "What cures it" not in words_of(app)
            assert "Not copied" not in words_of(app)
            app.technician.pane.tick()
            assert "READY" in words_of(app)
            await pilot.press("t")
            await until_shown(pilot, "1 tests, none failed", "antenna", "tuned")
            await pilot.press("r")
            await until_shown(pilot, "reader pcsc:one was opened again, and works")
            assert reader.opened == 2
            # What it told when it lived is no fact any more.
            reader.works = False
            workers[0].restart()
            shown = await until_shown(pilot, "2 of 2 devices fail", "when last seen", "M1, firmware 1.0")
            assert "field strength" not in shown
            assert "tuned" not in words_of(app)


async def test_a_test_of_a_device_that_fails_meanwhile_is_given_up(tmp_path: Path) -> None:
    taken, gone = Event(), Event()

    class Busy(Device):
        """In use by a till until it is pulled out."""

    def opened(address: DeviceAddress) -> Busy:
        if gone.is_set():
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")
        return Busy(address)

    def sale(device: Device, lease: Lease) -> None:
        lease.wait()
        taken.set()
        gone.wait(5)
        raise DeviceUnavailableError(device.address, Reason.NOT_FOUND, "plug it in")

    worker = worker_of("pcsc:one", opened)
    with workshop_of(tmp_path, readers=(worker,)) as workshop:
        standing = worker.submit(sale)
        async with TechnicianApp(workshop).run_test() as pilot:
            await until(pilot, taken.is_set)
            await until_shown(pilot, "IN USE")
            await pilot.press("t")
            await until_shown(pilot, "Testing as soon as the device is free")
            gone.set()
            await until_shown(pilot, "can't be tested: not found")
            standing.cancel()


async def test_a_driver_that_raises_is_counted_and_leaves_the_screen_alone(tmp_path: Path) -> None:
    def broken(address: DeviceAddress) -> Any:
        raise ZeroDivisionError("4761739001010119")

    with workshop_of(tmp_path, readers=(worker_of("foreign:", broken),)) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            shown = await until_shown(pilot, "driver error: ZeroDivisionError", "unforeseen since the start")
            assert meaning("driver error: ZeroDivisionError") in shown
            assert "4761739001010119" not in shown


async def test_a_cure_that_is_written_into_the_configuration_says_where(tmp_path: Path) -> None:
    file = tmp_path / CONFIG_FILE
    file.touch()
    text = CONFIG.format(terminal="T1", host="https://127.0.0.1:9", ca=file)
    file.write_text(f"{text}\n[devices]\nreaders = ['pcsc:one', 'sim:visa-approve']\n")
    line = file.read_text().splitlines().index("[devices]") + 2
    workers = (
        worker_of("pcsc:one", failing(Reason.WRONG_ADDRESS, "spped is no option, options are speed")),
        worker_of("sim:visa-approve", Device),
    )
    with workshop_of(
        tmp_path, readers=workers, config=load(file), config_fault=f"{file}:3: shop.nam: unknown key"
    ) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            shown = await until_shown(
                pilot, "WRONG ADDRESS", f"tillside.toml line {line}, [devices] readers: spped is no option"
            )
            assert "leave (F10) and start again" in shown
            assert "notices by itself" not in shown
            await pilot.press("down")
            await until_shown(pilot, "READY", "made up")
            # The device tests itself, and nothing is to be cured.
            await until(pilot, lambda: "t Test" in words_of(pilot.app))
            assert "c Copy" not in words_of(pilot.app)
            await pilot.press("down")
            await until_shown(pilot, "CONFIGURATION CAN'T BE READ", "unknown key", f"edit {file}, line 3")
            await until_shown(pilot, "✗ configuration", "1 of 2 devices fails", "1✗Devices", "7✗Keys")


# Coming and going


async def test_the_cashiers_screen_can_lend_it_and_escape_gives_everything_back(tmp_path: Path) -> None:
    with workshop_of(tmp_path, devices(readers="sim:visa-approve")) as workshop:
        app = CashierApp(FakeCounter())
        async with app.run_test() as pilot:
            await app.push_screen(TechnicianScreen(workshop))
            await pilot.press("2")
            await until_shown(pilot, "kernel", "3 (Visa)")
            tabs = app.screen.query_one("#technician-tabs")
            assert tabs.size.height == 1, "its own style sheets are not there"
            worker = workshop.pool.readers[0]
            assert worker.status.state is DeviceState.BUSY
            await pilot.press("escape")
            await until(pilot, lambda: worker.status.state is DeviceState.READY)
            assert app.screen is app.cashier
            assert app.is_running


async def test_b_writes_the_support_bundle_and_says_where(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "terminal.technician")
    with workshop_of(tmp_path) as workshop:
        async with TechnicianApp(workshop).run_test(size=(120, 40)) as pilot:
            await pilot.press("b")
            await until(pilot, lambda: list(tmp_path.glob("support-*.zip")))
            await until_shown(pilot, "Support bundle", ".zip")
            assert "support bundle written" in caplog.text
