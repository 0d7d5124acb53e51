"""Receipts on real printer drivers and simulated printers: once, and again only when asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from drivers.errors import DeviceUnavailableError, Reason
from drivers.page import Page, Text
from drivers.printers.escpos import EscPosPrinter
from terminal.actions import CounterRefusal
from terminal.config import PrintReceipt
from terminal.peripherals.peripherals import Peripherals
from terminal.peripherals.printing import Printing
from tests.terminal.peripherals.conftest import Around, result
from tests.terminal.tui.samples import IDLE

FIRST, SECOND = result("approved", "T1-1"), result("declined", "T1-2")
print_page = EscPosPrinter.print_page


@pytest.fixture
def other(around: Around, tmp_path: Path) -> Iterator[Around]:
    """A second printer, not started yet."""
    (tmp_path / "other").mkdir()
    other = Around(tmp_path / "other")
    yield other
    other.stop()


def on_both(till: Around, other: Around) -> Printing:
    """Print each result on the first of two printers that works."""
    both = (*till.pool.printers, *other.pool.printers)
    till.printing = Printing(both, PrintReceipt.ALWAYS, till._tell)
    return till.printing


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
    assert till.printing.print_receipt() == "Printing the receipt of T1-1"
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
    with pytest.raises(CounterRefusal, match="not ready: out of paper; the receipt of T1-1 waits"):
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
    tries = []

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

    def fails_in_the_middle(self: EscPosPrinter, page: Page) -> None:
        print_page(self, page)
        if faults:
            raise faults.pop()

    monkeypatch.setattr(EscPosPrinter, "print_page", fails_in_the_middle)
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    till.show(SECOND)
    settled(till)
    assert till.told == ["The receipt of T1-1 may be incomplete: look at it, and print it again"]
    assert printed(till) == ["T1-1 approved", "T1-2 declined"]
    assert till.printing.print_receipt() == "Printing the receipt of T1-1 again, marked REPRINT"
    settled(till)
    assert till.printing.print_receipt() == "Printing the receipt of T1-2 again, marked REPRINT"
    settled(till)
    assert printed(till)[2:] == ["REPRINT T1-1 approved", "REPRINT T1-2 declined"]


def test_of_what_waits_for_a_printer_the_newest_is_printed_and_the_others_are_named(till: Around) -> None:
    till.paper.remove_paper()
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    for number in range(2, 6):
        till.show(result("approved", f"T1-{number}"))
    with pytest.raises(CounterRefusal, match="T1-5 waits; not printed: T1-2, T1-3, T1-4 and 1 before"):
        till.printing.print_receipt()
    till.paper.load_paper()
    till.wait(lambda: bool(till.told))
    settled(till)
    assert printed(till) == ["T1-5 approved"]
    assert till.told == ["Not printed while the printer was away: T1-2, T1-3, T1-4 and 1 before"]
    till.show(SECOND)
    settled(till)
    assert len(till.told) == 1


def test_a_receipt_asked_for_while_the_printer_is_away_is_said_to_wait(till: Around) -> None:
    till.paper.remove_paper()
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    till.show(FIRST)
    words = "The receipt of T1-1 waits: the printer is not ready: out of paper"
    assert till.printing.print_receipt() == words
    till.show(SECOND)
    with pytest.raises(CounterRefusal, match="T1-1 waits"):
        till.printing.print_receipt()
    till.paper.load_paper()
    till.paper.wait_for_pages(1)
    settled(till)
    assert printed(till) == ["T1-1 approved"]


def test_the_first_printer_that_works_prints(till: Around, other: Around) -> None:
    both = Printing((*other.pool.printers, *till.pool.printers), PrintReceipt.ALWAYS)
    both.follow(FIRST)
    till.paper.wait_for_pages(1)
    other.start()
    settled(other)
    assert (printed(till), printed(other)) == (["T1-1 approved"], [])
    go_on = Event()
    other.pool.printers[0].submit(lambda *_: go_on.wait(5))
    both.follow(SECOND)
    settled(till)
    go_on.set()
    settled(other)
    assert (printed(till), printed(other)) == (["T1-1 approved"], ["T1-2 declined"])


def test_what_one_printer_has_no_paper_for_another_prints(
    till: Around, other: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.start()
    on_both(till, other)
    left = [till.paper]

    def has_just_run_out(self: EscPosPrinter, page: Page) -> None:
        if left:
            left.pop().remove_paper()
        print_page(self, page)

    monkeypatch.setattr(EscPosPrinter, "print_page", has_just_run_out)
    till.show(FIRST)
    other.paper.wait_for_pages(1)
    till.paper.load_paper()
    settled(till)
    assert (printed(till), printed(other)) == ([], ["T1-1 approved"])


def test_what_waits_for_one_printer_another_prints_that_comes_up(till: Around, other: Around) -> None:
    till.paper.remove_paper()
    on_both(till, other)
    till.show(FIRST)
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    other.start()
    other.paper.wait_for_pages(1)
    till.paper.load_paper()
    settled(till)
    assert (printed(till), printed(other)) == ([], ["T1-1 approved"])


def test_copies_go_on_at_the_other_printer(
    till: Around, other: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FIRST.result is not None
    other.start()
    on_both(till, other)
    tries = []

    def ends_behind_the_first(self: EscPosPrinter, page: Page) -> None:
        tries.append(page)
        if len(tries) == 2:
            raise DeviceUnavailableError(self.address, Reason.OUT_OF_PAPER, "put in a new roll")
        print_page(self, page)

    monkeypatch.setattr(EscPosPrinter, "print_page", ends_behind_the_first)
    pages = tuple(Page((Text(f"copy {number}"),)) for number in (1, 2))
    till.show(replace(FIRST, result=replace(FIRST.result, pages=pages)))
    other.paper.wait_for_pages(1)
    settled(till)
    assert (printed(till), printed(other)) == (["copy 1"], ["copy 2"])


def test_a_receipt_behind_what_a_printer_fails_at_goes_to_another(till: Around, other: Around) -> None:
    other.start()
    on_both(till, other)
    begun, go_on = Event(), Event()

    def drawer(*_: object) -> None:
        begun.set()
        go_on.wait(5)
        raise DeviceUnavailableError(
            till.pool.printers[0].status.address, Reason.OUT_OF_PAPER, "", started=True
        )

    till.pool.printers[0].submit(drawer)
    assert begun.wait(5)
    till.show(FIRST)
    till.paper.remove_paper()
    go_on.set()
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    till.show(FIRST)  # the counter publishes a view when a device changes
    other.paper.wait_for_pages(1)
    till.paper.load_paper()
    settled(till)
    assert (printed(till), printed(other)) == ([], ["T1-1 approved"])


def test_leaving_the_till_gives_up_what_waits_and_logs_it(
    till: Around, caplog: pytest.LogCaptureFixture
) -> None:
    config = SimpleNamespace(receipt=SimpleNamespace(print=PrintReceipt.ALWAYS))
    peripherals = Peripherals(till.pool, config)  # type: ignore[arg-type]  # as much as is needed
    till.paper.remove_paper()
    till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
    peripherals.printing.follow(FIRST)
    jobs = list(peripherals.printing._jobs.values())
    peripherals.stop()
    assert [job.future.cancelled() for job in jobs] == [True]
    assert "the receipt of order T1-1 was not printed: the till was left" in caplog.text
    till.paper.load_paper()
    settled(till)
    assert printed(till) == []


@pytest.mark.parametrize("paper", [True, False])
def test_leaving_the_till_lets_a_page_that_is_printed_go_on(
    till: Around, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, paper: bool
) -> None:
    begun, go_on = Event(), Event()

    def slow(self: EscPosPrinter, page: Page) -> None:
        begun.set()
        go_on.wait(5)
        print_page(self, page)

    monkeypatch.setattr(EscPosPrinter, "print_page", slow)
    till.with_receipts(PrintReceipt.ALWAYS)
    till.show(FIRST)
    assert begun.wait(5)
    till.show(SECOND)
    till.printing.stop()
    assert "the till was left while the receipt of order T1-1 was printed" in caplog.text
    assert "T1-2 was not printed: the till was left" in caplog.text
    if not paper:
        till.paper.remove_paper()
    go_on.set()
    if not paper:
        till.wait(lambda: till.state("printer") == Reason.OUT_OF_PAPER.value)
        till.paper.load_paper()
    settled(till)
    assert printed(till) == (["T1-1 approved"] if paper else [])
    assert ("T1-1 was not printed: the till was left" in caplog.text) is not paper
