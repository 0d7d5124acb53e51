"""A network that fails on request: a TCP gate on loopback between the terminal and a server.

The terminal is told the gate's port, so one and the same address is reachable, refused or dead as
the test or the demo likes. TLS passes through untouched; the gate looks at record headers alone,
to tell a request from a handshake.

    with TcpGate(server.port) as gate:
        gate.down()      # live connections are reset, new ones refused
        gate.up()        # the same port again
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Self, TypeVar

HOST = "127.0.0.1"
_CHUNK = 65536
# A server that sends no session tickets leaves nothing to see of the end of its handshake.
_HANDSHAKE_WAIT_S = 0.1
_CHANGE_CIPHER_SPEC, _HANDSHAKE, _APPLICATION_DATA = 20, 22, 23
T = TypeVar("T")


class _Requests:
    """Finds the start of a request in what a client sends, inside TLS or plain.

    The client's last handshake message follows its ChangeCipherSpec, as a record of type
    application data in TLS 1.3. Each application data record after it belongs to a request.

    Spec: RFC 8446, 5.1 and appendix D.4; RFC 5246, 6.2.1.
    """

    def __init__(self) -> None:
        self._waiting = b""
        self._tls: bool | None = None
        self._ciphering = False
        self.finished = False

    def feed(self, data: bytes) -> bool:
        """Take the client's next bytes; tells whether they hold (a part of) a request."""
        if self._tls is None:
            self._tls = data[0] == _HANDSHAKE
            self.finished = not self._tls
        if not self._tls:
            return True
        self._waiting += data
        found = False
        while len(self._waiting) >= 5:
            kind, end = self._waiting[0], 5 + int.from_bytes(self._waiting[3:5], "big")
            if len(self._waiting) < end:
                break
            self._waiting = self._waiting[end:]
            found |= self.finished and kind == _APPLICATION_DATA
            self.finished |= self._ciphering
            self._ciphering |= kind == _CHANGE_CIPHER_SPEC
        return found


class _Link:
    """One connection through the gate, with its two directions."""

    def __init__(self, gate: TcpGate, client: socket.socket, *, swallowing: bool) -> None:
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for end in (self._client, self._server):
            end.setblocking(False)
            # Without it each answer in two pieces waits 40 ms for a delayed acknowledgement.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = _Requests()
        self._answered_handshake = asyncio.Event()
        self._cut = False
        self._hung_up = False
        self.swallowing = swallowing
        self.task = asyncio.ensure_future(self._run())
        # Not in the task itself: one that is cancelled before its first step runs nothing.
        self.task.add_done_callback(lambda _: self._close())

    async def _run(self) -> None:
        with contextlib.suppress(OSError):
            if self.swallowing:
                await self._drain(self._client)
                return
            await self._loop.sock_connect(self._server, (HOST, self._gate.target_port))
            ways = [asyncio.ensure_future(way) for way in (self._requests_up(), self._answers_down())]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            if self._hung_up:
                # The client gets the whole of the server's last answer, and no reset.
                self._client.close()
            if self._cut:
                _reset(self._client)
                # The server works on: it must not see that nobody listens any more.
                await self._drain(self._server)

    async def _requests_up(self) -> None:
        while data := await self._loop.sock_recv(self._client, _CHUNK):
            if self._requests.feed(data) and self._gate.take_cut():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._answered_handshake.wait(), _HANDSHAKE_WAIT_S)
                self._cut = True
            if not self.swallowing:
                await self._loop.sock_sendall(self._server, data)

    async def _answers_down(self) -> None:
        while data := await self._loop.sock_recv(self._server, _CHUNK):
            if self._requests.finished:
                self._answered_handshake.set()
            if self._cut:
                return
            if not self.swallowing:
                await asyncio.sleep(self._gate.delay_s)
                await self._loop.sock_sendall(self._client, data)
        self._hung_up = True

    async def _drain(self, end: socket.socket) -> None:
        while await self._loop.sock_recv(end, _CHUNK):
            pass

    def _close(self) -> None:
        _reset(self._client)
        _reset(self._server)


class TcpGate:
    """One gate to one server on loopback; its methods may be called from any thread.

    Args:
        target_port: Where the server listens.
        port: The gate's own port; 0 takes a free one, which stays the same from then on.
    """

    def __init__(self, target_port: int, *, port: int = 0) -> None:
        self.delay_s = 0.0
        """How long each piece of an answer is held back, in seconds."""
        self.target_port = target_port
        self._port = port
        self._swallowing = False
        self._cuts = 0
        self._links: set[_Link] = set()
        self._listener: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    @property
    def port(self) -> int:
        """The port to give to the terminal; known after `start`."""
        return self._port

    def start(self) -> None:
        """Start the gate's thread and let connections through."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="tcp-gate", daemon=True)
        self._thread.start()
        self.up()

    def stop(self) -> None:
        """Reset what is live, refuse what is new, and end the thread. Stopping twice is allowed."""
        if self._loop is None or self._thread is None:
            return
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def up(self) -> None:
        """Let new connections through. Those that fell into a black hole are reset."""
        self._run(self._up())

    def down(self) -> None:
        """Refuse new connections and reset the live ones."""
        self._run(self._down())

    def blackhole(self) -> None:
        """Accept connections and swallow what comes; live ones fall silent."""
        self._run(self._blackhole())

    def cut_after_request(self) -> None:
        """Once: let the next request through to the server, and reset the client when the answer comes."""
        self._cuts += 1

    def take_cut(self) -> bool:
        """Use up one ordered cut, if there is one."""
        if self._cuts == 0:
            return False
        self._cuts -= 1
        return True

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the gate is not running: call start()")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _up(self) -> None:
        self._swallowing = False
        await self._end([link for link in self._links if link.swallowing])
        self._listen()

    async def _blackhole(self) -> None:
        self._swallowing = True
        for link in self._links:
            link.swallowing = True
        self._listen()

    async def _down(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._end(list(self._links))

    async def _end(self, links: list[_Link]) -> None:
        for link in links:
            link.task.cancel()
        await asyncio.gather(*(link.task for link in links), return_exceptions=True)

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((HOST, self._port))
            self._listener.setblocking(False)
            self._port = self._listener.getsockname()[1]
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        # Accepted and listed in one step: a gate that goes down knows every connection it took.
        try:
            line, _ = listener.accept()
        except OSError:
            return
        link = _Link(self, line, swallowing=self._swallowing)
        self._links.add(link)
        link.task.add_done_callback(lambda _: self._links.discard(link))


def _reset(end: socket.socket) -> None:
    """Close a socket with a TCP reset: what was on its way is lost. Closing twice is allowed."""
    if end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
