"""The offline queue as a technician sees it: state, chain, quarantine, delivery, and a way out by file."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from offline_queue import export_file
from offline_queue.errors import QueueError, StoreUnavailableError
from offline_queue.export_file import ExportHead
from offline_queue.record import Record
from offline_queue.rows import QueueStatus
from offline_queue.store import Store
from offline_queue.sync import BATCH_RECORDS
from offline_queue.verification import VerifyReport
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.home import option
from terminal.money import Money
from terminal.store_worker import StoreWorker

AREA = "queue"
PART_RECORDS = 200
"""How many records are looked at in one go: payments use the store in between."""
FORCE_S = 20.0
"""For how long a forced delivery is waited for, in seconds."""
LOOK_S = 0.05
"""Pause between looks at a delivery that was forced, in seconds."""
SHOWN = 5
"""How many single records a finding names."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the verification of the chain has come."""

    checked: int
    records: int
    damage: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether every record was looked at."""
        return self.checked >= self.records


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that the host refused. Nothing of it is secret."""

    sequence: int
    kind: str
    attempt: str
    when: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written into a file."""

    file: Path
    records: int
    first: int
    last: int
    bytes_written: int


async def probe(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield what there is to say: state, what waits and since when, quarantine, and the chain."""
    async for finding in state(workshop, wall_s=wall_s):
        yield finding
    if workshop.store is not None:
        yield await _chain(workshop)


