"""The far end of nfcpy's ``udp:`` link: cards that another process reads over loopback.

Theory of operation: a datagram is a bit rate and type (``106A``), a blank, and a frame in hexadecimal; the
answer is written alike. ``RFOFF`` means that the other side's field is off. A card that stays silent is
silent here too, but the reader would wait a second for each: so a frame that nobody answers is
answered by ``RFOFF``, which nfcpy takes for a card that has gone. Several cards in the field spoil each
other's answers, and the link has no word for that: they are silent too.

Source: nfcpy's `udp` driver, which is both ends of this link.
"""

from __future__ import annotations

import contextlib
import socket
from threading import Thread

from drivers.address import DeviceAddress
from simulators.readers.field import Field
from simulators.readers.radio import Heard, Radio, Technology

_HOST = "127.0.0.1"
_OFF = b"RFOFF"
_END = b"END"
_SILENCE_S = 0.005


class NfcpyUdp:
    """A field that a reader looks at over UDP.

    Args:
        field: The place that is looked at.
        port: Where to listen on loopback; 0 takes a free one.
    """

    def __init__(self, field: Field, port: int = 0) -> None:
        self._field = field
        self._radio = Radio(field)
        self._port = port
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None

    @property
    def address(self) -> DeviceAddress:
        """What a driver opens it by; known after `start`."""
        return DeviceAddress("nfcpy", f"udp:{_HOST}:{self._port}")

    def start(self) -> None:
        """Listen, and begin."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((_HOST, self._port))
        self._port = self._socket.getsockname()[1]
        self._thread = Thread(target=self._run, args=(self._socket,), name="nfcpy-udp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the port. Stopping twice is allowed."""
        thread, self._thread = self._thread, None
        if thread is None or self._socket is None:
            return
        self._socket.sendto(_END, (_HOST, self._port))
        thread.join()
        self._socket.close()

    def __enter__(self) -> NfcpyUdp:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, link: socket.socket) -> None:
        while True:
            with contextlib.suppress(ConnectionError):  # A reader that closed its port meanwhile.
                data, reader = link.recvfrom(2048)
                if data == _END and reader[1] == self._port:
                    return
                if (answer := self._answer(data)) is not None:
                    link.sendto(answer, reader)

    def _answer(self, data: bytes) -> bytes | None:
        if data == _OFF:
            self._radio.switch(False)
            return None
        try:
            rate, text = data.split()
            frame = bytes.fromhex(text.decode("ascii"))
            technology = {b"106A": Technology.A, b"106B": Technology.B}.get(rate)
        except ValueError:
            return None
        self._radio.switch(True)
        version = self._field.version
        heard = self._radio.send(frame, technology) if technology else Heard()
        if heard.data is None:
            self._field.wait_changed(version, timeout_s=_SILENCE_S)
        return _OFF if heard.data is None else rate + b" " + heard.data.hex().encode()
