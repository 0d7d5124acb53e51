"""nfcpy's other readers: which address opens what, and what its start-up's faults become."""

import contextlib
import errno
import os
import pty
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import nfc.clf.transport  # type: ignore[import-untyped]
import pytest
import usb1  # type: ignore[import-untyped]

from drivers import abilities, registry
from drivers.address import parse
from drivers.errors import CardLostError, DeviceUnavailableError, Reason, SeveralCardsError, TransmissionError
from drivers.readers import nfcpy_frontend
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.nfcpy_udp import NfcpyUdp
from simulators.readers.pn53x_chip import Pn53xChip
from simulators.readers.pn533_usb import PN533_IDS, UsbWire, attached, pn533
from simulators.readers.radio import TypeBCard
from simulators.readers.rcs380 import USB_IDS, rcs380

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
RCS380 = "nfcpy:usb:054c:06c3"
PN533 = "nfcpy:usb:04e6:5591"


@pytest.fixture
def sony(field: Field) -> Iterator[list[UsbWire]]:
    with attached(nfc.clf.transport, USB_IDS, lambda: rcs380(field)) as opened:
        yield opened


@pytest.fixture
def scl3711(field: Field) -> Iterator[list[UsbWire]]:
    with attached(nfc.clf.transport, PN533_IDS, lambda: pn533(field)) as opened:
        yield opened


@contextlib.contextmanager
def opened(text: str) -> Iterator[Any]:
    with contextlib.closing(registry.open_reader(parse(text))) as reader:
        yield reader


def refused(text: str) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        nfcpy_frontend.open(parse(text))
    return caught.value


def read(reader: Any) -> bytes:
    card = reader.wait_for_card(Event(), timeout_s=5)
    assert card
    answer: bytes = card.transceive(SELECT_PPSE, timeout_s=5)
    card.release()
    return answer


