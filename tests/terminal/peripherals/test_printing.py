"""Receipts on a real printer driver and a simulated printer: once, and again only when asked."""

from dataclasses import replace
from pathlib import Path

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


def printed(till: Around) -> list[str]:
    return [page.text.strip() for page in till.paper.pages]


def settled(till: Around) -> None:
    """Wait until the printer has nothing left to do."""
    till.pool.printers[0].submit(lambda *_: True).future.result(10)


def test_always_prints_each_result_once(till: Around) -> None:
    till.with_receipts(PrintReceipt.ALWAYS)
    for view in (IDLE, FIRST, FIRST, IDLE, SECOND, SECOND):
        till.show(view)
    settled(till)
    assert printed(till) == ["T1-1 approved", "T1-2 declined"]


def test_on_request_prints_when_asked_and_marks_the_second(till: Around) -> None:
    till.show(FIRST)
    settled(till)
    assert printed(till) == []
    assert till.printing.print_receipt() == "Printing the receipt"
    settled(till)
    till.show(IDLE)
    assert "REPRINT" in till.printing.print_receipt()
    settled(till)
    assert printed(till) == ["T1-1 approved", "REPRINT T1-1 approved"]


def test_what_was_printed_by_itself_is_a_reprint_when_asked_for(till: Around) -> None:
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    settled(till)
    till.printing.print_receipt()
    settled(till)
    assert printed(till)[-1] == "REPRINT T1-1 approved"


def test_never_and_no_printer_and_no_result_are_refused(till: Around) -> None:
    with pytest.raises(CounterRefusal, match="no receipt yet"):
        till.printing.print_receipt()
    till.with_receipts(PrintReceipt.NEVER)
    till.show(FIRST)
    with pytest.raises(CounterRefusal, match="never"):
        till.printing.print_receipt()
    nowhere = Printing((), PrintReceipt.ALWAYS)
    nowhere.follow(FIRST)
    with pytest.raises(CounterRefusal, match=r"\[devices\] printers"):
        nowhere.print_receipt()
    settled(till)
    assert printed(till) == []


def test_a_receipt_waits_for_paper_and_is_printed_once(till: Around) -> None:
    till.paper.remove_paper()
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    with pytest.raises(CounterRefusal, match="printer"):
        till.printing.print_receipt()
    till.paper.load_paper()
    till.paper.wait_for_pages(1)
    settled(till)
    assert printed(till) == ["T1-1 approved"]
    assert till.told == []


def test_two_copies_go_on_where_the_paper_ended(till: Around, monkeypatch: pytest.MonkeyPatch) -> None:
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
    till.show(view)
    till.printing.print_receipt()
    till.paper.wait_for_pages(2)
    settled(till)
    assert printed(till) == ["copy 1", "copy 2"]
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
    till: Around, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    faults = [fault]
    print_page = EscPosPrinter.print_page

    def fails_in_the_middle(self: EscPosPrinter, page: Page) -> None:
        print_page(self, page)
        if faults:
            raise faults.pop()

    monkeypatch.setattr(EscPosPrinter, "print_page", fails_in_the_middle)
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    till.wait(lambda: bool(till.told))
    assert "may be incomplete" in till.told[0]
    settled(till)
    assert printed(till) == ["T1-1 approved"]
    till.printing.print_receipt()
    settled(till)
    assert printed(till) == ["T1-1 approved", "REPRINT T1-1 approved"]


def test_the_first_printer_that_works_prints(till: Around, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    away = Around(tmp_path / "away")  # never started: its printer stays "opening"
    both = Printing((*away.pool.printers, *till.pool.printers), PrintReceipt.ALWAYS)
    both.follow(FIRST)
    till.paper.wait_for_pages(1)
    assert printed(till) == ["T1-1 approved"]
    away.stop()
