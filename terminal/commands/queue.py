"""`tillside queue`: what waits in the offline queue, whether it is sound, and sending it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from offline_queue.errors import QueueError
from offline_queue.rows import QueueStatus
from offline_queue.store import Store
from terminal.commands import place
from terminal.commands.errors import FINDING, FINE, FindingError
from terminal.commands.output import complain, fault, say, say_json
from terminal.config import Config
from terminal.delivery import deliver_all
from terminal.enrolment import Enrolment
from terminal.host_client import HttpHost
from terminal.http import client
from terminal.money import Money
from terminal.set_up import open_store

HEAD_DIGITS = 16
"""How much of the chain's head is shown to a person: as much as on a receipt."""


def run(options: argparse.Namespace) -> int:
    """Do what the command names with the queue."""
    folder = place.folder(options)
    config = place.config_to_connect(folder) if options.what == "sync" else place.config(folder)
    keys = place.enrolment(folder, config.terminal.id)
    with _open_store(folder, config, keys) as store:
        if options.what == "verify":
            return _verify(store, as_json=options.json)
        trouble = _sync(config, keys, store) if options.what == "sync" else ""
        return _tell(store.status(), config, trouble, as_json=options.json)


def _verify(store: Store, *, as_json: bool) -> int:
    report = store.verify(signatures=True)
    damage = [f"record {found.sequence}: {found.fault}" for found in report.damage]
    if as_json:
        say_json(
            {"records": report.records, "signatures_checked": report.signatures_checked, "damage": damage}
        )
    else:
        say(f"records: {report.records}")
        say(f"signatures checked: {report.signatures_checked}")
        say(f"damage: {'; '.join(damage) or 'none'}")
    return FINE if report.ok else FINDING


def _sync(config: Config, keys: Enrolment, store: Store) -> str:
    """Deliver everything; return what went wrong, in words, or empty."""

    async def deliver() -> None:
        async with client(config.host.ca_file) as http:
            await deliver_all(store, HttpHost(config.host.url, keys, http))

    try:
        asyncio.run(deliver())
    except QueueError as error:
        return f"not delivered: {error}"
    return ""


def _tell(status: QueueStatus, config: Config, trouble: str, *, as_json: bool) -> int:
    if as_json:
        say_json(_facts(status) | (fault(trouble) if trouble else {}))
    else:
        for line in _lines(status, config):
            say(line)
    if trouble:
        complain(trouble)
    return FINDING if trouble or status.unsent or status.quarantined or status.damage else FINE


def _facts(status: QueueStatus) -> dict[str, Any]:
    return {
        "unsent": status.unsent,
        "quarantined": status.quarantined,
        "deferred_count": status.deferred_count,
        "deferred_total_minor": status.deferred_total_minor,
        "approved_count": status.approved_count,
        "approved_total_minor": status.approved_total_minor,
        "sequence": status.sequence,
        "head": status.head.hex(),
        "damage": status.damage,
    }


def _lines(status: QueueStatus, config: Config) -> tuple[str, ...]:
    """Return the same for a person, in the words of screen and receipt."""

    def waiting(count: int, total_minor: int) -> str:
        total = Money(total_minor, config.shop.currency).format(config.shop.locale)
        return f"{count}, {total}" if count else "none"

    last = f"{status.sequence}, head {status.head.hex()[:HEAD_DIGITS]}" if status.sequence else "none"
    return (
        f"waits to be sent: {status.unsent or 'none'}",
        f"refused by the host: {status.quarantined or 'none'}",
        f"taken offline, not settled: {waiting(status.deferred_count, status.deferred_total_minor)}",
        f"approved offline, not settled: {waiting(status.approved_count, status.approved_total_minor)}",
        f"last record: {last}",
        f"damage: {status.damage or 'none'}",
    )


@contextmanager
def _open_store(folder: Path, config: Config, keys: Enrolment) -> Iterator[Store]:
    try:
        store = open_store(folder, config, keys)
    except QueueError as error:
        in_use = isinstance(error.__cause__, BlockingIOError)
        raise FindingError(f"{error}{_IN_USE if in_use else ''}") from error
    try:
        yield store
    except QueueError as error:
        raise FindingError(str(error)) from error
    finally:
        store.close()


_IN_USE = "; if that is the cashier's screen: it shows the same, and s sends the queue there"
