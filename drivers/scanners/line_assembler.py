"""Puts lines together from the bytes of a scanner. No input, no clock of its own.

A line ends with CR, LF or both, or with ETX where it began with STX. A scanner sends a line in one
burst: after `LINE_GAP_S` of silence a half line was noise, or a burst that broke off, and goes. That
counts only while somebody listens: of a line that began while nobody did, nobody can say where its
bytes belong, so it is dropped to its end.
"""

from __future__ import annotations

from collections.abc import Callable

LINE_GAP_S = 0.5
"""The longest pause inside a line, in seconds: 15 bytes at 300 baud, and more than USB or Bluetooth take."""
PAUSE_S = 0.15
"""The pause that ends a line of a scanner that is set up to send none, in seconds."""
MAX_LINE_BYTES = 7089
"""The digits that the largest QR code holds (ISO/IEC 18004, table 7): no line is longer."""
STX, ETX = 0x02, 0x03


class LineAssembler:
    """The line that is under way.

    Args:
        clock: Returns seconds; only differences count.
        pause_ends: Whether a pause ends a line, for scanners that send no line end.
    """

    def __init__(self, clock: Callable[[], float], *, pause_ends: bool = False) -> None:
        self._clock = clock
        self._pause_ends = pause_ends
        self._half = bytearray()
        self._began_unheard = False
        self._arrived_s = self._listened_s = clock()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived since the last call (maybe nothing) while listening; return whole lines.

        They come without ends, none empty. Of a line that is too long, one byte more than
        `MAX_LINE_BYTES` is kept: enough to tell.
        """
        now_s = self._clock()
        silence_s = now_s - self._arrived_s
        self._listened_s = now_s
        lines = []
        if self._pause_ends and silence_s >= PAUSE_S:
            lines.append(self._end())
        elif silence_s > LINE_GAP_S:
            self._end()
        if data:
            self._arrived_s = now_s
        lines += [self._end() for byte in data if self._take(byte)]
        return [line for line in lines if line]

    def drop(self, data: bytes) -> None:
        """Take what arrived while nobody listened; its lines are lost."""
        unheard = self._clock() - self._listened_s > LINE_GAP_S
        self.feed(data)
        if unheard and self._half:
            self._began_unheard = True

    def _take(self, byte: int) -> bool:
        """Take one byte; tells whether it ends the line."""
        if byte in b"\r\n" or (byte == ETX and (not self._half or self._half[0] == STX)):
            return True
        if len(self._half) <= MAX_LINE_BYTES:
            self._half.append(byte)
        return False

    def _end(self) -> bytes:
        """Return the line that is now whole, without its frame; nothing where its beginning is lost."""
        line = b"" if self._began_unheard else bytes(self._half)
        self._half.clear()
        self._began_unheard = False
        return line.removeprefix(bytes([STX])).removesuffix(bytes([ETX]))
