"""The technician's screen: keys, devices with faults and cures, coming and going."""

from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo
from terminal.devices.worker import DeviceState
from terminal.tui.cashier.app import CashierApp
from terminal.tui.technician.app import TechnicianApp
from terminal.tui.technician.bindings import COMMON_BINDINGS
from terminal.tui.technician.command_input import CommandInput
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.panes import PANES
from terminal.tui.technician.plain_words import meaning
from terminal.tui.technician.screen import TechnicianScreen
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
    """A device without functions."""

    def __init__(self, address: DeviceAddress) -> None:
        self.address = address

    def info(self) -> DeviceInfo:
        return DeviceInfo("made up", model="M1", firmware="1.0")

    def close(self) -> None:
        pass


class Flaky:
    """Opens a device that can be broken and mended."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.opened = 0

    def open(self, address: DeviceAddress) -> Device:
        if not self.works:
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")
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
    with workshop_of(tmp_path) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            for number, pane in enumerate(PANES, start=1):
                await pilot.press(str(number))
                assert app.technician.pane.TITLE == pane.TITLE
            for number in (2, 9):
                await pilot.press(f"f{number}")
                assert app.technician.pane.TITLE == PANES[number - 1].TITLE
            await pilot.press("f12", "f1")
            await until_shown(
                pilot, "Copy the cure to the clipboard", "Write everything into one signed file"
            )


# Devices


@pytest.mark.parametrize(
    ("size", "reason"),
    [*(((80, 24), reason) for reason in Reason), ((120, 40), Reason.BUSY)],
    ids=lambda value: value.name if isinstance(value, Reason) else f"{value[0]}x{value[1]}",
)
async def test_a_stranger_sees_the_fault_and_its_cure_without_a_key(
    tmp_path: Path, size: tuple[int, int], reason: Reason
) -> None:
    cure = "sudo make the-reader --work now"
    broken = worker_of("pcsc:ACS ACR122U", failing(reason, cure))
    configured = devices(readers="sim:visa-approve", scanners="sim:")
    with workshop_of(tmp_path, configured, readers=(worker_of("pn532:a", Flaky().open), broken)) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test(size=size) as pilot:
            shown = await until_shown(pilot, cure, "1 of 4 fails", meaning(reason.value))
            assert "What cures it" in shown
            assert "pcsc:ACS ACR122U" in shown
            assert reason.value.upper() in shown.upper()
            # All of the cure is on the screen, without scrolling.
            box = app.screen.query_one("#device-cure")
            assert app.screen.query_one("#device").region.contains_region(box.region)


async def test_a_device_that_is_cured_is_told_and_the_next_fault_is_shown(tmp_path: Path) -> None:
    reader, scanner = Flaky(works=False), failing(Reason.BUSY, "close the other program")
    workers = (worker_of("pcsc:one", reader.open), worker_of("pcsc:two", scanner))
    with workshop_of(tmp_path, readers=workers) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await until_shown(pilot, "2 of 2 fail", "plug it in")
            reader.works = True
            await pilot.press("r")
            await until_shown(pilot, "reader pcsc:one works again", "close the other program", "1 of 2 fails")


async def test_a_driver_that_raises_is_counted_and_leaves_the_screen_alone(tmp_path: Path) -> None:
    def broken(address: DeviceAddress) -> Any:
        raise ZeroDivisionError("4761739001010119")

    with workshop_of(tmp_path, readers=(worker_of("foreign:", broken),)) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            shown = await until_shown(pilot, "driver error: ZeroDivisionError", "unforeseen since the start")
            assert meaning("driver error: ZeroDivisionError") in shown
            assert "4761739001010119" not in shown


async def test_choosing_by_hand_is_not_taken_back(tmp_path: Path) -> None:
    broken = worker_of("pcsc:two", failing(Reason.BUSY, "close it"))
    other = Flaky()
    with workshop_of(tmp_path, readers=(broken, worker_of("pcsc:one", other.open))) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            await until_shown(pilot, "close it", "1 of 2 fails")
            await pilot.press("down")
            await until_shown(pilot, "READY", "made up", "M1")
            assert "What cures it" not in words_of(pilot.app)
            app.technician.pane.tick()
            assert "READY" in words_of(pilot.app)


async def test_r_opens_one_device_again(tmp_path: Path) -> None:
    one, two = Flaky(), Flaky()
    workers = (worker_of("pcsc:one", one.open), worker_of("pcsc:two", two.open))
    with workshop_of(tmp_path, readers=workers) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await until_shown(pilot, "all 2 work")
            await pilot.press("down", "r")
            await until(pilot, lambda: two.opened == 2)
            assert one.opened == 1


async def test_a_device_without_a_test_says_so(tmp_path: Path) -> None:
    with workshop_of(tmp_path, readers=(worker_of("pcsc:one", Flaky().open),)) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await until_shown(pilot, "all 1 work")
            await pilot.press("t")
            await until_shown(pilot, "This reader has no test of its own")


async def test_what_is_missing_beside_devices_is_shown_as_well(tmp_path: Path) -> None:
    with workshop_of(tmp_path, config_fault="tillside.toml:3: unknown key") as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await until_shown(pilot, "CONFIGURATION MISSING", "tillside.toml:3: unknown key", "1 of 1 fails")


async def test_no_device_at_all_has_its_cure(tmp_path: Path) -> None:
    with workshop_of(tmp_path) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await until_shown(pilot, "NO DEVICE", "tillside devices")


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


async def test_escape_leaves_the_app_where_nobody_lends_the_screen(tmp_path: Path) -> None:
    with workshop_of(tmp_path) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            await pilot.press("escape")
            await until(pilot, lambda: not app.is_running)


async def test_b_writes_the_support_bundle_and_says_where(tmp_path: Path) -> None:
    with workshop_of(tmp_path) as workshop:
        async with TechnicianApp(workshop).run_test(size=(120, 40)) as pilot:
            await pilot.press("b")
            await until(pilot, lambda: list(tmp_path.glob("support-*.zip")))
            await until_shown(pilot, "Support bundle", ".zip")
