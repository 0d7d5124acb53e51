"""What the host decides, request by request."""

from collections.abc import Callable

import pytest

from offline_queue.acknowledgement import Acknowledgement, Refusal
from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.sealing import Opener
from offline_queue.signing import SigningKey
from simulators.hosts.host_books import Books
from simulators.hosts.host_desk import Desk, RequestRefusedError
from simulators.hosts.host_issuer import IssuerAnswer
from tests.simulators.hosts.host_terminal import NO, YES, ModelTerminal, card, certificate, wallet


def issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    if data_record in (YES, certificate(YES), certificate(YES, cid=0x80), certificate(YES, cid=0x00)):
        return IssuerAnswer(True, "00", "123456", "")
    return IssuerAnswer(False, "05", "", "declined by the issuer")


class Counter:
    """A host without its wire, and one enrolled terminal."""

    def __init__(self) -> None:
        self.books = Books(None)
        self.opener = Opener.generate()
        self.desk = Desk(self.books, signer=SigningKey.generate(), opener=self.opener, issuer=issuer)
        self.terminal = ModelTerminal(self.opener.public_bytes())
        self.desk.enrol("T1", self.terminal.key.public_key, "Counter 1")

    def authorise(self, record: Record) -> str:
        return self.desk.authorise("T1", record.encode()).result

    def reverse(self, record: Record) -> str:
        return self.desk.reverse("T1", record.encode()).result

    def sync(self, first: int = 1, last: int | None = None) -> Acknowledgement:
        return self.desk.sync("T1", [record.encode() for record in self.terminal.chain[first - 1 : last]])

    def booked(self) -> list[tuple[str, int]]:
        return [
            (line.attempt, line.amount_minor)
            for line in self.books.statement()
            if line.kind == "sale" and not line.reversed
        ]

    def alarms(self) -> list[str]:
        return [alarm.kind for alarm in self.books.alarms()]


@pytest.fixture
def counter() -> Counter:
    return Counter()


def refused(code: str, request: Callable[[], object]) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        request()
    assert caught.value.code == code


def test_authorised_booked_and_delivered(counter: Counter) -> None:
    intent = counter.terminal.intent()
    assert counter.desk.query("T1", intent.attempt).result == "not_found"
    answer = counter.desk.authorise("T1", intent.encode())
    assert (answer.result, answer.code, answer.authorisation) == ("approved", "00", "123456")
    assert counter.desk.query("T1", intent.attempt) == answer
    counter.terminal.result(intent, "approved")
    acknowledgement = counter.sync()
    assert (acknowledgement.through, acknowledgement.head) == (2, counter.terminal.chain[1].head)
    assert (acknowledgement.refused, dict(acknowledgement.settled)) == ((), {})
    (line,) = counter.books.statement()
    assert (line.order_id, line.attempt, line.amount_minor, line.currency, line.source) == (
        "order-1",
        intent.attempt,
        1250,
        "EUR",
        "card",
    )
    assert counter.alarms() == []


def test_declined_by_the_issuer(counter: Counter) -> None:
    intent = counter.terminal.intent(secret=card(NO))
    assert counter.authorise(intent) == "declined"
    counter.terminal.result(intent, "declined")
    counter.sync()
    assert counter.booked() == []
    assert counter.alarms() == []


def test_asked_again_it_says_the_same_and_books_once(counter: Counter) -> None:
    intent = counter.terminal.intent()
    first = counter.desk.authorise("T1", intent.encode())
    assert counter.desk.authorise("T1", intent.encode()) == first
    counter.terminal.result(intent, "approved")
    assert counter.sync() == counter.sync()
    assert counter.desk.authorise("T1", intent.encode()) == first
    assert counter.booked() == [(intent.attempt, 1250)]


