"""The host over its wire: signatures both ways, refusals, and misbehaviour on request."""

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from offline_queue.errors import SignatureError
from offline_queue.record import Record, RecordKind
from offline_queue.sealing import Sealer
from offline_queue.signing import PublicKey, SigningKey
from simulators.cards import profile
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import ANYTHING, Fault
from simulators.hosts.host_issuer import approving_issuer, scheme_issuer
from tests.simulators.cards.tapping import tapped
from tests.simulators.hosts.conftest import TlsFiles
from tests.simulators.hosts.host_terminal import ModelClient, ModelTerminal, card, text


@pytest.fixture
def host(tls_files: TlsFiles) -> Iterator[Host]:
    with Host(certificate=tls_files.certificate, key=tls_files.key, issuer=approving_issuer) as host:
        yield host


@pytest.fixture
def http(host: Host, tls_files: TlsFiles) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, verify=tls_files.client_context()) as http:
        yield http


@pytest.fixture
def client(host: Host, http: httpx.Client) -> ModelClient:
    terminal = ModelTerminal(host.sealing_key)
    host.enrol(terminal.terminal_id, terminal.key.public_key)
    return ModelClient(http, terminal, host.signing_key)


def test_a_terminal_enrols_and_pins_the_hosts_keys(host: Host, http: httpx.Client) -> None:
    key = SigningKey.generate()
    request = {
        "terminal_id": "T7",
        "signing_key": base64.b64encode(key.public_key.to_bytes()).decode(),
        "name": "Counter 7",
    }
    answer = http.post("/v1/enrol", json=request).json()
    assert PublicKey(base64.b64decode(answer["host_signing_key"])) == host.signing_key
    Sealer(base64.b64decode(answer["host_sealing_key"]))
    assert [terminal.terminal_id for terminal in host.terminals()] == ["T7"]
    request["signing_key"] = base64.b64encode(SigningKey.generate().public_key.to_bytes()).decode()
    assert http.post("/v1/enrol", json=request).json()["error"] == "other_key"


def test_a_payment_from_authorisation_to_acknowledgement(host: Host, client: ModelClient) -> None:
    intent = client.terminal.intent()
    assert client.query(intent.attempt)["result"] == "not_found"
    answer = client.authorise(intent)
    assert answer["result"] == "approved"
    assert answer == client.query(intent.attempt) == client.authorise(intent)
    client.terminal.result(intent, "approved")
    assert client.sync(client.terminal.chain).through == 2
    assert [line.attempt for line in host.books()] == [intent.attempt]
    assert client.reverse(client.terminal.reversal(intent))["result"] == "reversed"
    assert host.books() == ()
    assert len(host.statement()) == 1


def test_an_echo_is_signed_for_who_asks_with_a_signature(client: ModelClient) -> None:
    assert "tillside-signature" not in client.http.get("/v1/echo").headers
    signature = base64.b64encode(bytes(64)).decode()
    assert (
        "tillside-signature" in client.http.get("/v1/echo", headers={"Tillside-Signature": signature}).headers
    )


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/v1/query", {"terminal_id": "T1"}, "bad_request"),
        ("/v1/query", {"terminal_id": "T2", "attempt": "T2-00000001"}, "other_terminal"),
        ("/v1/authorise", {"record": "no base64!"}, "bad_request"),
        ("/v1/authorise", {"record": "AAAA"}, "bad_record"),
        ("/v1/reverse", {}, "bad_request"),
        ("/v1/sync", {"terminal_id": "T1", "records": "none"}, "bad_request"),
        ("/v1/sync", {"terminal_id": "T1", "records": [7]}, "bad_request"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_signed(
    client: ModelClient, path: str, body: dict[str, Any], error: str
) -> None:
    response = client.post(path, body)
    assert response.status_code == 400
    assert response.json()["error"] == error


@pytest.mark.parametrize("body", [b"no JSON", b"[]"])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, client: ModelClient, body: bytes) -> None:
    assert http.post("/v1/enrol", content=body).json()["error"] == "bad_request"


