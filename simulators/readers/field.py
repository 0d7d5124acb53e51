"""The place on a counter where a card is held. Every simulated reader looks at one.

Theory of operation: a person (a test, the demo) calls `place` and `take_away`; a reader calls
`power_on`, `transmit` and the waiting methods. Each placement has a number, so a card that was
lifted and put back between two commands is lost to the exchange that had begun, as on a real
reader. A card that leaves by itself in the middle of a command is taken out of the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from time import monotonic

from simulators.cards.card import SimulatedCard


@dataclass(frozen=True, slots=True)
class Placement:
    """One stay of one card in the field."""

    card: SimulatedCard
    number: int


class Field:
    """A field that holds a card, or several. All methods may be called from any thread."""

    def __init__(self, card: SimulatedCard | None = None) -> None:
        self._changed = Condition()
        self._placements: tuple[Placement, ...] = ()
        self._number = 0
        self._version = 0
        self._listeners: list[Callable[[], None]] = []
        if card is not None:
            self.place(card)

    @property
    def card(self) -> SimulatedCard | None:
        """The card that is in the field now."""
        placement = self.placement
        return placement.card if placement else None

    @property
    def placement(self) -> Placement | None:
        """The current stay, or None while the field is empty; of several, the longest."""
        with self._changed:
            return self._placements[0] if self._placements else None

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Every current stay, in the order of their coming."""
        with self._changed:
            return self._placements

    @property
    def version(self) -> int:
        """Grows by one with each change; what `wait_changed` compares."""
        with self._changed:
            return self._version

    def place(self, card: SimulatedCard) -> None:
        """Hold a card to the reader. A card that was there before is taken away."""
        with self._changed:
            self._number += 1
            self._set((Placement(card, self._number),))
        self._tell()

    def add(self, card: SimulatedCard) -> Placement:
        """Hold one more card to the reader, beside what is there."""
        with self._changed:
            self._number += 1
            placement = Placement(card, self._number)
            self._set((*self._placements, placement))
        self._tell()
        return placement

    def take_away(self, placement: Placement | None = None) -> None:
        """Empty the field; with a placement, end that very stay if it still lasts."""
        with self._changed:
            left = tuple(stay for stay in self._placements if placement not in (None, stay))
            if left == self._placements:
                return
            self._set(left)
        self._tell()

    def wait_changed(self, version: int, *, timeout_s: float | None = None) -> int:
        """Wait until the field differs from what it was at `version`; return the version now."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout_s)
            return self._version

    def wait_for(self, present: bool, *, timeout_s: float | None = None) -> Placement | None:
        """Wait until a card is there (or none is); return what is in the field then."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._placements) == present, timeout_s)
            return self._placements[0] if self._placements else None

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, on the thread that made it; return what ends that."""
        with self._changed:
            self._listeners.append(listener)

        def end() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def transmit(self, placement: Placement, capdu: bytes) -> bytes | None:
        """Send a command to the card of this stay; None if the stay is over or ends here."""
        if placement not in self.placements:
            return None
        rapdu = placement.card.transmit(capdu)
        if rapdu is None:
            self.take_away(placement)
            return None
        # The card may have been pulled away while it was computing: its answer is lost then.
        return rapdu if placement in self.placements else None

    def _set(self, placements: tuple[Placement, ...]) -> None:
        self._placements = placements
        self._version += 1
        self._changed.notify_all()

    def _tell(self) -> None:
        with self._changed:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()


def wait_slices(timeout_s: float, slice_s: float) -> Callable[[], float]:
    """Return a function that gives the next time to wait, at most a slice, and 0 when time is up."""
    deadline = monotonic() + timeout_s
    return lambda: max(0.0, min(slice_s, deadline - monotonic()))
