"""The host API: signed both ways; a definite answer, certainly not sent, and unknown are kept apart."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import cbor2
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.host import NotSentError, NotSentReason, RefusedError, Result, UnknownResultError
from offline_queue.record import Record, RecordKind
from offline_queue.signing import SigningKey, answer_message
from offline_queue.store import Store
from simulators.faults import TcpGate
from simulators.hosts import certificates as authority
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import ANYTHING, Fault
from simulators.hosts.server import TlsServer
from terminal.enrolment import Enrolment
from terminal.host_client import HttpHost
from tests.terminal.shop import PAYS, TERMINAL_ID

Call = Callable[[HttpHost, Record], Awaitable[object]]
CALLS: dict[str, Call] = {
    "authorise": lambda host, record: host.authorise(record),
    "query": lambda host, record: host.query(record.attempt),
    "reverse": lambda host, record: host.reverse(record),
    "sync": lambda host, record: host.sync([record]),
    "echo": lambda host, record: host.echo(),
}


class Till:
    """Writes the records of a sale."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.orders = 0

    def intent(self, emv: bytes = PAYS) -> Record:
        self.orders += 1
        order = f"{TERMINAL_ID}-{self.orders}"
        self.store.open_order(order, 1250, "CNY")
        attempt = self.store.begin_attempt(order, state="armed")
        return self.append(RecordKind.INTENT, attempt, order, cbor2.dumps({"type": "card", "emv": emv}))

    def append(self, kind: RecordKind, attempt: str, order: str, secret: bytes = b"") -> Record:
        return self.store.append(
            kind,
            attempt=attempt,
            state="asking",
            closes=False,
            secret=secret,
            summary={"order": order, "amount": 1250, "currency": "CNY"},
            time_ms=1_700_000_000_000,
        )


@pytest.fixture
def till(store: Store) -> Till:
    return Till(store)


async def test_a_payment_is_asked_for_queried_and_undone(
    host_client: HttpHost, till: Till, host: Host
) -> None:
    await host_client.echo()
    intent = till.intent()
    assert (await host_client.query(intent.attempt)).result is Result.NOT_FOUND
    answer = await host_client.authorise(intent)
    assert (answer.result, answer.code, len(answer.authorisation)) == (Result.APPROVED, "00", 6)
    assert await host_client.query(intent.attempt) == answer
    assert [booking.attempt for booking in host.books()] == [intent.attempt]
    reversal = till.append(RecordKind.REVERSAL, intent.attempt, "T1-1")
    assert (await host_client.reverse(reversal)).result is Result.REVERSED
    assert host.books() == ()


async def test_a_no_of_the_issuer_is_an_answer(host_client: HttpHost, till: Till) -> None:
    answer = await host_client.authorise(till.intent(b"nothing that a card says"))
    assert answer.result is Result.DECLINED


async def test_records_are_delivered_and_acknowledged(host_client: HttpHost, till: Till) -> None:
    records = [till.intent(), till.intent()]
    acknowledgement = await host_client.sync(records)
    assert (acknowledgement.through, acknowledgement.head) == (2, records[-1].head)


async def test_a_signed_refusal_is_a_definite_no(host_client: HttpHost, till: Till, host: Host) -> None:
    intent = till.intent()
    with pytest.raises(RefusedError) as caught:
        await host_client.reverse(intent)
    assert caught.value.code == "not_a_reversal"
    assert "intent" in caught.value.detail
    assert host.books() == ()


async def test_a_terminal_that_the_host_does_not_know_is_refused(
    enrolled: Enrolment, http: httpx.AsyncClient, certificates: authority.Files, till: Till
) -> None:
    stranger = Enrolment("T2", enrolled.key, enrolled.host_key, enrolled.sealer)
    with Host(certificate=certificates.certificate, key=certificates.key) as other:
        pinned = Enrolment("T2", enrolled.key, other.signing_key, enrolled.sealer)
        with pytest.raises(RefusedError) as caught:
            await HttpHost(other.url, pinned, http).query("T2-1")
        assert caught.value.code == "unknown_terminal"
        # The same "no" from a host whose key is not the pinned one says nothing.
        with pytest.raises(UnknownResultError, match="not signed by the host's key"):
            await HttpHost(other.url, stranger, http).query("T2-1")


@pytest.mark.parametrize("name", CALLS)
async def test_nothing_was_sent_while_the_network_is_down(
    name: str, host_client: HttpHost, till: Till, gate: TcpGate, host: Host
) -> None:
    intent = till.intent()
    gate.down()
    with pytest.raises(NotSentError) as caught:
        await CALLS[name](host_client, intent)
    assert caught.value.reason is NotSentReason.REFUSED_CONNECTION
    gate.up()
    assert (await host_client.query(intent.attempt)).result is Result.NOT_FOUND
    assert host.books() == ()


@pytest.mark.parametrize("name", CALLS)
async def test_a_cut_after_the_request_leaves_the_result_unknown(
    name: str, host_client: HttpHost, till: Till, gate: TcpGate
) -> None:
    intent = till.intent()
    gate.cut_after_request()
    with pytest.raises(UnknownResultError):
        await CALLS[name](host_client, intent)


async def test_what_was_cut_off_may_have_been_booked(
    host_client: HttpHost, till: Till, gate: TcpGate, host: Host
) -> None:
    intent = till.intent()
    gate.cut_after_request()
    with pytest.raises(UnknownResultError):
        await host_client.authorise(intent)
    assert (await host_client.query(intent.attempt)).result is Result.APPROVED
    assert (await host_client.authorise(intent)).result is Result.APPROVED
    assert len(host.books()) == 1


