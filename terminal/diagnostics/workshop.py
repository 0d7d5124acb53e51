"""What a technician works on: one terminal's devices, queue, host and keys, whatever of it there is.

Everything may be missing: a broken configuration, a terminal that is not enrolled or a queue that
another program holds are what a technician comes for. Each of them is None then, and its fault says
why. Runs on one event loop; devices have their own threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from terminal.config import Config
from terminal.delivery import Delivery
from terminal.devices.pool import DevicePool
from terminal.enrolment import Enrolment
from terminal.host_client import HttpHost
from terminal.log import LogRing, ring
from terminal.payment.tap_trace import TapLog
from terminal.store_worker import StoreWorker


@dataclass(slots=True)
class Workshop:
    """The parts of a terminal, each for what a technician does with it.

    The cashier's counter lends its own parts; `tillside technician` opens them for itself.
    """

    home: Path
    pool: DevicePool
    taps: TapLog = field(default_factory=TapLog)
    logs: LogRing = field(default_factory=ring)
    """The last lines of the log."""
    config: Config | None = None
    config_fault: str = ""
    enrolment: Enrolment | None = None
    enrolment_fault: str = ""
    store: StoreWorker | None = None
    store_fault: str = ""
    store_elsewhere: bool = False
    """Whether nothing is wrong with the queue: there is none yet, or another program is at work on it."""
    host: HttpHost | None = None
    delivery: Delivery | None = None
    in_order: Callable[[], bool] = lambda: False
    """Whether the till that lends this has an order open: nothing is to be probed by itself then."""
