"""The offline queue in figures, as the screen shows them and the offline policy weighs them."""

from __future__ import annotations

import time
from collections.abc import Callable

from offline_queue.errors import QueueError
from offline_queue.rows import QueueStatus
from terminal.config import Config
from terminal.money import Money
from terminal.payment.offline_policy import Exposure
from terminal.store_worker import StoreWorker
from terminal.view import QueueView


class QueueFigures:
    """What the store said last, and what is wrong with it.

    Args:
        config: The terminal's.
        wall_s: The wall clock in seconds since 1970.
        monotonic_s: A clock that nobody can put back, in seconds.
    """

    def __init__(
        self,
        config: Config,
        *,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault = ""
        """Why the store can't be used, in words; empty when it can."""
        self.sequence = 0
        self._config = config
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._status: QueueStatus | None = None
        self._oldest_ms: int | None = None
        self._seen_at_s = 0.0

    async def refresh(self, store: StoreWorker) -> None:
        """Ask the store again."""
        try:
            status = await store.call(lambda its: its.status())
        except QueueError as error:
            self.fault = str(error)
            return
        if status.oldest_offline_ms != self._oldest_ms:
            self._oldest_ms, self._seen_at_s = status.oldest_offline_ms, self._monotonic_s()
        self._status, self.sequence, self.fault = status, status.sequence, status.damage

    def exposure(self) -> Exposure:
        """Return what has been taken without the host's answer and is not settled."""
        if self._status is None:
            return Exposure(0, self._money(0), 0)
        count = self._status.deferred_count + self._status.approved_count
        total = self._money(self._status.deferred_total_minor + self._status.approved_total_minor)
        return Exposure(count, total, self._waited_s())

    def view(self, alarm: str) -> QueueView:
        """Return the figures for the screen; `alarm` is what else is wrong with the delivery."""
        offline, status = self._config.offline, self._status
        return QueueView(
            unsent=status.unsent if status else 0,
            oldest_s=self._age_s(status.oldest_unsent_ms) if status else 0,
            quarantined=status.quarantined if status else 0,
            deferred_count=status.deferred_count if status else 0,
            deferred_total=self._money(status.deferred_total_minor if status else 0),
            approved_count=status.approved_count if status else 0,
            approved_total=self._money(status.approved_total_minor if status else 0),
            limit_count=offline.limit_count,
            limit_total=self._config.money(offline.limit_total),
            limit_each=self._config.money(offline.limit_each),
            alarm=self.fault or alarm,
        )

    def _waited_s(self) -> int:
        """Return how long the oldest payment that was taken offline has waited, by the worse of two clocks.

        A wall clock that is put back makes it no younger than this run has known it.
        """
        if self._oldest_ms is None:
            return 0
        return max(self._age_s(self._oldest_ms), int(self._monotonic_s() - self._seen_at_s))

    def _age_s(self, time_ms: int | None) -> int:
        return max(0, int(self._wall_s() - time_ms / 1000)) if time_ms is not None else 0

    def _money(self, minor: int) -> Money:
        return Money(minor, self._config.shop.currency)
