"""Prints receipts: each result once, and again only when somebody asks, marked as such.

A receipt waits here, not at a printer: whichever printer works takes it, and gives it back if it fails
before anything is printed. So a receipt goes on at another printer, and never comes out of two. Once any
of a page may have been printed, that is not printed again by itself.

While no printer works, only the newest result waits: a printer that comes back after an hour must not
print an hour's receipts at customers who have gone. Their order numbers are told.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Lock

from drivers.errors import DeviceUnavailableError
from drivers.page import Page
from drivers.protocols import Printer
from terminal.actions import CounterRefusal
from terminal.config import PrintReceipt
from terminal.devices.worker import DeviceState, DeviceWorker, Job, Lease
from terminal.view import CounterView, Phase, ResultView

logger = logging.getLogger(__name__)

KEPT = 5
"""How many receipts that were cut short the print key remembers."""
_NAMED = 3
"""Of so many left out receipts the screen names the order; the log names all."""

_Worker = DeviceWorker[Printer]


class _State(Enum):
    NEW = auto()
    """Nobody has asked for it."""
    WAITS = auto()
    PRINTING = auto()
    PRINTED = auto()
    CUT_SHORT = auto()
    """Begun, and then the printer failed: nobody knows how much is on the paper."""


@dataclass(slots=True, eq=False)
class _Receipt:
    """One result's receipt, and how far it is."""

    key: tuple[str, str]
    result: ResultView
    state: _State = _State.NEW
    left: list[Page] = field(default_factory=list)
    """What no printer has begun."""

    @property
    def order(self) -> str:
        return self.result.order


