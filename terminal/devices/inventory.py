"""What is attached and what drives it: every configured device opened once, and every one discovered."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from drivers.abilities import (
    FindsCards,
    HasBuzzer,
    HasField,
    HasLights,
    HasSettings,
    ShowsPicture,
    Signals,
    TestsItself,
)
from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError, Reason
from drivers.protocols import Category, DeviceInfo
from drivers.registry import (
    RegistryError,
    drivers,
    open_display,
    open_printer,
    open_reader,
    open_scanner,
    open_sounder,
)
from terminal.config import Devices

logger = logging.getLogger(__name__)

IN_USE = "in use"
"""The state of a configured device that the till of the same home has open, as far as can be told."""
SIMULATED = "sim"
"""The scheme of what is simulated in the process: it is always there, and so never discovered."""
KINDS: Mapping[str, Category] = {
    "reader": Category.CONTACTLESS_READER,
    "scanner": Category.CODE_SCANNER,
    "printer": Category.PRINTER,
    "display": Category.CUSTOMER_DISPLAY,
    "sounder": Category.SOUNDER,
}
"""Each category of device by its word on screens."""
_ABILITIES: Mapping[str, type] = {
    "signals": Signals,
    "lights": HasLights,
    "buzzer": HasBuzzer,
    "field": HasField,
    "cards in field": FindsCards,
    "self-test": TestsItself,
    "settings": HasSettings,
    "picture": ShowsPicture,
}


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One device: what it is, what drives it, and why it fails and what cures it.

    Attributes:
        driver: Its scheme and the distribution that brought it, such as ``pcsc (tillside)``, or ``none``.
        state: As `DeviceState` has it; ``ready`` or ``unavailable`` for one that was only looked at, and
            ``in use`` for one that a till beside has open: what it is, is not known then.
        text: Its name and firmware, or why it fails.
        path: Where it is attached, as far as its address or the device itself says.
        capabilities: What it can do beside its category's work, such as ``lights`` and ``self-test``.
        faults: How often its driver raised something unforeseen.
    """

    address: str
    kind: str
    configured: bool
    driver: str
    state: str
    text: str
    cure: str = ""
    distribution: str = ""
    path: str = ""
    name: str = ""
    model: str = ""
    firmware: str = ""
    serial_number: str = ""
    capabilities: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    faults: int = 0

    @property
    def works(self) -> bool:
        """Whether it can be used."""
        return self.state in ("ready", "busy", IN_USE)

    def fields(self) -> dict[str, Any]:
        """Return the report for a program."""
        return asdict(self) | {"works": self.works}

    def text_line(self) -> str:
        """Return the report for a person, in a line or two."""
        mark = "note" if self.state == IN_USE else "ok  " if self.works else "FAIL"
        cure = f"\n       cure: {self.cure}" if self.cure else ""
        note = "" if self.configured else " (not configured)"
        where = f"{self.address}{note}"
        colon = "" if where.endswith(":") else ":"  # an address may end with one: "sim:"
        return f"{mark} {self.kind:8s} {where}{colon} {self.text}{cure}"


def inventory(configured: Devices | None, *, till: int = 0) -> list[DeviceReport]:
    """Look at every device, configured or discovered. Devices are opened and closed again.

    Args:
        configured: The terminal's devices.
        till: The process of a till that is at work with them; 0 where there is none.
    """
    reports = []
    for kind in KINDS:
        wanted = addresses(configured, kind)
        mine = [look(kind, address, configured=True) for address in dict.fromkeys(wanted)]
        reports += [of_till(report, till) for report in mine]
        reports += [look(kind, address, configured=False) for address in unconfigured(configured, kind)]
    return reports


def addresses(devices: Devices | None, kind: str) -> tuple[DeviceAddress, ...]:
    """Return the configured devices of a kind."""
    found: tuple[DeviceAddress, ...] = getattr(devices, f"{kind}s") if devices else ()
    return found


def unconfigured(configured: Devices | None, kind: str) -> tuple[DeviceAddress, ...]:
    """Return what is attached of a kind and is no configured device of any kind."""
    wanted = [address for every in KINDS for address in addresses(configured, every)]
    found = dict.fromkeys(discover(kind))
    return tuple(address for address in found if not any(_same(one, address) for one in wanted))


def discover(kind: str) -> tuple[DeviceAddress, ...]:
    """Return what is attached of a kind, simulated devices left out."""
    found: list[DeviceAddress] = []
    for scheme in _drivers(kind):
        if scheme != SIMULATED:
            found += _discover(kind, scheme)
    return tuple(found)


