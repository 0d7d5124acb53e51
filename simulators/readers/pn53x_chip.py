"""A PN532 or PN533 behind its host's wire, with a field that holds cards of types A and B.

Theory of operation: each frame of the host is acknowledged, obeyed and answered. The chip finds cards by
InListPassiveTarget, which does all of ISO/IEC 14443-3 by itself, and carries raw frames to them by
InCommunicateThru. Like the real chip it looks a set number of times before it says that there is no
card, waits out the time-out for a card that stays silent, loads its tables of analog settings into
its registers when it looks, and activates a card of type B by an ATTRIB of its own (frames of 64
bytes, and by a PN532 the target's number as card identifier). What the wire is (a serial line, USB) is the
matter of `pn532_chip` and `pn533_usb`.

On request the chip is slow to start, does not acknowledge, does not answer, answers with a wrong
checksum or with an error frame (`Trouble`).

The order of the bytes in each answer is that of the user manual; how long a look takes is not in it.

Spec: NXP UM0701-02 (PN532 user manual), 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from threading import Event

from simulators.readers.field import Field
from simulators.readers.pn532_frames import ACK, SYNTAX_ERROR, Parser, Signal, answer
from simulators.readers.radio import HLTA, REQA, Heard, Radio, Technology

PN532_FIRMWARE = bytes.fromhex("32010607")
PN533_FIRMWARE = bytes.fromhex("33020707")
"""IC, version, revision, and what it supports: a PN532 1.6, a PN533 2.7."""

_LOOK_S = 0.005
_TIMED_OUT, _CRC_ERROR = b"\x01", b"\x02"
_FOREVER = 0xFF

_TX_MODE, _RX_MODE, _TX_CONTROL, _FIFO_DATA, _ANTENNA = 0x6302, 0x6303, 0x6304, 0x6339, 0x610C
_CRC_ON, _TYPE_B_FRAMES = 0x80, 0x03
_EEPROM = 0xA000
# Which registers a table of analog settings fills, in its order. Spec: UM0701-02, 7.3.1.
_TABLES = {
    Technology.A: (
        *(0x6316, 0x6317, 0x6318, 0x6319, 0x6309, 0x6308),
        # The demodulator's setting while the own field is off: not the register's value in a look.
        None,
        *(0x6313, 0x6314, 0x630C, 0x6315),
    ),
    Technology.B: (0x6317, 0x6319, 0x6308),
}
_TABLE_ITEMS = {0x0A: Technology.A, 0x0C: Technology.B}
_BY_BRTY = {0x00: Technology.A, 0x03: Technology.B}


class Trouble(Enum):
    """What can be wrong with the answer to a command."""

    NO_ACK = "answers without an acknowledgement"
    NO_ANSWER = "acknowledges, and nothing more"
    SILENT = "neither acknowledges nor answers"
    WRONG_CHECKSUM = "the answer's checksum is wrong"
    ERROR_FRAME = "says that it did not understand"


class Pn53xChip:
    """The chip itself: bytes of the host in, frames for the host out.

    Args:
        field: The place that is looked at.
        firmware: What it answers to GetFirmwareVersion.
        status_first: Whether its register commands answer with a status byte first, and it gives a card of
            type B no identifier, as a PN533 does.
    """

    def __init__(self, field: Field, *, firmware: bytes = PN532_FIRMWARE, status_first: bool = False) -> None:
        self._field = field
        self._radio = Radio(field)
        self._firmware = firmware
        self._status = b"\x00" if status_first else b""
        self._parser = Parser()
        self._registers: dict[int, int] = {}
        self._tables: dict[Technology, bytes] = {}
        self._retries = 1
        self._timeout_s = 0.05
        self._troubles: deque[Trouble] = deque()
        self._deaf_to = 0
        self.stopping = Event()
        self.next_speed: int | None = None
        self._commands: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: self._diagnose,
            0x02: lambda data: self._firmware,
            0x04: lambda data: bytes([0, self._radio.on, 0, 0]),
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
    def field_on(self) -> bool:
        """Whether the antenna is driven."""
        return self._radio.on

    def register(self, address: int) -> int:
        """Return what is in a register."""
        return self._registers.get(address, 0)

    def trouble(self, trouble: Trouble, *, times: int = 1) -> None:
        """Spoil the answers to so many of the next commands."""
        self._troubles.extend([trouble] * times)

    def start_slowly(self, deaf_to: int) -> None:
        """Miss so many of the host's next commands, as while the power comes up."""
        self._deaf_to = deaf_to

    def answer_to(self, command: int, handler: Callable[[bytes], bytes | None]) -> None:
        """Have this command answered by `handler`; None is a syntax error."""
        self._commands[command] = handler

    def forget(self) -> None:
        """Drop what came of an unfinished frame."""
        self._parser.clear()

    def hear(self, data: bytes) -> Iterator[bytes]:
        """Take bytes from the host in; yield each frame that goes back, as soon as it is ready."""
        for item in self._parser.feed(data):
            if item is Signal.ACK:
                self.speed_agreed()
            elif isinstance(item, tuple):
                if self._deaf_to:
                    self._deaf_to -= 1
                else:
                    yield from self._obey(*item)

    def speed_agreed(self) -> None:
        """The host has acknowledged; a chip with a serial line changes its speed now."""

    def _obey(self, command: int, data: bytes) -> Iterator[bytes]:
        trouble = self._troubles.popleft() if self._troubles else None
        if trouble is Trouble.SILENT:
            return
        if trouble is not Trouble.NO_ACK:
            yield ACK
        handler = self._commands.get(command)
        try:
            result = handler(data) if handler else None
        except (IndexError, ValueError):
            result = None
        if trouble is Trouble.NO_ANSWER:
            return
        frame = SYNTAX_ERROR
        if result is not None and trouble is not Trouble.ERROR_FRAME:
            frame = answer(command, result)
        if trouble is Trouble.WRONG_CHECKSUM:
            frame = frame[:-2] + bytes([frame[-2] ^ 0x01]) + frame[-1:]
        yield frame

    def _diagnose(self, data: bytes) -> bytes | None:
        if data[0] == 0x00:
            return data
        if data[0] == 0x07:
            self._registers[_ANTENNA] = data[1]
            return b"\x00"
        return b"\x00" if data[0] in (0x01, 0x02) else None

    def _read_register(self, data: bytes) -> bytes:
        addresses = [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
        if self._status and any(address >= _EEPROM for address in addresses):
            return b"\x27"  # No EEPROM is attached.
        return self._status + bytes(self._registers.get(address, 0) for address in addresses)

    def _write_register(self, data: bytes) -> bytes:
        for i in range(0, len(data), 3):
            self._registers[int.from_bytes(data[i : i + 2], "big")] = data[i + 2]
        return self._status

    def _set_speed(self, data: bytes) -> bytes | None:
        return None

    def _power_down(self, data: bytes) -> bytes:
        self._set_radio(False)
        return b"\x00"

    def _configure(self, data: bytes) -> bytes | None:
        item, value = data[0], data[1:]
        if item == 0x01:
            self._set_radio(bool(value[0] & 0x01))
        elif item == 0x02:
            self._timeout_s = (100 << (value[2] - 1)) / 1e6 if value[2] else 5.0
        elif item == 0x05:
            self._retries = value[2]
        elif item in _TABLE_ITEMS:
            technology = _TABLE_ITEMS[item]
            if len(value) != len(_TABLES[technology]):
                return None
            self._tables[technology] = value
        return b""

    def _set_radio(self, on: bool) -> None:
        self._radio.switch(on)
        self._registers[_TX_CONTROL] = 0x83 if on else 0x80

    def _tune(self, technology: Technology) -> None:
        """Make the registers fit for cards of one type."""
        self._set_radio(True)
        mode = _CRC_ON | (_TYPE_B_FRAMES if technology is Technology.B else 0)
        self._registers[_TX_MODE] = self._registers[_RX_MODE] = mode
        for address, value in zip(_TABLES[technology], self._tables.get(technology, b""), strict=False):
            if address is not None:
                self._registers[address] = value

    def _list_targets(self, data: bytes) -> bytes:
        """Look for cards; those of a type that we don't have are never found."""
        wanted = data[0]
        technology = _BY_BRTY.get(data[1])
        if technology is None:
            self._set_radio(True)
            return b"\x00"
        self._tune(technology)
        find = self._find_a if technology is Technology.A else self._find_b
        found: list[bytes] = []
        while len(found) < min(wanted, 2) and (target := self._look(find, len(found) + 1)):
            found.append(target)
            if technology is Technology.A and len(found) < wanted:
                self._radio.send(HLTA, technology)
        if not found:
            self._registers[_FIFO_DATA] = REQA[0]
        return bytes([len(found)]) + b"".join(found)

    def _look(self, find: Callable[[int], bytes | None], number: int) -> bytes | None:
        """Look until a card is found, at most once more than the retries."""
        tries = 0
        while not self.stopping.is_set() and (self._retries == _FOREVER or tries <= self._retries):
            version = self._field.version
            if found := find(number):
                return found
            self._field.wait_changed(version, timeout_s=_LOOK_S)
            tries += 1
        return None

    def _find_a(self, number: int) -> bytes | None:
        request = self._radio.send(REQA, Technology.A)
        if request.data is None and request.collision is None:
            return None
        known, prefix = 0, 0
        while (heard := self._anticollision(known, prefix)).collision is not None:
            # Where the answers differ, the cards that have a one there go on.
            bit = heard.collision
            if bit >= 32:
                return None
            prefix = self._common(known, prefix, bit) | 1 << bit
            known = bit + 1
        if heard.data is None:
            return None
        sak = self._radio.send(b"\x93\x70" + heard.data, Technology.A).data
        if sak is None:
            return None
        atqa = request.data or b"\x04\x00"
        return bytes([number]) + atqa[::-1] + sak + b"\x04" + heard.data[:4]

    def _anticollision(self, known: int, prefix: int) -> Heard:
        size = (known + 7) // 8
        frame = bytes([0x93, (2 + known // 8) << 4 | known % 8]) + prefix.to_bytes(size, "little")
        return self._radio.send(frame, Technology.A)

    def _common(self, known: int, prefix: int, bit: int) -> int:
        """Return the bits before the collision. The air tells them bit by bit: here each is asked for."""
        for place in range(known, bit):
            one = self._anticollision(place + 1, prefix | 1 << place)
            if one.data is not None or one.collision is not None:
                prefix |= 1 << place
        return prefix

    def _find_b(self, number: int) -> bytes | None:
        """Ask in 1, then in 4, then in 16 slots, until one card answers alone."""
        for code in (0, 2, 4):
            heard = self._radio.send(bytes([0x05, 0x00, code]), Technology.B)
            if heard.data is None and heard.collision is None and code == 0:
                return None
            for slot in range(1, 1 << code):
                if heard.data is not None:
                    break
                heard = self._radio.send(bytes([slot << 4 | 0x05]), Technology.B)
            if heard.data is not None:
                attrib = b"\x1d" + heard.data[1:5] + bytes([0x00, 0x05, 0x01, 0 if self._status else number])
                told = self._radio.send(attrib, Technology.B).data
                if told is not None:
                    return bytes([number]) + heard.data + bytes([len(told)]) + told
        return None

    def _communicate(self, data: bytes) -> bytes:
        framing = self.register(_TX_MODE) & 0x03
        technology = Technology.B if framing == _TYPE_B_FRAMES else Technology.A
        heard = self._radio.send(data, technology)
        if heard.collision is not None:
            return _CRC_ERROR
        if heard.data is None:
            self.stopping.wait(self._timeout_s)
            return _TIMED_OUT
        return b"\x00" + heard.data
