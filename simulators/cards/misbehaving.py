"""Cards that misbehave: each wraps another card and spoils one thing, so they can be stacked."""

from __future__ import annotations

from simulators.cards.card import SimulatedCard


class Wrapper:
    """A card that passes everything through; the others change one method."""

    def __init__(self, inner: SimulatedCard) -> None:
        self._inner = inner

    @property
    def inner(self) -> SimulatedCard:
        """The card inside."""
        return self._inner

    @property
    def atr(self) -> bytes:
        """As the card inside."""
        return self._inner.atr

    @property
    def ats(self) -> bytes:
        """As the card inside."""
        return self._inner.ats

    def power_on(self) -> None:
        """Power the card inside on."""
        self._inner.power_on()

    def transmit(self, capdu: bytes) -> bytes | None:
        """Pass the command on."""
        return self._inner.transmit(capdu)


class TornCard(Wrapper):
    """Leaves the field after so many answers, the given number of times, and then behaves.

    The command that it leaves on has reached the card: a transaction counter has moved on.
    """

    def __init__(self, inner: SimulatedCard, *, after: int, times: int = 1) -> None:
        super().__init__(inner)
        self._after = after
        self._times = times
        self._answered = 0

    def power_on(self) -> None:
        """Count again."""
        self._answered = 0
        super().power_on()

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer, or leave."""
        rapdu = super().transmit(capdu)
        if self._times and self._answered == self._after:
            self._times -= 1
            return None
        self._answered += 1
        return rapdu


class GetResponseCard(Wrapper):
    """Answers 61xx and hands the data over in GET RESPONSE, as some cards do."""

    _pending = b""

    def power_on(self) -> None:
        """Forget what was not fetched."""
        self._pending = b""
        super().power_on()

    def transmit(self, capdu: bytes) -> bytes | None:
        """Hold back an answer that has data, or hand the held one over."""
        if capdu[:2] == b"\x00\xc0":
            held, self._pending = self._pending, b""
            return held + b"\x90\x00" if held else b"\x69\x85"
        rapdu = super().transmit(capdu)
        if rapdu is None or len(rapdu) == 2:
            return rapdu
        self._pending = rapdu[:-2]
        return bytes([0x61, len(self._pending) & 0xFF])


class WrongLengthCard(Wrapper):
    """Answers 6Cxx with the right length until the command is sent again with that Le.

    A real card has not run the command then. This one asks the card inside once and keeps the
    answer, so a transaction counter moves once here too.
    """

    _expected = b""
    _kept = b""

    def power_on(self) -> None:
        """Forget what was kept."""
        self._expected = b""
        super().power_on()

    def transmit(self, capdu: bytes) -> bytes | None:
        """Refuse the first time, give the kept answer the second."""
        if self._expected and capdu == self._expected:
            self._expected = b""
            return self._kept
        rapdu = super().transmit(capdu)
        if rapdu is None or len(rapdu) == 2:
            return rapdu
        length = bytes([len(rapdu) - 2 & 0xFF])
        self._expected, self._kept = capdu[:-1] + length, rapdu
        return b"\x6c" + length


class SlowCard(Wrapper):
    """Asks for more time before each answer (ISO/IEC 14443-4 waiting time extension)."""

    def __init__(self, inner: SimulatedCard, *, extensions: int) -> None:
        super().__init__(inner)
        self._extensions = extensions

    def time_extensions(self, capdu: bytes) -> int:
        """Return the same number for every command."""
        return self._extensions


class ShoutingCard(Wrapper):
    """Answers every command after SELECT of the PPSE with the same bytes, whatever was asked."""

    def __init__(self, inner: SimulatedCard, *, answer: bytes, after: int = 1) -> None:
        super().__init__(inner)
        self._answer = answer
        self._after = after
        self._answered = 0

    def power_on(self) -> None:
        """Count again."""
        self._answered = 0
        super().power_on()

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer as the card would so many times, then shout."""
        self._answered += 1
        return super().transmit(capdu) if self._answered <= self._after else self._answer
