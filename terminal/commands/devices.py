"""`tillside devices`: what is attached, what drives it, why it fails and what cures it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from drivers.abilities import HasSettings, TestsItself
from drivers.address import AddressError, DeviceAddress, parse
from drivers.errors import DeviceError
from terminal.commands import place
from terminal.commands.errors import FINDING, FINE, FindingError, UsageError
from terminal.commands.output import say, say_json
from terminal.config import Config
from terminal.devices.inventory import DeviceReport, inventory
from terminal.devices.watch import Watch
from terminal.diagnostics import devices
from terminal.diagnostics.asking import NotAskedError
from terminal.diagnostics.devices import SettingsError
from terminal.diagnostics.open_workshop import SeveralKindsError, open_device
from terminal.diagnostics.other_till import process
from terminal.diagnostics.workshop import Workshop
from terminal.home import CONFIG_FILE
from terminal.signals import Ending

T = TypeVar("T")


def run(options: argparse.Namespace) -> int:
    """List all devices. Works without a configuration, too."""
    config = _config(options)
    if options.watch:
        return _watch(options, config)
    reports = _inventory(options, config)
    if options.json:
        say_json([report.fields() for report in reports], indent=2)
    else:
        for report in reports:
            say(report.text_line())
    return FINE if all(report.works for report in reports) else FINDING


def _config(options: argparse.Namespace) -> Config | None:
    folder = place.folder(options)
    return place.config(folder) if (folder / CONFIG_FILE).exists() else None


def _inventory(options: argparse.Namespace, config: Config | None) -> list[DeviceReport]:
    """Look at every device; what a till beside has open is none that fails."""
    return inventory(config.devices if config else None, till=process(place.folder(options)))


def _watch(options: argparse.Namespace, config: Config | None) -> int:
    """Print each change until a signal ends it."""
    home = place.folder(options)
    with Ending(), Watch(config.devices if config else None, lambda: process(home)) as watch:
        for change in watch:
            if options.json:
                say_json(change.fields())
            else:
                say(change.text_line())
            sys.stdout.flush()
    return FINE


# --- one device -----------------------------------------------------------------------------------


def test(options: argparse.Namespace) -> int:
    """Have a device test itself."""
    results = _on(options, TestsItself, devices.self_test)
    if options.json:
        say_json([{"name": one.name, "passed": one.passed, "text": one.text} for one in results], indent=2)
    else:
        for one in results:
            say(f"{_MARKS[one.passed]} {one.name}{': ' if one.text else ''}{one.text}")
    return FINDING if any(one.passed is False for one in results) else FINE


_MARKS = {True: "ok  ", False: "FAIL", None: "?   "}
"""By whether a test has passed; one that a person has to judge has neither."""


def backup(options: argparse.Namespace) -> int:
    """Write a device's settings into a file."""
    settings = _on(
        options, HasSettings, lambda workshop, address: devices.backup(workshop, address, options.file)
    )
    if options.json:
        say_json({"file": str(options.file), "settings": dict(settings)}, indent=2)
    else:
        say(f"{len(settings)} settings of {options.address} are in {options.file}")
    return FINE


def restore(options: argparse.Namespace) -> int:
    """Write settings from a file into a device."""
    kept = _on(
        options, HasSettings, lambda workshop, address: devices.restore(workshop, address, options.file)
    )
    if options.json:
        say_json({"written": str(options.file), "before": str(kept)})
    else:
        say(f"{options.address} has the settings of {options.file}. What it had before is in {kept}")
    return FINE


def _on(
    options: argparse.Namespace,
    ability: type,
    work: Callable[[Workshop, DeviceAddress], Awaitable[T]],
) -> T:
    """Do something with the device that was named, which takes an ability."""
    try:
        address = parse(options.address)
    except AddressError as error:
        raise UsageError(str(error)) from error
    config = _config(options)

    async def working() -> T:
        async with open_device(place.folder(options), config, address, ability) as workshop:
            status = workshop.pool.worker(address).status
            try:
                return await work(workshop, address)
            except NotAskedError as error:
                raise FindingError(
                    f"{address}: {error}{f'; cure: {status.cure}' if status.cure else ''}"
                ) from error

    try:
        with Ending() as ending:
            return ending.run(working())
    except KeyError as error:
        raise UsageError(
            f"no driver is called {address.scheme}; tillside devices shows what there is"
        ) from error
    except SeveralKindsError as error:
        raise UsageError(f"{error}: configure it as one of them, under [devices]") from error
    except FileExistsError as error:
        raise UsageError(f"{options.file} is there already; name a new file") from error
    except OSError as error:
        raise UsageError(f"{options.file}: {error.strerror or error}") from error
    except SettingsError as error:
        raise FindingError(str(error)) from error
    except DeviceError as error:
        raise FindingError(str(error)) from error


# --- what is expected -----------------------------------------------------------------------------


def expect(options: argparse.Namespace) -> int:
    """Print what is there now, as a file of what is expected."""
    config = _config(options)
    say(devices.expect(_inventory(options, config)).rstrip())
    return FINE


def compare(options: argparse.Namespace) -> int:
    """Compare what is there with a file of what is expected."""
    try:
        expected = Path(options.file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{options.file}: can't be read ({error})") from error
    config = _config(options)
    found = _inventory(options, config)
    try:
        differences = devices.compare(found, expected)
    except SettingsError as error:
        raise UsageError(f"{options.file}: {error}") from error
    if options.json:
        say_json({"devices": len(found), "differences": [one.fields() for one in differences]}, indent=2)
    elif differences:
        for one in differences:
            say(one.text_line())
    else:
        say(f"as expected: {len(found)} devices")
    return FINDING if differences else FINE
