"""Requests in any order, any number of times, with restarts in between: each attempt has one effect or none.

The terminal keeps its own rules (it defers or reverses what it has no answer for, and believes answers);
the network may repeat, delay and overtake as it likes.
"""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from offline_queue.record import Record, RecordKind
from offline_queue.sealing import Opener
from offline_queue.signing import SigningKey
from simulators.hosts.host_books import Books
from simulators.hosts.host_desk import Desk
from simulators.hosts.host_issuer import IssuerAnswer
from tests.simulators.hosts.host_terminal import NO, YES, ModelTerminal, card, certificate


class HostUnderAnyNetwork(RuleBasedStateMachine):
    """Intents are authorised, deferred, reversed and delivered in any interleaving."""

    undecided = Bundle("undecided")
    intents = Bundle("intents")
    reversals = Bundle("reversals")
    abandoned = Bundle("abandoned")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.signer, self.opener = SigningKey.generate(), Opener.generate()
        self.asked: Counter[bytes] = Counter()
        self.open_host()
        self.terminal = ModelTerminal(self.opener.public_bytes())
        self.desk.enrol("T1", self.terminal.key.public_key, "")
        self.pays: dict[str, bool] = {}
        self.arrived: set[str] = set()
        self.deferred: set[str] = set()
        self.reversed: set[str] = set()
        self.through = 0

    def open_host(self) -> None:
        self.books = Books(Path(self.folder.name) / "host.sqlite")
        self.desk = Desk(self.books, signer=self.signer, opener=self.opener, issuer=self.issuer)

    def issuer(self, data_record: bytes, amount_minor: int) -> IssuerAnswer:
        self.asked[data_record] += 1
        if YES in data_record:
            return IssuerAnswer(True, "00", "123456", "")
        return IssuerAnswer(False, "05", "", "")

    @rule(target=undecided, pays=st.booleans(), amount_minor=st.integers(1, 5000))
    def begin(self, pays: bool, amount_minor: int) -> Record:
        data = (YES if pays else NO) + str(len(self.pays)).encode()
        intent = self.terminal.intent(secret=card(data), amount_minor=amount_minor)
        self.pays[intent.attempt] = pays
        return intent

    @rule(intent=undecided)
    def authorise(self, intent: Record) -> None:
        """The request arrives; whether the answer does is left open."""
        answer = self.desk.authorise("T1", intent.encode())
        self.arrived.add(intent.attempt)
        assert answer.result == ("approved" if self.pays[intent.attempt] else "declined")

    @rule(target=intents, intent=consumes(undecided))
    def answer_arrives(self, intent: Record) -> Record:
        answer = self.desk.authorise("T1", intent.encode())
        self.arrived.add(intent.attempt)
        self.terminal.result(intent, answer.result)
        return intent

    @rule(target=intents, intent=consumes(undecided))
    def defer(self, intent: Record) -> Record:
        self.terminal.result(intent, "approved_offline")
        self.deferred.add(intent.attempt)
        return intent

    @rule(pays=st.booleans(), amount_minor=st.integers(1, 5000))
    def the_card_approves_by_itself(self, pays: bool, amount_minor: int) -> None:
        data = certificate(YES if pays else NO, len(self.pays))
        attempt = self.terminal.approval(data, amount_minor=amount_minor).attempt
        self.pays[attempt] = pays
        self.deferred.add(attempt)

    @rule(target=reversals, intent=consumes(undecided))
    def give_up(self, intent: Record) -> tuple[Record, Record]:
        reversal = self.terminal.reversal(intent)
        self.terminal.result(intent, "declined")
        self.reversed.add(intent.attempt)
        # The cashier goes on only when the reversal is through.
        assert self.desk.reverse("T1", reversal.encode()).result == "reversed"
        return intent, reversal

    @rule(target=abandoned, intent=consumes(undecided))
    def give_up_without_network(self, intent: Record) -> Record:
        """The reversal travels with the queue only."""
        self.terminal.reversal(intent)
        self.terminal.result(intent, "declined")
        return intent

    @rule(intent=abandoned)
    def an_abandoned_authorisation_comes_late(self, intent: Record) -> None:
        answer = self.desk.authorise("T1", intent.encode())
        self.arrived.add(intent.attempt)
        stands = self.pays[intent.attempt] and intent.attempt not in self.undone()
        assert answer.result == ("approved" if stands else "declined")

    @rule(pair=reversals)
    def old_requests_come_again(self, pair: tuple[Record, Record]) -> None:
        intent, reversal = pair
        assert self.desk.authorise("T1", intent.encode()).result == "declined"
        assert self.desk.reverse("T1", reversal.encode()).result == "reversed"

    @rule(intent=intents)
    def an_old_authorisation_comes_again(self, intent: Record) -> None:
        answer = self.desk.authorise("T1", intent.encode())
        self.arrived.add(intent.attempt)
        assert answer.result == ("approved" if self.pays[intent.attempt] else "declined")

    @rule(back=st.integers(0, 5), count=st.integers(0, 8))
    def deliver(self, back: int, count: int) -> None:
        first = max(0, self.through - back)
        batch = self.terminal.chain[first : first + count]
        acknowledgement = self.desk.sync("T1", [record.encode() for record in batch])
        self.through = max(self.through, first + len(batch))
        assert acknowledgement.through == self.through
        if self.through:
            assert acknowledgement.head == self.terminal.chain[self.through - 1].head
        assert acknowledgement.refused == ()
        for attempt, fate in acknowledgement.settled.items():
            assert attempt in self.deferred
            assert fate == ("approved" if self.pays[attempt] else "declined")

    @rule()
    def restart(self) -> None:
        self.books.close()
        self.open_host()

    @invariant()
    def one_effect_at_most(self) -> None:
        lines = self.books.statement()
        assert len({line.attempt for line in lines}) == len(lines)
        assert all(count == 1 for count in self.asked.values())
        assert self.books.alarms() == ()
        standing = {line.attempt for line in lines if not line.reversed}
        assert standing == {
            attempt
            for attempt in self.arrived | self.delivered_offline()
            if self.pays[attempt] and attempt not in self.undone()
        }

    def undone(self) -> set[str]:
        delivered = self.terminal.chain[: self.through]
        return self.reversed | {record.attempt for record in delivered if record.kind is RecordKind.REVERSAL}

    def delivered_offline(self) -> set[str]:
        delivered = self.terminal.chain[: self.through]
        return {record.attempt for record in delivered if record.summary.get("outcome") == "approved_offline"}

    def teardown(self) -> None:
        self.deliver(0, len(self.terminal.chain))
        self.one_effect_at_most()
        self.books.close()
        self.folder.cleanup()


HostUnderAnyNetwork.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestHostUnderAnyNetwork = HostUnderAnyNetwork.TestCase
