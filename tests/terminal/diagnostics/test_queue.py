"""The queue as a technician sees it: what waits, whether it is sound, force sync, and the way out by file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from offline_queue import export_file
from offline_queue.errors import StoreUnavailableError
from offline_queue.store import Store
from simulators.faults import TcpGate
from simulators.hosts.host import Host
from terminal.config import Config
from terminal.diagnostics import queue as module
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.open_workshop import open_workshop
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.set_up import open_store
from tests.terminal.diagnostics.conftest import append

WRITTEN_S = 1_790_000_000.0
"""When the records of the fixture `queue` were written."""


async def look(workshop: Workshop, now_s: float = WRITTEN_S + 60) -> dict[str, Finding]:
    return {finding.name: finding async for finding in module.probe(workshop, wall_s=lambda: now_s)}


async def test_what_waits_is_told_with_its_age(queue: Path, workshop: Workshop) -> None:
    found = await look(workshop)
    assert {name: finding.mark for name, finding in found.items()} == {
        "state": Mark.OK,
        "waits to be sent": Mark.WARNING,
        "taken offline, not settled": Mark.OK,
        "refused by the host": Mark.OK,
        "chain": Mark.OK,
    }
    assert found["waits to be sent"].text == "3 records, the oldest for 60 seconds"
    assert "all 3 records" in found["chain"].text


async def test_what_waits_for_too_long_is_a_fault(queue: Path, workshop: Workshop) -> None:
    late = (await look(workshop, WRITTEN_S + 25 * 3600))["waits to be sent"]
    assert late.mark is Mark.FAULT
    assert late.text == "3 records, the oldest for 25 hours; offline payments may wait 24 hours"


async def test_forced_delivery_without_one_that_is_at_work(
    queue: Path, workshop: Workshop, host: Host
) -> None:
    finding = await module.sync(workshop)
    assert (finding.mark, finding.text) == (Mark.OK, "3 records delivered, nothing waits")
    assert (await look(workshop))["waits to be sent"].mark is Mark.OK


async def test_forced_delivery_through_the_one_that_is_at_work(
    queue: Path, home: Path, gate: TcpGate
) -> None:
    gate.down()
    async with open_workshop(home) as workshop:
        assert workshop.delivery is not None
        gate.up()
        finding = await module.sync(workshop)
    assert finding.mark is Mark.OK, finding.text


async def test_forced_delivery_without_a_network(queue: Path, workshop: Workshop, gate: TcpGate) -> None:
    gate.down()
    finding = await module.sync(workshop)
    assert finding.mark is Mark.FAULT
    assert "does not accept connections" in finding.text
    assert "export" in finding.cure


async def test_a_long_chain_is_verified_in_steps(
    queue: Path, home: Path, config: Config, enrolled: Enrolment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_RECORDS", 4)
    with open_store(home, config, enrolled) as store:
        append(store, 7)
    async with open_workshop(home, deliver=False) as workshop:
        seen = [progress async for progress in module.verify(workshop)]
    assert [(one.checked, one.records, one.done) for one in seen] == [
        *((4, 10, False), (8, 10, False), (10, 10, True))
    ]
    assert seen[-1].damage == ()


async def test_an_empty_chain_is_done_at_once(home: Path, config: Config, enrolled: Enrolment) -> None:
    open_store(home, config, enrolled).close()
    async with open_workshop(home, deliver=False) as workshop:
        (only,) = [progress async for progress in module.verify(workshop)]
    assert only.done
    assert only.records == 0


def damage(file: Path, sequence: int, column: str) -> None:
    """Change one stored byte with another program, past the triggers that guard it."""
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER records_are_final_update")
        (value,) = connection.execute(
            f"SELECT {column} FROM records WHERE sequence = ?",  # noqa: S608  the test's own
            (sequence,),
        ).fetchone()
        changed = bytes((value[0] ^ 1, *value[1:]))
        connection.execute(
            f"UPDATE records SET {column} = ? WHERE sequence = ?",  # noqa: S608  the test's own
            (changed, sequence),
        )
    connection.close()


@pytest.mark.parametrize("column", ["body", "signature"])
async def test_damage_is_named_by_record(
    queue: Path, home: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    monkeypatch.setattr(module, "PART_RECORDS", 2)
    damage(queue, 2, column)
    async with open_workshop(home, deliver=False) as workshop:
        seen = [progress async for progress in module.verify(workshop)]
        found = await look(workshop)
    assert any(one.startswith("record 2: ") for one in seen[-1].damage)
    if column == "body":
        assert found["state"].mark is found["chain"].mark is Mark.FAULT
        assert "support bundle" in found["state"].cure


async def test_everything_unsent_goes_into_a_file(
    queue: Path, workshop: Workshop, tmp_path: Path, enrolled: Enrolment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_RECORDS", 2)
    done = await module.export(workshop, tmp_path / "out.cbor")
    assert (done.records, done.first, done.last) == (3, 1, 3)
    keys = {enrolled.key.key_id: enrolled.key.public_key}
    head, records = export_file.read((tmp_path / "out.cbor").read_bytes(), keys)
    assert head.terminal_id == "T1"
    assert workshop.store is not None
    assert records == await workshop.store.call(lambda store: store.unsent(10))
    assert (await look(workshop))["waits to be sent"].mark is Mark.WARNING
    with pytest.raises(FileExistsError):
        await module.export(workshop, tmp_path / "out.cbor")


async def test_what_is_delivered_is_not_in_the_file(
    queue: Path, workshop: Workshop, tmp_path: Path, enrolled: Enrolment
) -> None:
    await module.sync(workshop)
    assert workshop.store is not None
    await workshop.store.call(lambda store: append(store, 1))
    done = await module.export(workshop, tmp_path / "out.cbor")
    assert (done.records, done.first, done.last) == (1, 4, 4)
    keys = {enrolled.key.key_id: enrolled.key.public_key}
    assert export_file.read((tmp_path / "out.cbor").read_bytes(), keys)[0].first == 4


async def test_a_queue_that_another_program_has(
    queue: Path, home: Path, config: Config, enrolled: Enrolment
) -> None:
    with open_store(home, config, enrolled):
        async with open_workshop(home, deliver=False) as workshop:
            found = await look(workshop)
            with pytest.raises(StoreUnavailableError, match="in use"):
                await module.quarantined(workshop)
            synced = await module.sync(workshop)
    assert found["state"].mark is Mark.NOTE
    assert "in use by process" in found["state"].text
    assert "in use by process" in synced.text


async def test_looking_on_makes_no_queue(workshop: Workshop, home: Path) -> None:
    found = await look(workshop)
    assert found["state"].mark is Mark.NOTE
    assert not (home / "queue.db").exists()


async def test_what_the_host_refused_is_listed(queue: Path, workshop: Workshop) -> None:
    assert workshop.store is not None

    def refuse(store: Store) -> None:
        with store._database.transaction(0) as cursor:  # type: ignore[arg-type]  # as an acknowledgement does
            cursor.execute("INSERT INTO quarantine (sequence, reason) VALUES (2, 'unknown currency')")

    await workshop.store.call(refuse)
    (one,) = await module.quarantined(workshop)
    assert (one.sequence, one.kind, one.reason) == (2, "intent", "unknown currency")
    found = (await look(workshop))["refused by the host"]
    assert found.mark is Mark.WARNING
    assert "unknown currency" in found.details["record 2"]
