"""What a tap needs: a transaction for each presentation, a lease, and a reader that counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, time

from drivers.address import DeviceAddress
from emv.config import EmvConfig, default_config
from emv.kernel import Transaction
from emv.outcome import MessageId, UiRequest, UiStatus
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessReader
from terminal.devices.worker import Lease
from terminal.payment.tap import Tap

CONFIG = default_config("156", "156")
Shown = tuple[MessageId, UiStatus]

READY = (MessageId.PRESENT_CARD, UiStatus.READY_TO_READ)
PROCESSING = (MessageId.PROCESSING, UiStatus.PROCESSING)
READ = (MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK)
AUTHORISING = (MessageId.AUTHORISING, UiStatus.NOT_READY)
AGAIN = (MessageId.TRY_AGAIN, UiStatus.ERROR)


class Reader(InProcessReader):
    """Counts the waits for removal; at each of them the customer takes the card away."""

    def __init__(self, field: Field) -> None:
        super().__init__(DeviceAddress("sim", ""), field)
        self.removals = 0
        self.on_removal: Callable[[], None] = lambda: None

    def wait_for_removal(self, stop: threading.Event, *, timeout_s: float) -> bool:
        self.removals += 1
        self.field.take_away()
        gone = super().wait_for_removal(stop, timeout_s=timeout_s)
        self.on_removal()
        return gone


class Counter:
    """Takes the place of lights and screen, and counts presentations."""

    def __init__(self, config: EmvConfig = CONFIG) -> None:
        self.shown: list[Shown] = []
        self.words: list[str] = []
        self.beats = 0
        self.transactions: list[Transaction] = []
        self.stop = threading.Event()
        self.on_show: Callable[[Shown], None] = lambda shown: None
        self.tap = Tap(config, self._transaction, self._show)

    @property
    def lease(self) -> Lease:
        return Lease(self.stop, self._beat, lambda: None)

    def _beat(self) -> None:
        self.beats += 1

    def _transaction(self) -> Transaction:
        number = len(self.transactions) + 1
        self.transactions.append(
            Transaction(
                amount_minor=1250,
                currency="156",
                currency_exponent=2,
                date=date(2026, 7, 1),
                time=time(12, 0),
                unpredictable_number=number.to_bytes(4, "big"),
                sequence_counter=number,
            )
        )
        return self.transactions[-1]

    def _show(self, request: UiRequest, words: str) -> None:
        self.shown.append((request.message, request.status))
        if words:
            self.words.append(words)
        self.on_show(self.shown[-1])
