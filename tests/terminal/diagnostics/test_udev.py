"""What stands between a user and a device, looked up in a tree of files as the kernel and udev lay them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from terminal.diagnostics import udev
from terminal.diagnostics.finding import Finding, Mark

RULES = Path(__file__).parents[3] / "udev" / udev.RULES_FILE


class Machine:
    """A root folder with /sys, /dev and /etc as far as the probe looks."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def usb(self, port: str, identity: str, kind: str = "ff", driver: str = "") -> Path:
        """Plug in a device with one interface of a class; return its node."""
        folder = self.root / "sys/bus/usb/devices" / port
        interface = folder / f"{port}:1.0"
        interface.mkdir(parents=True)
        vendor, _, product = identity.partition(":")
        values = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": "7", "product": "Thing"}
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n")
        (interface / "bInterfaceClass").write_text(f"{kind}\n")
        if driver:
            target = self.root / "sys/bus/usb/drivers" / driver
            target.mkdir(parents=True, exist_ok=True)
            (interface / "driver").symlink_to(target)
        node = self.root / "dev/bus/usb/001/007"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        return node

    def file(self, path: str, text: str = "") -> Path:
        made = self.root / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text)
        return made

    def install_rules(self) -> None:
        self.file(f"/etc/udev/rules.d/{udev.RULES_FILE}")

    async def probe(self, *addresses: str) -> dict[str, Finding]:
        workers = [
            SimpleNamespace(status=SimpleNamespace(address=SimpleNamespace(target=target)))
            for target in addresses
        ]
        workshop = SimpleNamespace(pool=SimpleNamespace(kinds={"reader": workers}))
        found = udev.probe(workshop, root=self.root)  # type: ignore[arg-type]
        return {finding.name: finding async for finding in found}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this user be one who may open nothing, whoever runs the tests."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(udev, "_user", lambda: "till")


async def test_a_bare_machine_has_nothing_to_cure(machine: Machine) -> None:
    found = await machine.probe()
    assert {name: finding.mark for name, finding in found.items()} == {"rules": Mark.NOTE}


async def test_an_attached_reader_misses_the_rules(machine: Machine) -> None:
    machine.usb("1-2", "054c:06c3")
    found = await machine.probe()
    assert found["rules"].mark is Mark.WARNING
    assert "make install-udev" in found["rules"].cure
    machine.install_rules()
    assert (await machine.probe())["rules"].mark is Mark.OK


@pytest.mark.parametrize("module", ["pn533_usb", "nfc"])
async def test_the_kernels_own_driver_is_named(machine: Machine, module: str) -> None:
    machine.install_rules()
    machine.usb("1-2", "04e6:5591", driver=module)
    finding = (await machine.probe())["NFC reader (SCL3711) 04e6:5591"]
    assert finding.mark is Mark.FAULT
    assert module in finding.text
    assert finding.cure.startswith("sudo modprobe -r pn533_usb pn533 nfc")


@pytest.mark.usefixtures("refused")
async def test_without_the_rules_the_rule_is_what_is_missing(machine: Machine) -> None:
    machine.usb("1-2", "054c:06c3")
    finding = (await machine.probe())["NFC reader (Sony) 054c:06c3"]
    assert finding.mark is Mark.FAULT
    assert "70-tillside.rules is not installed" in finding.text
    assert "make install-udev" in finding.cure


@pytest.mark.usefixtures("refused")
def test_with_the_rules_the_group_is_what_is_missing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_rules()
    machine.file("/dev/ttyUSB0")
    monkeypatch.setattr(udev, "_group_of", lambda path: "dialout")
    finding = udev.explain("/dev/ttyUSB0", root=machine.root)
    assert finding.mark is Mark.FAULT
    assert "till is neither in that group nor logged in" in finding.text
    assert finding.cure.startswith("sudo usermod -aG dialout till")


@pytest.mark.usefixtures("refused")
def test_a_device_that_no_rule_is_for(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.install_rules()
    machine.file("/dev/ttyUSB0")
    monkeypatch.setattr(udev, "_group_of", lambda path: "root")
    finding = udev.explain("/dev/ttyUSB0", root=machine.root)
    assert "no line of 70-tillside.rules is for it" in finding.text


@pytest.mark.usefixtures("refused")
async def test_a_reader_of_pcscds_needs_no_access_of_ours(machine: Machine) -> None:
    machine.install_rules()
    machine.usb("1-2", "08e6:3437", kind="0b")
    finding = (await machine.probe())["smart card reader (CCID) 08e6:3437"]
    assert finding.mark is Mark.NOTE


async def test_a_receipt_printer_is_known_by_its_class(machine: Machine) -> None:
    machine.install_rules()
    machine.usb("1-3", "04b8:0e15", kind="07", driver="usblp")
    finding = (await machine.probe())["receipt printer 04b8:0e15"]
    assert finding.mark is Mark.OK
    assert finding.details["claimed by"] == "usblp"


async def test_what_is_no_terminals_device_is_left_out(machine: Machine) -> None:
    machine.usb("1-4", "046d:c31c", kind="03")
    assert list(await machine.probe()) == ["rules"]


async def test_a_configured_file_that_is_not_there_names_its_kin(machine: Machine) -> None:
    machine.file("/dev/ttyUSB1")
    finding = (await machine.probe("/dev/ttyUSB0#baud=9600"))["/dev/ttyUSB0"]
    assert finding.mark is Mark.FAULT
    assert finding.cure == "plug it in; attached of its kind: /dev/ttyUSB1"


def test_a_device_file_that_opens(machine: Machine) -> None:
    machine.file("/dev/ttyUSB0")
    assert udev.explain("/dev/ttyUSB0", root=machine.root).mark is Mark.OK


def test_an_identity_that_is_not_attached(machine: Machine) -> None:
    assert "not attached" in udev.explain("072f:2200", root=machine.root).text


def test_loaded_modules_are_read(machine: Machine) -> None:
    assert udev.loaded_nfc_modules(machine.root) is None
    machine.file("/proc/modules", "nfc 131072 1 pn533, Live 0x0\nusbhid 1 0 - Live 0x0\n")
    assert udev.loaded_nfc_modules(machine.root) == ("nfc",)


def test_the_rules_name_every_reader_that_the_probe_knows() -> None:
    text = RULES.read_text("utf-8")
    for vendor, (products, _) in udev._READERS.items():
        line = next(line for line in text.splitlines() if f'ATTR{{idVendor}}=="{vendor}"' in line)
        assert set(products) <= set(line.split('idProduct}=="')[1].split('"')[0].split("|"))


def test_the_rules_give_each_place_the_group_that_the_probe_expects() -> None:
    text = RULES.read_text("utf-8")
    for place, group in udev._GROUPS.items():
        assert f'GROUP="{group}"' in text or place == "dev/snd"