def test_an_unknown_terminal_and_a_wrong_key_are_refused(host: Host, client: ModelClient) -> None:
    client.terminal.terminal_id = "T9"
    assert client.query("T9-00000001")["error"] == "unknown_terminal"
    client.terminal.terminal_id = "T1"
    client.terminal.key = SigningKey.generate()
    assert client.query("T1-00000001")["error"] == "bad_request_signature"
    assert client.authorise(client.terminal.intent())["error"] == "bad_request_signature"
    assert host.books() == ()


@pytest.mark.parametrize("change", ["path", "time", "body"])
def test_a_signed_request_can_not_be_turned_into_another(client: ModelClient, change: str) -> None:
    first = client.post("/v1/query", {"terminal_id": "T1", "attempt": "T1-00000001"}).request
    assert first.headers["Tillside-Time"] == "17"
    path = "/v1/reverse" if change == "path" else "/v1/query"
    headers = {name: value for name, value in first.headers.items() if name.startswith("tillside")}
    if change == "time":
        headers["tillside-time"] = "18"
    body = first.content + (b" " if change == "body" else b"")
    assert client.http.post(path, content=body, headers=headers).json()["error"] == "bad_request_signature"


def test_a_lost_answer_is_booked_and_found_by_asking(host: Host, client: ModelClient) -> None:
    intent = client.terminal.intent()
    host.behaviour.next(Fault.LOSE_ANSWER)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.authorise(intent)
    assert [line.attempt for line in host.books()] == [intent.attempt]
    assert client.query(intent.attempt)["result"] == "approved"
    assert client.authorise(intent)["result"] == "approved"
    assert len(host.statement()) == 1


def test_an_error_page_has_no_effect(host: Host, client: ModelClient) -> None:
    intent = client.terminal.intent()
    host.behaviour.next(Fault.FAIL_500)
    with pytest.raises(KeyError, match="Tillside-Signature"):
        client.authorise(intent)
    assert host.statement() == ()
    assert client.authorise(intent)["result"] == "approved"


def test_an_unsigned_answer(host: Host, client: ModelClient) -> None:
    host.behaviour.next(Fault.UNSIGNED)
    with pytest.raises(KeyError, match="Tillside-Signature"):
        client.authorise(client.terminal.intent())
    assert len(host.books()) == 1


def test_an_answer_signed_by_somebody_else(host: Host, client: ModelClient) -> None:
    host.behaviour.always(Fault.WRONG_KEY, path=ANYTHING)
    intent = client.terminal.intent()
    for _ in range(2):
        with pytest.raises(SignatureError):
            client.authorise(intent)
    host.behaviour.behave()
    assert client.authorise(intent)["result"] == "approved"


def test_a_fault_is_for_its_path_and_as_often_as_asked(host: Host, client: ModelClient) -> None:
    host.behaviour.next(Fault.UNSIGNED, path="/v1/query", times=2)
    assert client.authorise(client.terminal.intent())["result"] == "approved"
    for _ in range(2):
        with pytest.raises(KeyError):
            client.query("T1-00000001")
    assert client.query("T1-00000001")["result"] == "approved"


def test_an_answer_is_held_until_it_is_released(host: Host, client: ModelClient, tls_files: TlsFiles) -> None:
    intent = client.terminal.intent()
    host.behaviour.next(Fault.HOLD)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(client.authorise(intent)), daemon=True)
    asking.start()
    assert host.behaviour.wait_until_held(timeout_s=10)
    assert [line.attempt for line in host.books()] == [intent.attempt], "booked, and nobody told"
    with httpx.Client(base_url=host.url, verify=tls_files.client_context()) as another:
        other = ModelClient(another, client.terminal, host.signing_key)
        assert other.query(intent.attempt)["result"] == "approved"
    assert answers == []
    host.behaviour.release()
    asking.join()
    assert [answer["result"] for answer in answers] == ["approved"]


