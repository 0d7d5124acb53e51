"""Printers on USB: real pyusb on a simulated bus, as there is no printer on the machines that test."""

import array
import errno
from types import SimpleNamespace
from typing import Any

import pytest
import usb.backend  # type: ignore[import-untyped]
import usb.backend.libusb1  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]

from drivers.address import parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Page, Text
from drivers.printers import escpos
from simulators.printer_engine import PrinterEngine

OUT, IN = 0x02, 0x81
TEXTS = {1: "EPSON", 2: "TM-T20III", 3: "X7C0001"}


class Bus(usb.backend.IBackend):  # type: ignore[misc]
    """A bus with a mouse and a printer behind an engine."""

    def __init__(self) -> None:
        self.engine = PrinterEngine()
        self.answers = bytearray()
        self.devices = ["mouse", "printer"]
        self.kernel_has_it = False
        self.two_way = True
        self.fault: int | None = None
        self.claimed = 0
        self.detached = False

    def _check(self) -> None:
        if self.fault is not None:
            raise usb.core.USBError("as told", errno=self.fault)

    def enumerate_devices(self) -> list[str]:
        return list(self.devices)

    def get_parent(self, dev: str) -> None:
        return None

    def get_device_descriptor(self, dev: str) -> Any:
        vendor, product = (0x04B8, 0x0E28) if dev == "printer" else (0x046D, 0xC077)
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x200,
            bDeviceClass=0,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=vendor,
            idProduct=product,
            bcdDevice=0x100,
            iManufacturer=1,
            iProduct=2,
            iSerialNumber=3,
            bNumConfigurations=1,
            bus=1,
            address=2,
            port_number=1,
            port_numbers=(1,),
            speed=3,
        )

    def get_configuration_descriptor(self, dev: str, config: int) -> Any:
        if config:
            raise IndexError
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=32,
            bNumInterfaces=1,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0xC0,
            bMaxPower=1,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev: str, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError
        kind = 7 if dev == "printer" else 3
        ends = (2 if self.two_way else 1) if dev == "printer" else 0
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=0,
            bAlternateSetting=0,
            bNumEndpoints=ends,
            bInterfaceClass=kind,
            bInterfaceSubClass=1,
            bInterfaceProtocol=2,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, dev: str, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bEndpointAddress=(OUT, IN)[ep],
            bmAttributes=2,
            wMaxPacketSize=64,
            bInterval=0,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
        )

    def open_device(self, dev: str) -> str:
        self._check()
        return dev

    def close_device(self, handle: str) -> None:
        pass

    def get_configuration(self, handle: str) -> int:
        return 1

    def claim_interface(self, handle: str, intf: int) -> None:
        self._check()
        self.claimed += 1

    def release_interface(self, handle: str, intf: int) -> None:
        self.claimed -= 1

    def is_kernel_driver_active(self, handle: str, intf: int) -> bool:
        return self.kernel_has_it

    def detach_kernel_driver(self, handle: str, intf: int) -> None:
        self.detached = True

    def ctrl_transfer(self, handle: str, kind: int, request: int, value: int, *rest: Any) -> int:
        index, data = value & 0xFF, rest[1]
        body = "\u0409" if index == 0 else TEXTS[index]
        text = bytes([2 + 2 * len(body), 3]) + body.encode("utf-16-le")
        data[: len(text)] = array.array("B", text)
        return len(text)

    def bulk_write(self, handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        assert (ep, intf) == (OUT, 0)
        self._check()
        self.engine.receive(data.tobytes(), self.answers.extend)
        return len(data)

    def bulk_read(self, handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        assert ep == IN
        assert timeout > 0
        self._check()
        if not self.answers:
            raise usb.core.USBTimeoutError("nothing", errno=errno.ETIMEDOUT)
        part = bytes(self.answers[: len(data)])
        del self.answers[: len(part)]
        data[: len(part)] = array.array("B", part)
        return len(part)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda *_, **__: bus)
    return bus


def refused(address: str) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        escpos.open(parse(address))
    return caught.value


@pytest.mark.parametrize("address", ["escpos:usb", "escpos:usb:04b8:0e28", "escpos:usb:04B8:0E28"])
def test_prints_and_gives_the_printer_back(bus: Bus, address: str) -> None:
    device = escpos.open(parse(address))
    assert bus.claimed == 1
    device.print_page(Page((Text("on the bus"), Text("x" * 200))))
    assert bus.engine.pages[0].lines[0] == "on the bus"
    info = device.info()
    assert info.name == "EPSON TM-T20III"
    assert info.serial_number == "SIM00001"
    bus.engine.remove_paper()
    assert device.status().paper_out
    device.close()
    device.close()
    assert bus.claimed == 0


def test_finds_printers_and_nothing_else(bus: Bus) -> None:
    assert [str(address) for address in escpos.discover()] == ["escpos:usb:04b8:0e28"]
    bus.devices = ["mouse"]
    assert escpos.discover() == ()


def test_a_printer_that_only_listens_prints_blindly(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
    bus.two_way = False
    device = escpos.open(parse("escpos:usb"))
    device.print_page(Page((Text("blind"),)))
    assert bus.engine.pages[0].text == "blind"
    assert device.status().paper_out is None
    device.close()


def test_the_kernels_driver_is_left_where_it_is(bus: Bus) -> None:
    bus.kernel_has_it = True
    error = refused("escpos:usb")
    assert error.reason is Reason.BUSY
    assert "escpos:/dev/usb/lp0" in error.hint
    assert "modprobe -r usblp" in error.hint
    assert not bus.detached


@pytest.mark.parametrize(
    ("number", "reason", "said"),
    [
        (errno.EACCES, Reason.NO_PERMISSION, "make install-udev"),
        (errno.EBUSY, Reason.BUSY, "close the program"),
        (errno.ENODEV, Reason.NOT_FOUND, "lsusb"),
    ],
)
def test_it_can_not_be_had(bus: Bus, number: int, reason: Reason, said: str) -> None:
    bus.fault = number
    error = refused("escpos:usb")
    assert error.reason is reason
    assert said in error.hint


def test_there_is_another_one(bus: Bus) -> None:
    error = refused("escpos:usb:0519:0003")
    assert error.reason is Reason.NOT_FOUND
    assert error.hint == "printers here are escpos:usb:04b8:0e28"


def test_there_is_none(bus: Bus) -> None:
    bus.devices = ["mouse"]
    assert refused("escpos:usb").reason is Reason.NOT_FOUND


def test_it_is_unplugged(bus: Bus) -> None:
    device = escpos.open(parse("escpos:usb"))
    bus.fault = errno.ENODEV
    with pytest.raises(DeviceUnavailableError) as caught:
        device.info()
    assert caught.value.reason is Reason.NOT_FOUND
    device.close()


def test_without_libusb_none_is_found_and_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libusb1", "libusb0", "openusb"):
        monkeypatch.setattr(f"usb.backend.{name}.get_backend", lambda *_, **__: None)
    assert escpos.discover() == ()
    error = refused("escpos:usb")
    assert error.reason is Reason.DRIVER_MISSING
    assert error.hint == "sudo apt-get install libusb-1.0-0"
