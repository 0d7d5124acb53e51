"""Simulated receipt printers on a real wire: a TCP server on loopback, and a serial line on a pty.

    with NetworkPrinter() as printer:
        device = open_printer(parse(printer.address))
        device.print_page(page)
        printer.engine.pages[-1].text

As real ones do, a printer on the network serves one program: who comes while it is taken is hung up on.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
import tty
from collections.abc import Callable
from threading import Thread
from typing import Self

from simulators.printer_engine import PrinterEngine

_READ_BYTES = 4096


class _Printer:
    """A thread that moves bytes between a wire and the engine, until it is woken to end."""

    def __init__(self, engine: PrinterEngine | None) -> None:
        self.engine = engine or PrinterEngine()
        self._wake: tuple[int, int] | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Switch it on."""
        raise NotImplementedError

    def stop(self) -> None:
        """Pull the plug. Stopping twice is allowed."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_thread(self, work: Callable[[int], None]) -> None:
        self._wake = os.pipe()
        self._thread = Thread(target=work, args=(self._wake[0],), name="simulated-printer", daemon=True)
        self._thread.start()

    def _stop_thread(self) -> None:
        if self._wake is None or self._thread is None:
            return
        os.write(self._wake[1], b"x")
        self._thread.join()
        for end in self._wake:
            os.close(end)
        self._wake = self._thread = None
        self.engine.disconnect()


class NetworkPrinter(_Printer):
    """A printer on TCP.

    Args:
        engine: What prints; one of its own without.
        port: TCP port on loopback; 0 takes a free one, and keeps it from then on.
    """

    def __init__(self, engine: PrinterEngine | None = None, *, port: int = 0) -> None:
        super().__init__(engine)
        self._port = port
        self._listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """The TCP port, once started."""
        return self._port

    @property
    def address(self) -> str:
        """The device address of this printer, once started: ``escpos:127.0.0.1:PORT``."""
        return f"escpos:127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen from now on."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen()
        self._listener = listener
        self._port = listener.getsockname()[1]
        self._start_thread(self._serve)

    def stop(self) -> None:
        """Pull the plug: the connection breaks. Stopping twice is allowed."""
        self._stop_thread()
        if self._listener is not None:
            self._listener.close()
        self._listener = None

    def _serve(self, wake: int) -> None:
        listener = self._listener
        assert listener is not None  # noqa: S101 - for the type checker; `start` has set it
        client: socket.socket | None = None
        while True:
            sources = [wake, listener.fileno(), *([client.fileno()] if client is not None else [])]
            readable, _, _ = select.select(sources, [], [])
            if wake in readable:
                break
            # A client that has gone makes way for one that comes at the same moment.
            if client is not None and client.fileno() in readable and not self._take(client):
                client.close()
                client = None
            if listener.fileno() in readable:
                caller = listener.accept()[0]
                if client is None:
                    client = caller
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                else:
                    caller.close()
        if client is not None:
            client.close()

    def _take(self, client: socket.socket) -> bool:
        """Print what has come; False if that was the end."""
        try:
            data = client.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.engine.disconnect()
            return False

        def answer(text: bytes) -> None:
            with contextlib.suppress(OSError):
                client.sendall(text)

        self.engine.receive(data, answer)
        return True


class SerialPrinter(_Printer):
    """A printer on a pty, whose far end is a real serial path."""

    def __init__(self, engine: PrinterEngine | None = None) -> None:
        super().__init__(engine)
        self._near: int | None = None
        self._far: int | None = None
        self._path = ""

    @property
    def path(self) -> str:
        """The serial device to open, once started."""
        return self._path

    @property
    def address(self) -> str:
        """The device address of this printer, once started: ``escpos:PATH``."""
        return f"escpos:{self._path}"

    def start(self) -> None:
        """Plug it in."""
        self._near, self._far = os.openpty()
        tty.setraw(self._far, termios.TCSANOW)
        self._path = os.ttyname(self._far)
        self._start_thread(self._serve)

    def stop(self) -> None:
        """Pull the plug: whoever has the line open sees it go away. Stopping twice is allowed."""
        self._stop_thread()
        for end in (self._near, self._far):
            if end is not None:
                os.close(end)
        self._near = self._far = None

    def _serve(self, wake: int) -> None:
        near = self._near
        assert near is not None  # noqa: S101 - for the type checker; `start` has set it

        def answer(text: bytes) -> None:
            with contextlib.suppress(OSError):
                os.write(near, text)

        while True:
            readable, _, _ = select.select([wake, near], [], [])
            if wake in readable:
                return
            try:
                data = os.read(near, _READ_BYTES)
            except OSError:
                return
            self.engine.receive(data, answer)
