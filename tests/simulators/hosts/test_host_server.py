"""The TLS server that every simulated host runs on: real sockets, a real client."""

import asyncio
import signal
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulators.hosts.server import TlsServer, drop_connection
from tests.simulators.hosts.conftest import TlsFiles

held = threading.Event()


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def drop(request: Request) -> Response:
    drop_connection(request.scope)
    return PlainTextResponse("never seen")


async def hold(request: Request) -> Response:
    held.set()
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


APP = Starlette(routes=[Route("/", hello), Route("/drop", drop), Route("/hold", hold)])


@pytest.fixture
def server(tls_files: TlsFiles) -> TlsServer:
    return TlsServer(APP, certificate=tls_files.certificate, key=tls_files.key)


def test_answers_over_tls(server: TlsServer, tls_files: TlsFiles) -> None:
    with server, httpx.Client(base_url=server.url, verify=tls_files.client_context()) as client:
        assert client.get("/").text == "hello"


def test_refuses_a_client_that_does_not_trust_it(server: TlsServer) -> None:
    with server, httpx.Client(base_url=server.url) as client, pytest.raises(httpx.ConnectError):
        client.get("/")


def test_comes_back_on_the_same_port(server: TlsServer, tls_files: TlsFiles) -> None:
    with httpx.Client(verify=tls_files.client_context()) as client:
        server.start()
        url = server.url
        assert client.get(url).text == "hello"
        server.stop()
        assert not server.running
        with pytest.raises(httpx.ConnectError):
            client.get(url)
        server.start()
        assert server.url == url
        assert client.get(url).text == "hello"
        server.stop()


def test_a_dropped_connection_gives_the_client_no_answer(server: TlsServer, tls_files: TlsFiles) -> None:
    with server, httpx.Client(base_url=server.url, verify=tls_files.client_context()) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.get("/drop")
        assert client.get("/").text == "hello"


def test_stopping_does_not_wait_for_a_held_answer(server: TlsServer, tls_files: TlsFiles) -> None:
    failures: list[Exception] = []

    def ask() -> None:
        try:
            httpx.get(f"{server.url}/hold", verify=tls_files.client_context())
        except httpx.HTTPError as error:
            failures.append(error)

    held.clear()
    server.start()
    client = threading.Thread(target=ask, daemon=True)
    client.start()
    assert held.wait(10)
    server.stop()
    client.join()
    assert len(failures) == 1


def test_installs_no_signal_handlers(server: TlsServer) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with server:
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_taken_port_is_an_error_at_once(server: TlsServer, tls_files: TlsFiles) -> None:
    with server:
        other = TlsServer(APP, certificate=tls_files.certificate, key=tls_files.key, port=server.port)
        with pytest.raises(OSError, match="in use"):
            other.start()
        assert not other.running
