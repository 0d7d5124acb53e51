"""Orders, attempts and records as the terminal uses them."""

import re
import stat
from pathlib import Path

import pytest

from offline_queue.errors import (
    AttemptClosedError,
    CardDataError,
    LiveAttemptError,
    OrderMismatchError,
    RecordError,
    SchemaError,
    StoreUnavailableError,
    UnknownAttemptError,
)
from offline_queue.record import Record, RecordKind, genesis_head, seal_binding
from offline_queue.sealing import Sealer
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from offline_queue.summary import Summary
from tests.offline_queue.conftest import TERMINAL, Counter


def test_a_new_store_is_empty_and_private(counter: Counter) -> None:
    status = counter.store.status()
    assert (status.unsent, status.sequence, status.head) == (0, 0, genesis_head(TERMINAL))
    assert (status.quarantined, status.oldest_unsent_ms, status.deferred_count) == (0, None, 0)
    assert status.damage == ""
    counter.append()
    for file in counter.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_payment_from_order_to_outcome(counter: Counter) -> None:
    store = counter.store
    store.open_order("7", 1250, "EUR")
    attempt = store.begin_attempt("7", state="presenting")
    assert re.fullmatch("T1-00000001-[0-9a-f]{6}", attempt)
    intent = counter.append(RecordKind.INTENT, attempt, state="asked", summary={"order": "7"}, time_ms=5)
    (row,) = store.open_attempts()
    assert (row.key, row.order_id, row.state) == (attempt, "7", "asked")
    assert (row.live, row.amount_minor, row.currency) == (True, 1250, "EUR")
    assert row.intent == intent
    assert dict(row.summary) == {"order": "7"}

    store.move_attempt(attempt, state="querying")
    assert store.open_attempts()[0].state == "querying"

    result = counter.append(
        RecordKind.RESULT, attempt, state="done", closes=True, summary={"outcome": "approved"}, time_ms=6
    )
    assert store.open_attempts() == ()
    (row,) = store.attempts("7")
    assert (row.state, row.live, row.intent) == ("done", False, intent)
    assert row.summary["outcome"] == "approved"
    assert store.attempt(attempt) == row
    assert store.records(attempt) == (intent, result)
    assert (intent.sequence, result.sequence) == (1, 2)
    result.verify_link(intent.head)
    assert store.record(2) == result
    assert store.record(3) is None
    assert store.status().deferred_count == 0


def test_everything_is_there_after_a_restart(counter: Counter) -> None:
    attempt = counter.attempt()
    intent = counter.append(RecordKind.INTENT, attempt, state="asked")
    before = counter.store.status()
    store = counter.reopen()
    assert store.status() == before
    assert store.open_attempts()[0].intent == intent
    assert counter.append().previous_head == intent.head
    assert counter.attempt().startswith("T1-00000002-")
    assert store.verify(signatures=True).ok


def test_only_the_host_can_read_the_secret(counter: Counter) -> None:
    record = counter.append(secret=b"4761739001010119")
    counter.close()
    for file in counter.path.parent.iterdir():
        assert b"4761739001010119" not in file.read_bytes()
    assert counter.opener.open(record.sealed, seal_binding(TERMINAL, 1)) == b"4761739001010119"


def test_an_order_is_opened_once(counter: Counter) -> None:
    store = counter.store
    store.open_order("7", 1250, "EUR")
    store.open_order("7", 1250, "EUR")
    with pytest.raises(OrderMismatchError):
        store.open_order("7", 1300, "EUR")
    with pytest.raises(OrderMismatchError):
        store.open_order("7", 1250, "CHF")
    assert [row.order_id for row in store.orders(10)] == ["7"]


def test_an_order_has_one_live_attempt(counter: Counter) -> None:
    store = counter.store
    store.open_order("7", 1250, "EUR")
    first = store.begin_attempt("7", state="new")
    with pytest.raises(LiveAttemptError):
        store.begin_attempt("7", state="new")
    store.open_order("8", 1, "EUR")
    assert store.begin_attempt("8", state="new").startswith("T1-00000002-")
    store.move_attempt(first, state="gone", closes=True)
    assert store.begin_attempt("7", state="new").startswith("T1-00000003-")
    assert [row.key[:11] for row in store.attempts("7")] == [first[:11], "T1-00000003"]


def test_a_closed_attempt_takes_records_but_no_intent_and_stays_closed(counter: Counter) -> None:
    attempt = counter.attempt()
    counter.append(RecordKind.RESULT, attempt, state="expired", closes=True)
    with pytest.raises(AttemptClosedError):
        counter.append(RecordKind.INTENT, attempt, state="asked")
    with pytest.raises(AttemptClosedError):
        counter.store.move_attempt(attempt, state="asked")
    counter.append(RecordKind.RESULT, attempt, state="paid late", closes=False)
    row = counter.store.attempt(attempt)
    assert row is not None
    assert (row.state, row.live) == ("paid late", False)
    assert counter.store.status().sequence == 2


