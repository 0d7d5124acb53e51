"""How soon a reader that was pulled out is missed, and how soon it works again, a hundred times in a row.

The chip is simulated, the rest is real: nfcpy on a serial line whose path changes each time, the
device's worker, a payment that waits for its card meanwhile.
"""

import secrets
import tempfile
import threading
import time
from pathlib import Path

from drivers.address import parse
from emv.config import default_config
from simulators.readers.field import Field
from terminal.config import Devices
from terminal.devices.pool import DevicePool
from terminal.devices.worker import DeviceState
from terminal.payment.tap import Tap
from tests.benchmarks.card_commands import _transaction
from tests.benchmarks.measure import line
from tests.plugs import ReaderOnCable

TIMES = 100
NOTICED_S, READY_S = 1.0, 2.0
"""What the terminal promises."""


def run() -> None:
    """Print the percentiles, while a payment waits and between payments."""
    for name, armed in (("in a sale", True), ("between sales", False)):
        gone, back = _measure(armed)
        _show(f"reader pulled out, {name}: missed after", gone, NOTICED_S)
        _show(f"reader plugged in, {name}: ready after", back, READY_S)


def _measure(armed: bool) -> tuple[list[float], list[float]]:
    changed = threading.Condition()

    def tell() -> None:
        with changed:
            changed.notify_all()

    with tempfile.TemporaryDirectory() as folder:
        cable = ReaderOnCable(Path(folder), Field())
        pool = DevicePool(Devices(readers=(parse(cable.address),)), tell)
        reader = pool.readers[0]
        pool.start()
        if armed:
            reader.submit(Tap(default_config("156", "156"), _transaction, lambda request, words: None).run)
        working = DeviceState.BUSY if armed else DeviceState.READY

        def wait(state: DeviceState) -> float:
            began = time.perf_counter()
            with changed:
                assert changed.wait_for(lambda: reader.status.state is state, 10), reader.status
            return time.perf_counter() - began

        gone, back = [], []
        for _ in range(TIMES):
            cable.plug_in()
            back.append(wait(working))
            # At any moment of the worker's rhythm.
            time.sleep(secrets.randbelow(500) / 1000)
            cable.pull_out()
            gone.append(wait(DeviceState.UNAVAILABLE))
            time.sleep(secrets.randbelow(500) / 1000)
        pool.close()
    return gone, back


def _show(name: str, times: list[float], promised_s: float) -> None:
    times = sorted(times)
    middle, late, last = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.95, 1))
    line(
        name,
        f"{middle:.0f} ms",
        f"p95 {late:.0f} ms, slowest {last:.0f} ms",
        f"promised {promised_s * 1000:.0f} ms, {last / 1000 / promised_s:.2f} of it",
    )
