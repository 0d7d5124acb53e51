"""A file of what is unsent holds the very records, and a cut or mended one is found out."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import cbor2
import pytest

from offline_queue import export_file
from offline_queue.errors import ChainBrokenError, QueueError, RecordError, SignatureError
from offline_queue.export_file import ExportHead
from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey

KEY = SigningKey.generate()
KEYS = {KEY.key_id: KEY.public_key}


@dataclass(frozen=True)
class Made:
    """A file and what went into it."""

    data: bytes
    records: list[Record]
    head: ExportHead


def chain(count: int) -> list[Record]:
    sealer = Sealer(Opener.generate().public_bytes())
    records: list[Record] = []
    for number in range(1, count + 1):
        records.append(
            Record.create(
                signer=KEY,
                sealer=sealer,
                terminal_id="T1",
                sequence=number,
                previous_head=records[-1].head if records else genesis_head("T1"),
                kind=RecordKind.INTENT,
                attempt=f"T1-{number}",
                time_ms=1_790_000_000_000 + number,
                summary={"amount_minor": number},
                secret=b"card data",
            )
        )
    return records


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Records 3 to 6 of a terminal."""
    records = chain(6)[2:]
    head = ExportHead("T1", 3, 4, records[0].previous_head, records[-1].head, 1_790_000_000_000)
    writer = export_file.create(tmp_path / "out.cbor", head.encode(KEY))
    for record in records:
        writer.add(record.encode())
    writer.close()
    data = (tmp_path / "out.cbor").read_bytes()
    assert writer.bytes_written == len(data)
    return Made(data, records, head)


def test_it_holds_the_very_records(made: Made) -> None:
    head, records = export_file.read(made.data, KEYS)
    assert head == made.head
    assert head.last == 6
    assert [record.encode() for record in records] == [record.encode() for record in made.records]
    assert b"card data" not in made.data


def test_any_cbor_library_reads_it(made: Made) -> None:
    """RFC 8742: items one after another, each a tagged COSE_Sign1."""
    stream = io.BytesIO(made.data)
    decoder = cbor2.CBORDecoder(stream)
    items = [decoder.decode() for _ in range(5)]
    assert [item.tag for item in items] == [18] * 5
    assert cbor2.loads(items[0].value[2])["terminal"] == "T1"


def test_only_its_owner_may_read_it_and_none_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "out.cbor"
    export_file.create(file, b"").close()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    with pytest.raises(FileExistsError):
        export_file.create(file, b"")


def test_a_file_without_records_is_a_file(tmp_path: Path) -> None:
    tip = genesis_head("T1")
    head = ExportHead("T1", 1, 0, tip, tip, 0)
    assert export_file.read(head.encode(KEY), KEYS) == (head, ())


def test_a_cut_at_any_byte_is_found_out(made: Made) -> None:
    for end in range(len(made.data)):
        with pytest.raises(QueueError):
            export_file.read(made.data[:end], KEYS)


def test_a_record_that_is_left_out_moved_or_repeated_is_found_out(made: Made) -> None:
    head, *items = [made.head.encode(KEY), *(record.encode() for record in made.records)]
    for wrong in (items[1:], items[:-1], [items[1], items[0], *items[2:]], [items[0], *items]):
        with pytest.raises((ChainBrokenError, RecordError)):
            export_file.read(b"".join((head, *wrong)), KEYS)


def test_records_of_two_chains_are_found_out(made: Made) -> None:
    """A store that was restored from an old copy goes on under the same key and the same numbers."""
    other = chain(6)[4:]
    head = ExportHead("T1", 3, 4, made.head.previous_head, other[-1].head, 0)
    mixed = b"".join((head.encode(KEY), *(record.encode() for record in (*made.records[:2], *other))))
    with pytest.raises(ChainBrokenError):
        export_file.read(mixed, KEYS)


def test_every_changed_byte_is_found_out(made: Made) -> None:
    for place in range(0, len(made.data), 7):
        data = bytearray(made.data)
        data[place] ^= 1
        with pytest.raises(QueueError):
            export_file.read(bytes(data), KEYS)


def test_somebody_elses_file_is_not_taken(made: Made) -> None:
    stranger = SigningKey.generate()
    with pytest.raises(QueueError):
        export_file.read(made.data, {stranger.key_id: stranger.public_key})
    forged = b"".join((made.head.encode(stranger), *(record.encode() for record in made.records)))
    with pytest.raises((RecordError, SignatureError)):
        export_file.read(forged, KEYS)