@pytest.mark.parametrize("fault", [Fault.UNSIGNED, Fault.WRONG_KEY, Fault.FAIL_500, Fault.LOSE_ANSWER])
@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_the_host_did_not_sign_decides_nothing(
    name: str, fault: Fault, host_client: HttpHost, till: Till, host: Host
) -> None:
    intent = till.intent()
    host.behaviour.next(fault, path=ANYTHING)
    with pytest.raises(UnknownResultError):
        await CALLS[name](host_client, intent)


async def test_a_refusal_that_the_host_did_not_sign_is_no_refusal(
    host_client: HttpHost, till: Till, host: Host
) -> None:
    host.behaviour.next(Fault.UNSIGNED, path=ANYTHING)
    with pytest.raises(UnknownResultError, match="is this its network"):
        await host_client.reverse(till.intent())


class Forger:
    """Answers in the host's place, and may hold the host's own signing key or earlier answers."""

    def __init__(self) -> None:
        self.key = SigningKey.generate()
        self.body: Any = b"{}"
        self.status = 200
        self.replay: tuple[bytes, str] | None = None
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        if self.replay is not None:
            body, signature = self.replay
            return Response(body, headers={"Tillside-Signature": signature})
        asked = base64.b64decode(request.headers["Tillside-Signature"])
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        signature = base64.b64encode(self.key.sign(answer_message(asked, body))).decode()
        self.last = (body, signature)
        return Response(body, self.status, headers={"Tillside-Signature": signature})


@pytest.fixture
def forger(certificates: authority.Files) -> Iterator[tuple[Forger, str]]:
    forger = Forger()
    with TlsServer(forger.app, certificate=certificates.certificate, key=certificates.key) as server:
        yield forger, server.url


@pytest.fixture
def trusting(enrolled: Enrolment, http: httpx.AsyncClient, forger: tuple[Forger, str]) -> HttpHost:
    """A terminal that has pinned the forger's key: what is left are answers that make no sense."""
    answers, url = forger
    pins = Enrolment(TERMINAL_ID, enrolled.key, answers.key.public_key, enrolled.sealer)
    return HttpHost(url, pins, http)


APPROVED = {"result": "approved", "code": "00", "authorisation": "123456", "message": ""}


async def test_an_answer_to_another_request_is_not_taken(
    trusting: HttpHost, forger: tuple[Forger, str]
) -> None:
    """Yesterday's genuine yes, played back by whoever sits on the wire."""
    answers, _ = forger
    answers.body = APPROVED
    assert (await trusting.query("T1-00000001")).result is Result.APPROVED
    answers.replay = answers.last
    with pytest.raises(UnknownResultError, match="not signed by the host's key"):
        await trusting.query("T1-00000002")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"no JSON",
        [],
        "approved",
        {},
        {**APPROVED, "result": "maybe"},
        {**APPROVED, "result": ["approved"]},
        {key: value for key, value in APPROVED.items() if key != "code"},
    ],
)
async def test_a_signed_answer_that_makes_no_sense_is_unknown(
    body: Any, trusting: HttpHost, forger: tuple[Forger, str]
) -> None:
    forger[0].body = body
    with pytest.raises(UnknownResultError):
        await trusting.query("T1-00000001")


@pytest.mark.parametrize("body", [{}, {"error": 7}, {"error": "closed", "detail": "for lunch"}])
async def test_a_signed_refusal_is_one_whatever_it_says(
    body: Any, trusting: HttpHost, forger: tuple[Forger, str]
) -> None:
    forger[0].body, forger[0].status = body, 400
    with pytest.raises(RefusedError) as caught:
        await trusting.query("T1-00000001")
    assert caught.value.code == str(body.get("error", 400))


@pytest.mark.parametrize("what", ["nothing", "no base64", "other bytes", "another key"])
async def test_an_acknowledgement_needs_a_signature_of_its_own(
    what: str, trusting: HttpHost, forger: tuple[Forger, str], till: Till
) -> None:
    """It is kept as evidence, so the signature of the answer around it is not enough."""
    record = till.intent()
    forged = Acknowledgement.issue(
        SigningKey.generate(), terminal_id=TERMINAL_ID, through=1, head=record.head
    ).encode()
    said = {"no base64": "*", "other bytes": "AAAA", "another key": base64.b64encode(forged).decode()}
    forger[0].body = {"acknowledgement": said[what]} if what in said else {}
    with pytest.raises(UnknownResultError, match="acknowledgement is not valid"):
        await trusting.sync([record])


@pytest.mark.parametrize("signature", ["", "*", "AAAA", base64.b64encode(bytes(64)).decode(), "é"])
async def test_a_page_that_asks_for_a_log_in_is_no_answer(
    signature: str, enrolled: Enrolment, http: httpx.AsyncClient, certificates: authority.Files, till: Till
) -> None:
    def page(request: Request) -> Response:
        headers = {"Tillside-Signature": signature} if signature else {}
        return Response(b"<h1>Guest network</h1>", media_type="text/html", headers=headers)

    app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    with TlsServer(app, certificate=certificates.certificate, key=certificates.key) as server:
        portal = HttpHost(server.url, enrolled, http)
        for call in CALLS.values():
            with pytest.raises(UnknownResultError, match="not signed by the host"):
                await call(portal, till.intent())


async def test_nothing_reaches_a_host_with_a_wrong_certificate(
    enrolled: Enrolment, http: httpx.AsyncClient, tmp_path_factory: pytest.TempPathFactory, till: Till
) -> None:
    wrong = authority.create_wrong(tmp_path_factory.mktemp("wrong"), authority.Fault.OTHER_CA)
    with Host(certificate=wrong.certificate, key=wrong.key) as other:
        with pytest.raises(NotSentError) as caught:
            await HttpHost(other.url, enrolled, http).authorise(till.intent())
    assert caught.value.reason is NotSentReason.BAD_CERTIFICATE
