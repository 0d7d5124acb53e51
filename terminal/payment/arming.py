"""Waits at every reader and scanner at once for what the customer shows first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from drivers.protocols import Code, CodeScanner, ContactlessReader
from emv.background import Background
from emv.config import EmvConfig
from emv.kernel import Transaction
from emv.outcome import UiRequest
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceWorker, Job, Lease
from terminal.payment.tap import Tap, Tapped, wait_for_removal
from terminal.payment.tap_trace import TapLog

T = TypeVar("T")

_LONG_S = 3600.0
"""For how long a scanner is asked to wait at once, in seconds; it returns when it is told to stop."""


class Arming:
    """One order's wait. All callbacks come on the event loop's thread.

    Args:
        pool: The devices.
        config: What is taken by tap.
        transaction: Gives a new transaction for each presentation of a card.
        background: What the terminal remembers of earlier taps.
        taps: Is told of each presentation of a card.
        on_ui: What lights, screen and sound are to do, with words where the standard has none.
        on_tap: A card gave a final outcome.
        on_card_stays: Whether a card that has been read is still in the field.
        on_code: A scanner read a code. It returns whether the code is taken; if not, scanning goes on.
    """

    def __init__(
        self,
        pool: DevicePool,
        config: EmvConfig,
        transaction: Callable[[], Transaction],
        background: Background,
        taps: TapLog,
        *,
        on_ui: Callable[[UiRequest, str], None],
        on_tap: Callable[[Tapped], None],
        on_card_stays: Callable[[bool], None],
        on_code: Callable[[Code], bool],
    ) -> None:
        self._pool = pool
        self._config = config
        self._transaction = transaction
        self._background = background
        self._taps = taps
        self._on_ui = on_ui
        self._on_tap = on_tap
        self._on_card_stays = on_card_stays
        self._on_code = on_code
        self._loop = asyncio.get_running_loop()
        self._jobs: list[Job[Any]] = []
        self._stopped = False
        self._rejected: set[str] = set()

    def start(self) -> None:
        """Arm every device. One that is away now is armed when it comes back."""
        for reader in self._pool.readers:
            self._arm(reader)
        for scanner in self._pool.scanners:
            self._scan(scanner)

    def stop(self) -> None:
        """Disarm every device."""
        self._stopped = True
        for job in self._jobs:
            job.cancel()

    def _show(self, request: UiRequest, words: str) -> None:
        """Pass on from the reader's thread."""
        self._loop.call_soon_threadsafe(lambda: None if self._stopped else self._on_ui(request, words))

    def _watch(self, job: Job[T], then: Callable[[T], None]) -> None:
        """Call *then* on the loop with what the job returns."""

        def done(future: Future[T]) -> None:
            if not future.cancelled() and future.exception() is None:
                self._loop.call_soon_threadsafe(then, future.result())

        self._jobs.append(job)
        job.future.add_done_callback(done)

    def _arm(self, reader: DeviceWorker[ContactlessReader]) -> None:
        presented = Tap(self._config, self._transaction, self._show, self._background, self._taps)
        tap = reader.submit(presented.run)

        def empty(device: ContactlessReader, lease: Lease) -> None:
            """Wait until the card that paid this order has left, before this reader serves the next one.

            A reader that was away all the time has none to wait for; many such waits would keep it deaf.
            """
            if presented.began:
                wait_for_removal(device, lease)

        removal = reader.submit(empty)

        def tapped(result: Tapped | None) -> None:
            if result is not None and not self._stopped:
                self.stop()
                self._on_tap(result)
                self._on_card_stays(True)
                removal.future.add_done_callback(
                    lambda _: self._loop.call_soon_threadsafe(self._on_card_stays, False)
                )

        self._watch(tap, tapped)

    def _scan(self, scanner: DeviceWorker[CodeScanner]) -> None:
        rejected = frozenset(self._rejected)

        def scanned(code: Code | None) -> None:
            if code is None or self._stopped:
                return
            if self._on_code(code):
                self.stop()
            else:
                self._rejected.add(code.text)
                self._scan(scanner)

        self._watch(scanner.submit(lambda device, lease: _scan(device, lease, rejected)), scanned)


def _scan(scanner: CodeScanner, lease: Lease, rejected: frozenset[str]) -> Code | None:
    while not lease.stop.is_set():
        # One long wait: a scanner's line that arrives between two short ones would be lost.
        lease.wait()
        code = scanner.next_code(lease.stop, timeout_s=_LONG_S)
        if code is not None and code.text not in rejected:
            return code
    return None
