"""ISO/IEC 7816-4 commands and responses, and the exchange of one command over a byte channel.

`Exchange` is sans-I/O: it gives the bytes to send and takes the bytes that came.

    exchange = Exchange(command)
    raw = exchange.first()
    while raw is not None:
        raw = exchange.next(send(raw))
    exchange.response

It chains a command of more than 255 bytes, fetches the rest of a response (61xx, GET RESPONSE) and
repeats a command with the length the card asks for (6Cxx). Every loop is bounded, whatever the card
answers; where a bound is hit, the response has a status word other than 9000.

Spec: ISO/IEC 7816-4, 5; EMV 4.4 Book 1, 9.3 and 11.1; EMV Contactless Book D, 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emv.errors import DecodeError

MAX_RESPONSE_BYTES = 4096
"""Bytes of one response over all GET RESPONSE. A tap needs 256; certificates by chaining, 2 k."""
MAX_GET_RESPONSES = 32

_CHAINING = 0x10
_GET_RESPONSE = 0xC0


class StatusWord(int):
    """SW1 SW2, the last two bytes of a response."""

    __slots__ = ()

    OK: ClassVar[StatusWord]
    WRONG_LENGTH: ClassVar[StatusWord]
    """Here also what a response has that passed `MAX_RESPONSE_BYTES`; its data is dropped."""
    MISSING: ClassVar[StatusWord]
    """What a response of fewer than two bytes has; no card can send it."""

    @property
    def sw1(self) -> int:
        """The first byte."""
        return self >> 8

    @property
    def sw2(self) -> int:
        """The second byte."""
        return self & 0xFF

    def __repr__(self) -> str:
        return f"{int(self):04X}"

    __str__ = __repr__


StatusWord.OK = StatusWord(0x9000)
StatusWord.WRONG_LENGTH = StatusWord(0x6700)
StatusWord.MISSING = StatusWord(0x0000)


@dataclass(frozen=True, slots=True, repr=False)
class CommandApdu:
    """One command.

    Args:
        cla, ins, p1, p2: The header.
        data: The command data. More than 255 bytes are sent in a chain.
        le: The Le byte, 0 for "up to 256 bytes"; None where no response data is expected.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    def encode(self) -> bytes:
        """Return the command as one short APDU.

        Raises:
            ValueError: a part does not fit.
        """
        if len(self.data) > 255:
            raise ValueError("more than 255 bytes of data need a chain: use Exchange")
        raw = bytes((self.cla, self.ins, self.p1, self.p2))
        if self.data:
            raw += bytes((len(self.data),)) + self.data
        return raw if self.le is None else raw + bytes((self.le,))

    @classmethod
    def decode(cls, raw: bytes) -> CommandApdu:
        """Return the command in a short APDU."""
        if len(raw) < 4:
            raise DecodeError("a command has at least four bytes", offset=len(raw))
        header, rest = raw[:4], raw[4:]
        if len(rest) < 2:
            return cls(header[0], header[1], header[2], header[3], b"", rest[0] if rest else None)
        length, data = rest[0], rest[1:]
        if not length:
            raise DecodeError("extended length, or an empty data field", offset=4)
        if len(data) not in (length, length + 1):
            raise DecodeError("Lc does not match the command data", offset=4)
        le = data[length] if len(data) > length else None
        return cls(header[0], header[1], header[2], header[3], data[:length], le)

    def __repr__(self) -> str:
        header = f"{self.cla:02X} {self.ins:02X} {self.p1:02X} {self.p2:02X}"
        return f"CommandApdu({header}, {len(self.data)} bytes, Le={self.le})"


@dataclass(frozen=True, slots=True, repr=False)
class ResponseApdu:
    """One response: the data and the status word. It prints without the data."""

    data: bytes
    sw: StatusWord

    @classmethod
    def decode(cls, raw: bytes) -> ResponseApdu:
        """Return the response in `raw`."""
        if len(raw) < 2:
            raise DecodeError("a response has at least two bytes", offset=len(raw))
        return cls(raw[:-2], StatusWord(raw[-2] << 8 | raw[-1]))

    def encode(self) -> bytes:
        """Return the response as it goes over the wire."""
        return self.data + self.sw.to_bytes(2, "big")

    @property
    def ok(self) -> bool:
        """Whether the status word is 9000."""
        return self.sw == StatusWord.OK

    def __repr__(self) -> str:
        return f"ResponseApdu({len(self.data)} bytes, {self.sw})"


class Exchange:
    """One command with all that the transport may need until its response is complete."""

    def __init__(self, command: CommandApdu) -> None:
        self._parts = _chain(command)
        self._sent = command
        self._data = b""
        self._fetches = 0
        self._repeated = False
        self._response: ResponseApdu | None = None

    @property
    def response(self) -> ResponseApdu:
        """The whole response, once `next` has returned None.

        Raises:
            ValueError: the exchange is not finished.
        """
        if self._response is None:
            raise ValueError("the exchange is not finished")
        return self._response

    def first(self) -> bytes:
        """Return the first bytes to send."""
        return self._send(self._parts.pop(0))

    def next(self, raw: bytes) -> bytes | None:
        """Take what the card answered; return what to send next, or None when the response is there."""
        try:
            answer = ResponseApdu.decode(raw)
        except DecodeError:
            self._finish(StatusWord.MISSING)
            return None
        sw = answer.sw
        if sw.sw1 == 0x6C and not self._repeated:
            self._repeated = True
            sent = self._sent
            return self._send(CommandApdu(sent.cla, sent.ins, sent.p1, sent.p2, sent.data, sw.sw2))
        if self._parts and answer.ok:
            return self._send(self._parts.pop(0))
        self._data += answer.data
        if len(self._data) > MAX_RESPONSE_BYTES:
            self._data = b""
            self._finish(StatusWord.WRONG_LENGTH)
            return None
        if sw.sw1 == 0x61 and not self._parts and self._fetches < MAX_GET_RESPONSES:
            self._fetches += 1
            self._repeated = False
            # Class and channel of the command, without the chaining and the proprietary bit.
            return self._send(CommandApdu(self._sent.cla & 0x03, _GET_RESPONSE, 0, 0, le=sw.sw2))
        self._finish(sw)
        return None

    def _send(self, command: CommandApdu) -> bytes:
        self._sent = command
        return command.encode()

    def _finish(self, sw: StatusWord) -> None:
        self._response = ResponseApdu(self._data, sw)


def _chain(command: CommandApdu) -> list[CommandApdu]:
    """Split a command into parts of up to 255 bytes of data; all but the last say that more follows.

    Spec: ISO/IEC 7816-4, 5.3.3.
    """
    if len(command.data) <= 255:
        return [command]
    pieces = [command.data[start : start + 255] for start in range(0, len(command.data), 255)]
    header = (command.ins, command.p1, command.p2)
    more = [CommandApdu(command.cla | _CHAINING, *header, piece) for piece in pieces[:-1]]
    return [*more, CommandApdu(command.cla, *header, pieces[-1], command.le)]