@pytest.mark.parametrize(("secret", "fate"), [(card(YES), "approved"), (card(NO), "declined")])
def test_a_deferred_payment_is_decided_on_delivery(counter: Counter, secret: bytes, fate: str) -> None:
    intent = counter.terminal.intent(secret=secret)
    counter.terminal.result(intent, "approved_offline")
    acknowledgement = counter.sync()
    assert dict(acknowledgement.settled) == {intent.attempt: fate}
    assert counter.booked() == ([(intent.attempt, 1250)] if fate == "approved" else [])
    assert dict(counter.sync(2).settled) == {intent.attempt: fate}, "an acknowledgement may get lost"
    assert len(counter.books.statement()) == len(counter.booked())


@pytest.mark.parametrize(("says", "fate"), [(YES, "approved"), (NO, "declined")])
def test_what_the_card_approved_is_booked_once_if_the_issuer_finds_it_genuine(
    counter: Counter, says: bytes, fate: str
) -> None:
    record = counter.terminal.approval(certificate(says))
    for _ in range(2):
        acknowledgement = counter.sync()
        assert (acknowledgement.refused, dict(acknowledgement.settled)) == ((), {record.attempt: fate})
    assert counter.booked() == ([(record.attempt, 1250)] if fate == "approved" else [])
    assert counter.desk.query("T1", record.attempt).result == fate
    assert counter.alarms() == []


@pytest.mark.parametrize("cid", [0x00, 0x80], ids=["declined", "to be asked"])
def test_what_the_card_has_not_approved_is_no_presentment(counter: Counter, cid: int) -> None:
    record = counter.terminal.approval(certificate(YES, cid=cid))
    assert dict(counter.sync().settled) == {record.attempt: "declined"}
    assert counter.booked() == []


def test_a_presentment_without_card_data_is_refused(counter: Counter) -> None:
    record = counter.terminal.approval(b"no data objects")
    assert dict(counter.sync().settled) == {record.attempt: "declined"}
    summary = {**record.summary, "order": "8"}
    counter.terminal.write(RecordKind.RESULT, "T1-00000099", summary=summary)
    assert counter.sync().refused == (Refusal(2, "no intent came before it"),)
    assert counter.booked() == []


def test_what_the_card_approved_can_be_refunded(counter: Counter) -> None:
    record = counter.terminal.approval(certificate())
    counter.terminal.write(RecordKind.REFUND, record.attempt, summary={**record.summary, "amount": 200})
    assert counter.sync().refused == ()
    assert [(line.kind, line.source) for line in counter.books.statement()] == [
        ("sale", "card"),
        ("refund", "card"),
    ]


def test_what_was_never_booked_can_t_be_refunded(counter: Counter) -> None:
    intent = counter.terminal.intent(secret=card(NO))
    counter.authorise(intent)
    counter.terminal.write(RecordKind.REFUND, intent.attempt, summary=dict(intent.summary))
    assert counter.sync().refused == (Refusal(2, "nothing was booked that could be refunded"),)


def test_deferred_although_the_host_had_approved(counter: Counter) -> None:
    """The answer got lost, and the terminal went on as if the host had never been reached."""
    intent = counter.terminal.intent()
    assert counter.authorise(intent) == "approved"
    counter.terminal.result(intent, "approved_offline")
    assert dict(counter.sync().settled) == {intent.attempt: "approved"}
    assert len(counter.books.statement()) == 1


