"""The card's side of ISO/IEC 14443-4: blocks in, blocks out.

Theory of operation: after RATS each block from the reader is an I-block (information), an R-block
(acknowledgement) or an S-block (waiting time extension, deselect). The card's block number starts
at 1 and is toggled by each I-block, and by each R(ACK) that differs from it. What breaks the
protocol is not answered at all, as the standard asks of a card. The rules in brackets are those of
ISO/IEC 14443-4, 7.5.4 and 7.5.5.3.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""Frame size in bytes by FSDI and FSCI, two bytes of checksum included. Spec: ISO/IEC 14443-4, 5.1."""

_CHAINING = 0x10
_LAST_EXTENSION_MULTIPLIER = 1


class State(Enum):
    """Where the card is; the reader's field brings it back to the first."""

    SELECTED = "waits for RATS"
    PROTOCOL = "speaks blocks"
    HALTED = "was deselected"


class IsoDepCard:
    """The protocol of one card between two times that it loses power.

    Args:
        ats: The answer to select, its length byte included.
        transmit: Gives the card a C-APDU; None if it left the field.
        time_extensions: How often to ask for more time before the answer to this C-APDU.
    """

    def __init__(
        self,
        ats: bytes,
        transmit: Callable[[bytes], bytes | None],
        time_extensions: Callable[[bytes], int] = lambda capdu: 0,
    ) -> None:
        self._ats = ats
        self._transmit = transmit
        self._time_extensions = time_extensions
        self.state = State.SELECTED
        self._frame_size_out = 32
        self._frame_size_in = FRAME_SIZES[min(ats[1] & 0x0F, 8)] if len(ats) > 1 else 32
        self._number = 1
        self._command = b""
        self._answer: bytes | None = None
        self._extensions = 0
        self._last: bytes | None = None

    def begin(self, frame_size_in: int, frame_size_out: int) -> None:
        """Speak blocks at once: a card of type B was told by ATTRIB what one of type A is told by RATS."""
        self._frame_size_in, self._frame_size_out = frame_size_in, frame_size_out
        self.state = State.PROTOCOL

    def receive(self, block: bytes) -> bytes | None:
        """Return the answer to one frame (checksum stripped); None where the card stays silent."""
        if not block or len(block) + 2 > self._frame_size_in:
            return None
        if self.state is State.SELECTED:
            return self._select(block)
        if self.state is State.HALTED:
            return None
        return self._answer_block(block)

    def _select(self, block: bytes) -> bytes | None:
        if block[0] != 0xE0 or len(block) != 2:
            return None
        self._frame_size_out = FRAME_SIZES[min(block[1] >> 4, 8)]
        self.state = State.PROTOCOL
        return self._ats

    def _answer_block(self, block: bytes) -> bytes | None:
        control = block[0]
        if control & 0xE2 == 0x02 and not control & 0x0C:
            return self._information(control, block[1:])
        if control & 0xE6 == 0xA2 and not control & 0x08 and len(block) == 1:
            return self._acknowledgement(control)
        if control == 0xC2 and len(block) == 1:
            self.state = State.HALTED
            return block
        if control == 0xF2 and len(block) == 2:
            return self._extended()
        if control & 0xF0 == 0xD0 and len(block) >= 2:
            return self._parameters(block)
        return None

    def _information(self, control: int, data: bytes) -> bytes | None:
        """Take an I-block in (rule D), acknowledge one of a chain (rule 2), or answer (rule 10)."""
        self._number ^= 1
        self._command += data
        if control & _CHAINING:
            return self._send(bytes([0xA2 | self._number]))
        capdu, self._command = self._command, b""
        self._answer = self._transmit(capdu)
        if self._answer is None:
            self._last = None
            return None
        self._extensions = self._time_extensions(capdu)
        return self._extend() if self._extensions else self._next_part()

    def _acknowledgement(self, control: int) -> bytes | None:
        negative, number = bool(control & 0x10), control & 0x01
        if number == self._number:
            return self._last  # Rule 11: what was sent last is sent again.
        if negative:
            return self._send(bytes([0xA2 | self._number]))  # Rule 12
        if not self._answer:
            return None
        self._number ^= 1  # Rule E
        return self._next_part()  # Rule 13

    def _extend(self) -> bytes:
        self._extensions -= 1
        return self._send(bytes([0xF2, _LAST_EXTENSION_MULTIPLIER]))

    def _extended(self) -> bytes | None:
        """Go on after the reader has granted more time (rule 3)."""
        if self._answer is None or self._last is None or self._last[0] != 0xF2:
            return None
        return self._extend() if self._extensions else self._next_part()

    def _next_part(self) -> bytes:
        """Send the answer, or as much of it as the reader's frame takes."""
        size = self._frame_size_out - 3
        part, rest = (self._answer or b"")[:size], (self._answer or b"")[size:]
        self._answer = rest or None
        return self._send(bytes([0x02 | (_CHAINING if rest else 0) | self._number]) + part)

    def _parameters(self, block: bytes) -> bytes | None:
        """Accept 106 kbit/s, the only speed there is. Spec: ISO/IEC 14443-4, 5.3."""
        faster = block[1] == 0x11 and block[2:] != b"\x00"
        return None if block[1] not in (0x01, 0x11) or faster else block[:1]

    def _send(self, block: bytes) -> bytes:
        self._last = block
        return block
