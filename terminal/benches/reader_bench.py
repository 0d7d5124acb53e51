"""One reader on the workbench: what is in its field, commands by hand, lights, buzzer, field, stress.

`run` is the job that has the reader for as long as the bench is open. It looks at each card once:
how it was activated and which kernel it would get. Then it waits until the card is taken away, or for
something to do. A command by hand holds the card from then on, so that one command can follow another;
while it is held nobody looks whether it is still there. `let_go` ends that.

The screen asks through methods that only queue, and draws `state`, which is a new frozen picture after
each change.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from drivers.abilities import (
    CardInField,
    DescribesItself,
    FindsCards,
    HasBuzzer,
    HasField,
    HasLights,
    Signal,
    Signals,
)
from drivers.errors import DeviceError, DeviceUnavailableError, SeveralCardsError
from drivers.protocols import MAX_WAIT_S, Card, ContactlessReader
from emv.config import EmvConfig
from terminal.benches.console import Exchange, exchange_of
from terminal.benches.latency import Latency, latency_of
from terminal.benches.selection import Selection, select
from terminal.devices.worker import Lease
from terminal.payment.tap import APDU_TIMEOUT_S

KEPT = 50
"""How many exchanges of the console are kept."""
BEEP_S = 0.2
FIND_S = 1.0
"""For how long a card is looked for when a command is to be sent, in seconds."""
TELL_S = 0.25
"""How often a stress loop tells how far it is, in seconds."""


@dataclass(frozen=True, slots=True)
class CardOnBench:
    """A card that was looked at. Nothing in it is secret."""

    identification: bytes
    found: CardInField | None
    selection: Selection


@dataclass(frozen=True, slots=True)
class Stress:
    """A stress loop: how often which command, how far it is, and how it ended."""

    command: str
    wanted: int
    latency: Latency
    running: bool
    failed: str = ""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """The bench at one moment."""

    has_reader: bool = False
    """False: it waits until the reader works, or until whoever has it gives it back."""
    can: tuple[str, ...] = ()
    card: CardOnBench | None = None
    several: tuple[CardInField, ...] = ()
    trouble: str = ""
    """What is wrong with the card in the field; empty when all is well or none is there."""
    held: bool = False
    field_on: bool = True
    light: str = ""
    console: tuple[Exchange, ...] = ()
    """Newest last."""
    said: tuple[int, str] = (0, "")
    """The last sentence for the technician, with a number that grows by one with each."""
    stress: Stress | None = None


@dataclass(slots=True)
class _Hand:
    """What the job holds while it runs."""

    reader: ContactlessReader
    lease: Lease
    card: Card | None = None
    seen: bool = False
    """Whether the card in the field was looked at already."""
    light: int = field(default=0)


class ReaderBench:
    """What a technician does with one reader. All methods but `run` return at once."""

    def __init__(self, config: EmvConfig) -> None:
        self.state = ReaderState()
        self._config = config
        self._wishes: queue.SimpleQueue[Callable[[_Hand], None]] = queue.SimpleQueue()
        self._stop_stress = threading.Event()

    # From the screen

    def send(self, capdu: bytes) -> None:
        """Send a command, and hold the card for the next one."""
        self._wishes.put(lambda hand: self._send(hand, capdu))

    def stress(self, capdu: bytes, count: int) -> None:
        """Send the same command *count* times, and measure."""
        self._stop_stress.clear()
        self._wishes.put(lambda hand: self._stress(hand, capdu, count))

    def stop(self) -> None:
        """End the stress loop."""
        self._stop_stress.set()

    def let_go(self) -> None:
        """End the exchange with the card, and look at it anew."""
        self._wishes.put(self._release)

    def next_light(self) -> None:
        """Switch the next of the reader's lights on, and all others off; after the last one, none."""
        self._wishes.put(self._light)

    def beep(self) -> None:
        """Sound the reader's buzzer."""
        self._wishes.put(self._beep)

    def turn_field(self) -> None:
        """Switch the radio field off, or on again. While it is off no card is looked for."""
        self._wishes.put(self._field)

    # On the reader's thread

    def run(self, reader: ContactlessReader, lease: Lease) -> None:
        """Have the reader until the bench is closed. This is a standing job."""
        hand = _Hand(reader, lease)
        while not self._wishes.empty():
            self._wishes.get_nowait()
        self._show(has_reader=True, can=_abilities(reader), card=None, several=(), trouble="", held=False)
        try:
            while not lease.stop.is_set():
                self._turn(hand)
        finally:
            if hand.card is not None:
                hand.card.release()
            self._show(has_reader=False, held=False)

    def _turn(self, hand: _Hand) -> None:
        try:
            wish = self._wishes.get(timeout=MAX_WAIT_S if hand.card or not self.state.field_on else 0)
        except queue.Empty:
            self._look(hand)
            return
        hand.lease.beat()
        try:
            wish(hand)
        except DeviceUnavailableError:
            raise
        except DeviceError as error:
            self._lose(hand)
            self._say(f"{error}")

    def _look(self, hand: _Hand) -> None:
        """See what is in the field, if that is not known."""
        hand.lease.beat()
        if hand.card is not None or not self.state.field_on:
            return
        if hand.seen:
            hand.lease.wait()
            if hand.reader.wait_for_removal(hand.lease.stop, timeout_s=MAX_WAIT_S):
                hand.seen = False
                self._show(card=None, several=(), trouble="")
            return
        try:
            hand.lease.wait()
            card = hand.reader.wait_for_card(hand.lease.stop, timeout_s=MAX_WAIT_S)
            hand.lease.beat()
            if card is not None:
                self._examine(hand, card)
        except SeveralCardsError as error:
            cards = hand.reader.cards_in_field() if isinstance(hand.reader, FindsCards) else ()
            self._show(card=None, several=tuple(cards), trouble=str(error))
        except DeviceUnavailableError:
            raise
        except DeviceError as error:
            self._show(card=None, trouble=str(error))

    def _examine(self, hand: _Hand, card: Card) -> None:
        try:
            found = card.describe() if isinstance(card, DescribesItself) else None
            selection = select(card, self._config, hand.lease.beat)
            hand.seen = True
            self._show(card=CardOnBench(card.identification, found, selection), several=(), trouble="")
        finally:
            card.release()

    def _hold(self, hand: _Hand) -> Card | None:
        """Return the card that is held, or the one in the field; None, and a sentence, without one."""
        if hand.card is None:
            hand.card = hand.reader.wait_for_card(hand.lease.stop, timeout_s=FIND_S)
            hand.lease.beat()
        if hand.card is None:
            self._say("There is no card in the field")
        self._show(held=hand.card is not None)
        return hand.card

    def _lose(self, hand: _Hand) -> None:
        """Give the card back; it is looked at anew."""
        card, hand.card = hand.card, None
        hand.seen = False
        if card is not None:
            card.release()
        self._show(held=False)

    def _release(self, hand: _Hand) -> None:
        self._lose(hand)
        self._show(card=None)

    def _send(self, hand: _Hand, capdu: bytes) -> None:
        card = self._hold(hand)
        if card is None:
            return
        began = time.perf_counter()
        rapdu = card.transceive(capdu, timeout_s=APDU_TIMEOUT_S)
        entry = exchange_of(capdu, rapdu, (time.perf_counter() - began) * 1000)
        self._show(console=(*self.state.console, entry)[-KEPT:])

    def _stress(self, hand: _Hand, capdu: bytes, count: int) -> None:
        card = self._hold(hand)
        if card is None:
            return
        times: list[float] = []
        name = ""
        told_at = 0.0

        def tell(*, running: bool, failed: str = "") -> None:
            self._show(stress=Stress(name, count, latency_of(times), running, failed))

        try:
            while len(times) < count and not self._stop_stress.is_set() and not hand.lease.stop.is_set():
                hand.lease.beat()
                began = time.perf_counter()
                rapdu = card.transceive(capdu, timeout_s=APDU_TIMEOUT_S)
                now = time.perf_counter()
                times.append((now - began) * 1000)
                if not name:
                    name = exchange_of(capdu, rapdu, 0.0).command
                if now - told_at >= TELL_S:
                    told_at = now
                    tell(running=True)
        except DeviceError as error:
            tell(running=False, failed=str(error))
            raise
        tell(running=False)

    def _light(self, hand: _Hand) -> None:
        reader = hand.reader
        if isinstance(reader, HasLights):
            names = [*reader.lights, ""]
            chosen = names[hand.light % len(names)]
            for name in reader.lights:
                reader.set_light(name, name == chosen)
            self._show(light=chosen or "off")
        elif isinstance(reader, Signals):
            signal = list(Signal)[hand.light % len(Signal)]
            reader.signal(signal)
            self._show(light=signal.value)
        else:
            self._say("This reader has no lights")
        hand.light += 1

    def _beep(self, hand: _Hand) -> None:
        if isinstance(hand.reader, HasBuzzer):
            hand.reader.beep(BEEP_S)
        else:
            self._say("This reader has no buzzer")

    def _field(self, hand: _Hand) -> None:
        if not isinstance(hand.reader, HasField):
            self._say("This reader's field can't be switched")
            return
        on = not self.state.field_on
        self._lose(hand)
        hand.reader.set_field(on)
        self._show(field_on=on, card=None, several=(), trouble="")

    def _say(self, text: str) -> None:
        self._show(said=(self.state.said[0] + 1, text))

    def _show(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]


def _abilities(reader: ContactlessReader) -> tuple[str, ...]:
    return tuple(
        name
        for name, kind in (
            ("lights", HasLights),
            ("signals", Signals),
            ("buzzer", HasBuzzer),
            ("field", HasField),
            ("every card", FindsCards),
        )
        if isinstance(reader, kind)
    )
