"""The driver on real sockets and serial lines: what it finds out, and what it says when it can't."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Page, QrCode, Text
from drivers.printers import escpos, wire
from simulators.printer import NetworkPrinter, SerialPrinter
from simulators.printer_engine import PrinterEngine

PAGE = Page((Text("a page"), Text("of two lines")))
LONG = Page(tuple(Text(f"line {number} {'x' * 60}") for number in range(60)))


@pytest.fixture
def printer() -> Iterator[NetworkPrinter]:
    with NetworkPrinter() as network:
        yield network


@contextlib.contextmanager
def opened(address: str) -> Iterator[escpos.EscPosPrinter]:
    with contextlib.closing(escpos.open(parse(address))) as device:
        yield device


def refused(address: str) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        escpos.open(parse(address)).close()
    assert caught.value.address == parse(address)
    return caught.value


class TestAddresses:
    @pytest.mark.parametrize(
        ("target", "place"),
        [
            ("192.0.2.7", ("192.0.2.7", 9100)),
            ("192.0.2.7:9101", ("192.0.2.7", 9101)),
            ("Printer.local", ("Printer.local", 9100)),
            ("printer.local:515", ("printer.local", 515)),
            ("[2001:db8::7]", ("2001:db8::7", 9100)),
            ("[2001:db8::7]:9101", ("2001:db8::7", 9101)),
        ],
    )
    def test_a_host_with_or_without_a_port(self, target: str, place: tuple[str, int]) -> None:
        assert escpos.host_and_port(DeviceAddress("escpos", target), target) == place

    @pytest.mark.parametrize(
        "target",
        ["", ":9100", "a:b", "a:0", "a:99999", "a:", "user@host", "host/path", "2001:db8::7", "[::1"],
    )
    def test_what_is_no_host_is_told_how_to_write_one(self, target: str) -> None:
        error = refused(f"escpos:{target}")
        assert error.reason is Reason.WRONG_ADDRESS
        assert "escpos:192.0.2.7" in error.hint

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ("colums=32", "columns=42"),
            ("columns=8", "16 to 80"),
            ("columns=wide", "write it as 42"),
            ("codepage=latin1", "cp858"),
            ("chinese=maybe", "yes, no"),
            ("cut=full", "yes, no"),
            ("qr=big", "printer, picture"),
            ("drawer=open", "high, low"),
        ],
    )
    def test_an_option_that_can_not_be_is_told_what_can(self, options: str, said: str) -> None:
        error = refused(f"escpos:127.0.0.1#{options}")
        assert error.reason is Reason.WRONG_ADDRESS
        assert said in error.hint

    def test_a_baud_rate_that_can_not_be(self) -> None:
        with SerialPrinter() as serial:
            assert "1200 to" in refused(f"{serial.address}#baud=5").hint

    def test_an_unusual_baud_rate_is_noted(self) -> None:
        with SerialPrinter() as serial, opened(f"{serial.address}#baud=12345") as device:
            assert device.info().details["baud rate"] == "12345 is no usual rate"

    def test_options_change_what_is_sent(self, printer: NetworkPrinter) -> None:
        with opened(f"{printer.address}#columns=32,codepage=cp850,chinese=no,cut=no,qr=picture") as device:
            device.print_page(Page((Text("x" * 40), Text("€茶é"), QrCode("T1"))))
        (page,) = printer.engine.pages
        assert page.lines[:3] == ("x" * 32, "x" * 8, "??é")
        assert page.codes == ()
        assert not page.cut


class TestWhatThePrinterTells:
    def test_its_name_and_firmware(self, printer: NetworkPrinter) -> None:
        with opened(printer.address) as device:
            info = device.info()
        assert (info.model, info.firmware, info.serial_number) == (
            "Simulated receipt printer",
            "1.0 sim",
            "SIM00001",
        )
        assert info.name == "Tillside Simulated receipt printer"
        assert info.details["line"] == f"127.0.0.1:{printer.port}"
        assert info.details["drawer pin 3"] == "low"

    def test_the_drawer_is_unknown_until_somebody_has_said_what_the_pin_means(
        self, printer: NetworkPrinter
    ) -> None:
        for option, closed in (("", None), ("#drawer=high", False), ("#drawer=low", True)):
            with opened(f"{printer.address}{option}") as device:
                assert device.status().drawer_open is closed

    def test_one_that_never_answers_prints_blindly_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
        with NetworkPrinter(PrinterEngine(answers=False)) as network, opened(network.address) as device:
            status = device.status()
            assert status.online
            assert [status.cover_open, status.paper_low, status.paper_out, status.drawer_open] == [None] * 4
            assert "blindly" in device.info().details["status"]
            device.print_page(PAGE)
            assert network.engine.wait_for_pages(1)[0].lines == ("a page", "of two lines")

    def test_one_that_does_not_tell_the_end_of_a_page_prints_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
        engine = PrinterEngine(answers_in_order=False)
        with NetworkPrinter(engine) as network, opened(network.address) as device:
            assert device.info().details["end of page"] == "not told"
            assert device.info().name == f"receipt printer at 127.0.0.1:{network.port}"
            device.print_page(PAGE)
            engine.wait_for_pages(1)
            engine.remove_paper()
            with pytest.raises(DeviceUnavailableError) as caught:
                device.print_page(PAGE)
            assert caught.value.reason is Reason.OUT_OF_PAPER

    def test_one_that_falls_silent_is_stuck(
        self, printer: NetworkPrinter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
        with opened(printer.address) as device:
            monkeypatch.setattr(printer.engine, "_answers", False)
            with pytest.raises(DeviceUnavailableError) as caught:
                device.info()
        assert caught.value.reason is Reason.STUCK

    def test_what_it_says_unasked_is_no_answer(self, printer: NetworkPrinter) -> None:
        with opened(printer.address) as device:
            # Automatic status, as another program may have left it on: four bytes, the first 0x10.
            printer.engine._answer(b"\x10\x00\x00\x0f")
            assert device.status().paper_out is False


class TestWhatGoesWrong:
    def test_nobody_listens(self) -> None:
        with NetworkPrinter() as network:
            address = network.address
        error = refused(address)
        assert error.reason is Reason.REFUSED
        assert error.hint.startswith(
            "switch it on; if it is on, another program has it or the port is wrong (9100"
        )
        assert error.hint.endswith(f"nc -vz 127.0.0.1 {network.port}")

    def test_nobody_knows_the_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "create_connection", unknown)
        error = refused("escpos:printer.invalid")
        assert error.reason is Reason.NOT_FOUND
        assert error.hint.endswith("getent hosts printer.invalid")

    @pytest.mark.parametrize(
        ("number", "reason", "said"),
        [
            ("ENETUNREACH", Reason.NOT_FOUND, "ip route get 192.0.2.7"),
            ("EHOSTUNREACH", Reason.NOT_FOUND, "ip route get 192.0.2.7"),
            ("ETIMEDOUT", Reason.NOT_FOUND, "ping 192.0.2.7"),
            ("EPERM", Reason.NO_PERMISSION, "firewall"),
        ],
    )
    def test_there_is_no_way(
        self, number: str, reason: Reason, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(getattr(errno, number), number)

        monkeypatch.setattr(socket, "create_connection", fail)
        error = refused("escpos:192.0.2.7")
        assert error.reason is reason
        assert said in error.hint

    def test_another_program_is_connected(self, printer: NetworkPrinter) -> None:
        with opened(printer.address) as device:
            error = refused(printer.address)
            assert error.reason is Reason.BUSY
            assert "another program" in error.hint
            device.print_page(PAGE)
        with opened(printer.address) as device:
            device.print_page(PAGE)

    def test_it_is_switched_off(self, printer: NetworkPrinter) -> None:
        with opened(printer.address) as device:
            printer.stop()
            with pytest.raises(DeviceUnavailableError) as caught:
                device.info()
        assert caught.value.reason is Reason.NOT_FOUND
        assert "ping" in caught.value.hint

    def test_it_is_switched_off_in_the_middle_of_a_page(self, printer: NetworkPrinter) -> None:
        with opened(printer.address) as device:
            check, calls = device._check, []

            def check_then_stop() -> None:
                check()
                calls.append(1)
                if len(calls) == 2:
                    printer.stop()

            device._check = check_then_stop  # type: ignore[method-assign]
            with pytest.raises(DeviceUnavailableError) as caught:
                device.print_page(LONG)
        assert caught.value.started

    @pytest.mark.parametrize("happens", ["remove_paper", "open_cover"])
    def test_it_stops_after_the_last_byte_was_sent(self, printer: NetworkPrinter, happens: str) -> None:
        with opened(printer.address) as device:
            check, calls = device._check, []

            def check_then_stop() -> None:
                check()
                calls.append(1)
                if len(calls) == 2:
                    getattr(printer.engine, happens)()

            device._check = check_then_stop  # type: ignore[method-assign]
            with pytest.raises(DeviceUnavailableError) as caught:
                device.print_page(PAGE)
        assert caught.value.reason in (Reason.OUT_OF_PAPER, Reason.COVER_OPEN)
        assert caught.value.started

    def test_one_that_can_not_be_opened_is_left_to_others(
        self, printer: NetworkPrinter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: escpos.EscPosPrinter) -> None:
            raise DeviceUnavailableError(self.address, Reason.STUCK, "as told")

        with monkeypatch.context() as patch:
            patch.setattr(escpos.EscPosPrinter, "greet", fail)
            error = refused(printer.address)
        with opened(printer.address) as device:
            device.print_page(PAGE)
        assert error.reason is Reason.STUCK

    def test_it_takes_nothing_any_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A printer whose buffer is full: a socket that nobody reads.
        monkeypatch.setattr(wire, "STALL_S", 0.0)
        monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            with opened(f"escpos:127.0.0.1:{listener.getsockname()[1]}") as device:
                with pytest.raises(DeviceUnavailableError):
                    device._line.write(bytes(1 << 25))
                with pytest.raises(DeviceUnavailableError) as caught:
                    device.print_page(LONG)
        assert caught.value.reason is Reason.STUCK
        assert caught.value.started

    def test_a_serial_port_that_is_not_there(self) -> None:
        error = refused("escpos:/dev/ttyUSB-none")
        assert error.reason is Reason.NOT_FOUND
        assert "ls /dev/usb/lp*" in error.hint

    def test_a_path_that_is_no_port(self, tmp_path: os.PathLike[str]) -> None:
        file = os.path.join(tmp_path, "notes.txt")
        with open(file, "w") as notes:
            notes.write("keep me")
        error = refused(f"escpos:{file}")
        assert error.reason is Reason.WRONG_DEVICE
        assert error.hint.endswith(f"ls -l {file}")
        with open(file) as notes:
            assert notes.read() == "keep me"

    def test_a_serial_port_in_use(self) -> None:
        with SerialPrinter() as serial, opened(serial.address):
            error = refused(serial.address)
        assert error.reason is Reason.BUSY
        # The holder is this test, and the simulated printer's own end.
        assert error.hint == f"this program itself has {serial.path} open: name it once in the configuration"

    @pytest.mark.parametrize(("name", "group"), [("/dev/usb/lp0", "lp"), ("/dev/ttyUSB0", "dialout")])
    def test_a_port_that_is_not_ours(self, name: str, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbid(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "stat", forbid)
        error = refused(f"escpos:{name}")
        assert error.reason is Reason.NO_PERMISSION
        assert error.hint == f"sudo usermod -aG {group} $USER, then log in again"

    def test_a_serial_printer_is_unplugged(self) -> None:
        with SerialPrinter() as serial, opened(serial.address) as device:
            serial.stop()
            with pytest.raises(DeviceUnavailableError) as caught:
                device.info()
        assert caught.value.reason is Reason.NOT_FOUND


def test_a_line_that_is_closed_as_it_is_written_to_writes_into_no_other_file(
    printer: NetworkPrinter, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next file that is opened gets the number of the descriptor that was closed."""
    line = wire.network(DeviceAddress("escpos", ""), "127.0.0.1", printer.port)
    file = os.path.join(tmp_path, "queue.sqlite")
    others: list[int] = []

    def closed_meanwhile(*_: object) -> tuple[list[int], list[int], list[int]]:
        line.close()
        others.append(os.open(file, os.O_RDWR | os.O_CREAT))
        return [1], [1], []

    monkeypatch.setattr(wire, "select", SimpleNamespace(select=closed_meanwhile))
    line.write(b"a receipt")
    assert os.fstat(others[0]).st_size == 0
    os.close(others[0])
    with pytest.raises(DeviceUnavailableError):
        line.write(b"another")


def test_the_kernels_printer_file_is_written_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing can stand in for /dev/usb/lp0 but a character device that takes all and says nothing.
    monkeypatch.setattr(escpos, "ANSWER_S", 0.05)
    with opened("escpos:/dev/null") as device:
        device.print_page(PAGE)
        assert device.info().name == "receipt printer at /dev/null"
        assert device.status().paper_out is None
