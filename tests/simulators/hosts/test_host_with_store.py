"""A real store delivers to a real host, in the drainer's order, over a wire that fails."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.record import RecordKind
from offline_queue.sealing import Sealer
from offline_queue.signing import SigningKey, answer_message, request_message
from offline_queue.store import Store
from offline_queue.sync import (
    Delivered,
    Drainer,
    DrainerState,
    Event,
    Failed,
    NetworkBack,
    RecordsWaiting,
    SendBatch,
)
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import Fault
from simulators.hosts.host_issuer import IssuerAnswer
from tests.simulators.hosts.conftest import TlsFiles
from tests.simulators.hosts.host_terminal import NO, YES, card


def issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    pays = data_record == YES
    return IssuerAnswer(pays, "00" if pays else "05", "123456" if pays else "", "")


class Shop:
    """A store and the few lines that a terminal needs to deliver it."""

    def __init__(self, store: Store, host: Host, key: SigningKey, http: httpx.Client) -> None:
        self.store, self.host, self.key, self.http = store, host, key, http
        self.drainer = Drainer()

    def sale(self, order: str, amount_minor: int, emv: bytes) -> str:
        self.store.open_order(order, amount_minor, "EUR")
        attempt = self.store.begin_attempt(order, state="new")
        for kind, outcome in ((RecordKind.INTENT, ""), (RecordKind.RESULT, "approved_offline")):
            self.store.append(
                kind,
                attempt=attempt,
                state=kind.value,
                closes=bool(outcome),
                secret=b"" if outcome else card(emv),
                summary={"order": order, "amount": amount_minor, "currency": "EUR", "outcome": outcome},
                time_ms=0,
            )
        return attempt

    def drain(self, event: Event) -> None:
        """Do what the drainer says until it waits for something."""
        actions = self.drainer.handle(event)
        while any(isinstance(action, SendBatch) for action in actions):
            actions = self.drainer.handle(self.send())

    def send(self) -> Event:
        records = self.store.unsent(2)
        texts = [base64.b64encode(record.encode()).decode() for record in records]
        body = json.dumps({"terminal_id": "T1", "records": texts}).encode()
        signature = self.key.sign(request_message("POST", "/v1/sync", "0", body))
        headers = {
            "Tillside-Terminal": "T1",
            "Tillside-Time": "0",
            "Tillside-Signature": base64.b64encode(signature).decode(),
        }
        try:
            response = self.http.post("/v1/sync", content=body, headers=headers)
        except httpx.TransportError:
            return Failed(jitter=0.0)
        signed = base64.b64decode(response.headers["Tillside-Signature"])
        self.host.signing_key.verify(signed, answer_message(signature, response.content))
        data = base64.b64decode(response.json()["acknowledgement"])
        acknowledgement = Acknowledgement.decode(data, self.host.signing_key)
        advanced = self.store.acknowledge(acknowledgement).records > 0
        return Delivered(advanced=advanced, unsent=self.store.status().unsent, jitter=0.0)


@pytest.fixture
def shop(tmp_path: Path, tls_files: TlsFiles) -> Iterator[Shop]:
    key = SigningKey.generate()
    with Host(certificate=tls_files.certificate, key=tls_files.key, issuer=issuer) as host:
        host.enrol("T1", key.public_key)
        store = Store.open(
            tmp_path / "queue.sqlite",
            terminal_id="T1",
            signer=key,
            sealer=Sealer(host.sealing_key),
            host_key=host.signing_key,
        )
        with store, httpx.Client(base_url=host.url, verify=tls_files.client_context()) as http:
            yield Shop(store, host, key, http)


def test_offline_sales_are_delivered_and_settled(shop: Shop) -> None:
    good, bad = shop.sale("1", 1250, YES), shop.sale("2", 300, NO)
    assert shop.store.status().deferred_total_minor == 1550
    shop.drain(RecordsWaiting())
    assert shop.drainer.state is DrainerState.IDLE
    status = shop.store.status()
    assert (status.unsent, status.deferred_count, status.quarantined) == (0, 0, 0)
    assert [(line.attempt, line.amount_minor) for line in shop.host.books()] == [(good, 1250)]
    for attempt, fate in ((good, "approved"), (bad, "declined")):
        row = shop.store.attempt(attempt)
        assert row is not None
        assert row.settled == fate
    (terminal,) = shop.host.terminals()
    assert (terminal.through, terminal.head) == (status.sequence, status.head)
    assert shop.host.alarms() == ()


def test_a_lost_acknowledgement_costs_nothing(shop: Shop) -> None:
    shop.sale("1", 1250, YES)
    shop.host.behaviour.next(Fault.LOSE_ANSWER, path="/v1/sync")
    shop.drain(RecordsWaiting())
    assert shop.drainer.state is DrainerState.WAITING
    assert (shop.store.status().unsent, len(shop.host.books())) == (2, 1)
    shop.drain(NetworkBack())
    assert (shop.store.status().unsent, len(shop.host.statement())) == (0, 1)
    assert shop.store.status().deferred_count == 0


def test_a_day_without_the_host(shop: Shop) -> None:
    shop.host.stop()
    for number in range(5):
        shop.sale(str(number), 100, YES)
        if shop.drainer.state is DrainerState.IDLE:
            shop.drain(RecordsWaiting())
    assert shop.store.status().unsent == 10
    shop.host.start()
    shop.drain(NetworkBack())
    assert shop.store.status().unsent == 0
    assert sum(line.amount_minor for line in shop.host.books()) == 500
    assert shop.store.verify(signatures=True).ok
