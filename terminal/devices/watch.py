"""Tells every change of every device as it happens: plugged in, ready, failed, gone.

Configured devices are watched from the beginning to the end; others as long as they are attached. They
are held open meanwhile, as the terminal holds them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from drivers.address import DeviceAddress
from terminal.config import Devices
from terminal.devices.hotplug import PlugWatch
from terminal.devices.inventory import IN_USE, KINDS, addresses, described, of_till, opener, unconfigured
from terminal.devices.worker import DeviceState, DeviceStatus, DeviceWorker

LOOK_S = 1.0
"""Pause between looks for devices that nothing has told of, in seconds."""
CLOSE_S = 1.0
"""For how long a device may take to close, in seconds."""
_TOLD = (DeviceState.READY, DeviceState.UNAVAILABLE, DeviceState.STUCK)

Key = tuple[str, DeviceAddress]


@dataclass(frozen=True, slots=True)
class Change:
    """What a device came to. `state` is that of `DeviceState`, ``in use`` by a till beside, or ``gone``."""

    when: datetime
    kind: str
    address: str
    configured: bool
    state: str
    text: str = ""
    cure: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the change for a program."""
        return asdict(self) | {"when": self.when.isoformat(timespec="milliseconds")}

    def text_line(self) -> str:
        """Return the change for a person, in a line or two."""
        mark = {"ready": "ok  ", "gone": "gone", IN_USE: "note"}.get(self.state, "FAIL")
        note = "" if self.configured else " (not configured)"
        colon = ":" if self.text and not self.address.endswith(":") else ""
        cure = f"\n                    cure: {self.cure}" if self.cure else ""
        where = f"{self.address}{note}{colon}"
        return f"{self.when:%H:%M:%S.%f}"[:12] + f" {mark} {self.kind:8s} {where} {self.text}".rstrip() + cure


class Watch:
    """Watches until it is closed: ``with Watch(devices) as watch: for change in watch: ...``

    Args:
        configured: The terminal's devices.
        till: Tells the process of a till that is at work with them, 0 where there is none.
    """

    def __init__(self, configured: Devices | None, till: Callable[[], int] = lambda: 0) -> None:
        self._configured = configured
        self._till = till
        self._workers: dict[Key, DeviceWorker[Any]] = {}
        self._told: dict[Key, DeviceStatus] = {}
        self._events: queue.Queue[frozenset[Key] | None] = queue.Queue()
        self._look = threading.Event()
        self._closing = threading.Event()
        self._plugs = PlugWatch(self._plugged)
        self._finder = threading.Thread(target=self._find, name="look for devices", daemon=True)

    def __enter__(self) -> Watch:
        for kind in KINDS:
            for address in dict.fromkeys(addresses(self._configured, kind)):
                self._add((kind, address))
        self._plugs.start()
        self._finder.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        self._look.set()
        self._plugs.stop()
        for worker in self._workers.values():
            worker.close()
        for worker in self._workers.values():
            worker.join(CLOSE_S)

    def __iter__(self) -> Iterator[Change]:
        """Yield each change; waits for ever."""
        while True:
            attached = self._events.get()
            if attached is not None:
                yield from self._compare(attached)
            for key, worker in tuple(self._workers.items()):
                yield from self._change(key, worker.status)

    def _compare(self, attached: frozenset[Key]) -> Iterator[Change]:
        """Take in what is attached and not configured, and let go what is not attached any more."""
        for key in sorted(attached - self._workers.keys(), key=str):
            self._add(key)
        for key in [key for key in self._workers if key not in attached and not self._is_configured(key)]:
            self._workers.pop(key).close()
            self._told.pop(key, None)
            kind, address = key
            yield Change(datetime.now().astimezone(), kind, str(address), False, "gone")

    def _change(self, key: Key, status: DeviceStatus) -> Iterator[Change]:
        if status.state not in _TOLD or self._told.get(key) == status:
            return
        self._told[key] = status
        kind, address = key
        report = replace(
            described(kind, address, configured=self._is_configured(key)),
            state=status.state.value,
            text=status.text,
            cure=status.cure,
        )
        report = of_till(report, self._till())
        yield Change(
            datetime.now().astimezone(),
            kind,
            str(address),
            report.configured,
            report.state,
            report.text,
            report.cure,
        )

    def _is_configured(self, key: Key) -> bool:
        return key[1] in addresses(self._configured, key[0])

    def _add(self, key: Key) -> None:
        worker = DeviceWorker(key[1], opener(key[0]), lambda: self._events.put(None))
        self._workers[key] = worker
        worker.start()

    def _plugged(self) -> None:
        for worker in tuple(self._workers.values()):
            worker.nudge()
        self._look.set()

    def _find(self) -> None:
        while not self._closing.is_set():
            self._look.clear()
            found = {(kind, address) for kind in KINDS for address in unconfigured(self._configured, kind)}
            self._events.put(frozenset(found))
            self._look.wait(LOOK_S)
