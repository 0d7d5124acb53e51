"""Acknowledgements: what the store takes over from the host, and what it refuses."""

import apsw
import pytest

from offline_queue.acknowledgement import Refusal
from offline_queue.errors import AcknowledgementError, ChainBrokenError, QueueError, SignatureError
from offline_queue.record import RecordKind, genesis_head
from offline_queue.signing import SigningKey
from tests.offline_queue.conftest import TERMINAL, Counter


def unsent(counter: Counter) -> list[int]:
    return [record.sequence for record in counter.store.unsent(100)]


def test_what_is_acknowledged_is_not_sent_again(counter: Counter) -> None:
    for time_ms in range(4):
        counter.append(time_ms=time_ms)
    assert unsent(counter) == [1, 2, 3, 4]
    assert counter.store.acknowledge(counter.acknowledgement(3)).records == 3
    assert unsent(counter) == [4]
    counter.reopen()
    assert unsent(counter) == [4]
    status = counter.store.status()
    assert (status.unsent, status.oldest_unsent_ms, status.sequence) == (1, 3, 4)
    counter.store.acknowledge(counter.acknowledgement(4))
    assert counter.store.status().oldest_unsent_ms is None
    assert counter.store.verify(signatures=True).records == 4


def test_the_hosts_own_words_are_kept(counter: Counter) -> None:
    counter.append()
    acknowledgement = counter.acknowledgement(1)
    counter.store.acknowledge(acknowledgement)
    counter.close()
    row = apsw.Connection(str(counter.path)).execute("SELECT acknowledgement FROM delivery").get
    assert row == acknowledgement.encode()


def test_an_acknowledgement_of_nothing(counter: Counter) -> None:
    counter.append()
    counter.store.acknowledge(counter.acknowledgement(0, head=genesis_head(TERMINAL)))
    assert unsent(counter) == [1]
    with pytest.raises(ChainBrokenError):
        counter.store.acknowledge(counter.acknowledgement(0, head=genesis_head("T2")))


def test_an_old_acknowledgement_changes_nothing(counter: Counter) -> None:
    sale = counter.offline_sale()
    old = counter.acknowledgement(1, settled={sale: "declined"}, refused=(Refusal(1, "late"),))
    counter.store.acknowledge(counter.acknowledgement(2))
    assert counter.store.acknowledge(old).records == 0
    status = counter.store.status()
    assert (status.unsent, status.deferred_count, status.quarantined) == (0, 1, 0)


def test_the_same_acknowledgement_again_changes_nothing(counter: Counter) -> None:
    sale = counter.offline_sale()
    acknowledgement = counter.acknowledgement(2, settled={sale: "approved"}, refused=(Refusal(1, "no"),))
    counter.store.acknowledge(acknowledgement)
    status = counter.store.status()
    counter.store.acknowledge(acknowledgement)
    assert counter.store.status() == status


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("forged", SignatureError, "not signed by key"),
        ("another terminal", AcknowledgementError, "terminal T2"),
        ("another head", ChainBrokenError, "another chain at record 2"),
        ("the head of another record", ChainBrokenError, "another chain at record 2"),
        ("more than there is", ChainBrokenError, "holds 3 records, but only 2 are here"),
        ("refuses what it does not acknowledge", AcknowledgementError, "refuses what it does not"),
        ("settles what is not here", AcknowledgementError, "T1-00000099, which is not here"),
    ],
)
def test_what_is_not_ours_is_refused_whole(
    counter: Counter, fault: str, error: type[QueueError], words: str
) -> None:
    sale = counter.offline_sale()
    first, second = counter.store.unsent(2)
    fate = {sale: "approved"}
    acknowledgement = {
        "forged": counter.acknowledgement(2, settled=fate, signer=SigningKey.generate()),
        "another terminal": counter.acknowledgement(2, settled=fate, terminal_id="T2"),
        "another head": counter.acknowledgement(2, settled=fate, head=genesis_head("T2")),
        "the head of another record": counter.acknowledgement(2, settled=fate, head=first.head),
        "more than there is": counter.acknowledgement(3, settled=fate, head=second.head),
        "refuses what it does not acknowledge": counter.acknowledgement(
            1, settled=fate, refused=(Refusal(2, "no"),)
        ),
        "settles what is not here": counter.acknowledgement(2, settled=fate | {"T1-00000099": "approved"}),
    }[fault]
    before = counter.store.status()
    with pytest.raises(error, match=words):
        counter.store.acknowledge(acknowledgement)
    assert counter.store.status() == before
    assert unsent(counter) == [1, 2]


def test_what_the_host_refuses_is_put_aside_and_the_rest_goes_on(counter: Counter) -> None:
    for _ in range(3):
        counter.append()
    counter.store.acknowledge(counter.acknowledgement(2, refused=(Refusal(2, "the seal does not open"),)))
    assert unsent(counter) == [3]
    assert counter.store.status().quarantined == 1
    ((record, reason),) = counter.store.quarantined(10)
    assert (record.sequence, reason) == (2, "the seal does not open")
    counter.store.acknowledge(counter.acknowledgement(3))
    assert counter.reopen().status().quarantined == 1
    assert counter.store.verify(signatures=True).records == 3


@pytest.mark.parametrize("fate", ["approved", "declined"])
def test_the_fate_of_an_offline_approval_is_written_down(counter: Counter, fate: str) -> None:
    first, second = counter.offline_sale(1000), counter.offline_sale(300)
    counter.store.acknowledge(counter.acknowledgement(4, settled={first: fate}))
    status = counter.store.status()
    assert (status.deferred_count, status.deferred_total_minor) == (1, 300)
    row = counter.store.attempt(first)
    assert row is not None
    assert row.settled == fate
    counter.store.acknowledge(counter.acknowledgement(4, settled={second: fate}))
    assert counter.store.status().deferred_total_minor == 0


def test_a_fate_is_final(counter: Counter) -> None:
    sale = counter.offline_sale()
    counter.store.acknowledge(counter.acknowledgement(2, settled={sale: "approved"}))
    counter.append(RecordKind.SHIFT)
    with pytest.raises(AcknowledgementError, match="had approved"):
        counter.store.acknowledge(counter.acknowledgement(3, settled={sale: "declined"}))
    assert unsent(counter) == [3]
