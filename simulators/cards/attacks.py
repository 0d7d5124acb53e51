"""Attackers: each stands between a card and the reader, or is the card. Wrappers, so they can be stacked.

Which published attack each is used for is said in the profiles ``malicious-*.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.cards import ber
from simulators.cards.ber import tlv
from simulators.cards.card import SimulatedCard
from simulators.cards.commands import GENERATE_AC, GET_PROCESSING_OPTIONS, split
from simulators.cards.misbehaving import Wrapper

_LISTS = ("9F38", "8C")
"""Lists by which the terminal fills GPO and GENERATE AC."""


class ManInTheMiddle(Wrapper):
    """Changes values on the way: of the card's objects, and of what the terminal sends by its lists."""

    def __init__(
        self,
        inner: SimulatedCard,
        *,
        answers: Mapping[str, bytes] | None = None,
        commands: Mapping[str, bytes] | None = None,
        drop: Iterable[str] = (),
    ) -> None:
        super().__init__(inner)
        self._answers = dict(answers or {})
        self._commands = dict(commands or {})
        self._drop = frozenset(drop)
        self._seen: dict[str, bytes] = {}

    def transmit(self, capdu: bytes) -> bytes | None:
        """Change the command, pass it on, change the answer."""
        rapdu = super().transmit(self._changed_command(capdu))
        if rapdu is None or len(rapdu) == 2:
            return rapdu
        try:
            self._seen |= {tag: value for tag, value in ber.objects(rapdu[:-2]) if tag in _LISTS}
            return self._changed(rapdu[:-2]) + rapdu[-2:]
        except ValueError:
            return rapdu

    def _changed(self, data: bytes) -> bytes:
        out = b""
        for tag, value in ber.siblings(data):
            if tag in self._drop:
                continue
            inside = self._changed(value) if bytes.fromhex(tag)[0] & 0x20 else value
            out += tlv(tag, self._answers.get(tag, inside))
        return out

    def _changed_command(self, capdu: bytes) -> bytes:
        command = split(capdu)
        if command is None or not self._commands:
            return capdu
        if command.name == GET_PROCESSING_OPTIONS and "9F38" in self._seen:
            [(_, data)] = ber.siblings(command.data)
            changed = tlv("83", self._refilled(self._seen["9F38"], data))
        elif command.name == GENERATE_AC and "8C" in self._seen:
            changed = self._refilled(self._seen["8C"], command.data)
        else:
            return capdu
        return capdu[:4] + bytes([len(changed)]) + changed + capdu[5 + len(command.data) :]

    def _refilled(self, dol: bytes, data: bytes) -> bytes:
        try:
            values = ber.split_by_dol(dol, data)
        except ValueError:
            return data
        return b"".join(self._commands.get(tag, value) for tag, value in values.items())


class ReplayingCard(Wrapper):
    """Plays back its first tap for ever: the same counter, the same cryptogram.

    Only SELECT, GPO, READ RECORD and GENERATE AC are remembered, by instruction and parameters; what was
    not asked in the first tap goes to the card inside.
    """

    def __init__(self, inner: SimulatedCard) -> None:
        super().__init__(inner)
        self._tape: dict[bytes, bytes] = {}

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer from the tape, or from the card, and keep that."""
        # Of SELECT the name counts too.
        key = capdu if capdu[1:2] == b"\xa4" else capdu[:4]
        if key in self._tape:
            return self._tape[key]
        rapdu = super().transmit(capdu)
        if rapdu is not None:
            self._tape[key] = rapdu
        return rapdu


class DistantCard(Wrapper):
    """A card that is far away: each answer takes so much longer.

    Nothing waits here. Whoever measures adds `delay_us` to what it measured (see `AnswersLate`).
    """

    def __init__(self, inner: SimulatedCard, *, delay_us: int) -> None:
        super().__init__(inner)
        self._delay_us = delay_us

    def delay_us(self, capdu: bytes) -> int:
        """Return how many microseconds later the answer to this command comes."""
        return self._delay_us