class Printing:
    """Prints what the counter decides.

    Args:
        workers: The printers; the first that works prints.
        when: What the shop has configured.
        tell: Told, on any thread, what the cashier should know of a receipt that was asked for before.
    """

    def __init__(
        self,
        workers: Sequence[_Worker],
        when: PrintReceipt,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workers = workers
        self._when = when
        self.tell = tell
        self._last: _Receipt | None = None
        self._lock = Lock()
        """For all below: printers' threads take from it and give back."""
        self._waiting: deque[_Receipt] = deque()
        self._printing: dict[_Worker, _Receipt] = {}
        self._cut_short: deque[_Receipt] = deque(maxlen=KEPT)
        self._left_out: list[str] = []
        """Orders whose receipts gave way to newer ones, until the cashier is told."""
        self._jobs: dict[_Worker, Job[bool]] = {}
        """The printers that will look at what waits."""
        self._stopped = False

    def follow(self, view: CounterView) -> None:
        """Take over another view. A result in it is durable: the counter shows no other."""
        if view.phase is Phase.DONE and view.result is not None:
            key = (view.attempt, view.result.outcome.value)
            if self._last is None or self._last.key != key:
                self._last = _Receipt(key, view.result)
                if self._when is PrintReceipt.ALWAYS and self._workers:
                    with self._lock:
                        self._leave_out()
                        self._add(self._last)
        # Any view may be one of a printer that failed or came back.
        self._offer()

    def print_receipt(self) -> str:
        """Print a receipt that may be incomplete, else the last result's; return what to tell the cashier.

        Raises CounterRefusal.
        """
        if self._when is PrintReceipt.NEVER:
            raise CounterRefusal("This shop prints no receipts: [receipt] print says never.")
        if not self._workers:
            raise CounterRefusal("No printer is set up: name one under [devices] printers.")
        with self._lock:
            receipt = self._asked_for()
            again = self._add(receipt)
        self._offer()
        if not self._works():
            return f"The receipt of {receipt.order} waits: the printer {_why_not(self._workers[0])}"
        return f"Printing the receipt of {receipt.order}{' again, marked REPRINT' if again else ''}"

    def stop(self) -> None:
        """Give up what waits. What is being printed goes on for as long as its printer is open."""
        with self._lock:
            self._stopped = True
            for receipt in self._waiting:
                logger.warning("the receipt of order %s was not printed: the till was left", receipt.order)
            for receipt in self._printing.values():
                logger.warning("the till was left while the receipt of order %s was printed", receipt.order)
            self._waiting.clear()
            for job in self._jobs.values():
                job.cancel()

    def _works(self) -> bool:
        return any(_works(worker) for worker in self._workers)

    def _offer(self, failed: _Worker | None = None) -> None:
        """Have the first printer that works take what waits; where none does, the first that comes back."""
        with self._lock:
            if not self._waiting:
                return
            others = [worker for worker in self._workers if worker is not failed]
            working = [worker for worker in others if _works(worker)]
            for worker in working[:1] or others:
                if worker not in self._jobs:
                    self._jobs[worker] = worker.submit(self._work(worker))

    # With the lock held

    def _asked_for(self) -> _Receipt:
        """Return what the print key means now. Raises CounterRefusal."""
        if self._waiting and not self._works():
            waits = f"the receipt of {self._waiting[-1].order} waits"
            left_out = f"; not printed: {_named(self._left_out)}" if self._left_out else ""
            raise CounterRefusal(f"The printer {_why_not(self._workers[0])}; {waits}{left_out}")
        receipt = self._cut_short[-1] if self._cut_short else self._last
        if receipt is None:
            raise CounterRefusal("There is no receipt yet.")
        if receipt.state in (_State.WAITS, _State.PRINTING):
            fails = (each for each, it in self._printing.items() if it is receipt and not _works(each))
            printer = next(fails, None)
            raise CounterRefusal(f"The printer {_why_not(printer) if printer else 'is printing it'}.")
        return receipt

    def _add(self, receipt: _Receipt) -> bool:
        """Have it wait; return whether it was printed before."""
        again = receipt.state in (_State.PRINTED, _State.CUT_SHORT)
        if receipt in self._cut_short:
            self._cut_short.remove(receipt)
        receipt.left = list(receipt.result.reprint if again else receipt.result.pages)
        receipt.state = _State.WAITS
        self._waiting.append(receipt)
        return again

    def _leave_out(self) -> None:
        """Drop what waits for printers that are away."""
        if self._works():
            return
        for receipt in self._waiting:
            logger.warning("the receipt of order %s was not printed: no printer works", receipt.order)
            self._left_out.append(receipt.order)
        self._waiting.clear()

    # On a printer's thread

    def _work(self, worker: _Worker) -> Callable[[Printer, Lease], bool]:
        """Return work that prints what waits. Its worker does it again when the printer has come back."""

        def work(printer: Printer, lease: Lease) -> bool:
            while (receipt := self._take(worker)) is not None:
                self._print(receipt, worker, printer, lease)
            return True

        return work

    def _take(self, worker: _Worker) -> _Receipt | None:
        with self._lock:
            if not self._waiting:
                # In one step with looking: what comes now needs another job.
                self._jobs.pop(worker, None)
                return None
            receipt = self._printing[worker] = self._waiting.popleft()
            receipt.state = _State.PRINTING
            return receipt

    def _print(self, receipt: _Receipt, worker: _Worker, printer: Printer, lease: Lease) -> None:
        try:
            while receipt.left:
                # Drivers have their own limits, longer than a worker's: printing takes its time.
                lease.wait()
                printer.print_page(receipt.left[0])
                del receipt.left[0]
        except DeviceUnavailableError as error:
            if not error.started:
                self._give_back(receipt, worker)
            else:
                with self._lock:
                    # A job that has begun something is not done again.
                    self._jobs.pop(worker, None)
                self._end(receipt, worker, _State.CUT_SHORT)
                self._offer()
            raise
        except BaseException:
            # What is unforeseen may have come in the middle of the page.
            self._end(receipt, worker, _State.CUT_SHORT)
            raise
        self._end(receipt, worker, _State.PRINTED)

    def _give_back(self, receipt: _Receipt, worker: _Worker) -> None:
        with self._lock:
            del self._printing[worker]
            receipt.state = _State.WAITS
            if self._stopped:
                logger.warning("the receipt of order %s was not printed: the till was left", receipt.order)
                return
            self._waiting.appendleft(receipt)
        self._offer(failed=worker)

    def _end(self, receipt: _Receipt, worker: _Worker, state: _State) -> None:
        with self._lock:
            del self._printing[worker]
            receipt.state = state
            left_out: list[str] = []
            if state is _State.CUT_SHORT:
                self._cut_short.append(receipt)
            else:
                left_out, self._left_out = self._left_out, left_out
        if state is _State.CUT_SHORT:
            logger.warning("the receipt of order %s may be incomplete", receipt.order)
            self.tell(f"The receipt of {receipt.order} may be incomplete: look at it, and print it again")
        elif left_out:
            self.tell(f"Not printed while the printer was away: {_named(left_out)}")


def _works(worker: _Worker) -> bool:
    return worker.status.state in (DeviceState.READY, DeviceState.BUSY)


def _why_not(worker: _Worker) -> str:
    status = worker.status
    return f"is not ready: {status.text or status.state.value}"


def _named(orders: Sequence[str]) -> str:
    """Return the newest of these orders, and how many there are besides."""
    before = len(orders) - _NAMED
    return f"{', '.join(orders[-_NAMED:])}{f' and {before} before' if before > 0 else ''}"
