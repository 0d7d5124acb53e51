"""Every device of a workshop: what it is, what it can do, why it fails, and what it should be."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from drivers.abilities import HasSettings, TestResult, TestsItself
from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError
from drivers.protocols import DeviceInfo
from terminal.config import Devices
from terminal.devices.inventory import (
    IN_USE,
    KINDS,
    DeviceReport,
    capabilities,
    described,
    identified,
    look,
    of_till,
    unconfigured,
)
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from terminal.diagnostics.apart import apart
from terminal.diagnostics.asking import NotAskedError, ask, ask_worker
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.firmware import KnownFirmware, about
from terminal.diagnostics.other_till import process
from terminal.diagnostics.workshop import Workshop

AREA = "devices"
LOOK_S = 20.0
"""For how long devices that are not configured are looked at, in seconds: all of them together."""
SELF_TEST_S = 30.0
"""For how long a device may test itself, in seconds."""


class SettingsError(Exception):
    """A file that does not fit, or settings that were not taken; the message says which."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the shop differs from what is expected.

    `what` is ``missing``, ``extra``, ``other address``, ``does not work``, ``other model``,
    ``other firmware`` or ``other serial number``.
    """

    address: str
    kind: str
    what: str
    expected: str = ""
    found: str = ""
    cure: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the difference for a program."""
        return asdict(self)

    def text_line(self) -> str:
        """Return the difference for a person."""
        told = [f"expected {self.expected}"] if self.expected else []
        told += [f"found {self.found}"] if self.found else []
        cure = f"\n       cure: {self.cure}" if self.cure else ""
        return f"{self.kind:8s} {self.address} {self.what}{': ' if told else ''}{', '.join(told)}{cure}"


# --- looking --------------------------------------------------------------------------------------


async def reports(workshop: Workshop, *, others: bool = True) -> tuple[DeviceReport, ...]:
    """Return a report of each device in the workshop, asked in its own thread; one in use is not asked.

    Args:
        workshop: Whose devices.
        others: Whether to open and look at what is attached and not in the workshop, too.
    """
    asked = [
        _report(workshop, kind, worker) for kind, workers in workshop.pool.kinds.items() for worker in workers
    ]
    till = process(workshop.home)
    found = [of_till(report, till) for report in await asyncio.gather(*asked)]
    if others:
        found += await apart(lambda: _others(workshop), timeout_s=LOOK_S, otherwise=[])
    return tuple(sorted(found, key=lambda report: list(KINDS).index(report.kind)))


async def _report(workshop: Workshop, kind: str, worker: DeviceWorker[Any]) -> DeviceReport:
    status = worker.status
    report = replace(
        described(kind, status.address, configured=status.address in _configured(workshop, kind)),
        state=status.state.value,
        text=status.text,
        cure=status.cure,
        faults=status.faults,
    )
    if status.state is not DeviceState.READY:
        return report
    try:
        return identified(report, *await ask_worker(worker, _identify))
    except DeviceUnavailableError as error:
        return replace(report, state="unavailable", text=error.reason.value, cure=error.hint)
    except DeviceError as error:
        return replace(report, state="unavailable", text=str(error))
    except Exception as error:  # noqa: BLE001  a foreign driver may raise anything
        text = f"driver error ({type(error).__name__})"
        return replace(report, state="unavailable", text=text, cure="see the log")


def _identify(device: Any, lease: Lease) -> tuple[DeviceInfo, tuple[str, ...]]:
    return device.info(), capabilities(device)


def _configured(workshop: Workshop, kind: str) -> tuple[DeviceAddress, ...]:
    found: tuple[DeviceAddress, ...] = (
        getattr(workshop.config.devices, f"{kind}s") if workshop.config is not None else ()
    )
    return found


