"""What every printer must do, whatever wire it is on."""

from collections.abc import Iterator

import pytest

from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Align, Page, Pair, QrCode, Rule, Text
from drivers.protocols import Printer
from tests.conformance.printer_bench import SIMULATED, PrinterBench, bench_at

PAGE = Page(
    (
        Text("Tillside 收款", Align.CENTRE, bold=True, large=True),
        Rule(),
        Pair("TOTAL", "€12.50", large=True),
        Pair("Café", "¥3"),
        QrCode("T1-00000001"),
        Text("the last line", Align.RIGHT),
    )
)
LONG = Page(tuple(Text(f"line {number}") for number in range(60)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames:
        addresses = metafunc.config.getoption("--printer") or SIMULATED
        metafunc.parametrize("bench", addresses, indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[PrinterBench]:
    with bench_at(request.param) as at:
        yield at


@pytest.fixture
def printer(bench: PrinterBench) -> Iterator[Printer]:
    with bench.open() as device:
        yield device


def failure(printer: Printer, page: Page = PAGE) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        printer.print_page(page)
    assert caught.value.hint
    return caught.value


def test_says_who_it_is(printer: Printer, bench: PrinterBench) -> None:
    assert printer.info().name
    assert printer.address == bench.address


def test_prints_a_page(printer: Printer, bench: PrinterBench) -> None:
    printer.print_page(PAGE)
    pages = bench.pages()
    if pages is not None:
        (page,) = pages
        assert page.cut
        assert page.lines[0] == "Tillside 收款"
        assert page.lines[2].split() == ["TOTAL", "€12.50"]
        assert page.lines[3].split() == ["Café", "¥3"]
        assert page.codes == ("T1-00000001",)
        assert page.lines[-1] == "the last line"
        assert bench.engine.remarks == ()


def test_prints_page_after_page(printer: Printer, bench: PrinterBench) -> None:
    for text in ("first", "second"):
        printer.print_page(Page((Text(text),)))
    pages = bench.pages()
    if pages is not None:
        assert [page.text for page in pages] == ["first", "second"]


def test_an_empty_page_is_one(printer: Printer) -> None:
    printer.print_page(Page(()))


def test_nothing_in_a_text_is_a_command(printer: Printer, bench: PrinterBench) -> None:
    printer.print_page(Page((Text("a\x1bp\x00\x19\xfab\x10\x14\x01\x00\x01\x1dV\x00"), Text("after"))))
    pages = bench.pages()
    if pages is not None:
        assert [page.lines[-1] for page in pages] == ["after"]
        assert bench.engine.drawer_pulses == 0


def test_tells_that_all_is_well(printer: Printer) -> None:
    status = printer.status()
    assert status.online
    assert not status.cover_open
    assert not status.paper_out


def test_opens_the_drawer(printer: Printer, bench: PrinterBench) -> None:
    printer.open_drawer()
    printer.info()
    if bench.pages() is not None:
        assert bench.engine.drawer_pulses == 1
        assert printer.status().drawer_open
        bench.engine.close_drawer()
        assert printer.status().drawer_open is False


def test_tells_that_paper_runs_low_and_prints(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.set_paper_low()
    assert printer.status().paper_low
    printer.print_page(PAGE)


def test_prints_nothing_without_paper(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.remove_paper()
    error = failure(printer)
    assert error.reason is Reason.OUT_OF_PAPER
    assert not error.started
    assert printer.status().paper_out
    bench.engine.load_paper()
    assert bench.engine.pages == ()
    printer.print_page(PAGE)


def test_prints_nothing_under_an_open_cover(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.open_cover()
    error = failure(printer)
    assert error.reason is Reason.COVER_OPEN
    assert not error.started
    assert printer.status().cover_open
    bench.engine.close_cover()
    assert bench.engine.pages == ()


def test_prints_nothing_while_it_is_offline(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.set_offline()
    error = failure(printer)
    assert error.reason is Reason.STUCK
    assert not error.started
    assert not printer.status().online


def test_tells_that_the_paper_ended_in_the_middle(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.load_paper(7)
    error = failure(printer, LONG)
    assert error.reason is Reason.OUT_OF_PAPER
    assert error.started
    assert bench.engine.pages[-1].lines == tuple(f"line {number}" for number in range(7))


def test_tells_that_the_paper_ended_at_the_last_line(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.load_paper(1)
    error = failure(printer, Page((Text("one"), Text("two"))))
    assert error.reason is Reason.OUT_OF_PAPER
    assert error.started


def test_goes_on_when_there_is_paper_again(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.load_paper(7)
    failure(printer, LONG)
    bench.engine.load_paper()
    assert len(bench.engine.wait_for_pages(1)[0].lines) == 60
    printer.print_page(Page((Text("after"),)))
    assert bench.engine.pages[-1].text == "after"


def test_opens_no_drawer_while_it_could_only_do_so_later(printer: Printer, bench: PrinterBench) -> None:
    bench.engine.remove_paper()
    with pytest.raises(DeviceUnavailableError):
        printer.open_drawer()
    bench.engine.load_paper()
    printer.info()
    assert bench.engine.drawer_pulses == 0


def test_can_be_opened_while_it_is_out_of_paper(bench: PrinterBench) -> None:
    bench.engine.remove_paper()
    with bench.open() as printer:
        # It can't print, so it is not ready: that is what a technician and a cashier are told.
        with pytest.raises(DeviceUnavailableError) as refused:
            printer.info()
        assert refused.value.reason is Reason.OUT_OF_PAPER
        assert printer.status().paper_out
        bench.engine.load_paper()
        assert printer.info().name
        printer.print_page(PAGE)
    assert len(bench.engine.pages) == 1


def test_closes_twice_and_is_gone_then(bench: PrinterBench) -> None:
    with bench.open() as printer:
        printer.close()
        printer.close()
        with pytest.raises(DeviceUnavailableError):
            printer.info()


def test_is_there_for_the_next(bench: PrinterBench) -> None:
    for text in ("first", "second"):
        with bench.open() as printer:
            printer.print_page(Page((Text(text),)))
    pages = bench.pages()
    if pages is not None:
        assert [page.text for page in pages] == ["first", "second"]
