"""The simulated printers against an independent client: the library's own connections, and bare sockets."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest
import zxingcpp
from escpos.printer import Network, Serial  # type: ignore[import-untyped]
from PIL import Image

from drivers.address import parse
from drivers.page import Page, QrCode, Text
from drivers.registry import open_printer
from simulators import in_process_printer
from simulators.printer import NetworkPrinter, SerialPrinter
from simulators.printer_page import Raster
from simulators.printer_paper import draw, missing_fonts, png


@pytest.fixture
def printer() -> Iterator[NetworkPrinter]:
    with NetworkPrinter() as network:
        yield network


def print_with_library(client: Network | Serial) -> None:
    client.set(align="center", bold=True)
    client.textln("Café €5")
    client.set(align="left", bold=False)
    client.qr("T1-7", native=True, size=5)
    client.cut()
    client.cashdraw(2)


def test_the_librarys_network_printer_prints(printer: NetworkPrinter) -> None:
    client = Network("127.0.0.1", printer.port, timeout=5)
    assert client.is_online()
    assert client.paper_status() == 2
    print_with_library(client)
    (page,) = printer.engine.wait_for_pages(1)
    assert page.text == "Café €5"
    assert page.codes == ("T1-7",)
    printer.engine.set_paper_low()
    assert client.paper_status() == 1
    assert printer.engine.drawer_open
    printer.engine.remove_paper()
    assert not client.is_online()
    assert client.paper_status() == 0
    assert printer.engine.remarks == ()
    client.close()


def test_the_librarys_serial_printer_prints() -> None:
    with SerialPrinter() as printer:
        client = Serial(printer.path, baudrate=19200, timeout=5)
        print_with_library(client)
        (page,) = printer.engine.wait_for_pages(1)
        client.close()
    assert page.text == "Café €5"
    assert page.codes == ("T1-7",)


def test_the_librarys_picture_is_drawn(printer: NetworkPrinter) -> None:
    client = Network("127.0.0.1", printer.port, timeout=5, profile="TM-T88III")
    client.image(Image.linear_gradient("L").resize((64, 64)))
    client.cut()
    (page,) = printer.engine.wait_for_pages(1)
    client.close()
    assert [(item.width, item.height) for item in page.items if isinstance(item, Raster)] == [(64, 64)]


def test_one_program_is_served_and_the_next_one_after_it(printer: NetworkPrinter) -> None:
    with socket.create_connection(("127.0.0.1", printer.port), 5) as first:
        first.sendall(b"\x10\x04\x01")
        assert first.recv(1) == b"\x12"
        with socket.create_connection(("127.0.0.1", printer.port), 5) as second:
            assert second.recv(1) == b""
    with socket.create_connection(("127.0.0.1", printer.port), 5) as third:
        third.sendall(b"\x10\x04\x01")
        assert third.recv(1) == b"\x12"


def test_it_comes_back_at_the_same_address(printer: NetworkPrinter) -> None:
    address = printer.address
    printer.stop()
    printer.stop()
    printer.start()
    assert printer.address == address
    with socket.create_connection(("127.0.0.1", printer.port), 5) as client:
        client.sendall(b"\x10\x04\x01")
        assert client.recv(1) == b"\x12"


def test_the_printer_in_process_is_one_for_all() -> None:
    device = open_printer(parse("sim:shared-in-test#columns=32"))
    device.print_page(Page((Text("茶"),)))
    device.close()
    assert in_process_printer.printer("shared-in-test").pages[-1].text == "茶"
    assert in_process_printer.printer("shared-in-test").columns == 32
    assert [str(address) for address in in_process_printer.discover()] == ["sim:"]


class TestDrawing:
    @pytest.mark.parametrize("columns", [32, 42, 48])
    def test_nothing_touches_the_edge_of_the_paper(self, columns: int) -> None:
        name = f"edge-{columns}"
        device = open_printer(parse(f"sim:{name}#columns={columns}"))
        device.print_page(Page((Text("W" * columns), Text("茶" * (columns // 2), large=True))))
        (page,) = in_process_printer.printer(name).pages
        picture = np.asarray(draw(page).convert("L"))
        paper = picture[70:-70, 40:-40]
        assert paper.shape[1] > columns * 24
        # The margins are white, and there is ink between them.
        assert paper[:, :40].min() > 240
        assert paper[:, -40:].min() > 240
        assert paper.min() < 60

    def test_a_code_on_it_can_be_read(self) -> None:
        device = open_printer(parse("sim:code-in-test"))
        device.print_page(Page((Text("above"), QrCode("T1-00000042"), Text("below"))))
        (page,) = in_process_printer.printer("code-in-test").pages
        data = png(page)
        assert data.startswith(b"\x89PNG")
        (code,) = zxingcpp.read_barcodes(np.asarray(draw(page).convert("L")))
        assert code.text == "T1-00000042"

    def test_an_empty_page_can_be_drawn(self) -> None:
        device = open_printer(parse("sim:empty-in-test"))
        device.print_page(Page(()))
        assert draw(in_process_printer.printer("empty-in-test").pages[0]).height > 0

    def test_fonts_that_are_missing_are_named_and_it_draws_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: object
    ) -> None:
        from simulators import printer_paper

        monkeypatch.setattr(printer_paper, "_FONTS", tmp_path)
        printer_paper._font.cache_clear()
        printer_paper._tile.cache_clear()
        assert "sudo apt-get install fonts-wqy-zenhei" in missing_fonts()
        device = open_printer(parse("sim:fonts-in-test"))
        device.print_page(Page((Text("a茶"),)))
        assert draw(in_process_printer.printer("fonts-in-test").pages[0]).height > 0
        printer_paper._font.cache_clear()
        printer_paper._tile.cache_clear()