async def state(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield the same without the chain, which takes long where there is much of it.

    Args:
        workshop: Whose queue.
        wall_s: The terminal's clock, in seconds since 1970.
    """
    if workshop.store is None:
        mark = Mark.NOTE if workshop.store_elsewhere else Mark.FAULT
        cure = "" if workshop.store_elsewhere else "keep the file queue.db, and call for help"
        yield Finding(AREA, "state", mark, workshop.store_fault or "the queue is not open", cure)
        return
    try:
        status = await workshop.store.call(Store.status)
        yield _state(status)
        yield _unsent(workshop, status, wall_s())
        yield _offline(workshop, status)
        yield await _quarantine(workshop, status)
    except QueueError as error:
        yield Finding(AREA, "state", Mark.FAULT, str(error), "keep the file queue.db, and call for help")


def _state(status: QueueStatus) -> Finding:
    details = {
        "records": str(status.sequence),
        "head": status.head.hex()[:16],
        "bytes": str(status.bytes_used),
    }
    if status.damage:
        cure = "the queue takes nothing new: keep the file queue.db, send a support bundle, and call for help"
        return Finding(AREA, "state", Mark.FAULT, status.damage, cure, details=details)
    return Finding(
        AREA,
        "state",
        Mark.OK,
        f"{_records_of(status.sequence)}, {status.bytes_used / 1e6:.1f} MB",
        details=details,
    )


def _unsent(workshop: Workshop, status: QueueStatus, now_s: float) -> Finding:
    name = "waits to be sent"
    if not status.unsent:
        return Finding(AREA, name, Mark.OK, "nothing")
    age_s = max(0.0, now_s - (status.oldest_unsent_ms or 0) / 1000)
    text = f"{_records_of(status.unsent)}, the oldest for {_duration(age_s)}"
    details = {"records": str(status.unsent), "oldest in seconds": f"{age_s:.0f}"}
    limit_h = workshop.config.offline.limit_hours if workshop.config is not None else 0
    sync = f"tillside queue sync{option(workshop.home)}"
    cure = f"s (Send) on pane 6 of the technician's screen, or: {sync}; the network's steps say what hinders"
    late = limit_h and age_s > limit_h * 3600
    if late:
        text += f"; offline payments may wait {limit_h} hours"
    return Finding(AREA, name, Mark.FAULT if late else Mark.WARNING, text, cure, details=details)


def _offline(workshop: Workshop, status: QueueStatus) -> Finding:
    name = "taken offline, not settled"
    count = status.deferred_count + status.approved_count
    if not count or workshop.config is None:
        return Finding(AREA, name, Mark.OK, "nothing")
    total = Money(
        status.deferred_total_minor + status.approved_total_minor, workshop.config.shop.currency
    ).format(workshop.config.shop.locale)
    payments = f"{count} payment{'' if count == 1 else 's'}"
    text = f"{payments}, {total}; {status.deferred_count} not approved by anybody yet"
    return Finding(AREA, name, Mark.NOTE, text)


async def _quarantine(workshop: Workshop, status: QueueStatus) -> Finding:
    name = "refused by the host"
    if not status.quarantined:
        return Finding(AREA, name, Mark.OK, "nothing")
    found = await quarantined(workshop, SHOWN)
    details = {f"record {one.sequence}": f"{one.kind} of {one.attempt}: {one.reason}" for one in found}
    text = f"{_records_of(status.quarantined)}: the host holds what it refused, and will not act on it"
    cure = "show the list to the host's operator: money may hang on it"
    return Finding(AREA, name, Mark.WARNING, text, cure, details=details)


async def _chain(workshop: Workshop) -> Finding:
    name = "chain"
    started = time.perf_counter()
    last = Progress(0, 0)
    try:
        async with aclosing(verify(workshop, signatures=False)) as parts:
            async for progress in parts:
                last = progress
    except QueueError as error:
        return Finding(AREA, name, Mark.FAULT, str(error), "keep the file queue.db, and call for help")
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    if last.damage:
        cure = "keep the file queue.db, send a support bundle, and call for help"
        return Finding(AREA, name, Mark.FAULT, "; ".join(last.damage[:SHOWN]), cure, took_ms)
    text = f"all {last.records} records follow one on another; the last one's signature holds"
    return Finding(AREA, name, Mark.OK, text if last.records else "no record yet", took_ms=took_ms)


async def verify(workshop: Workshop, *, signatures: bool = True) -> AsyncGenerator[Progress, None]:
    """Check every record, in steps; the last one is `done`. Raises QueueError.

    Args:
        workshop: Whose queue.
        signatures: Whether to check every record's signature, and not the last one's alone.
    """
    store = _store(workshop)
    head, damage, checked = b"", [], 0
    while True:
        records = (await store.call(Store.status)).sequence

        def part(store: Store, after: int = checked, head: bytes = head) -> VerifyReport:
            return store.verify_part(after, head, PART_RECORDS, signatures=signatures)

        report = await store.call(part)
        head = report.head
        checked += report.records
        damage += [f"record {found.sequence}: {found.fault}" for found in report.damage]
        if report.records < PART_RECORDS:
            yield Progress(records, records, tuple(damage))
            return
        yield Progress(min(checked, records - 1), records, tuple(damage))


async def quarantined(workshop: Workshop, limit: int = 100) -> tuple[Quarantined, ...]:
    """Return what the host refused, oldest first. Raises QueueError."""
    found = await _store(workshop).call(lambda store: store.quarantined(limit))
    return tuple(
        Quarantined(
            record.sequence,
            record.kind.value,
            record.attempt,
            datetime.fromtimestamp(record.time_ms / 1000).astimezone(),
            reason,
        )
        for record, reason in found
    )


async def sync(workshop: Workshop) -> Finding:
    """Deliver what waits, now, and say what came of it."""
    name = "force sync"
    started = time.perf_counter()
    try:
        store = _store(workshop)
        before = (await store.call(Store.status)).unsent
        trouble = await (
            _force(workshop, store) if workshop.delivery is not None else _drain(workshop, store)
        )
        after = (await store.call(Store.status)).unsent
    except QueueError as error:
        return Finding(AREA, name, Mark.FAULT, f"not delivered: {error}", _NO_WAY)
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    if trouble or after:
        text = f"{_records_of(after)} still waiting: {trouble or 'the host takes its time'}"
        return Finding(AREA, name, Mark.FAULT, text, _NO_WAY, took_ms)
    return Finding(AREA, name, Mark.OK, f"{_records_of(before)} delivered, nothing waits", took_ms=took_ms)


_NO_WAY = "look at the network's steps; without any network, export the queue to a file"


async def _force(workshop: Workshop, store: StoreWorker) -> str:
    """Have the delivery do it that is at work already; return what went wrong."""
    delivery = workshop.delivery
    if delivery is None:
        return ""
    delivery.force()
    end = time.monotonic() + FORCE_S
    while time.monotonic() < end:
        if not (await store.call(Store.status)).unsent:
            return ""
        if delivery.alarm:
            return delivery.alarm
        await asyncio.sleep(LOOK_S)
    return delivery.alarm or delivery.network


async def _drain(workshop: Workshop, store: StoreWorker) -> str:
    """Deliver batch by batch; return what went wrong. Raises QueueError."""
    if workshop.host is None:
        return "there is no way to the host"
    while records := await store.call(lambda its: its.unsent(BATCH_RECORDS)):
        acknowledgement = await workshop.host.sync(records)
        taken = await store.call(lambda its, told=acknowledgement: its.acknowledge(told))  # type: ignore[misc]
        if not taken.records:
            return "the host acknowledges nothing"
    return ""


async def export(workshop: Workshop, file: Path, *, wall_s: Callable[[], float] = time.time) -> Exported:
    """Write everything unsent into a new file, sealed and signed as it would be sent.

    Nothing counts as delivered by it, and nothing takes such a file in yet.

    Raises QueueError, and OSError where the file can't be written or is there already.
    """
    store = _store(workshop)
    if workshop.enrolment is None:
        raise StoreUnavailableError("this terminal is not enrolled, so nothing can be signed")
    status = await store.call(Store.status)
    first, last = status.sequence - status.unsent + 1, status.sequence
    records = await store.call(lambda its: its.unsent(1))
    head = ExportHead(
        workshop.enrolment.terminal_id,
        first,
        status.unsent,
        records[0].previous_head if records else status.head,
        status.head,
        int(wall_s() * 1000),
    )
    writer = export_file.create(file, head.encode(workshop.enrolment.key))
    try:
        for start in range(first, last + 1, PART_RECORDS):
            through = min(start + PART_RECORDS - 1, last)
            for record in await store.call(lambda its, a=start, b=through: _records(its, a, b)):  # type: ignore[misc]
                writer.add(record.encode())
    except BaseException:
        writer.close()
        os.unlink(file)
        raise
    writer.close()
    return Exported(file, status.unsent, first, last, writer.bytes_written)


def _records(store: Store, first: int, last: int) -> tuple[Record, ...]:
    found = (store.record(sequence) for sequence in range(first, last + 1))
    return tuple(record for record in found if record is not None)


def _store(workshop: Workshop) -> StoreWorker:
    if workshop.store is None:
        raise StoreUnavailableError(workshop.store_fault or "the queue is not open")
    return workshop.store


def _records_of(count: int) -> str:
    return f"{count} record{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