def test_a_host_that_goes_down_takes_the_held_answer_with_it(host: Host, client: ModelClient) -> None:
    intent = client.terminal.intent()
    host.behaviour.next(Fault.HOLD)
    failures: list[httpx.HTTPError] = []

    def ask() -> None:
        try:
            client.authorise(intent)
        except httpx.HTTPError as error:
            failures.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert host.behaviour.wait_until_held(timeout_s=10)
    host.stop()
    asking.join()
    assert len(failures) == 1
    with pytest.raises(httpx.ConnectError):
        client.query(intent.attempt)
    host.start()
    assert client.query(intent.attempt)["result"] == "approved"


def test_a_slow_host_still_answers(host: Host, client: ModelClient) -> None:
    host.behaviour.slow(0.01)
    assert client.authorise(client.terminal.intent())["result"] == "approved"
    host.behaviour.behave()
    assert host.behaviour.delay_s == 0


def test_books_and_keys_survive_in_a_folder(tmp_path: Path, tls_files: TlsFiles) -> None:
    terminal: ModelTerminal | None = None
    keys = set()
    for start in range(3):
        with Host(
            certificate=tls_files.certificate,
            key=tls_files.key,
            folder=tmp_path / "host",
            issuer=approving_issuer,
        ) as host:
            keys.add((host.signing_key, host.sealing_key))
            terminal = terminal or ModelTerminal(host.sealing_key)
            host.enrol("T1", terminal.key.public_key)
            with httpx.Client(base_url=host.url, verify=tls_files.client_context()) as http:
                client = ModelClient(http, terminal, host.signing_key)
                client.authorise(terminal.intent())
                assert client.sync(terminal.chain).through == start + 1
            assert len(host.books()) == start + 1
    assert len(keys) == 1


def test_a_replayed_answer_does_not_fit_another_request(client: ModelClient) -> None:
    """The signature over one answer names the request that it was for."""
    first = client.post("/v1/query", {"terminal_id": "T1", "attempt": "T1-00000001"})
    second = client.post("/v1/query", {"terminal_id": "T1", "attempt": "T1-00000002"})
    assert first.content == second.content
    assert first.headers["Tillside-Signature"] != second.headers["Tillside-Signature"]


def test_the_issuer_of_the_test_scheme_is_the_default(tls_files: TlsFiles) -> None:
    with Host(certificate=tls_files.certificate, key=tls_files.key) as host:
        terminal = ModelTerminal(host.sealing_key)
        host.enrol("T1", terminal.key.public_key)
        with httpx.Client(base_url=host.url, verify=tls_files.client_context()) as http:
            client = ModelClient(http, terminal, host.signing_key)
            assert client.authorise(terminal.intent())["result"] == "declined"
    assert scheme_issuer(b"", 1250).code == "88"


def test_the_issuers_answer_goes_to_the_card_by_the_terminal(tls_files: TlsFiles, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    with Host(certificate=tls_files.certificate, key=tls_files.key, folder=folder) as host:
        pass
    # Books from before there were such answers.
    with closing(sqlite3.connect(folder / "host.sqlite")) as books:
        books.execute("ALTER TABLE attempts DROP COLUMN issuer_data")
    with Host(certificate=tls_files.certificate, key=tls_files.key, folder=folder) as host:
        terminal = ModelTerminal(host.sealing_key)
        host.enrol("T1", terminal.key.public_key)
        with httpx.Client(base_url=host.url, verify=tls_files.client_context()) as http:
            client = ModelClient(http, terminal, host.signing_key)
            tap = tapped(profile.load("visa-approve"))
            answer = client.authorise(terminal.intent(secret=card(tap.record)))
            assert answer["result"] == "approved"
            assert answer["issuer_data"][-4:] == "3030"
            assert client.authorise(terminal.intent(secret=card(tap.record)))["code"] == "59"
            foreign = tapped(profile.load("visa-approve"), changes={"5F2A": "0156"})
            refused = client.authorise(terminal.intent(secret=card(foreign.record)))
            assert (refused["code"], refused["issuer_data"]) == ("13", "")


def test_nothing_in_a_wire_record_shows_the_secret(client: ModelClient) -> None:
    record: Record = client.terminal.write(RecordKind.SHIFT, secret=b"4761739001010119")
    assert b"4761739001010119" not in base64.b64decode(text(record))
    assert "4761739001010119" not in json.dumps({"record": text(record)})
