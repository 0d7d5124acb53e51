"""The card behind the real PC/SC daemon: a TCP client of its virtual reader (vsmartcard's vpcd).

Theory of operation: the virtual reader listens; a connection is a card in its field, a closed
connection an empty field. A message is a big-endian 16-bit length and a body. A body of one byte
is a control (0 power off, 1 power on, 2 reset, 4 send the ATR, which alone is answered); any other
body is a C-APDU, answered with the R-APDU. A card that leaves in the middle closes the connection
without an answer.

`TCP_QUICKACK` is set again after every receive: the daemon writes length and body apart, and with
delayed acknowledgements each APDU would take 50 ms in place of 0.05 ms.

The daemon looks at its virtual reader every 0.4 s only, and a card that is swapped between two
looks is neither removed nor inserted for it, ever. So a card leaves by closing its half of the
connection and waits until the daemon, asking for the ATR in vain, closes the other half. That look
may have been part of a power-off; so a second look gets a connection that is half closed from the
start, and only then may the next card come.

With a reader's firmware in front, commands that the firmware knows do not reach the card, and a card
is there only while the firmware's field is on.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from threading import Event, Thread
from time import monotonic

from simulators.readers.acs_firmware import Firmware
from simulators.readers.field import Field, Placement

PORT = 35963
"""Where vsmartcard-vpcd, as Debian configures it, waits for the card of its first slot."""

_POWER_OFF, _POWER_ON, _RESET, _GET_ATR = 0, 1, 2, 4
_RETRY_S = 0.05
_LEAVE_S = 2.0
_LOOKS = 2


class SlotTakenError(Exception):
    """Another process holds a card to this slot of the virtual reader."""


class VirtualCard:
    """Holds whatever card is in the field to a slot of the virtual reader.

    Args:
        field: The place that is looked at.
        port: The slot's TCP port on loopback.
        firmware: The reader's own firmware, in front of the card; None for a reader that has no commands.
    """

    def __init__(self, field: Field, port: int = PORT, firmware: Firmware | None = None) -> None:
        self._field = field
        self._port = port
        self._firmware = firmware
        self._stop = Event()
        self._wake_read, self._wake_write = -1, -1
        self._listening = contextlib.ExitStack()
        self._thread: Thread | None = None
        self._slot: socket.socket | None = None

    def start(self, *, wait_s: float = 10.0) -> None:
        """Take the slot, waiting so long for another process to give it up, and begin."""
        self._slot = _take_slot(self._port, wait_s)
        self._stop.clear()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._listening.callback(self._field.listen(self._wake))
        if self._firmware is not None:
            self._listening.callback(self._firmware.listen(self._wake))
        self._thread = Thread(target=self._run, name=f"virtual-card-{self._port}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the card off the slot and end the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        self._listening.close()
        self._wake()
        thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)
        if self._slot is not None:
            self._slot.close()

    def __enter__(self) -> VirtualCard:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _present(self) -> Placement | None:
        """The card that can be seen."""
        off = self._firmware is not None and not self._firmware.field_on
        return None if off else self._field.placement

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def _run(self) -> None:
        while not self._stop.is_set():
            placement = self._present
            if placement is None:
                self._sleep(None)
                continue
            try:
                with self._connect() as link:
                    self._hold(link, placement)
                    looks = int(_leave(link))
                while looks < _LOOKS:
                    with self._connect() as link:
                        looks += _leave(link)
            except OSError:
                # The daemon is not there, or has gone: the card waits for it to come back.
                self._sleep(_RETRY_S)

    def _connect(self) -> socket.socket:
        link = socket.create_connection(("127.0.0.1", self._port), timeout=1.0)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def _sleep(self, timeout_s: float | None) -> None:
        """Wait for the field to change."""
        if select.select([self._wake_read], [], [], timeout_s)[0]:
            os.read(self._wake_read, 4096)

    def _hold(self, link: socket.socket, placement: Placement) -> None:
        """Serve one stay of one card, until it is over or the daemon hangs up."""
        while self._present == placement and not self._stop.is_set():
            ready = select.select([link.fileno(), self._wake_read], [], [])[0]
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            elif not self._serve(link, placement):
                return

    def _serve(self, link: socket.socket, placement: Placement) -> bool:
        size = int.from_bytes(_receive(link, 2), "big")
        body = _receive(link, size)
        if len(body) != 1:
            answer = self._answer(placement, body)
            if answer is None:
                return False
        elif body[0] == _GET_ATR:
            answer = placement.card.atr
        else:
            if body[0] in (_POWER_ON, _RESET):
                placement.card.power_on()
            return True
        link.sendall(len(answer).to_bytes(2, "big") + answer)
        return True

    def _answer(self, placement: Placement, command: bytes) -> bytes | None:
        answer = self._firmware.pseudo(command, placement.card) if self._firmware is not None else None
        return answer if answer is not None else self._field.transmit(placement, command)


def _receive(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = link.recv(size - len(data))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not chunk:
            raise ConnectionError("the daemon hung up")
        data += chunk
    return data


def _leave(link: socket.socket) -> bool:
    """End the connection; true if it was a look of the daemon, asking for the ATR, that found it ended."""
    link.shutdown(socket.SHUT_WR)
    link.settimeout(_LEAVE_S)
    last = b""
    with contextlib.suppress(ConnectionError):
        while True:
            last = _receive(link, int.from_bytes(_receive(link, 2), "big"))
    return last == bytes([_GET_ATR])


def _take_slot(port: int, wait_s: float) -> socket.socket:
    """Lock the slot between processes: the reader would queue a second card behind the first.

    The lock is a name in Linux's abstract socket space, which is shared as far as the port is and
    goes with the process.
    """
    lock = socket.socket(socket.AF_UNIX)
    deadline = monotonic() + wait_s
    pause = Event()
    while True:
        try:
            lock.bind(f"\0tillside-virtual-card-{port}")
            return lock
        except OSError as error:
            if error.errno != errno.EADDRINUSE or monotonic() >= deadline:
                lock.close()
                raise SlotTakenError(f"slot {port} holds the card of another process") from error
            pause.wait(_RETRY_S)
