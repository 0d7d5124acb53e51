"""The way to the host, step by step, over real TLS on loopback: each fault is named at its own step."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulators.faults import TcpGate
from simulators.hosts import certificates as authority
from simulators.hosts.certificates import Fault as CertificateFault
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import Fault
from simulators.hosts.server import Receive, Scope, Send, TlsServer
from terminal.config import Config
from terminal.diagnostics import network
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop

STEPS = ["name", "TCP", "TLS", "certificate", "clock", "echo", "sync"]
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n<html>Please log in</html"


async def steps(
    workshop: Workshop, *, wall_s: Callable[[], float] = time.time, of: str = "host"
) -> dict[str, Finding]:
    """Return the findings of one way by step."""
    found = [finding async for finding in network.probe(workshop, wall_s=wall_s)]
    return {
        finding.name.partition(": ")[2]: finding for finding in found if finding.name.startswith(f"{of}: ")
    }


def marks(found: dict[str, Finding]) -> str:
    """Return the marks in order: o for ok, n for a note, w, f and s for the others."""
    return "".join(finding.mark.value[0] for finding in found.values())


def answering(files: authority.Files, status: int, headers: dict[str, str], body: bytes) -> TlsServer:
    """Return a server that has a right certificate and is somebody else."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return TlsServer(app, certificate=files.certificate, key=files.key)


def at(workshop: Workshop, url: str) -> Workshop:
    """Let the workshop's host be at another address."""
    assert workshop.config is not None
    workshop.config = replace(workshop.config, host=replace(workshop.config.host, url=url))
    return workshop


async def test_all_is_well(queue: Path, workshop: Workshop) -> None:
    found = await steps(workshop)
    assert list(found) == STEPS
    assert marks(found) == "oooooow"
    assert all(
        finding.took_ms is not None
        for name, finding in found.items()
        if name in ("name", "TCP", "TLS", "echo")
    )
    assert "signed by its key" in found["echo"].text
    assert "signed by the host" in found["clock"].text
    assert found["sync"].text == "3 records wait; nothing is acknowledged yet"
    details = found["certificate"].details
    assert (details["made out to"], details["issued by"]) == ("localhost", "Tillside simulated authority")
    assert int(details["days left"]) in (364, 365)


async def test_a_name_that_nobody_knows(workshop: Workshop) -> None:
    found = await steps(at(workshop, "https://nowhere.invalid:8443"))
    assert marks(found) == "fssssss"
    assert "nowhere.invalid" in found["name"].text
    assert found["name"].cure
    assert found["echo"].text == "name failed"


async def test_a_port_where_nobody_listens(workshop: Workshop, gate: TcpGate) -> None:
    gate.down()
    found = await steps(workshop)
    assert marks(found) == "ofsssss"
    assert f"port {gate.port} refuses connections" in found["TCP"].text


async def test_a_network_that_swallows_everything(
    workshop: Workshop, gate: TcpGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.diagnostics.connection.ANSWER_S", 0.2)
    gate.blackhole()
    found = await steps(workshop)
    assert marks(found) == "oofssss"
    assert found["TLS"].text == "the other end is silent"
    assert "captive portal" in found["TLS"].cure


@pytest.mark.parametrize(
    ("fault", "text", "certificate"),
    [
        (CertificateFault.EXPIRED, "has expired", Mark.FAULT),
        (CertificateFault.WRONG_NAME, "is made out to another than 127.0.0.1", Mark.OK),
        (CertificateFault.OTHER_CA, "does not come from", Mark.OK),
    ],
)
async def test_a_certificate_that_is_not_to_be_trusted(
    workshop: Workshop,
    host: Host,
    certificates: authority.Files,
    fault: CertificateFault,
    text: str,
    certificate: Mark,
) -> None:
    """It is shown all the same, so that a technician sees whose it is; nothing is sent to it."""
    wrong = authority.create_wrong(certificates.ca.parent, fault)
    asked: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)

    with TlsServer(app, certificate=wrong.certificate, key=wrong.key) as server:
        found = await steps(at(workshop, server.url))
    assert [found[step].mark for step in STEPS[:6]] == [
        *(Mark.OK, Mark.OK, Mark.FAULT, certificate, Mark.SKIPPED, Mark.SKIPPED)
    ]
    assert text in found["TLS"].text
    assert found["TLS"].cure
    assert found["certificate"].details["valid until"]
    assert ("expired on" in found["certificate"].text) == (certificate is Mark.FAULT)
    assert asked == []