def test_unknown_orders_and_attempts(counter: Counter) -> None:
    with pytest.raises(UnknownAttemptError):
        counter.store.begin_attempt("7", state="new")
    with pytest.raises(UnknownAttemptError):
        counter.store.move_attempt("T1-00000009", state="new")
    with pytest.raises(UnknownAttemptError):
        counter.append(RecordKind.INTENT, "T1-00000009")
    assert counter.store.attempts("7") == ()
    assert counter.store.records("T1-00000009") == ()
    assert counter.store.status().sequence == 0


def test_orders_come_newest_first(counter: Counter) -> None:
    for number in range(5):
        counter.store.open_order(str(number), number, "EUR")
    assert [row.order_id for row in counter.store.orders(3)] == ["4", "3", "2"]


def test_offline_approvals_add_up(counter: Counter) -> None:
    counter.offline_sale(1250)
    counter.offline_sale(300)
    attempt = counter.attempt(5000)
    counter.append(RecordKind.RESULT, attempt, closes=True, summary={"outcome": "approved"})
    status = counter.store.status()
    assert (status.deferred_count, status.deferred_total_minor) == (2, 1550)
    assert counter.reopen().status() == status


def test_what_was_approved_offline_is_counted_apart_from_what_nobody_has_approved(counter: Counter) -> None:
    counter.offline_sale(1250)
    attempt = counter.attempt(300)
    outcome: Summary = {"outcome": "approved_offline", "deferred": False}
    counter.append(RecordKind.RESULT, attempt, state="done", closes=True, summary=outcome, time_ms=1)
    status = counter.store.status()
    assert (status.deferred_count, status.deferred_total_minor) == (1, 1250)
    assert (status.approved_count, status.approved_total_minor) == (1, 300)
    assert status.oldest_offline_ms == 1, "the limits look at both"
    counter.store.acknowledge(counter.acknowledgement(status.sequence, settled={attempt: "approved"}))
    status = counter.reopen().status()
    assert (status.deferred_count, status.approved_count, status.approved_total_minor) == (1, 0, 0)


def test_the_clock_decides_nothing(counter: Counter) -> None:
    for time_ms in (5_000, 1, 9_000):
        counter.append(time_ms=time_ms)
    assert [record.time_ms for record in counter.store.unsent(9)] == [5_000, 1, 9_000]
    assert counter.store.status().oldest_unsent_ms == 5_000


def test_a_card_number_is_refused_and_nothing_is_written(counter: Counter) -> None:
    attempt = counter.attempt()
    with pytest.raises(CardDataError):
        counter.append(RecordKind.INTENT, attempt, state="asked", summary={"pan": "4761739001010119"})
    with pytest.raises(CardDataError):
        counter.store.open_order("4761739001010119", 1, "EUR")
    assert counter.store.open_attempts()[0].state == "new"
    assert counter.append().sequence == 1


def test_a_store_belongs_to_one_terminal(counter: Counter) -> None:
    counter.append()
    counter.close()
    sealer = Sealer(counter.opener.public_bytes())
    with pytest.raises(SchemaError, match="belongs to terminal T1, not T2"):
        Store.open(counter.path, terminal_id="T2", signer=counter.signer, sealer=sealer)
    with pytest.raises(SchemaError, match="terminal id"):
        Store.open(counter.path, terminal_id="no spaces", signer=counter.signer, sealer=sealer)
    assert counter.store.status().sequence == 1


def test_another_signing_key_adds_nothing_to_the_chain(counter: Counter) -> None:
    counter.append()
    counter.signer = SigningKey.generate()
    assert "signed" in counter.reopen().status().damage


def test_a_record_of_another_make_is_refused(counter: Counter) -> None:
    with pytest.raises(RecordError):
        counter.append(summary={"nested": {}})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="negative"):
        counter.store.open_order("7", -1, "EUR")


def test_records_read_back_are_the_records_written(counter: Counter) -> None:
    written = [counter.append(secret=bytes([number])) for number in range(5)]
    counter.reopen()
    read = counter.store.unsent(10)
    assert list(read) == written
    keys = {counter.signer.key_id: counter.signer.public_key}
    assert [Record.decode(record.encode(), keys) for record in read] == written
    assert [record.sequence for record in counter.store.unsent(2)] == [1, 2]


def test_a_closed_store_says_so(counter: Counter) -> None:
    store = counter.store
    counter.close()
    for use in (store.status, store.open_attempts, lambda: store.open_order("7", 1, "EUR")):
        with pytest.raises(StoreUnavailableError, match="closed"):
            use()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path, counter: Counter) -> None:
    counter.path.parent.mkdir()
    counter.path.write_bytes(b"My diary. " * 1000)
    with pytest.raises(StoreUnavailableError, match="damaged"):
        counter.store.status()
    assert counter.path.read_bytes() == b"My diary. " * 1000
