"""Prints receipts: each result once, and again only when somebody asks, marked as such.

A page waits in its printer's worker while the printer is out of paper, open or away, and is printed
when that is cured. Once any of it may have been printed it is not printed again by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum, auto

from drivers.errors import DeviceUnavailableError
from drivers.page import Page
from drivers.protocols import Printer
from terminal.actions import CounterRefusal
from terminal.config import PrintReceipt
from terminal.devices.worker import DeviceState, DeviceWorker, Lease
from terminal.view import CounterView, Phase, ResultView

_WORKS = (DeviceState.READY, DeviceState.BUSY)


class _State(Enum):
    WAITS = auto()
    PRINTED = auto()
    CUT_SHORT = auto()
    """Begun, and then the printer failed: nobody knows how much is on the paper."""


@dataclass(slots=True)
class _Receipt:
    """The last result's receipt, and how far it is."""

    key: tuple[str, str]
    result: ResultView
    state: _State | None = None
    """None: nobody has asked for it."""
    printer: DeviceWorker[Printer] | None = None


class Printing:
    """Prints what the counter decides.

    Args:
        workers: The printers; the first that works prints.
        when: What the shop has configured.
        tell: Told, on any thread, what the cashier should know of a receipt that was asked for before.
    """

    def __init__(
        self,
        workers: Sequence[DeviceWorker[Printer]],
        when: PrintReceipt,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workers = workers
        self._when = when
        self.tell = tell
        self._last: _Receipt | None = None

    def follow(self, view: CounterView) -> None:
        """Take over another view. A result in it is durable: the counter shows no other."""
        if view.phase is Phase.DONE and view.result is not None:
            key = (view.attempt, view.result.outcome.value)
            if self._last is None or self._last.key != key:
                self._last = _Receipt(key, view.result)
                if self._when is PrintReceipt.ALWAYS and self._workers:
                    self._print(self._last, again=False)

    def print_receipt(self) -> str:
        """Print the last result's receipt; return what to tell the cashier. Raises CounterRefusal."""
        if self._when is PrintReceipt.NEVER:
            raise CounterRefusal("This shop prints no receipts: [receipt] print says never.")
        if not self._workers:
            raise CounterRefusal("No printer is set up: name one under [devices] printers.")
        receipt = self._last
        if receipt is None:
            raise CounterRefusal("There is no receipt yet.")
        if receipt.state is _State.WAITS and receipt.printer is not None:
            status = receipt.printer.status
            why = "is printing it" if status.state in _WORKS else f"is not ready: {status.text}"
            raise CounterRefusal(f"The printer {why}.")
        again = receipt.state is not None
        self._print(receipt, again=again)
        return "Printing the receipt again, marked REPRINT" if again else "Printing the receipt"

    def _print(self, receipt: _Receipt, *, again: bool) -> None:
        pages = receipt.result.reprint if again else receipt.result.pages
        worker = next((one for one in self._workers if one.status.state in _WORKS), self._workers[0])
        receipt.state, receipt.printer = _State.WAITS, worker
        job = worker.submit(_once(pages))
        job.future.add_done_callback(lambda future: self._ended(receipt, future))

    def _ended(self, receipt: _Receipt, future: Future[bool]) -> None:
        """Called on the printer's thread."""
        whole = not future.cancelled() and future.exception() is None and future.result()
        receipt.state = _State.PRINTED if whole else _State.CUT_SHORT
        if not whole and not future.cancelled():
            self.tell("The receipt may be incomplete: look at it, and print it again")


def _once(pages: Sequence[Page]) -> Callable[[Printer, Lease], bool]:
    """Return work that prints each page at most once, however often its worker does it again.

    It returns whether everything was printed.
    """
    left = list(pages)
    cut_short: list[BaseException] = []

    def work(printer: Printer, lease: Lease) -> bool:
        while left and not cut_short:
            # Drivers have their own limits, longer than a worker's: printing takes its time.
            lease.wait()
            try:
                printer.print_page(left[0])
            except DeviceUnavailableError:
                # It knows whether it has begun, and the worker lets go of a job that has.
                raise
            except BaseException as error:
                # What is unforeseen may have come in the middle of the page.
                cut_short.append(error)
                raise
            del left[0]
        return not cut_short

    return work