class TestPaths:
    @pytest.mark.parametrize("path", ["usb", "usb:054c", "usb:054C:06C3", "usb:001", "usb:001:007"])
    def test_every_form_for_usb_finds_the_reader(self, sony: list[UsbWire], path: str) -> None:
        with opened(f"nfcpy:{path}") as reader:
            assert reader.info().name == "SONY RC-S380/P at usb:001:007"

    @pytest.mark.parametrize(
        "path",
        ["", "usb:", "usb:zzzz", "usb:054c:06c3:1", "tty", "tty:a b:pn532", "tty:USB0:rcs380", "udp:h:x"],
    )
    def test_any_other_is_told_the_syntax(self, path: str) -> None:
        error = refused(f"nfcpy:{path}")
        assert error.reason is Reason.WRONG_ADDRESS
        assert "nfcpy:usb:054c:06c3" in error.hint

    def test_what_is_attached_is_named_where_another_is_asked_for(self, sony: list[UsbWire]) -> None:
        hint = refused("nfcpy:usb:04e6:5591").hint
        assert hint == f"attach the reader, then: lsusb -d 04e6:5591; or write what is attached now: {RCS380}"

    def test_lists_what_is_attached(self, sony: list[UsbWire]) -> None:
        assert nfcpy_frontend.discover() == (parse(RCS380),)

    def test_lists_two_of_a_kind_by_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Bus:
            @staticmethod
            def find(path: str) -> list[tuple[int, int, int, int]]:
                return [(*USB_IDS, 1, 7), (*USB_IDS, 2, 12), (0x1234, 0x5678, 1, 2)]

        monkeypatch.setattr(nfc.clf.transport, "USB", Bus)
        assert [str(a) for a in nfcpy_frontend.discover()] == ["nfcpy:usb:001:007", "nfcpy:usb:002:012"]

    @pytest.mark.parametrize("error", [OSError("no libusb"), AttributeError("x"), usb1.USBErrorAccess()])
    def test_lists_nothing_where_libusb_can_not_be_used(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        class Bus:
            @staticmethod
            def find(path: str) -> None:
                raise error

        monkeypatch.setattr(nfc.clf.transport, "USB", Bus)
        assert nfcpy_frontend.discover() == ()
        assert refused("nfcpy:usb").reason is Reason.DRIVER_MISSING


class TestStartUp:
    """What the start of a USB reader can tell, at the place where nfcpy opens it."""

    @staticmethod
    def failing(error: Callable[[], Exception]) -> Callable[[], UsbWire]:
        def plug_in() -> UsbWire:
            raise error()

        return plug_in

    def reason(self, error: Exception) -> DeviceUnavailableError:
        with attached(nfc.clf.transport, PN533_IDS, self.failing(lambda: error)):
            return refused(PN533)

    def test_no_permission(self) -> None:
        error = self.reason(OSError(errno.EACCES, ""))
        assert error.reason is Reason.NO_PERMISSION
        assert "make install-udev" in error.hint

    @pytest.mark.parametrize("error", [OSError(errno.ENODEV, ""), usb1.USBErrorNoDevice()])
    def test_pulled_out_meanwhile(self, error: Exception) -> None:
        assert self.reason(error).reason is Reason.NOT_FOUND

    def test_silent(self) -> None:
        assert self.reason(OSError(errno.ETIMEDOUT, "")).reason is Reason.STUCK

    @pytest.mark.parametrize("module", ["pn533_usb", "usbfs", "", "cdc_acm"])
    def test_busy_names_who_holds_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
    ) -> None:
        devices = tmp_path / "devices"
        for name, number in (("1-1", "6"), ("1-2", "7")):
            (devices / name).mkdir(parents=True)
            (devices / name / "busnum").write_text("1\n")
            (devices / name / "devnum").write_text(f"{number}\n")
            (devices / f"{name}:1.0").mkdir()
        if module:
            (tmp_path / module).mkdir()
            (devices / "1-2:1.0" / "driver").symlink_to(tmp_path / module)
        monkeypatch.setattr(nfcpy_frontend, "_SYSFS", devices)
        error = self.reason(OSError(errno.EBUSY, ""))
        assert error.reason is Reason.BUSY
        if module in ("pn533_usb", "cdc_acm"):
            assert f"sudo modprobe -r {module}" in error.hint
        else:
            assert "/dev/bus/usb/001/007" in error.hint
        assert ("make install-udev" in error.hint) == (module == "pn533_usb")

    @pytest.mark.parametrize(
        "answer", [b"", b"\x00", bytes(6), b"\x00\x00\xff\x00\xff\x00" * 2, b"\xff" * 40]
    )
    @pytest.mark.parametrize("ids", [PN533_IDS, USB_IDS])
    def test_a_device_that_answers_nonsense_is_stuck(self, ids: tuple[int, int], answer: bytes) -> None:
        class Nonsense:
            def hear(self, data: bytes) -> Iterator[bytes]:
                return iter([answer] * 3)

        with attached(nfc.clf.transport, ids, lambda: UsbWire(Nonsense(), "", "")):
            error = refused("nfcpy:usb")
        assert error.reason is Reason.STUCK


class TestRcs380:
    def test_says_who_it_is(self, sony: list[UsbWire]) -> None:
        with opened(RCS380) as reader:
            info = reader.info()
        assert (info.model, info.firmware) == ("RC-S380", "1.11")

    def test_two_cards_of_type_a_are_told_and_can_not_be_listed(
        self, sony: list[UsbWire], field: Field
    ) -> None:
        field.place(profile.load("visa-approve"))
        field.add(profile.load("visa-approve"))
        with opened(RCS380) as reader:
            with pytest.raises(SeveralCardsError):
                reader.wait_for_card(Event(), timeout_s=1)
            with pytest.raises(SeveralCardsError):
                reader.cards_in_field()
            assert not reader.wait_for_removal(Event(), timeout_s=0)

    def test_has_no_test_of_itself(self, sony: list[UsbWire]) -> None:
        with opened(RCS380) as reader:
            assert not isinstance(reader, abilities.TestsItself)

    def test_pulled_out_in_an_exchange(self, sony: list[UsbWire], field: Field) -> None:
        field.place(profile.load("visa-approve"))
        with opened(RCS380) as reader:
            card = reader.wait_for_card(Event(), timeout_s=5)
            sony[-1].unplug()
            for use in (lambda: card.transceive(SELECT_PPSE, timeout_s=1), reader.info):
                with pytest.raises(DeviceUnavailableError) as caught:
                    use()
                assert caught.value.reason is Reason.NOT_FOUND
            card.release()


