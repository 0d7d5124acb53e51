"""What happens in the air: one reader's field, and every card in it that hears the reader.

Theory of operation: a reader switches its field on and sends frames of type A or B; each card that has
power hears each frame, changes its state and answers or stays silent. Two answers at once collide
where they differ. Checksums, which a chip adds and strips, are left out. A card that hears the other
type's frames falls back to where it began, unless it speaks the block protocol already; the standard
lets a card do so, and a reader must live with it.

States of type A: idle, ready (answered a request), active (selected), protocol (answered RATS),
halted. A selected card that hears a request goes back to where it came from and is silent once.
States of type B: idle, ready, protocol (answered ATTRIB), halted.

Spec: ISO/IEC 14443-3, 6 (type A) and 7 (type B); ISO/IEC 14443-4, 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from simulators.cards.card import AsksForTime, SimulatedCard
from simulators.cards.misbehaving import Wrapper
from simulators.readers.field import Field, Placement
from simulators.readers.iso_dep import FRAME_SIZES, IsoDepCard
from simulators.readers.iso_dep import State as BlockState

REQA, WUPA = b"\x26", b"\x52"
HLTA = b"\x50\x00"
ATQA = bytes.fromhex("0004")
"""SENS_RES as NFC Forum writes it, most significant byte first; in the air the other way round."""
SAK_ISO_DEP = b"\x20"

_WAKE_UP = 0x08
_RANDOM_UID = 0x08000000
_FIRST_UID = 0xA1B2C3


class Technology(Enum):
    """How a frame is modulated."""

    A = "A"
    B = "B"


@runtime_checkable
class SpeaksTypeB(Protocol):
    """A card of type B: what it says of itself beside its number."""

    @property
    def application_data(self) -> bytes:
        """Four bytes of the answer to request."""
        ...

    @property
    def protocol_info(self) -> bytes:
        """Three bytes: bit rates; frame size and protocol type; frame waiting time and options."""
        ...


class TypeBCard(Wrapper):
    """A card that speaks type B to the reader, whatever the card inside speaks."""

    def __init__(
        self,
        inner: SimulatedCard,
        *,
        application_data: bytes = bytes(4),
        protocol_info: bytes = bytes.fromhex("008171"),
    ) -> None:
        super().__init__(inner)
        self.application_data = application_data
        self.protocol_info = protocol_info

    @property
    def atr(self) -> bytes:
        """What a PC/SC reader builds of the answer to request. Spec: PC/SC 2.01.09 part 3, 3.1.3.2.3.1."""
        body = b"\x88\x80\x01" + self.application_data + self.protocol_info + b"\x00"
        check = 0
        for byte in body:
            check ^= byte
        return b"\x3b" + body + bytes([check])

    @property
    def ats(self) -> bytes:
        """A card of type B has none."""
        return b""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the reader hears: an answer, or the number of the first bit in which two answers differ."""

    data: bytes | None = None
    collision: int | None = None


class Radio:
    """The air between one reader and the cards in a field."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._cards: dict[Placement, _TypeA | _TypeB] = {}
        self.on = False

    def switch(self, on: bool) -> None:
        """Switch the reader's field; without it every card loses power and forgets."""
        if not on:
            self._cards.clear()
        self.on = on

    def send(self, frame: bytes, technology: Technology) -> Heard:
        """Send a frame to every card, and return what comes back."""
        if not self.on:
            return Heard()
        answers = [answer for card in self._present() if (answer := card.hear(frame, technology))]
        if not answers:
            return Heard()
        first = answers[0]
        different = [_first_difference(first, answer) for answer in answers if answer != first]
        return Heard(collision=min(different)) if different else Heard(first)

    def _present(self) -> list[_TypeA | _TypeB]:
        stays = self._field.placements
        for stay in tuple(self._cards):
            if stay not in stays:
                del self._cards[stay]
        for stay in stays:
            if stay not in self._cards:
                told = type_b(stay.card)
                self._cards[stay] = _TypeB(self._field, stay, told) if told else _TypeA(self._field, stay)
        return list(self._cards.values())


def type_b(card: SimulatedCard) -> SpeaksTypeB | None:
    """Return what a card says of itself in type B, however it is wrapped; None for one of type A."""
    while not isinstance(card, SpeaksTypeB):
        if not isinstance(card, Wrapper):
            return None
        card = card.inner
    return card


def _first_difference(first: bytes, second: bytes) -> int:
    """Return the number of the first different bit, in the order of the air: lowest bit first."""
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            different = one ^ other
            return 8 * number + (different & -different).bit_length() - 1
    return 8 * min(len(first), len(second))


def _protocol(field: Field, stay: Placement) -> IsoDepCard:
    card = stay.card
    extensions = card.time_extensions if isinstance(card, AsksForTime) else lambda capdu: 0
    return IsoDepCard(card.ats, lambda capdu: field.transmit(stay, capdu), extensions)


class _State(Enum):
    IDLE = "idle"
    READY = "answered a request"
    ACTIVE = "selected"
    PROTOCOL = "speaks blocks"
    HALTED = "halted"


