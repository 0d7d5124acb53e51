"""What is attached: every device opened once and closed again, and no fault hides the other lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from drivers import registry
from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceTimeoutError, DeviceUnavailableError, Reason
from drivers.protocols import Category, DeviceInfo
from terminal.config import Devices
from terminal.devices import inventory as module
from terminal.devices.inventory import DeviceReport, inventory, unconfigured


@dataclass
class FakeDriver:
    """A driver of the scheme ``fake``, and what became of the devices that it opened."""

    found: list[str] = field(default_factory=list)
    fault: Exception | None = None
    discover_fault: Exception | None = None
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    distribution: str = "fake-drivers"

    def load(self, address: DeviceAddress) -> FakeDriver:
        return self

    def discover(self) -> list[DeviceAddress]:
        if self.discover_fault is not None:
            raise self.discover_fault
        return [parse(text) for text in self.found]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """Let one made-up driver stand beside the simulated one; real hardware is not looked for."""
    driver = FakeDriver()
    real = registry.drivers(Category.CONTACTLESS_READER)["sim"]

    class Device:
        def __init__(self, address: DeviceAddress) -> None:
            self.address = address
            driver.opened.append(str(address))

        def info(self) -> DeviceInfo:
            if driver.fault is not None:
                raise driver.fault
            return DeviceInfo("Fake", "1.2")

        def beep(self, duration_s: float) -> None:
            pass

        def close(self) -> None:
            driver.closed.append(str(self.address))

    open_sim = registry.open_reader

    def drivers(category: Category) -> Mapping[str, Any]:
        return {"fake": driver, "sim": real} if category is Category.CONTACTLESS_READER else {}

    def opening(address: DeviceAddress) -> Any:
        return Device(address) if address.scheme == "fake" else open_sim(address)

    monkeypatch.setattr(module, "drivers", drivers)
    monkeypatch.setattr(module, "open_reader", opening)
    return driver


def devices(*addresses: str) -> Devices:
    return Devices(readers=tuple(parse(text) for text in addresses))


def test_configured_and_discovered_devices_each_have_a_line(fake: FakeDriver) -> None:
    fake.found = ["fake:a", "fake:b"]
    lines = inventory(devices("sim:", "fake:b"))
    assert [(line.address, line.configured) for line in lines] == [
        ("sim:", True),
        ("fake:b", True),
        ("fake:a", False),
    ]
    assert lines[1] == DeviceReport(
        "fake:b",
        "reader",
        True,
        "fake (fake-drivers)",
        "ready",
        "Fake 1.2",
        distribution="fake-drivers",
        path="b",
        name="Fake",
        firmware="1.2",
        capabilities=("buzzer",),
    )
    assert lines[0].driver == "sim (tillside)"
    assert lines[2].text_line() == "ok   reader   fake:a (not configured): Fake 1.2"
    assert fake.opened == fake.closed == ["fake:b", "fake:a"]
    assert json.loads(json.dumps([line.fields() for line in lines]))[1]["works"] is True


def test_without_a_configuration_only_what_is_attached_is_listed(fake: FakeDriver) -> None:
    fake.found = ["fake:a"]
    assert [line.address for line in inventory(None)] == ["fake:a"]


@pytest.mark.parametrize(
    ("fault", "text", "cure"),
    [
        (
            DeviceUnavailableError(parse("fake:a"), Reason.BUSY, "close it"),
            "in use by another program",
            "close it",
        ),
        (DeviceTimeoutError("says nothing"), "says nothing", ""),
        (ZeroDivisionError("x"), "driver error (ZeroDivisionError)", "see the log"),
    ],
)
def test_a_device_that_fails_says_why_and_is_closed(
    fake: FakeDriver, fault: Exception, text: str, cure: str
) -> None:
    fake.fault = fault
    bad, good = inventory(devices("fake:a", "sim:"))
    assert (bad.works, bad.text, bad.cure) == (False, text, cure)
    assert good.works
    assert fake.closed == ["fake:a"]
    assert bad.text_line().startswith(f"FAIL reader   fake:a: {text}")
    assert (f"cure: {cure}" in bad.text_line()) == bool(cure)


@pytest.mark.parametrize("fault", [DeviceTimeoutError("x"), ZeroDivisionError()])
def test_a_driver_that_can_not_look_for_devices_hides_no_others(fake: FakeDriver, fault: Exception) -> None:
    fake.discover_fault = fault
    assert [line.works for line in inventory(devices("sim:"))] == [True]


def test_a_scheme_that_nothing_drives(fake: FakeDriver) -> None:
    (line,) = inventory(devices("typewriter:1"))
    assert (line.driver, line.works, line.text) == ("none", False, "wrong address")
    assert "no reader driver is called typewriter" in line.cure


def test_a_card_that_there_is_none_of(fake: FakeDriver) -> None:
    (line,) = inventory(devices("sim:gold"))
    assert (line.works, line.text) == (False, "wrong address")
    assert "python -m simulators.cards" in line.cure


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ("fake:b", "fake:b", True),
        ("fake:", "fake:Reader 00 00", True),
        ("fake:reader", "fake:ACS Reader 00 00", True),
        ("fake:other", "fake:ACS Reader 00 00", False),
        ("serial:/dev/null", "fake:/dev/null", True),
        ("serial:/dev/null#baud=9600", "fake:/dev/null", True),
        ("fake:/dev/video0", "fake:0", True),
        ("fake:0", "fake:0", True),
        ("fake:1", "fake:10", False),
        ("fake:/dev/video1", "fake:0", False),
        ("fake:1", "fake:Reader 10", False),
        ("serial:b", "fake:bc", False),
    ],
)
def test_a_configured_device_is_not_listed_once_more_under_its_other_name(
    fake: FakeDriver, wanted: str, found: str, same: bool
) -> None:
    fake.found = [found]
    assert [str(address) for address in unconfigured(devices(wanted), "reader")] == ([] if same else [found])


def test_a_device_of_another_kind_has_the_file(fake: FakeDriver) -> None:
    fake.found = ["fake:/dev/null"]
    assert unconfigured(Devices(displays=(parse("serial-display:/dev/null"),)), "reader") == ()
