"""What was certainly not sent is never mixed up with what has no answer."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from offline_queue.host import NotSentReason
from simulators.faults import TcpGate
from simulators.hosts import certificates as authority
from simulators.hosts.certificates import Fault
from simulators.hosts.host import Host
from terminal import http as module
from terminal.config import ConfigError
from terminal.http import NoAnswerError, NotSentError, client, send
from tests.terminal.raw_server import Answer, RawServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


async def get(http: httpx.AsyncClient, url: str) -> httpx.Response:
    return await send(http, "GET", url, content=b"", headers={})


async def not_sent(http: httpx.AsyncClient, url: str) -> NotSentError:
    with pytest.raises(NotSentError) as caught:
        await get(http, url)
    return caught.value


@pytest.fixture
def url(gate: TcpGate) -> str:
    """The host's sign of life, through the gate."""
    return f"https://127.0.0.1:{gate.port}/v1/echo"


async def test_a_whole_answer_comes_back(http: httpx.AsyncClient, url: str) -> None:
    assert (await get(http, url)).json()["service"] == "tillside-host"


async def test_nothing_was_sent_where_nobody_listens(
    http: httpx.AsyncClient, gate: TcpGate, url: str
) -> None:
    gate.down()
    error = await not_sent(http, url)
    assert error.reason is NotSentReason.REFUSED_CONNECTION
    gate.up()
    assert (await get(http, url)).status_code == 200


async def test_nothing_was_sent_into_a_black_hole(
    certificates: authority.Files, gate: TcpGate, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.05)
    gate.blackhole()
    async with client(certificates.ca) as http:
        assert (await not_sent(http, url)).reason is NotSentReason.NO_ANSWER


async def test_nothing_was_sent_to_a_name_that_is_not_known(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    assert (await not_sent(http, "https://pay.example.com/v1/echo")).reason is NotSentReason.NO_NAME


async def test_nothing_was_sent_without_a_network(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("anyio.connect_tcp", unreachable)
    assert (await not_sent(http, "https://127.0.0.1:1/")).reason is NotSentReason.NO_NETWORK


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.OTHER_CA, "unable to get local issuer certificate"),
        (Fault.EXPIRED, "certificate has expired"),
        (Fault.WRONG_NAME, "IP address mismatch"),
    ],
)
async def test_nothing_is_sent_to_a_wrong_certificate(
    fault: Fault, words: str, tmp_path: Path, host: Host
) -> None:
    wrong = authority.create_wrong(tmp_path, fault)
    with Host(certificate=wrong.certificate, key=wrong.key) as forger:
        async with client(wrong.ca) as http:
            error = await not_sent(http, f"{forger.url}/v1/echo")
    assert error.reason is NotSentReason.BAD_CERTIFICATE
    assert words in str(error)


async def test_nothing_is_sent_to_an_authority_that_is_not_named(host: Host) -> None:
    """Without a ca_file only the system's authorities count, and ours is none of them."""
    async with client(None) as http:
        assert (await not_sent(http, host.url)).reason is NotSentReason.BAD_CERTIFICATE


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NotSentReason.BAD_CERTIFICATE),
        (b"", NotSentReason.NO_ANSWER),
    ],
)
async def test_nothing_is_sent_where_no_tls_begins(
    http: httpx.AsyncClient, listener: socket.socket, greeting: bytes, reason: NotSentReason
) -> None:
    def greet() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            line.sendall(greeting)

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    error = await not_sent(http, f"https://127.0.0.1:{listener.getsockname()[1]}/")
    thread.join()
    assert error.reason is reason


async def test_a_cut_after_the_request_has_no_answer(
    http: httpx.AsyncClient, gate: TcpGate, url: str
) -> None:
    gate.cut_after_request()
    with pytest.raises(NoAnswerError):
        await get(http, url)


async def test_a_network_that_falls_silent_on_a_live_connection_has_no_answer(
    certificates: authority.Files, gate: TcpGate, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.3)
    async with client(certificates.ca) as http:
        await get(http, url)
        gate.blackhole()
        with pytest.raises(NoAnswerError):
            await get(http, url)


def cut_off(tls: ssl.SSLSocket, under: socket.socket) -> None:
    tls.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf")


def silent_end(tls: ssl.SSLSocket, under: socket.socket) -> None:
    """End without a byte."""


def no_http(tls: ssl.SSLSocket, under: socket.socket) -> None:
    tls.sendall(b"220 mail.example.com ESMTP\r\n\r\n")


def bad_gzip(tls: ssl.SSLSocket, under: socket.socket) -> None:
    body = gzip.compress(b"{}")[:10] + b"not what it was"
    tls.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def broken_tls(tls: ssl.SSLSocket, under: socket.socket) -> None:
    """Something on the way writes in plain into the stream."""
    under.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")


def wrong_record(tls: ssl.SSLSocket, under: socket.socket) -> None:
    """A record that nobody could have encrypted."""
    under.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))


@pytest.mark.parametrize("answer", [cut_off, silent_end, no_http, bad_gzip, broken_tls, wrong_record])
async def test_an_answer_that_is_not_whole_is_none(
    answer: Answer, http: httpx.AsyncClient, certificates: authority.Files
) -> None:
    with RawServer(certificates, answer) as server:
        with pytest.raises(NoAnswerError):
            await get(http, server.url)


def packed(tls: ssl.SSLSocket, under: socket.socket) -> None:
    body = gzip.compress(b'{"yes": true}')
    tls.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def test_an_answer_that_comes_packed_is_unpacked_once(
    http: httpx.AsyncClient, certificates: authority.Files
) -> None:
    with RawServer(certificates, packed) as server:
        assert (await get(http, server.url)).json() == {"yes": True}


async def test_an_answer_that_drips_in_is_none(
    certificates: authority.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, the whole never does."""
    left = threading.Event()

    def drip(tls: ssl.SSLSocket, under: socket.socket) -> None:
        tls.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not left.wait(0.01):
            tls.sendall(b"x")

    monkeypatch.setattr(module, "CONNECT_S", 0.2)
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    with RawServer(certificates, drip) as server:
        async with client(certificates.ca) as http:
            with pytest.raises(NoAnswerError, match="too long"):
                await get(http, server.url)
        left.set()


async def test_an_answer_that_does_not_end_is_none(
    http: httpx.AsyncClient, certificates: authority.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flood(tls: ssl.SSLSocket, under: socket.socket) -> None:
        tls.sendall(HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000)

    with RawServer(certificates, flood) as server:
        assert len((await get(http, server.url)).content) == 2000
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1999)
        with pytest.raises(NoAnswerError, match="too long"):
            await get(http, server.url)


async def test_a_redirection_is_an_answer_and_not_followed(
    http: httpx.AsyncClient, certificates: authority.Files
) -> None:
    def elsewhere(tls: ssl.SSLSocket, under: socket.socket) -> None:
        tls.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with RawServer(certificates, elsewhere) as server:
        assert (await get(http, server.url)).status_code == 302


async def test_proxies_and_authorities_of_the_environment_do_not_count(
    certificates: authority.Files, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with client(certificates.ca) as http:
        assert (await get(http, url)).status_code == 200


def test_an_authority_that_is_none_is_told_by_its_file(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.pem"
    garbage.write_text("no certificate")
    for file in (garbage, tmp_path / "nowhere.pem"):
        with pytest.raises(ConfigError, match=rf"{file.name}: holds no certificate authority"):
            client(file)