class _TypeA:
    """One stay of a card of type A in a reader's field.

    Its number is like a phone's: it begins with 08 and is another one at each stay.
    """

    def __init__(self, field: Field, stay: Placement) -> None:
        number = (_FIRST_UID + stay.number - 1) & 0xFFFFFF
        self.uid = (_RANDOM_UID + number).to_bytes(4, "big")
        self._field, self._stay = field, stay
        self._blocks = _protocol(field, stay)
        self._state = self._home = _State.IDLE

    def hear(self, frame: bytes, technology: Technology) -> bytes | None:
        """Take a frame; return the answer, or None for silence."""
        if self._state is _State.PROTOCOL:
            return self._block(frame) if technology is Technology.A else None
        if technology is Technology.B:
            return self._fallen_back()
        if self._state in (_State.IDLE, _State.HALTED):
            return self._request(frame)
        return self._identify(frame) if self._state is _State.READY else self._activate(frame)

    def _fallen_back(self) -> bytes | None:
        self._state = self._home
        return None

    def _request(self, frame: bytes) -> bytes | None:
        if frame == WUPA or (frame == REQA and self._state is _State.IDLE):
            self._state = _State.READY
            return ATQA[::-1]
        return None

    def _identify(self, frame: bytes) -> bytes | None:
        """Anticollision: answer if the bits that the reader names are those of our number."""
        full = self.uid + bytes([self.uid[0] ^ self.uid[1] ^ self.uid[2] ^ self.uid[3]])
        if len(frame) < 2 or frame[0] != 0x93:
            return self._fallen_back()
        if frame[1] == 0x70:
            if frame[2:] != full:
                return self._fallen_back()
            self._state = _State.ACTIVE
            self._blocks = _protocol(self._field, self._stay)
            self._stay.card.power_on()
            return SAK_ISO_DEP
        known = 8 * ((frame[1] >> 4) - 2) + (frame[1] & 0x0F)
        mask = (1 << known) - 1
        ours = int.from_bytes(full, "little")
        # What the reader knows already is sent along: it has no meaning but that both are the same.
        return full if int.from_bytes(frame[2:], "little") & mask == ours & mask else None

    def _activate(self, frame: bytes) -> bytes | None:
        if frame == HLTA:
            self._state = self._home = _State.HALTED
            return None
        answer = self._blocks.receive(frame) if frame[:1] == b"\xe0" else None
        if answer is None:
            return self._fallen_back()
        self._state = _State.PROTOCOL
        return answer

    def _block(self, frame: bytes) -> bytes | None:
        answer = self._blocks.receive(frame)
        if self._blocks.state is BlockState.HALTED:
            self._state = self._home = _State.HALTED
        return answer


class _TypeB:
    """One stay of a card of type B in a reader's field."""

    def __init__(self, field: Field, stay: Placement, card: SpeaksTypeB) -> None:
        self.pupi = (0x50000000 + stay.number).to_bytes(4, "big")
        self._answer = b"\x50" + self.pupi + card.application_data + card.protocol_info
        self._field, self._stay = field, stay
        self._blocks = _protocol(field, stay)
        self._state = _State.IDLE
        self._slot = 0
        self._cid = 0

    def hear(self, frame: bytes, technology: Technology) -> bytes | None:
        """Take a frame; return the answer, or None for silence."""
        if self._state is _State.PROTOCOL:
            return self._block(frame) if technology is Technology.B else None
        if technology is Technology.A:
            # Other than in type A, a card that was woken up does not remember that it was halted.
            self._state = _State.HALTED if self._state is _State.HALTED else _State.IDLE
            return None
        if len(frame) == 3 and frame[0] == 0x05:
            return self._request(frame[2])
        if self._state is not _State.READY:
            return None
        if len(frame) == 1 and frame[0] & 0x0F == 0x05:
            return self._answer if frame[0] >> 4 == self._slot else None
        if frame == b"\x50" + self.pupi:
            self._state = _State.HALTED
            return b"\x00"
        return self._activate(frame) if frame[:5] == b"\x1d" + self.pupi else None

    def _request(self, parameters: int) -> bytes | None:
        if self._state is _State.HALTED and not parameters & _WAKE_UP:
            return None
        self._state = _State.READY
        self._slot = self.pupi[3] % (1 << min(parameters & 0x07, 4))
        return None if self._slot else self._answer

    def _activate(self, frame: bytes) -> bytes | None:
        """ATTRIB. Spec: ISO/IEC 14443-3, 7.10."""
        if len(frame) < 9:
            return None
        self._cid = frame[8] & 0x0F
        ours = FRAME_SIZES[min(self._answer[10] >> 4, 8)]
        self._blocks = _protocol(self._field, self._stay)
        self._stay.card.power_on()
        self._blocks.begin(ours, FRAME_SIZES[min(frame[6] & 0x0F, 8)])
        self._state = _State.PROTOCOL
        return bytes([self._cid])

    def _block(self, frame: bytes) -> bytes | None:
        """Take a block; one for a card with an identifier carries that after its first byte."""
        with_cid = len(frame) > 1 and bool(frame[0] & 0x08)
        if with_cid != bool(self._cid) or (with_cid and frame[1] & 0x0F != self._cid):
            return None
        answer = self._blocks.receive(bytes([frame[0] & ~0x08]) + frame[2:] if with_cid else frame)
        if self._blocks.state is BlockState.HALTED:
            self._state = _State.HALTED
        if answer is None or not with_cid:
            return answer
        return bytes([answer[0] | 0x08, self._cid]) + answer[1:]
