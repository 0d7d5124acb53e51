"""What must not come twice: remembered with its record or not at all, and for long enough."""

from dataclasses import replace

import pytest

from offline_queue import sightings
from offline_queue.errors import SeenBeforeError
from offline_queue.record import RecordKind
from offline_queue.sightings import Recollection, Sighting
from tests.offline_queue.conftest import Counter


def sighting(number: int, source: int = 1, counter: int = 1) -> Sighting:
    return Sighting(number.to_bytes(16, "big"), source.to_bytes(16, "big"), counter)


def test_what_has_come_before_is_refused_and_nothing_of_it_is_written(counter: Counter) -> None:
    first = counter.append(RecordKind.INTENT, counter.attempt(), state="asking", sighting=sighting(1))
    attempt = counter.attempt()
    again = replace(sighting(1), counter=2)
    with pytest.raises(SeenBeforeError):
        counter.append(RecordKind.INTENT, attempt, state="asking", sighting=again)
    row = counter.store.attempt(attempt)
    assert row is not None
    assert (row.state, row.intent) == ("new", None)
    assert counter.store.status().head == first.head
    assert counter.store.recall(again) == Recollection(seen=True, highest=1)
    assert counter.append(RecordKind.INTENT, attempt, state="asking", sighting=sighting(2)).sequence == 2


def test_it_is_remembered_through_a_restart(counter: Counter) -> None:
    counter.append(sighting=sighting(1))
    counter.reopen()
    with pytest.raises(SeenBeforeError):
        counter.append(sighting=sighting(1))


def test_the_highest_counter_is_that_of_its_source(counter: Counter) -> None:
    for number, (source, value) in enumerate([(1, 5), (1, 9), (1, 7), (2, 30)]):
        counter.append(sighting=sighting(number, source, value))
    assert counter.store.recall(sighting(99, 1)) == Recollection(seen=False, highest=9)
    assert counter.store.recall(sighting(99, 2)).highest == 30
    assert counter.store.recall(sighting(99, 3)).highest is None


def test_the_oldest_are_forgotten_by_their_order_and_not_by_the_clock(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "KEPT", 3)
    for number, time_ms in enumerate([500, 400, 300, 200]):
        counter.append(sighting=sighting(number), time_ms=time_ms)
    seen = [counter.store.recall(sighting(number)).seen for number in range(4)]
    assert seen == [False, True, True, True]


def test_a_sighting_is_two_fingerprints_and_a_counter() -> None:
    for wrong in ({"fingerprint": b"short"}, {"source": bytes(17)}, {"counter": -1}):
        with pytest.raises(ValueError, match=r"fingerprint|negative"):
            replace(sighting(1), **wrong)
