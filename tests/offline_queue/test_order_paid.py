"""An order is paid once, whatever its attempts come to and in whichever order they do."""

from typing import Any

import pytest

from offline_queue.errors import AttemptClosedError, OrderPaidError
from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from tests.offline_queue.conftest import Counter


def result(store: Store, attempt: str, outcome: str, **facts: Any) -> Record:
    """End an attempt."""
    return store.append(
        RecordKind.RESULT,
        attempt=attempt,
        state="done",
        closes=True,
        secret=b"",
        summary={"outcome": outcome, **facts},
        time_ms=facts.get("time_ms", 1),
    )


@pytest.fixture
def store(counter: Counter) -> Store:
    counter.store.open_order("A", 1250, "EUR")
    return counter.store


@pytest.mark.parametrize("outcome", ["approved", "approved_offline"])
def test_a_paid_order_takes_no_new_attempt(store: Store, outcome: str) -> None:
    result(store, store.begin_attempt("A", state="new"), outcome)
    with pytest.raises(OrderPaidError):
        store.begin_attempt("A", state="new")


def test_a_declined_order_takes_another(store: Store) -> None:
    result(store, store.begin_attempt("A", state="new"), "declined")
    store.begin_attempt("A", state="new")


def test_a_late_yes_is_not_taken_while_another_attempt_is_open(store: Store) -> None:
    late = store.begin_attempt("A", state="new")
    result(store, late, "declined")
    store.begin_attempt("A", state="new")
    before = store.status()
    with pytest.raises(OrderPaidError):
        result(store, late, "approved")
    assert store.status() == before
    assert store.attempts("A")[0].summary["outcome"] == "declined"


def test_a_late_yes_is_not_taken_once_another_attempt_has_paid(counter: Counter, store: Store) -> None:
    late = store.begin_attempt("A", state="new")
    result(store, late, "declined")
    result(store, store.begin_attempt("A", state="new"), "approved")
    with pytest.raises(OrderPaidError):
        result(counter.reopen(), late, "approved")


def test_a_late_yes_is_taken_by_an_open_order_and_pays_it(store: Store) -> None:
    late = store.begin_attempt("A", state="new")
    result(store, late, "declined")
    result(store, late, "approved")
    with pytest.raises(OrderPaidError):
        store.begin_attempt("A", state="new")


def test_an_order_whose_offline_payment_was_declined_can_be_paid_again(
    counter: Counter, store: Store
) -> None:
    attempt = store.begin_attempt("A", state="new")
    record = result(store, attempt, "approved_offline", deferred=True)
    taken = store.acknowledge(counter.acknowledgement(record.sequence, settled={attempt: "declined"}))
    assert taken.declined == (attempt,)
    again = store.acknowledge(counter.acknowledgement(record.sequence, settled={attempt: "declined"}))
    assert again.declined == ()
    store.begin_attempt("A", state="new")


def test_the_age_of_what_was_deferred_is_that_of_the_oldest_not_settled(
    counter: Counter, store: Store
) -> None:
    store.open_order("B", 1250, "EUR")
    first, second = (store.begin_attempt(order, state="new") for order in ("A", "B"))
    result(store, first, "approved_offline", time_ms=100)
    record = result(store, second, "approved_offline", time_ms=200)
    assert store.status().oldest_offline_ms == 100
    store.acknowledge(counter.acknowledgement(record.sequence, settled={first: "approved"}))
    assert store.status().oldest_offline_ms == 200


def test_a_restored_old_store_mints_other_keys(counter: Counter, store: Store) -> None:
    counter.close()
    copy = counter.path.read_bytes()
    key = counter.store.begin_attempt("A", state="new")
    counter.close()
    for suffix in ("-wal", "-shm"):
        counter.path.with_name(counter.path.name + suffix).unlink(missing_ok=True)
    counter.path.write_bytes(copy)
    counter.store.open_order("A", 1250, "EUR")
    assert counter.store.begin_attempt("A", state="new") != key


def test_a_closed_attempt_may_be_put_to_rest_but_not_opened(store: Store) -> None:
    attempt = store.begin_attempt("A", state="new")
    result(store, attempt, "declined")
    store.move_attempt(attempt, state="rest", closes=True)
    (row,) = store.attempts_in("rest")
    assert (row.key, row.live) == (attempt, False)


def test_what_has_paid_is_not_undone_by_a_reversal_or_a_no(store: Store) -> None:
    attempt = store.begin_attempt("A", state="new")
    result(store, attempt, "approved")
    before = store.status()
    with pytest.raises(AttemptClosedError):
        result(store, attempt, "declined")
    with pytest.raises(AttemptClosedError):
        store.append(
            RecordKind.REVERSAL, attempt=attempt, state="x", closes=False, secret=b"", summary={}, time_ms=1
        )
    assert store.status() == before