async def test_a_certificate_that_ends_soon(workshop: Workshop) -> None:
    found = await steps(workshop, wall_s=lambda: time.time() + 350 * 86400)
    assert found["certificate"].mark is Mark.WARNING
    assert "in 1" in found["certificate"].text
    assert "renewed" in found["certificate"].cure


async def test_a_clock_that_was_never_set(workshop: Workshop) -> None:
    found = await steps(workshop, wall_s=lambda: 1000.0)
    assert found["certificate"].mark is Mark.FAULT
    assert "by this clock not yet" in found["certificate"].text
    assert "timedatectl" in found["certificate"].cure


@pytest.mark.parametrize(
    ("off_s", "mark", "words"),
    [
        (-2.0, Mark.OK, "behind"),
        (30.0, Mark.WARNING, "ahead of"),
        (-3600.0, Mark.FAULT, "behind"),
        (90.0, Mark.FAULT, "ahead of"),
    ],
)
async def test_a_clock_that_is_off(workshop: Workshop, off_s: float, mark: Mark, words: str) -> None:
    found = await steps(workshop, wall_s=lambda: time.time() + off_s)
    assert found["clock"].mark is mark
    assert words in found["clock"].text
    assert abs(float(found["clock"].details["skew in seconds"]) - off_s) < 1.5
    assert found["echo"].mark is Mark.OK


async def test_the_time_of_a_header_counts_where_the_answer_has_none(
    workshop: Workshop, certificates: authority.Files
) -> None:
    with answering(certificates, 200, {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}, b"{}") as server:
        found = await steps(at(workshop, server.url), wall_s=lambda: 1767225600.0)
    assert found["clock"].mark is Mark.OK
    assert "header Date, not signed" in found["clock"].text
    assert found["echo"].mark is Mark.FAULT
    assert "is not signed" in found["echo"].text


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"content-type": "text/html"}, b"<html>Please log in</html>"),
        (302, {"location": "https://portal.test/"}, b""),
        (511, {}, b"<html></html>"),
    ],
    ids=["page", "redirect", "status 511"],
)
async def test_a_captive_portal_is_called_so(
    workshop: Workshop, certificates: authority.Files, status: int, headers: dict[str, str], body: bytes
) -> None:
    with answering(certificates, status, headers, body) as server:
        found = await steps(at(workshop, server.url))
    assert found["echo"].mark is Mark.FAULT
    assert "captive portal" in found["echo"].text
    assert "browser" in found["echo"].cure


@pytest.fixture
def plain_http() -> Iterator[str]:
    """A server that answers without TLS, as a portal that catches every port does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.recv(65536)
                line.sendall(HTML)

    thread = threading.Thread(target=serve, name="plain http", daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def test_a_portal_without_tls(workshop: Workshop, plain_http: str) -> None:
    found = await steps(at(workshop, plain_http))
    assert marks(found)[:6] == "oofsss"
    assert "speaks no proper TLS" in found["TLS"].text
    assert "captive portal" in found["TLS"].cure


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault.UNSIGNED, "is not signed"),
        (Fault.WRONG_KEY, "not by the host's key that is pinned here"),
        (Fault.FAIL_500, "is not signed"),
        (Fault.LOSE_ANSWER, "no answer"),
    ],
)
async def test_an_answer_that_is_not_the_hosts(
    workshop: Workshop, host: Host, fault: Fault, text: str
) -> None:
    host.behaviour.next(fault, path="/v1/echo")
    found = await steps(workshop)
    assert found["echo"].mark is Mark.FAULT
    assert text in found["echo"].text
    assert found["echo"].cure


async def test_without_keys_nobody_can_tell_who_answers(workshop: Workshop) -> None:
    workshop.enrolment = None
    found = await steps(workshop)
    assert found["echo"].mark is Mark.WARNING
    assert found["echo"].cure == f"tillside enrol --home {workshop.home}"
    assert "not signed" in found["clock"].text


async def test_other_gateways_have_their_own_way(alipay_config: Config, workshop: Workshop) -> None:
    found = await steps(workshop, of="alipay")
    assert list(found) == STEPS[:6]
    assert marks(found) == "oooono"


async def test_without_a_configuration_no_way_is_known(workshop: Workshop) -> None:
    workshop.config = None
    (finding,) = [finding async for finding in network.probe(workshop)]
    assert finding.mark is Mark.SKIPPED
