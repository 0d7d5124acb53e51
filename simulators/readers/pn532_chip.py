"""A PN532 on a serial line: the far end of a pty, with a card in its field or without.

Theory of operation: one thread reads the host's frames, acknowledges each and answers it. The chip
finds a card by InListPassiveTarget and carries raw frames to it by InCommunicateThru; the blocks of
ISO/IEC 14443-4 in those frames are the card's side of `iso_dep`. Like the real chip it looks for a
card a set number of times before it says that there is none, waits out the time-out for a card
that stays silent, finds no card that is halted or in the middle of its protocol until the field
was off, and understands the host only at the speed that was agreed: a pty carries every byte at
any speed, so the speed is read from the line's settings.

Spec: NXP UM0701-02 (PN532 user manual), 7.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import tty
from collections.abc import Callable
from threading import Event, Thread

from simulators.cards.card import AsksForTime
from simulators.readers.field import Field, Placement
from simulators.readers.iso_dep import IsoDepCard
from simulators.readers.pn532_frames import ACK, SYNTAX_ERROR, Parser, Signal, answer

FIRMWARE = bytes.fromhex("32010607")
"""IC, version, revision, and what it supports: a PN532 1.6."""

_SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_LOOK_S = 0.01
_FIFO_DATA = 0x6339
_SENS_REQ = 0x26
_TIMED_OUT = b"\x01"
_TYPE_A_106 = 0x00
_UID = bytes.fromhex("08A1B2C3")


def _code(speed: int) -> int:
    code: int = getattr(termios, f"B{speed}")
    return code


class Pn532Chip:
    """A chip whose `path` a driver opens as its serial port."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._stop = Event()
        self._thread: Thread | None = None
        self._parser = Parser()
        self._speed = 115200
        self._next_speed: int | None = None
        self._registers: dict[int, int] = {}
        self._retries = 1
        self._timeout_s = 0.05
        self._radio = False
        self._met: Placement | None = None
        self._card: IsoDepCard | None = None
        self._commands: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: self._diagnose,
            0x02: lambda data: FIRMWARE,
            0x06: self._read_register,
            0x08: self._write_register,
            0x10: self._set_speed,
            0x12: lambda data: b"",
            0x14: lambda data: b"",
            0x16: self._power_down,
            0x32: self._configure,
            0x42: self._communicate,
            0x44: lambda data: b"\x00",
            0x4A: self._list_targets,
            0x52: lambda data: b"\x00",
        }

    @property
    def path(self) -> str:
        """The serial port on the host's side."""
        return self._path

    @property
    def speed(self) -> int:
        """What the chip's line runs at now, in bits a second."""
        return self._speed

    def start(self) -> None:
        """Make the line and begin."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._path = os.ttyname(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self._stop.clear()
        self._thread = Thread(target=self._run, name=f"pn532-{self._path}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and hang the line up, as when the cable is pulled."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        os.write(self._wake_write, b"!")
        thread.join()
        for descriptor in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)

    def __enter__(self) -> Pn532Chip:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            ready = select.select([self._master, self._wake_read], [], [])[0]
            if self._master in ready:
                self._hear(os.read(self._master, 4096))

    def _hear(self, data: bytes) -> None:
        line = termios.tcgetattr(self._slave)[5]
        if self._next_speed and line == _code(self._next_speed):
            # The host sent its acknowledgement at the old speed and has changed since.
            self._speed, self._next_speed = self._next_speed, None
        if line != _code(self._speed):
            self._parser.clear()
            return
        for item in self._parser.feed(data):
            if item is Signal.ACK:
                self._speed, self._next_speed = self._next_speed or self._speed, None
            elif isinstance(item, tuple):
                self._obey(*item)

    def _obey(self, command: int, data: bytes) -> None:
        self._send(ACK)
        handler = self._commands.get(command)
        try:
            result = handler(data) if handler else None
        except (IndexError, ValueError):
            result = None
        self._send(SYNTAX_ERROR if result is None else answer(command, result))

    def _send(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._master, frame)

    def _diagnose(self, data: bytes) -> bytes | None:
        if data[0] == 0x00:
            return data
        return b"\x00" if data[0] in (0x01, 0x02) else None

    def _read_register(self, data: bytes) -> bytes:
        addresses = (int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_register(self, data: bytes) -> bytes:
        for i in range(0, len(data), 3):
            self._registers[int.from_bytes(data[i : i + 2], "big")] = data[i + 2]
        return b""

    def _set_speed(self, data: bytes) -> bytes:
        self._next_speed = _SPEEDS[data[0]]
        return b""

    def _power_down(self, data: bytes) -> bytes:
        self._set_radio(False)
        return b"\x00"

    def _configure(self, data: bytes) -> bytes:
        item, value = data[0], data[1:]
        if item == 0x01:
            self._set_radio(bool(value[0] & 0x01))
        elif item == 0x02:
            self._timeout_s = (100 << (value[2] - 1)) / 1e6 if value[2] else 5.0
        elif item == 0x05:
            self._retries = value[2]
        return b""

    def _set_radio(self, on: bool) -> None:
        if not on:
            self._met = self._card = None
        self._radio = on

    def _list_targets(self, data: bytes) -> bytes:
        """Look for a card of type A; a type that we don't have is never found."""
        self._set_radio(True)
        self._registers[_FIFO_DATA] = _SENS_REQ
        if data[1] != _TYPE_A_106:
            return b"\x00"
        placement = self._look()
        if placement is None:
            return b"\x00"
        self._meet(placement)
        return bytes.fromhex("0101000420") + bytes([len(_UID)]) + _UID

    def _look(self) -> Placement | None:
        """Return the card that answers within the retries: one that has just got power."""
        placement = self._field.placement
        if placement is None or placement == self._met:
            self._field.wait_changed(self._field.version, timeout_s=_LOOK_S * (self._retries + 1))
            placement = self._field.placement
        return placement if placement != self._met else None

    def _meet(self, placement: Placement) -> None:
        card = placement.card
        card.power_on()
        extensions = card.time_extensions if isinstance(card, AsksForTime) else lambda capdu: 0
        self._card = IsoDepCard(card.ats, lambda capdu: self._field.transmit(placement, capdu), extensions)
        self._met = placement

    def _communicate(self, data: bytes) -> bytes:
        present = self._radio and self._card is not None and self._field.placement == self._met
        block = self._card.receive(data) if present and self._card is not None else None
        if block is None:
            self._stop.wait(self._timeout_s)
            return _TIMED_OUT
        return b"\x00" + block
