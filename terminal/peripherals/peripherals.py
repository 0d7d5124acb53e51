"""Makes printers, displays and sounders follow the counter. All they do, they do on their own threads.

Nothing here decides about a payment, and nothing waits: a view is taken over in microseconds, whether
a device works, is slow, or is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from terminal.config import Config
from terminal.devices.pool import DevicePool
from terminal.peripherals.displays import DisplayFollower
from terminal.peripherals.printing import Printing
from terminal.peripherals.sounds import Sounds
from terminal.view import CounterView

logger = logging.getLogger(__name__)

Subscribe = Callable[[Callable[[CounterView], None]], Callable[[], None]]


class Peripherals:
    """Everything beside readers and scanners.

    Args:
        pool: The devices.
        config: When receipts are printed.
    """

    def __init__(self, pool: DevicePool, config: Config) -> None:
        self.sounds = Sounds(pool.sounders)
        self.printing = Printing(pool.printers, config.receipt.print)
        self._displays = [DisplayFollower(worker) for worker in pool.displays]
        self._unsubscribe: Callable[[], None] | None = None

    def tell(self, listener: Callable[[str], None]) -> None:
        """Tell what a cashier should know, on the event loop that this is called on."""
        loop = asyncio.get_running_loop()

        def later(text: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(listener, text)

        self.printing.tell = later

    def follow(self, subscribe: Subscribe, view: CounterView) -> None:
        """Follow a counter from its present view on: ``follow(counter.subscribe, counter.view)``."""
        self.sounds.prepare()
        self._take_over(view)
        self._unsubscribe = subscribe(self._take_over)

    def stop(self) -> None:
        """Follow no longer.

        What devices are doing goes on for as long as they are open. A receipt that waits is given up,
        and the log names its order.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self.printing.stop()

    def redraw(self) -> None:
        """Show the customer what the counter shows: a technician may have tested the displays."""
        for display in self._displays:
            display.redraw()

    def print_receipt(self) -> str:
        """Print a receipt; return what to tell the cashier. Raises CounterRefusal."""
        return self.printing.print_receipt()

    def _take_over(self, view: CounterView) -> None:
        for follow in (self.sounds.follow, self.printing.follow, *(one.show for one in self._displays)):
            try:
                follow(view)
            except Exception:
                logger.exception("a peripheral failed to follow the counter")
