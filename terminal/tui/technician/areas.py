"""Looks at network, queue and keys in the background: the header tells of faults on panes nobody opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from terminal.diagnostics import keys, network, queue
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop

logger = logging.getLogger(__name__)

EVERY_S = 60.0
"""How often, in seconds."""
RETRY_S = 5.0
"""How soon again where the till had an order open."""
_PROBES: Mapping[str, Callable[[Workshop], AsyncIterator[Finding]]] = {
    "Keys": keys.probe,
    "Queue": queue.state,
    "Network": network.probe,
}
"""The probes that cost little, by the title of the pane that shows them whole."""


class Areas:
    """Which panes' areas have a fault, as far as somebody has looked."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._faults: dict[str, bool] = {}

    @property
    def faulty(self) -> frozenset[str]:
        """The titles of the panes that show a fault."""
        return frozenset(title for title, fault in self._faults.items() if fault)

    def tell(self, title: str, findings: Iterable[Finding]) -> None:
        """Take what a pane has found out itself."""
        self._faults[title] = any(each.mark is Mark.FAULT for each in findings)

    async def watch(self) -> None:
        """Look now and every minute, until cancelled. Never while the till has an order open."""
        while True:
            done = await self.look()
            await asyncio.sleep(EVERY_S if done else RETRY_S)

    async def look(self) -> bool:
        """Look once; False where an order came between."""
        for title, probe in _PROBES.items():
            if self._workshop.in_order():
                return False
            try:
                self.tell(title, [finding async for finding in probe(self._workshop)])
            except Exception:
                # The next look may go better; the pane itself says what is wrong.
                logger.exception("%s could not be looked at", title)
        return True
