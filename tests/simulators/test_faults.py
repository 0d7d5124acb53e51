"""The network gate, between real sockets and a real TLS server."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulators.faults import TcpGate
from simulators.hosts import certificates
from simulators.hosts.server import TlsServer


class Bookkeeper:
    """A host that counts what it was asked to book."""

    def __init__(self) -> None:
        self.booked: list[bytes] = []
        self.changed = threading.Condition()
        self.app = Starlette(routes=[Route("/book", self._book, methods=["POST"])])

    async def _book(self, request: Request) -> Response:
        body = await request.body()
        with self.changed:
            self.booked.append(body)
            self.changed.notify_all()
        return PlainTextResponse("booked")

    def wait_booked(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.booked) >= count, 10)


@pytest.fixture
def host() -> Bookkeeper:
    return Bookkeeper()


@pytest.fixture
def gate(host: Bookkeeper, tmp_path: Path) -> Iterator[TcpGate]:
    files = certificates.create(tmp_path)
    with TlsServer(host.app, certificate=files.certificate, key=files.key) as server:
        with TcpGate(server.port) as gate:
            yield gate


@pytest.fixture
def client(gate: TcpGate, tmp_path: Path) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with httpx.Client(base_url=f"https://localhost:{gate.port}", verify=trust, timeout=10) as client:
        yield client


def test_lets_requests_and_answers_through(client: httpx.Client, host: Bookkeeper) -> None:
    assert client.post("/book", content=b"1").text == "booked"
    assert host.booked == [b"1"]


def test_refuses_while_down_and_is_back_on_the_same_port(client: httpx.Client, gate: TcpGate) -> None:
    client.post("/book", content=b"1")
    port = gate.port
    gate.down()
    with pytest.raises(httpx.ConnectError):
        client.post("/book", content=b"2")
    gate.up()
    assert gate.port == port
    assert client.post("/book", content=b"3").text == "booked"


def test_going_down_ends_live_connections(gate: TcpGate) -> None:
    with socket.create_connection(("127.0.0.1", gate.port)) as line:
        gate.down()
        with pytest.raises(ConnectionResetError):
            line.recv(1)


def test_swallows_everything_in_a_black_hole(client: httpx.Client, gate: TcpGate, host: Bookkeeper) -> None:
    client.post("/book", content=b"1")
    gate.blackhole()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/book", content=b"2", timeout=httpx.Timeout(10, read=0.05))
    with pytest.raises(httpx.ConnectTimeout):
        client.post("/book", content=b"3", timeout=httpx.Timeout(10, connect=0.05))
    gate.up()
    assert client.post("/book", content=b"4").text == "booked"
    assert host.booked == [b"1", b"4"]


@pytest.mark.parametrize("fresh", [True, False], ids=["new connection", "kept connection"])
def test_cuts_once_after_the_server_has_the_request(
    fresh: bool, client: httpx.Client, gate: TcpGate, host: Bookkeeper
) -> None:
    if not fresh:
        client.post("/book", content=b"first")
    gate.cut_after_request()
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        client.post("/book", content=b"cut")
    assert host.wait_booked(1 if fresh else 2)
    assert client.post("/book", content=b"after").text == "booked"
    assert host.booked == ([] if fresh else [b"first"]) + [b"cut", b"after"]


def test_cuts_plain_connections_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, TcpGate(server.getsockname()[1]) as gate:
        gate.cut_after_request()
        with socket.create_connection(("127.0.0.1", gate.port)) as line:
            line.sendall(b"pay")
            peer, _ = server.accept()
            with peer:
                assert peer.recv(16) == b"pay"
                peer.sendall(b"paid")
                with pytest.raises(ConnectionResetError):
                    line.recv(16)
                # The server does not learn that nobody listens any more. The gate's thread has had
                # its turn when it has answered to something else.
                for _ in range(3):
                    gate.up()
                peer.setblocking(False)
                with pytest.raises(BlockingIOError):
                    peer.recv(1)


def test_a_connection_from_a_black_hole_does_not_come_back_to_life(gate: TcpGate) -> None:
    gate.blackhole()
    with socket.create_connection(("127.0.0.1", gate.port)) as line:
        line.sendall(b"lost")
        gate.up()
        with pytest.raises(ConnectionResetError):
            line.recv(1)


def answer_and_hang_up(peer: socket.socket, answer: bytes) -> None:
    peer.sendall(answer)
    peer.close()


def test_a_server_that_hangs_up_after_its_answer_is_heard_to_the_end() -> None:
    answer = b"paid" * 1_000_000
    with socket.create_server(("127.0.0.1", 0)) as server, TcpGate(server.getsockname()[1]) as gate:
        with socket.create_connection(("127.0.0.1", gate.port)) as line:
            line.sendall(b"pay")
            peer, _ = server.accept()
            with peer:
                peer.recv(16)
                sending = threading.Thread(target=answer_and_hang_up, args=(peer, answer))
                sending.start()
                heard = bytearray()
                while data := line.recv(4096):
                    heard += data
                sending.join(10)
    assert bytes(heard) == answer


def test_delays_answers(client: httpx.Client, gate: TcpGate) -> None:
    client.post("/book", content=b"1")
    gate.delay_s = 30.0
    with pytest.raises(httpx.ReadTimeout):
        client.post("/book", content=b"2", timeout=httpx.Timeout(10, read=0.05))


def test_a_missing_server_is_a_reset_not_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with TcpGate(port) as gate, socket.create_connection(("127.0.0.1", gate.port)) as line:
        with pytest.raises(ConnectionResetError):
            line.recv(1)


def test_stopping_twice_is_allowed_and_a_stopped_gate_says_so() -> None:
    gate = TcpGate(1)
    gate.start()
    gate.stop()
    gate.stop()
    with pytest.raises(RuntimeError, match="start"):
        gate.up()
