"""The card channel against the simulated host: each of its answers, and their absence, as a verdict."""

from __future__ import annotations

from dataclasses import replace

import cbor2
import httpx
import pytest

from emv.sensitive import SensitiveBytes
from offline_queue.host import HostAnswer, Result
from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from offline_queue.summary import Summary
from simulators.faults import TcpGate
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import ANYTHING, Fault
from terminal.channels.card import CardChannel
from terminal.channels.channel import Case
from terminal.enrolment import Enrolment
from terminal.host_client import HttpHost
from terminal.money import Money
from terminal.payment.attempt_events import (
    Answer,
    Verdict,
)
from terminal.payment.instrument import Instrument
from tests.terminal.shop import PAYS


@pytest.fixture
def channel(host_client: HttpHost) -> CardChannel:
    return CardChannel(host_client)


class Sale:
    """A sale whose intent is in the queue."""

    def __init__(self, store: Store, emv: bytes = PAYS) -> None:
        self.store = store
        store.open_order("T1-1", 1250, "CNY")
        key = store.begin_attempt("T1-1", state="armed")
        self.case = Case(key, "T1-1", Money(1250, "CNY"), Instrument(SensitiveBytes(emv)))
        self.intent = self.append(RecordKind.INTENT, cbor2.dumps({"type": "card", "emv": emv}))

    def append(self, kind: RecordKind, secret: bytes = b"") -> Record:
        summary: Summary = {"order": "T1-1", "amount": 1250, "currency": "CNY"}
        return self.store.append(
            kind,
            attempt=self.case.key,
            state="asking",
            closes=False,
            secret=secret,
            summary=summary,
            time_ms=0,
        )


async def call(channel: CardChannel, name: str, sale: Sale) -> Answer:
    if name == "ask":
        return await channel.ask(sale.case, sale.intent)
    if name == "query":
        return await channel.query(sale.case)
    return await channel.reverse(sale.case, sale.append(RecordKind.REVERSAL))


async def test_yes_then_the_same_yes_then_undone(channel: CardChannel, store: Store, host: Host) -> None:
    sale = Sale(store)
    assert (await channel.query(sale.case)).verdict is Verdict.NOT_FOUND
    answer = await channel.ask(sale.case, sale.intent)
    assert (answer.verdict, answer.code, len(answer.authorisation)) == (Verdict.APPROVED, "00", 6)
    assert await channel.query(sale.case) == answer
    assert (await call(channel, "reverse", sale)).verdict is Verdict.REVERSED
    assert (await channel.ask(sale.case, sale.intent)).verdict is Verdict.DECLINED
    assert host.books() == ()


async def test_the_issuers_no(channel: CardChannel, store: Store) -> None:
    sale = Sale(store, b"no card")
    answer = await channel.ask(sale.case, sale.intent)
    assert (answer.verdict, answer.code) == (Verdict.DECLINED, "88")
    assert answer.reason


@pytest.mark.parametrize("name", ["ask", "query", "reverse"])
async def test_no_network(name: str, channel: CardChannel, store: Store, gate: TcpGate) -> None:
    sale = Sale(store)
    gate.down()
    answer = await call(channel, name, sale)
    assert answer == Answer(Verdict.NOT_SENT, "the host does not accept connections")


@pytest.mark.parametrize("name", ["ask", "query", "reverse"])
@pytest.mark.parametrize("fault", [Fault.UNSIGNED, Fault.WRONG_KEY, Fault.FAIL_500, Fault.LOSE_ANSWER])
async def test_no_valid_answer(
    fault: Fault, name: str, channel: CardChannel, store: Store, host: Host
) -> None:
    sale = Sale(store)
    host.behaviour.next(fault, path=ANYTHING)
    answer = await call(channel, name, sale)
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.reason


async def test_a_refused_request_is_a_no_to_a_payment_and_says_nothing_of_one(
    enrolled: Enrolment, config: object, http: httpx.AsyncClient, store: Store, host: Host
) -> None:
    stranger = CardChannel(HttpHost(host.url, replace(enrolled, terminal_id="T2"), http))
    sale = Sale(store)
    asked = await stranger.ask(sale.case, sale.intent)
    assert (asked.verdict, asked.code) == (Verdict.DECLINED, "unknown_terminal")
    assert asked.reason.startswith("the host refuses this terminal: unknown_terminal")
    assert (await call(stranger, "query", sale)).verdict is Verdict.UNKNOWN
    assert (await call(stranger, "reverse", sale)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("result", Result)
async def test_every_result_of_the_host_api_has_a_verdict(result: Result, record: Record) -> None:
    class Says(HttpHost):
        def __init__(self) -> None:
            pass

        async def authorise(self, record: Record) -> HostAnswer:
            return HostAnswer(result, "00", "123456", "words")

    case = Case("T1-00000001", "T1-1", Money(1, "CNY"), None)
    answer = await CardChannel(Says()).ask(case, record)
    assert answer == Answer(Verdict[result.name], "words", "00", "123456")


def test_the_card_s_data_is_sealed_and_nothing_else(channel: CardChannel, store: Store) -> None:
    sale = Sale(store)
    assert cbor2.loads(channel.secret(sale.case)) == {"type": "card", "emv": PAYS}
    with pytest.raises(AssertionError, match="while its customer is there"):
        channel.secret(replace(sale.case, instrument=None))
    assert channel.deferrable
