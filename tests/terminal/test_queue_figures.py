"""The queue in figures: how old what was taken offline is, by the worse of two clocks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from offline_queue.record import RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from terminal.config import Config, HostConfig, Shop, Terminal
from terminal.queue_figures import QueueFigures
from terminal.store_worker import StoreWorker

CONFIG = Config(Shop("Tea House", "EUR", "276"), Terminal("T1"), HostConfig("https://127.0.0.1"))
HOUR = 3600.0


class Clocks:
    """A wall clock and a monotonic one, both moved by hand."""

    def __init__(self) -> None:
        self.wall_s = 1_800_000_000.0
        self.monotonic_s = 50.0

    def figures(self) -> QueueFigures:
        return QueueFigures(CONFIG, wall_s=lambda: self.wall_s, monotonic_s=lambda: self.monotonic_s)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def take_offline(store: Store, order: str, time_s: float, *, deferred: bool = True) -> None:
    store.open_order(order, 1250, "EUR")
    store.append(
        RecordKind.RESULT,
        attempt=store.begin_attempt(order, state="armed"),
        state="done",
        closes=True,
        secret=b"",
        summary={"outcome": "approved_offline", "deferred": deferred},
        time_ms=int(time_s * 1000),
    )


@pytest.fixture
async def figures(clocks: Clocks, tmp_path: Path) -> QueueFigures:
    signer, sealer = SigningKey.generate(), Sealer(Opener.generate().public_bytes())
    worker = StoreWorker(
        lambda: Store.open(tmp_path / "queue.db", terminal_id="T1", signer=signer, sealer=sealer)
    )
    await worker.call(lambda store: take_offline(store, "T1-1", clocks.wall_s))
    figures = clocks.figures()
    await figures.refresh(worker)
    worker.close()
    return figures


async def test_age_goes_by_the_wall_clock(figures: QueueFigures, clocks: Clocks) -> None:
    clocks.wall_s += 5 * HOUR
    assert figures.exposure().oldest_s == 5 * HOUR


async def test_a_wall_clock_put_back_makes_nothing_younger(figures: QueueFigures, clocks: Clocks) -> None:
    clocks.monotonic_s += 25 * HOUR
    clocks.wall_s -= HOUR
    assert figures.exposure().oldest_s == 25 * HOUR


async def test_the_limits_are_for_what_cards_approved_and_for_what_nobody_has(
    clocks: Clocks, tmp_path: Path
) -> None:
    signer, sealer = SigningKey.generate(), Sealer(Opener.generate().public_bytes())
    worker = StoreWorker(
        lambda: Store.open(tmp_path / "queue.db", terminal_id="T1", signer=signer, sealer=sealer)
    )
    for order, deferred in (("T1-1", False), ("T1-2", False), ("T1-3", True)):
        await worker.call(partial(take_offline, order=order, time_s=clocks.wall_s, deferred=deferred))
    figures = clocks.figures()
    await figures.refresh(worker)
    worker.close()
    exposure, view = figures.exposure(), figures.view("")
    assert (exposure.count, exposure.total.minor) == (3, 3750)
    assert (view.approved_count, view.approved_total.minor) == (2, 2500)
    assert (view.deferred_count, view.deferred_total.minor) == (1, 1250)


async def test_a_store_that_can_t_be_opened_is_said(clocks: Clocks, tmp_path: Path) -> None:
    signer, sealer = SigningKey.generate(), Sealer(Opener.generate().public_bytes())
    worker = StoreWorker(lambda: Store.open(tmp_path, terminal_id="T1", signer=signer, sealer=sealer))
    figures = clocks.figures()
    await figures.refresh(worker)
    worker.close()
    assert str(tmp_path) in figures.fault
    assert figures.view("something else").alarm == figures.fault