def _others(workshop: Workshop) -> list[DeviceReport]:
    """Open what is attached and not in the workshop. Blocks; nothing of it is a shop's own device."""
    known = Devices(
        **{
            f"{kind}s": tuple(worker.status.address for worker in workers)
            for kind, workers in workshop.pool.kinds.items()
        }
    )
    return [look(kind, address, configured=False) for kind in KINDS for address in unconfigured(known, kind)]


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield a finding for each device, then what is known of its firmware."""
    found = await reports(workshop)
    for report in found:
        for finding in findings(report):
            yield finding
    if not found:
        yield Finding(
            AREA,
            "devices",
            Mark.NOTE,
            "no device is configured, and none is attached that can be discovered",
            "plug one in, or write it under [devices] in the configuration: a serial device has to be named",
        )


def findings(report: DeviceReport) -> tuple[Finding, ...]:
    """Return what a report comes to: the device itself, its driver's faults, its firmware."""
    told = {
        "kind": report.kind,
        "driver": report.driver,
        "state": report.state,
        "path": report.path,
        "model": report.model,
        "firmware": report.firmware,
        "serial number": report.serial_number,
        "capabilities": ", ".join(report.capabilities),
        **{f"its {name}": value for name, value in report.details.items()},
    }
    note = "" if report.configured else "not configured: "
    known = about(report.model, report.firmware)
    if report.firmware and not known:
        told["known of its firmware"] = "nothing"
    found = [
        Finding(
            AREA,
            report.address,
            _mark(report),
            f"{note}{report.text or report.state}",
            report.cure,
            details={name: value for name, value in told.items() if value},
        )
    ]
    if report.faults:
        text = f"its driver ({report.driver}) failed in an unforeseen way {report.faults} times"
        found.append(
            Finding(AREA, report.address, Mark.WARNING, text, "send a support bundle: it has the log")
        )
    return (*found, *(_firmware(report, entry) for entry in known))


def _mark(report: DeviceReport) -> Mark:
    if report.state == IN_USE:
        return Mark.NOTE
    if report.works:
        return Mark.OK if report.configured else Mark.NOTE
    if report.state == "opening":
        return Mark.WARNING
    return Mark.FAULT if report.configured else Mark.NOTE


def _firmware(report: DeviceReport, entry: KnownFirmware) -> Finding:
    marks = {"fault": Mark.WARNING, "note": Mark.NOTE, "good": Mark.OK}
    return Finding(
        AREA,
        f"{report.address} firmware",
        marks[entry.verdict],
        f"{report.model} {report.firmware}: {entry.text}",
        entry.cure,
        details={"source": entry.source},
    )


# --- testing and settings -------------------------------------------------------------------------


async def self_test(workshop: Workshop, address: DeviceAddress) -> Sequence[TestResult]:
    """Run a device's own tests. Raises as `asking.ask` does, and NotAskedError where it has none."""

    def run(device: Any, lease: Lease) -> Sequence[TestResult]:
        if not isinstance(device, TestsItself):
            raise NotAskedError("this device has no self-test")
        return device.self_test()

    return await ask(workshop, address, run, timeout_s=SELF_TEST_S)


async def backup(workshop: Workshop, address: DeviceAddress, file: Path) -> Mapping[str, str]:
    """Write a device's settings into a new TOML file, and return them. Raises as `ask`, and OSError."""
    info, settings = await ask(workshop, address, _read_settings)
    with file.open("x", encoding="utf-8") as out:
        out.write(_settings_file(address, info, settings))
    return settings


async def restore(workshop: Workshop, address: DeviceAddress, file: Path) -> Path:
    """Write settings from a file into a device, and read them back.

    What is in the device before goes into a file beside *file* first, and that file is returned.
    Raises as `ask`; OSError; SettingsError for a file that does not fit, or where the device kept something
    else.
    """
    model, settings = _parse_settings(file)
    info, before = await ask(workshop, address, _read_settings)
    if model != info.model:
        raise SettingsError(f"{file} is of another model: {model or 'unknown'}, and this is {info.model}")
    if unknown := settings.keys() - before.keys():
        raise SettingsError(f"{file}: this device has no setting {', '.join(sorted(unknown))}")
    kept = file.with_name(f"{file.stem}.before-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}.toml")
    kept.write_text(_settings_file(address, info, before), "utf-8")

    def write(device: Any, lease: Lease) -> Mapping[str, str]:
        device.write_settings(settings)
        lease.beat()
        return _read_settings(device, lease)[1]

    try:
        after = await ask(workshop, address, write)
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from error
    wrong = [name for name, value in settings.items() if after.get(name, "").lower() != value.lower()]
    if wrong:
        told = ", ".join(
            f"{name} is {after.get(name, 'gone')}, not {settings[name]}" for name in sorted(wrong)
        )
        raise SettingsError(f"the device kept something else: {told}. What it had before is in {kept}")
    return kept


def _read_settings(device: Any, lease: Lease) -> tuple[DeviceInfo, Mapping[str, str]]:
    info: DeviceInfo = device.info()
    if not isinstance(device, HasSettings):
        raise NotAskedError("this device keeps no settings that can be read")
    return info, dict(device.read_settings())


def _settings_file(address: DeviceAddress, info: DeviceInfo, settings: Mapping[str, str]) -> str:
    head = _table(
        {
            "address": str(address),
            "model": info.model,
            "firmware": info.firmware,
            "serial_number": info.serial_number,
            "read": f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z}",
        }
    )
    return (
        "# Settings of a device, in hexadecimal; tillside devices restore writes them back.\n"
        f"[device]\n{head}\n[settings]\n{_table(settings)}"
    )