def test_a_reversal_undoes_a_booking_and_the_line_stays(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.authorise(intent)
    reversal = counter.terminal.reversal(intent)
    assert counter.reverse(reversal) == "reversed"
    assert counter.reverse(reversal) == "reversed"
    assert counter.desk.query("T1", intent.attempt).result == "reversed"
    assert counter.booked() == []
    assert [line.reversed for line in counter.books.statement()] == [True]
    counter.terminal.result(intent, "declined")
    counter.sync()
    assert counter.booked() == []
    assert counter.alarms() == []


def test_a_reversal_that_overtakes_its_authorisation(counter: Counter) -> None:
    intent = counter.terminal.intent()
    assert counter.reverse(counter.terminal.reversal(intent)) == "reversed"
    assert counter.authorise(intent) == "declined"
    assert counter.desk.query("T1", intent.attempt).result == "reversed"
    counter.terminal.result(intent, "approved_offline")
    assert dict(counter.sync().settled) == {intent.attempt: "declined"}
    assert counter.books.statement() == ()


def test_an_authorisation_that_comes_after_the_terminals_own_no(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.terminal.result(intent, "cancelled")
    counter.sync()
    assert counter.authorise(intent) == "declined"
    assert counter.booked() == []


def test_a_reversal_that_comes_with_the_queue_only(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.authorise(intent)
    counter.terminal.reversal(intent)
    counter.sync()
    assert counter.booked() == []


def test_a_wallets_payment_is_written_down_once(counter: Counter) -> None:
    intent = counter.terminal.intent(secret=wallet())
    refused("bad_record", lambda: counter.authorise(intent))
    assert counter.books.kept("T1", 1) is None, "what is refused leaves nothing behind"
    counter.terminal.result(intent, "approved")
    counter.sync()
    counter.sync()
    (line,) = counter.books.statement()
    assert (line.source, line.attempt, line.amount_minor) == ("wallet", intent.attempt, 1250)


def test_a_wallets_payment_that_came_late_after_all(counter: Counter) -> None:
    intent = counter.terminal.intent(secret=wallet())
    counter.terminal.result(intent, "approved")
    counter.terminal.reversal(intent)
    counter.sync()
    assert counter.booked() == []
    counter.terminal.result(intent, "approved")
    counter.sync()
    assert counter.booked() == [(intent.attempt, 1250)]
    assert len(counter.books.statement()) == 1


def test_refunds_are_lines_of_their_own(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.authorise(intent)
    counter.terminal.result(intent, "approved")
    for amount_minor in (200, 300):
        summary = {**intent.summary, "amount": amount_minor}
        counter.terminal.write(RecordKind.REFUND, intent.attempt, summary=summary)
    counter.sync()
    counter.sync()
    assert [(line.kind, line.amount_minor) for line in counter.books.statement()] == [
        ("sale", 1250),
        ("refund", 200),
        ("refund", 300),
    ]


def test_a_fork_is_refused_with_an_alarm(counter: Counter) -> None:
    clone = ModelTerminal(counter.opener.public_bytes(), key=counter.terminal.key)
    counter.terminal.intent(amount_minor=1)
    counter.sync()
    forked = clone.intent(amount_minor=2)
    refused("fork", lambda: counter.authorise(forked))
    refused("fork", lambda: counter.desk.sync("T1", [forked.encode()]))
    assert counter.alarms() == ["fork", "fork"]
    assert counter.booked() == []


def test_another_chain_is_refused_with_an_alarm(counter: Counter) -> None:
    clone = ModelTerminal(counter.opener.public_bytes(), key=counter.terminal.key)
    counter.terminal.intent()
    counter.sync()
    clone.intent(amount_minor=2)
    clone.intent(amount_minor=2)
    refused("chain", lambda: counter.desk.sync("T1", [clone.chain[1].encode()]))
    assert counter.alarms() == ["chain"]


def test_a_gap_is_refused_with_an_alarm(counter: Counter) -> None:
    for _ in range(3):
        counter.terminal.write(RecordKind.SHIFT)
    counter.sync(1, 1)
    refused("gap", lambda: counter.sync(3))
    assert counter.alarms() == ["gap"]
    assert counter.sync(2).through == 3


def test_good_records_before_a_bad_one_are_taken(counter: Counter) -> None:
    for _ in range(3):
        counter.terminal.write(RecordKind.SHIFT)
    encoded = [record.encode() for record in counter.terminal.chain]
    encoded[1] = encoded[1][:-1] + bytes([encoded[1][-1] ^ 1])
    assert counter.desk.sync("T1", encoded).through == 1
    refused("bad_signature", lambda: counter.desk.sync("T1", encoded[1:]))
    assert "bad_signature" in counter.alarms()


def test_an_authorisation_ahead_of_the_queue(counter: Counter) -> None:
    counter.terminal.write(RecordKind.SHIFT)
    intent = counter.terminal.intent()
    assert counter.authorise(intent) == "approved"
    assert counter.sync(1, 0).through == 0
    assert counter.sync().through == 2
    assert counter.booked() == [(intent.attempt, 1250)]


@pytest.mark.parametrize(
    ("summary", "reason"),
    [({"outcome": "marvellous"}, "unknown outcome 'marvellous'"), ({}, "unknown outcome None")],
)
def test_what_makes_no_sense_is_kept_and_refused_and_the_rest_goes_on(
    counter: Counter, summary: dict[str, str], reason: str
) -> None:
    counter.terminal.write(RecordKind.RESULT, "T1-00000001", summary=summary)
    intent = counter.terminal.intent()
    counter.terminal.result(intent, "approved_offline")
    acknowledgement = counter.sync()
    assert acknowledgement.through == 3
    assert acknowledgement.refused == (Refusal(1, reason),)
    assert counter.booked() == [(intent.attempt, 1250)]


@pytest.mark.parametrize("secret", [b"no CBOR", b"\x01", b""])
def test_an_offline_approval_without_card_data_is_refused(counter: Counter, secret: bytes) -> None:
    intent = counter.terminal.intent(secret=secret)
    counter.terminal.result(intent, "approved_offline")
    assert counter.sync().refused[-1].sequence == 2
    assert counter.booked() == []


def test_a_seal_for_another_host_is_refused(counter: Counter) -> None:
    counter.terminal.sealing_key = Opener.generate().public_bytes()
    intent = counter.terminal.intent()
    refused("bad_record", lambda: counter.authorise(intent))
    assert counter.sync().refused == (Refusal(1, "the seal does not open"),)


def test_an_approval_that_this_host_never_gave_is_refused_with_an_alarm(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.terminal.result(intent, "approved")
    assert [refusal.sequence for refusal in counter.sync().refused] == [2]
    assert counter.alarms() == ["disagreement"]
    assert counter.booked() == []


def test_a_decline_of_what_is_booked_raises_an_alarm(counter: Counter) -> None:
    intent = counter.terminal.intent()
    counter.authorise(intent)
    counter.terminal.result(intent, "declined")
    counter.sync()
    assert counter.alarms() == ["disagreement"]


def test_an_order_that_is_paid_twice_raises_an_alarm(counter: Counter) -> None:
    for _ in range(2):
        counter.authorise(counter.terminal.intent(order="7"))
    assert counter.alarms() == ["paid_twice"]
    assert len(counter.booked()) == 2


def test_a_terminal_is_enrolled_with_one_key(counter: Counter) -> None:
    counter.desk.enrol("T1", counter.terminal.key.public_key, "Counter 1")
    refused("other_key", lambda: counter.desk.enrol("T1", SigningKey.generate().public_key, ""))
    assert counter.alarms() == ["other_key"]
    assert counter.authorise(counter.terminal.intent()) == "approved"


def test_a_record_of_another_terminal_is_refused(counter: Counter) -> None:
    other = ModelTerminal(counter.opener.public_bytes(), "T2", key=counter.terminal.key)
    refused("other_terminal", lambda: counter.authorise(other.intent()))


def test_requests_take_their_own_kind_of_record_only(counter: Counter) -> None:
    intent = counter.terminal.intent()
    reversal = counter.terminal.reversal(intent)
    refused("not_an_intent", lambda: counter.authorise(reversal))
    refused("not_a_reversal", lambda: counter.reverse(intent))
    refused("bad_record", lambda: counter.desk.authorise("T1", b"noise"))


def test_a_delivery_of_nothing_tells_where_the_host_is(counter: Counter) -> None:
    assert counter.desk.sync("T1", []).head == genesis_head("T1")
