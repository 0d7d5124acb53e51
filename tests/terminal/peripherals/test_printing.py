"""Receipts on a real printer driver and a simulated printer: once, and again only when asked."""

from dataclasses import replace

import pytest

from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Page, Text
from drivers.printers.escpos import EscPosPrinter
from terminal.actions import CounterRefusal
from terminal.config import PrintReceipt
from terminal.peripherals.printing import Printing
from tests.terminal.peripherals.conftest import Around, result
from tests.terminal.tui.samples import IDLE

FIRST, SECOND = result("approved", "T1-1"), result("declined", "T1-2")


def printed(shop: Around) -> list[str]:
    return [page.text.strip() for page in shop.paper.pages]


def settled(shop: Around) -> None:
    """Wait until the printer has nothing left to do."""
    shop.pool.printers[0].submit(lambda *_: True).future.result(10)


def test_always_prints_each_result_once(shop: Around) -> None:
    shop.with_receipts(PrintReceipt.ALWAYS)
    for view in (IDLE, FIRST, FIRST, IDLE, SECOND, SECOND):
        shop.show(view)
    settled(shop)
    assert printed(shop) == ["T1-1 approved", "T1-2 declined"]


def test_on_request_prints_when_asked_and_marks_the_second(shop: Around) -> None:
    shop.show(FIRST)
    settled(shop)
    assert printed(shop) == []
    assert shop.printing.print_receipt() == "Printing the receipt"
    settled(shop)
    shop.show(IDLE)
    assert "REPRINT" in shop.printing.print_receipt()
    settled(shop)
    assert printed(shop) == ["T1-1 approved", "REPRINT T1-1 approved"]


def test_what_was_printed_by_itself_is_a_reprint_when_asked_for(shop: Around) -> None:
    shop.with_receipts(PrintReceipt.ALWAYS)
    shop.show(FIRST)
    settled(shop)
    shop.printing.print_receipt()
    settled(shop)
    assert printed(shop)[-1] == "REPRINT T1-1 approved"


def test_never_and_no_printer_and_no_result_are_refused(shop: Around) -> None:
    with pytest.raises(CounterRefusal, match="no receipt yet"):
        shop.printing.print_receipt()
    shop.with_receipts(PrintReceipt.NEVER)
    shop.show(FIRST)
    with pytest.raises(CounterRefusal, match="never"):
        shop.printing.print_receipt()
    nowhere = Printing((), PrintReceipt.ALWAYS)
    nowhere.follow(FIRST)
    with pytest.raises(CounterRefusal, match=r"\[devices\] printers"):
        nowhere.print_receipt()
    settled(shop)
    assert printed(shop) == []


def test_a_receipt_waits_for_paper_and_is_printed_once(shop: Around) -> None:
    shop.paper.remove_paper()
    shop.with_receipts(PrintReceipt.ALWAYS)
    shop.show(FIRST)
    shop.wait(lambda: shop.state("printer") == Reason.OUT_OF_PAPER.value)
    with pytest.raises(CounterRefusal, match="printer"):
        shop.printing.print_receipt()
    shop.paper.load_paper()
    shop.paper.wait_for_pages(1)
    settled(shop)
    assert printed(shop) == ["T1-1 approved"]
    assert shop.told == []


def test_two_copies_go_on_where_the_paper_ended(shop: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FIRST.result is not None
    pages = tuple(Page((Text(f"copy {number}"),)) for number in (1, 2))
    view = replace(FIRST, result=replace(FIRST.result, pages=pages))
    print_page, tries = EscPosPrinter.print_page, []

    def stops_before_the_second(self: EscPosPrinter, page: Page) -> None:
        tries.append(page)
        if len(tries) == 2:
            raise DeviceUnavailableError(self.address, Reason.OUT_OF_PAPER, "put in a new roll")
        print_page(self, page)

    monkeypatch.setattr(EscPosPrinter, "print_page", stops_before_the_second)
    shop.show(view)
    shop.printing.print_receipt()
    shop.paper.wait_for_pages(2)
    settled(shop)
    assert printed(shop) == ["copy 1", "copy 2"]
    assert tries == [pages[0], pages[1], pages[1]]


@pytest.mark.parametrize(
    "fault",
    [
        DeviceUnavailableError(None, Reason.OUT_OF_PAPER, "put in a new roll", started=True),  # type: ignore[arg-type]
        ZeroDivisionError("a driver's own fault"),
    ],
    ids=["begun", "unforeseen"],
)
def test_what_was_begun_is_never_begun_again_by_itself(
    shop: Around, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    faults = [fault]
    print_page = EscPosPrinter.print_page

    def fails_in_the_middle(self: EscPosPrinter, page: Page) -> None:
        print_page(self, page)
        if faults:
            raise faults.pop()

    monkeypatch.setattr(EscPosPrinter, "print_page", fails_in_the_middle)
    shop.with_receipts(PrintReceipt.ALWAYS)
    shop.show(FIRST)
    shop.wait(lambda: bool(shop.told))
    assert "may be incomplete" in shop.told[0]
    settled(shop)
    assert printed(shop) == ["T1-1 approved"]
    shop.printing.print_receipt()
    settled(shop)
    assert printed(shop) == ["T1-1 approved", "REPRINT T1-1 approved"]


def test_the_first_printer_that_works_prints(shop: Around) -> None:
    away = Around()  # never started: its printer stays "opening"
    try:
        both = Printing((*away.pool.printers, *shop.pool.printers), PrintReceipt.ALWAYS)
        both.follow(FIRST)
        shop.paper.wait_for_pages(1)
        assert printed(shop) == ["T1-1 approved"]
    finally:
        away.stop()