def _parse_settings(file: Path) -> tuple[str, dict[str, str]]:
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: no file of settings ({error})") from error
    device, settings = values.get("device"), values.get("settings")
    if not isinstance(device, dict) or not isinstance(settings, dict):
        raise SettingsError(f"{file}: no file of settings; tillside devices backup writes one")
    if wrong := [name for name, value in settings.items() if not isinstance(value, str)]:
        raise SettingsError(f"{file}: {', '.join(wrong)} is no text of hexadecimal digits")
    return str(device.get("model", "")), settings


# --- what is expected -----------------------------------------------------------------------------

_COMPARED = ("model", "firmware", "serial_number")


def expect(found: Sequence[DeviceReport]) -> str:
    """Return what is there now as a file of what is expected, TOML.

    What is attached and not configured stays out, but where nothing is configured: it stands in then.
    """
    tables = [
        (f"# What it is, is not known: {report.text}.\n" if report.state == IN_USE else "")
        + _table({name: getattr(report, name) for name in ("address", "kind", *_COMPARED)})
        for report in _shops(found)
        if report.works
    ]
    head = (
        "# What devices this shop should have; tillside devices compare looks for differences.\n"
        "# A model, firmware or serial number that is empty may be any.\n"
    )
    return head + "".join(f"\n[[device]]\n{table}" for table in tables)


def _shops(found: Sequence[DeviceReport]) -> Sequence[DeviceReport]:
    """Return the devices that are the shop's: those configured, or all where none is."""
    return [report for report in found if report.configured] or found


def compare(found: Sequence[DeviceReport], expected: str) -> tuple[Difference, ...]:
    """Return in what the devices differ from a file that `expect` wrote. Raises SettingsError for no such."""
    wanted = _parse_expected(expected)
    by_address = {(report.kind, report.address): report for report in found}
    matched: set[int] = set()
    differences: list[Difference] = []
    for entry in wanted:
        report = by_address.get((entry["kind"], entry["address"])) or _elsewhere(entry, found)
        if report is None:
            told = " ".join(entry[name] for name in _COMPARED if entry[name])
            cure = "plug it in; tillside devices shows what is attached"
            differences.append(Difference(entry["address"], entry["kind"], "missing", told, cure=cure))
            continue
        matched.add(id(report))
        differences += _between(entry, report)
    differences += [
        Difference(report.address, report.kind, "extra", found=report.text)
        for report in _shops(found)
        if id(report) not in matched and report.state != IN_USE
    ]
    return tuple(differences)


def _between(entry: Mapping[str, str], report: DeviceReport) -> list[Difference]:
    if not report.works:
        return [Difference(report.address, report.kind, "does not work", "", report.text, report.cure)]
    if report.state == IN_USE:
        return []
    differences = []
    if report.address != entry["address"]:
        cure = f"write {report.address} under [devices] in the configuration"
        differences.append(
            Difference(entry["address"], report.kind, "other address", entry["address"], report.address, cure)
        )
    for name in _COMPARED:
        here = getattr(report, name)
        if entry[name] and here != entry[name]:
            what = f"other {name.replace('_', ' ')}"
            differences.append(Difference(report.address, report.kind, what, entry[name], here or "unknown"))
    return differences


def _elsewhere(entry: Mapping[str, str], found: Sequence[DeviceReport]) -> DeviceReport | None:
    """Return the device by its serial number, wherever it is attached now."""
    for report in found:
        same = report.kind == entry["kind"] and report.model == entry["model"]
        if same and entry["serial_number"] and report.serial_number == entry["serial_number"]:
            return report
    return None


def _parse_expected(text: str) -> list[dict[str, str]]:
    try:
        listed = tomllib.loads(text).get("device", [])
        entries = [
            {name: entry.get(name, "") for name in ("address", "kind", *_COMPARED)} for entry in listed
        ]
    except (tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"no file of what is expected ({error}); tillside devices expect writes one"
        ) from error
    for entry in entries:
        if entry["kind"] not in KINDS or not all(isinstance(value, str) for value in entry.values()):
            raise SettingsError(
                f"what is expected has a device {entry['address']!r} of kind {entry['kind']!r}; "
                f"kinds are {', '.join(KINDS)}, and all values are text"
            )
    return entries


def _table(values: Mapping[str, str]) -> str:
    """Return a TOML table's lines. A string of JSON is one of TOML, too."""
    return "".join(
        f"{json.dumps(name) if not name.isidentifier() else name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in values.items()
    )
