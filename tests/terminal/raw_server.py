"""A TLS server on loopback that answers a request with whatever bytes a test likes, in TLS or under it."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

from simulators.hosts.certificates import Files

Answer = Callable[[ssl.SSLSocket, socket.socket], None]
"""Takes the TLS connection after a request's head was read, and the bare socket under it."""


class RawServer:
    """Serves one connection after another until it is left."""

    def __init__(self, files: Files, answer: Answer) -> None:
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="raw server", daemon=True)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                bare, _ = self._listener.accept()
            except OSError:
                return
            under = socket.socket(fileno=os.dup(bare.fileno()))
            try:
                with self._context.wrap_socket(bare, server_side=True) as tls:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += tls.recv(65536)
                    self._answer(tls, under)
            except OSError:
                pass  # the client has gone: that is its good right
            finally:
                under.close()