def look(kind: str, address: DeviceAddress, *, configured: bool) -> DeviceReport:
    """Open a device, ask it, and close it again."""
    report = described(kind, address, configured=configured)
    try:
        device = opener(kind)(address)
        try:
            return identified(report, device.info(), capabilities(device))
        finally:
            device.close()
    except DeviceUnavailableError as error:
        return replace(report, text=error.reason.value, cure=error.hint)
    except DeviceError as error:
        return replace(report, text=str(error))
    except Exception as error:  # a foreign driver may raise anything
        logger.exception("driver of %s failed", address)
        return replace(report, text=f"driver error ({type(error).__name__})", cure="see the log")


def of_till(report: DeviceReport, till: int) -> DeviceReport:
    """Return a report as it is beside a till: what that one has open is no fault.

    Args:
        report: What was found.
        till: The till's process; 0 where there is none.
    """
    if not (till and report.configured and _held(report, till)):
        return report
    text = f"in use by this till (process {till})"
    return replace(report, state=IN_USE, text=text, cure="")


def _held(report: DeviceReport, till: int) -> bool:
    if report.works:
        # A printer that serves one program at a time may take others' calls and let them wait.
        return report.kind == "printer" and "status" in report.details
    if report.kind == "printer" and report.text == Reason.REFUSED.value:
        return True
    # Its cure may name who holds it.
    holders = re.findall(r"\((\d+)\)", report.cure)
    return report.text == Reason.BUSY.value and (not holders or str(till) in holders)


def described(kind: str, address: DeviceAddress, *, configured: bool) -> DeviceReport:
    """Return what is known of a device before it is opened."""
    entry = _drivers(kind).get(address.scheme)
    distribution = entry.distribution if entry else ""
    return DeviceReport(
        str(address),
        kind,
        configured,
        f"{address.scheme} ({distribution})" if entry else "none",
        "unavailable",
        "",
        distribution=distribution,
        path=_place(address),
    )


def identified(report: DeviceReport, info: DeviceInfo, can: tuple[str, ...]) -> DeviceReport:
    """Return a report with what the device says of itself."""
    return replace(
        report,
        state="ready",
        text=" ".join(part for part in (info.name, info.firmware) if part),
        path=info.details.get("path", report.path),
        name=info.name,
        model=info.model,
        firmware=info.firmware,
        serial_number=info.serial_number,
        capabilities=can,
        details=dict(info.details),
    )


def capabilities(device: object) -> tuple[str, ...]:
    """Return what a device can do beside its category's work; to be called from the device's thread."""
    return tuple(name for name, ability in _ABILITIES.items() if isinstance(device, ability))


def opener(kind: str) -> Callable[[DeviceAddress], Any]:
    """Return what opens a device of a kind."""
    openers: dict[str, Callable[[DeviceAddress], Any]] = {
        "reader": open_reader,
        "scanner": open_scanner,
        "printer": open_printer,
        "display": open_display,
        "sounder": open_sounder,
    }
    return openers[kind]


def _drivers(kind: str) -> Mapping[str, Any]:
    try:
        return drivers(KINDS[kind])
    except RegistryError as error:
        # Opening a device says it too; a list of devices must not end over it.
        logger.error("%s", error)
        return {}


def _discover(kind: str, scheme: str) -> tuple[DeviceAddress, ...]:
    try:
        return tuple(_drivers(kind)[scheme].load(DeviceAddress(scheme, "")).discover())
    except DeviceError:
        return ()
    except Exception:
        logger.exception("driver %s failed to look for devices", scheme)
        return ()


def _place(address: DeviceAddress) -> str:
    """Return where a device is by its address: the target without options, links followed."""
    target = address.target.partition("#")[0]
    return os.path.realpath(target) if target.startswith("/dev/") else target


def _same(wanted: DeviceAddress, found: DeviceAddress) -> bool:
    """Tell whether a configured device may be the one that was found.

    One device file is one device, whichever driver would take it. An address may name a device by a part
    of its name, or not at all: then it is the first.
    """
    at, there = _place(wanted), _place(found)
    if there.startswith("/") or at == there:
        return at == there
    if wanted.scheme != found.scheme:
        return False
    if there.isdigit():
        return re.sub(r"\D", "", os.path.basename(at)) == there  # camera:/dev/video0 is camera:0
    return not at.isdigit() and at.lower() in there.lower()
