"""An ACS reader as a CCID device on a serial line, behind the real CCID driver of the PC/SC daemon.

Theory of operation: libccid drives USB readers, and Gemalto's GemPC Twin on a serial line, with the same
messages (USB CCID 1.1, chapter 6). So a pty that speaks as a GemPC Twin gives the daemon a reader with
everything of the real driver: escape commands, which it lets through or refuses by its own option, card
movements by its own polling, and a cable that can be pulled. The name in the daemon's list is free.

A frame is 03 06, the message and the exclusive or of all of it. A message is its type, the size of its
data in four bytes little endian, slot, sequence number, three bytes, and the data. The GemPC Twin
echoes each frame before it answers. The driver asks for short APDUs by the escape A0 02, if its
option 0002 is set; `PcscDaemon` sees to that. A cable once pulled is found again by the next daemon only.

The daemon looks every 0.4 s, and a card that was away for one look only, which may have been part of a
power-off, is neither removed nor inserted for it, ever. So a card that left stays away for two looks.

Sources: USB CCID 1.1; the serial frames by reading libccid's ccid_serial.c.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import select
import tty
from threading import Thread
from typing import Protocol

from simulators.cards.card import SimulatedCard
from simulators.readers.field import Field, Placement

_POWER_ON, _POWER_OFF, _SLOT_STATUS, _EXCHANGE = 0x62, 0x63, 0x65, 0x6F
_GET_PARAMETERS, _RESET_PARAMETERS, _SET_PARAMETERS, _ESCAPE = 0x6C, 0x6D, 0x61, 0x6B
_DATA, _STATUS, _PARAMETERS, _ESCAPED = 0x80, 0x81, 0x82, 0x83
_ACTIVE, _INACTIVE, _ABSENT = 0, 1, 2
_FAILED = 0x40
_LOOKS = 2
_MUTE, _NOT_SUPPORTED = 0xFE, 0x00
_TWIN = {b"\x02": b"GemTwin-V1.00", b"\x01\x01\x01": b"", b"\xa0\x02": b""}
"""What makes the driver take the line for a GemPC Twin."""


class EscapingFirmware(Protocol):
    """The firmware of a reader, on both ways."""

    @property
    def field_on(self) -> bool: ...

    def pseudo(self, command: bytes, card: SimulatedCard | None) -> bytes | None: ...

    def escape(self, command: bytes) -> bytes: ...


class CcidReader:
    """The reader and its cable, from `start` to `stop`."""

    def __init__(self, field: Field, firmware: EscapingFirmware) -> None:
        self._field = field
        self._firmware = firmware
        self._active: Placement | None = None
        self._seen: Placement | None = None
        self._looks = _LOOKS
        self._master = -1
        self._slave = -1
        self._wake_read, self._wake_write = -1, -1
        self._thread: Thread | None = None
        self.path = ""
        """The line's path, such as /dev/pts/3: what the daemon opens."""

    def start(self) -> None:
        """Plug the reader in."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = Thread(target=self._run, name=f"ccid-reader-{self.path}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Pull the cable: the daemon's next read or write fails."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        os.write(self._wake_write, b"!")
        thread.join()
        for descriptor in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)

    def __enter__(self) -> CcidReader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        data = b""
        while True:
            ready = select.select([self._master, self._wake_read], [], [])[0]
            if self._wake_read in ready:
                return
            try:
                data += os.read(self._master, 4096)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return
            while len(data) >= 13 and len(data) >= (size := 13 + int.from_bytes(data[3:7], "little")):
                frame, data = data[:size], data[size:]
                with contextlib.suppress(OSError):
                    os.write(self._master, frame + _framed(self._answer(frame[2:-1])))

    @property
    def _present(self) -> Placement | None:
        """The card that is there, for the daemon."""
        there = self._field.placement if self._firmware.field_on else None
        if there != self._seen:
            if self._seen is not None:
                self._seen, self._looks = None, 0
            if self._looks >= _LOOKS:
                self._seen = there
        return self._seen

    def _answer(self, message: bytes) -> bytes:
        kind, slot, sequence, data = message[0], message[5], message[6], message[10:]
        answer, status, error, body = self._do(kind, data)
        if not status & _FAILED:
            status = self._card_status()
        if kind == _SLOT_STATUS and status == _ABSENT:
            self._looks += 1
        size = len(body).to_bytes(4, "little")
        return bytes([answer]) + size + bytes([slot, sequence, status, error, 0]) + body

    def _card_status(self) -> int:
        placement = self._present
        if placement is None:
            return _ABSENT
        return _ACTIVE if placement == self._active else _INACTIVE

    def _do(self, kind: int, data: bytes) -> tuple[int, int, int, bytes]:
        """Return the answer's type, status, error and data."""
        if kind == _POWER_ON:
            return self._power_on()
        if kind == _POWER_OFF:
            self._active = None
            return _STATUS, _ACTIVE, 0, b""
        if kind == _EXCHANGE:
            return self._exchange(data)
        if kind == _ESCAPE:
            answer = _TWIN.get(data)
            return _ESCAPED, _ACTIVE, 0, self._firmware.escape(data) if answer is None else answer
        if kind in (_GET_PARAMETERS, _RESET_PARAMETERS, _SET_PARAMETERS):
            return _PARAMETERS, _ACTIVE, 0, data
        if kind == _SLOT_STATUS:
            return _STATUS, _ACTIVE, 0, b""
        return _STATUS, _FAILED | self._card_status(), _NOT_SUPPORTED, b""

    def _power_on(self) -> tuple[int, int, int, bytes]:
        placement = self._active = self._present
        if placement is None:
            return _DATA, _FAILED | _ABSENT, _MUTE, b""
        placement.card.power_on()
        return _DATA, _ACTIVE, 0, placement.card.atr

    def _exchange(self, command: bytes) -> tuple[int, int, int, bytes]:
        if len(command) == 3 and command[:1] == b"\xff" and _check(command) == 0:
            # A selection of the protocol (ISO/IEC 7816-3, 9.2): agreed.
            return _DATA, _ACTIVE, 0, command
        placement = self._present
        answer = None
        if placement is not None and placement == self._active:
            answer = self._firmware.pseudo(command, placement.card)
            if answer is None:
                answer = self._field.transmit(placement, command)
        if answer is None:
            return _DATA, _FAILED | self._card_status(), _MUTE, b""
        return _DATA, _ACTIVE, 0, answer


def _framed(message: bytes) -> bytes:
    frame = b"\x03\x06" + message
    return frame + bytes([_check(frame)])


def _check(data: bytes) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check
