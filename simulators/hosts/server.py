"""Runs an ASGI application over TLS on loopback, in a daemon thread of its own.

Stopping and starting again keeps the port, so a test or the demo can take a host away and bring it back
under the address that the terminal knows. Stopping gives answers that are under way `STOP_GRACE_S`, then
cuts every connection: an answer that is being held is never given, as when a host goes down.

An application may also cut the wire instead of answering: `drop_connection(scope)`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
START_TIMEOUT_S = 10.0
STOP_GRACE_S = 0.2
_DROP = "tillside.drop"

# Uvicorn reports each cut connection as an error of the application; here it is what was asked for.
logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def drop_connection(scope: Scope) -> None:
    """Cut the connection that this request came over, without another byte to the client."""
    scope["extensions"][_DROP]()


class TlsServer:
    """One HTTPS server on 127.0.0.1.

    Args:
        app: The application to run.
        certificate: PEM file with the server's certificate, then the rest of its chain.
        key: PEM file with the certificate's private key.
        port: 0 for a free one, chosen at the first start and kept through later ones.
    """

    def __init__(self, app: AsgiApp, *, certificate: Path, key: Path, port: int = 0) -> None:
        self._app = app
        self._certificate = certificate
        self._key = key
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The TCP port; known after the first start."""
        return self._port

    @property
    def url(self) -> str:
        """Where a client finds the server."""
        return f"https://{HOST}:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the server accepts connections."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen and serve; returns when a client can connect. Does nothing when it already runs."""
        if self.running:
            return
        listener = self._listen()
        ready = threading.Event()
        server = _Server(self._config(), ready)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name=f"tls-server-{self._port}", daemon=True
        )
        thread.start()
        if not ready.wait(START_TIMEOUT_S) or not server.started:
            raise RuntimeError(f"no server on {self.url} after {START_TIMEOUT_S} s")
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """Stop accepting, end every connection, and wait for the thread. Does nothing when stopped."""
        if self._server is None or self._thread is None:
            return
        self._server.leave()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> TlsServer:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets this only on sockets whose protocol it can tell; without it an answer takes 44 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, self._port))
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        return listener

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            _with_drop(self._app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            date_header=False,
            server_header=False,
            ssl_certfile=str(self._certificate),
            ssl_keyfile=str(self._key),
        )


_LAST_ROUNDS = 3
"""What has been aborted is told so, and closes its socket, in the loop's next rounds."""


class _Server(uvicorn.Server):
    """Tells when start-up has ended, well or badly, and goes at once when told to.

    Uvicorn itself looks ten times a second whether to go, and then waits for each client to take leave.
    """

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()

    def leave(self) -> None:
        """Stop serving; may be called from any thread, once the server has started."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets=sockets)
        finally:
            self._ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        tasks = list(self.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # Connections that are still in their TLS handshake are known to nobody but the loop's own tasks.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()
        for _ in range(_LAST_ROUNDS):
            await asyncio.sleep(0)


def _with_drop(app: AsgiApp) -> AsgiApp:
    """Hand the application a way to cut its connection, which ASGI itself does not offer."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        # Uvicorn's `send` is a bound method of the object that holds the transport.
        transport = send.__self__.transport  # type: ignore[attr-defined]
        scope.setdefault("extensions", {})[_DROP] = transport.abort
        await app(scope, receive, send)

    return wrapped
