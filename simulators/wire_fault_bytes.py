"""What a fault does to the bytes that go one way. No input, no clock, no chance but by the seed.

`Way.carry` takes bytes and gives back, in order, bytes that go on and faults that strike between
them. Faults that hit bytes have done so; those that hit the whole line are the caller's to act on,
who then drops what is left: it never left the sender's end of the cable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from random import Random

from simulators.wire_fault_script import Direction, Fault, What


class FrameEnds:
    """Finds the data checksum of each PN532 frame in a stream. Spec: NXP UM0701-02, 6.2.1.

    A frame is 00 FF, length, length checksum, body, data checksum; one with the lengths FF FF is an
    extended frame, 00 FF and FF 00 are an acknowledgement and its refusal, which have none.
    """

    def __init__(self) -> None:
        self._head = b""
        self._left = 0

    def is_checksum(self, byte: int) -> bool:
        """Take the next byte; tell whether it is a frame's data checksum."""
        if self._left:
            self._left -= 1
            return self._left == 0
        self._head = (self._head + bytes([byte]))[-7:]
        at = self._head.find(b"\x00\xff")
        head = self._head[at + 2 :] if at >= 0 else b""
        if len(head) == 2 and sum(head) & 0xFF == 0 and head[0]:
            self._begin(head[0])
        elif len(head) == 5 and head[:2] == b"\xff\xff" and sum(head[2:]) & 0xFF == 0:
            self._begin(int.from_bytes(head[2:4], "big"))
        elif len(head) >= 2 and head[:2] != b"\xff\xff":
            self._head = self._head[-1:]
        return False

    def _begin(self, size: int) -> None:
        self._head, self._left = b"", size + 1


class Way:
    """One direction of a line.

    Args:
        direction: Which one; faults of the other are left out.
        faults: What strikes, each once.
        seed: Of what noise does.
    """

    def __init__(self, direction: Direction, faults: Sequence[Fault], seed: int) -> None:
        mine = [fault for fault in faults if fault.direction is direction]
        self._waiting = sorted(mine, key=lambda fault: fault.at_byte)
        self._random = Random(f"{seed} {direction}")  # noqa: S311  the same noise again is the point
        self._frames = FrameEnds() if any(fault.what is What.WRONG_CHECKSUM for fault in mine) else None
        self._spoil = False
        self._noisy = 0
        self._silent = False
        self._held: bytearray | None = None
        self._other: Iterator[int] | None = None
        self.passed = 0
        """How many bytes came from the sender so far."""

    def due(self) -> Iterator[Fault]:
        """Begin what is due now, and name it."""
        while self._waiting and self._waiting[0].at_byte <= self.passed:
            fault = self._waiting.pop(0)
            self.begin(fault)
            yield fault

    def begin(self, fault: Fault) -> None:
        """Let a fault strike the bytes from now on; one that strikes the whole line does nothing here."""
        if fault.what is What.TIME_OUT:
            self._silent = True
        elif fault.what is What.SLOW_START:
            self._held = bytearray() if self._held is None else self._held
        elif fault.what is What.NOISE:
            self._noisy += fault.noisy_bytes
        elif fault.what is What.OTHER_DEVICE:
            self._other = cycle(fault.other)
        elif fault.what is What.WRONG_CHECKSUM:
            self._frames = self._frames or FrameEnds()
            self._spoil = True

    def carry(self, data: bytes) -> Iterator[bytes | Fault]:
        """Take the sender's next bytes; give what goes on, and each fault where it strikes."""
        yield from self.due()
        while data:
            room = self._waiting[0].at_byte - self.passed if self._waiting else len(data)
            part, data = data[:room], data[room:]
            self.passed += len(part)
            if out := self._changed(part):
                yield out
            yield from self.due()

    def cure(self) -> bytes:
        """End whatever strikes now; return what was held back, which is late but comes."""
        held, self._held = bytes(self._held or b""), None
        self._silent, self._noisy, self._other, self._spoil = False, 0, None, False
        return held

    def lose_held(self) -> None:
        """Lose what is held back: the connection that it was for is over."""
        if self._held is not None:
            self._held.clear()

    def _changed(self, part: bytes) -> bytes:
        if self._frames is not None:
            part = bytes(self._checksum(byte) for byte in part)
        if self._other is not None:
            part = bytes(islice(self._other, len(part)))
        if self._noisy:
            part = self._with_noise(part)
        if self._silent:
            return b""
        if self._held is not None:
            self._held += part
            return b""
        return part

    def _checksum(self, byte: int) -> int:
        if self._frames is None or not self._frames.is_checksum(byte) or not self._spoil:
            return byte
        self._spoil = False
        return byte ^ 0x01

    def _with_noise(self, part: bytes) -> bytes:
        hit, rest = part[: self._noisy], part[self._noisy :]
        self._noisy -= len(hit)
        out = bytearray()
        for byte in hit:
            if self._random.random() < 0.5:
                out.append(byte ^ 1 << self._random.randrange(8))
            else:
                out += bytes([self._random.randrange(256), byte])
        return bytes(out) + rest