class TestPn533:
    def test_is_read_as_a_pn532_is(self, scl3711: list[UsbWire], field: Field) -> None:
        with opened(PN533) as reader:
            assert (reader.info().model, reader.info().firmware) == ("PN533", "2.7")
            assert [result.passed for result in reader.self_test()] == [True, True, True]
            field.place(profile.load("visa-approve"))
            assert read(reader)[-2:] == b"\x90\x00"
            field.place(TypeBCard(profile.load("visa-approve")))
            assert read(reader)[-2:] == b"\x90\x00"
            field.add(profile.load("visa-approve"))
            with pytest.raises(SeveralCardsError):
                reader.wait_for_card(Event(), timeout_s=1)
            assert len(reader.cards_in_field()) == 2


class TestUdp:
    def test_reads_a_card_of_another_process_and_loses_it(self, field: Field) -> None:
        with NfcpyUdp(field) as link, opened(str(link.address)) as reader:
            field.place(profile.load("visa-approve"))
            card = reader.wait_for_card(Event(), timeout_s=5)
            assert card.transceive(SELECT_PPSE, timeout_s=5)[-2:] == b"\x90\x00"
            field.take_away()
            with pytest.raises(CardLostError):
                card.transceive(SELECT_PPSE, timeout_s=5)

    def test_has_no_field_to_switch(self, field: Field) -> None:
        with NfcpyUdp(field) as link, opened(str(link.address)) as reader:
            assert not isinstance(reader, abilities.HasField)

    def test_a_host_without_an_address_is_not_found(self) -> None:
        assert refused("nfcpy:udp:-:1").reason is Reason.NOT_FOUND


class Arygon:
    """An Arygon reader with a PN532: its own controller's commands in text, then frames after a 2.

    Source: nfcpy's `arygon` driver.
    """

    ANSWERS: ClassVar = {b"0av": b"FF00000600V3.2\r\n", b"0at05": b"FF0000\r\n", b"0ah05": b"FF0000\r\n"}

    def __init__(self, field: Field) -> None:
        self._chip = Pn53xChip(field)
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not (data := os.read(self._master, 4096)).endswith(b"end"):
            answer = self.ANSWERS.get(data)
            for frame in [answer] if answer else self._chip.hear(data.removeprefix(b"2")):
                os.write(self._master, frame)

    def stop(self) -> None:
        os.write(self._slave, b"end")
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


class TestTty:
    def test_a_port_that_is_not_there(self) -> None:
        error = refused("nfcpy:tty:USB250:arygon")
        assert error.reason is Reason.NOT_FOUND
        assert "ls /dev/ttyUSB*" in error.hint

    def test_an_arygon_is_read(self, field: Field) -> None:
        device = Arygon(field)
        field.place(profile.load("visa-approve"))
        name = device.path.removeprefix("/dev/")
        for driver in (":arygon", ""):
            with opened(f"nfcpy:tty:{name}{driver}") as reader:
                assert reader.info().name == f"Arygon ADRB at {device.path}"
                assert read(reader)[-2:] == b"\x90\x00"
                assert refused(f"nfcpy:tty:{name}:arygon").reason is Reason.BUSY
        device.stop()


def test_a_broken_frame_in_an_exchange_is_told(scl3711: list[UsbWire], field: Field) -> None:
    field.place(profile.load("visa-approve"))
    with opened(PN533) as reader:
        card = reader.wait_for_card(Event(), timeout_s=5)
        scl3711[-1].read = lambda timeout=0: bytearray(b"\x00\x00\xff\x05\x00")  # type: ignore[method-assign]
        with pytest.raises(TransmissionError):
            card.transceive(SELECT_PPSE, timeout_s=1)
