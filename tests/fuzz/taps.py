"""Whole taps: Entry Point and every kernel against a card that answers what the fuzzer wants.

The card is a simulated one that speaks the truth, and what it says is changed on its way (`mutation`). What
must hold, whatever arrives:

- no exception leaves Entry Point;
- each presentation ends after `MAX_COMMANDS` commands at most, in an outcome that has a reason;
- nothing is approved that did not prove to be genuine, nor with other data than the genuine card's;
- what goes to the issuer has our amount, not the card's;
- no card number is in what an outcome or an instrument prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from emv import tlv
from emv.apdu import MAX_GET_RESPONSES, CommandApdu, Exchange
from emv.background import Background
from emv.config import EmvConfig
from emv.entry_point import MAX_COMMANDS, EntryPoint, EntryPointState
from emv.errors import DecodeError
from emv.formats import encode_n
from emv.kernel import (
    Actions,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
)
from emv.oda import OdaMethod
from emv.outcome import Outcome, OutcomeKind, Start
from emv.sensitive import Pan
from emv.tags import Tag
from emv.trace import render
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from terminal.payment.tap import instrument
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import Way
from tests.fuzz.terminals import PAYMENTS, TERMINALS

CARDS = (
    *("visa-offline", "mastercard-approve", "unionpay-approve", "amex-approve", "jcb-approve"),
    *("discover-approve", "visa-online-signed", "visa-wallet", "visa-offline-spending", "visa-no-afl"),
    *("visa-offline-long-key", "mastercard-relay-resistance", "mastercard-wallet", "mastercard-balance"),
    *("mastercard-magstripe", "mastercard-recoverable", "mastercard-online", "mastercard-debit"),
    *("jcb-dda", "jcb-sda", "jcb-online", "amex-wallet", "unionpay-online", "unionpay-debit"),
    *("several-applications", "several-unionpay", "visa-program", "mastercard-expired"),
    *("visa-get-response", "visa-wrong-length", "malicious-ppse-huge", "mastercard-wallet-locked"),
)
"""Profiles by number; new ones go to the end."""

MAX_RAW = 2 * MAX_GET_RESPONSES + 10
"""Raw commands that one command can need: each GET RESPONSE may come with another length, and chaining."""
MAX_PRESENTATIONS = 4
ELAPSED_US = (3_000, None, 0, 100_000, 6_553_500, 10**12, 99)


def genuine(name: str) -> SimulatedCard:
    """Return a simulated card that has just been held to the reader."""
    card = profile.load(name)
    card.power_on()
    return card


class Honest:
    """A simulated card whose answers are kept from one input to the next: making a signature takes long.

    The same commands from the start get the same answers. A card that is in the field for the second time
    counts on, so the answers belong to all that was said before.
    """

    _known: ClassVar[dict[tuple[str, tuple[bytes | None, ...]], bytes | None]] = {}
    _MOST: ClassVar[int] = 20_000

    def __init__(self, name: str, make: Callable[[], SimulatedCard] | None = None) -> None:
        self._name = name
        self._make = make or (lambda: profile.load(name))
        self._card: SimulatedCard | None = None
        self._said: tuple[bytes | None, ...] = ()
        self._told = 0

    def power_on(self) -> None:
        """Enter the field."""
        self._said = (*self._said, None)

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one command, from memory if it can be."""
        self._said = (*self._said, capdu)
        key = (self._name, self._said)
        if key not in self._known:
            if len(self._known) > self._MOST:
                self._known.clear()
            self._known[key] = self._really()
        return self._known[key]

    def _really(self) -> bytes | None:
        if self._card is None:
            self._card = self._make()
        answer: bytes | None = b""
        for capdu in self._said[self._told :]:
            answer = self._answer(self._card, capdu)
        self._told = len(self._said)
        return answer

    @staticmethod
    def _answer(card: SimulatedCard, capdu: bytes | None) -> bytes | None:
        if capdu is None:
            card.power_on()
            return b""
        try:
            return card.transmit(capdu)
        except Exception:  # noqa: BLE001 - a simulated card that does not understand is not what is tested
            return b"\x6f\x00"


class Reader:
    """Stands between the terminal and the card, and changes what the card says."""

    def __init__(self, card: Honest, choices: Choices, elapsed_us: int | None) -> None:
        self._card = card
        self._way = Way(choices)
        self._elapsed_us = elapsed_us
        self.answers: list[bytes] = []

    def power_on(self) -> None:
        """Hold the card to the reader."""
        self._card.power_on()

    def send(self, command: CommandApdu) -> CardAnswered | CardLost:
        """Do one command with all that the transport makes of it."""
        exchange = Exchange(command)
        raw: bytes | None = exchange.first()
        count = 0
        while raw is not None:
            count += 1
            assert count <= MAX_RAW, "one command never ends"
            answer = self._transmit(raw)
            if answer is None:
                return CardLost()
            render(raw, answer)
            raw = exchange.next(answer)
        return CardAnswered(exchange.response, self._elapsed_us)

    def _transmit(self, raw: bytes) -> bytes | None:
        true = self._card.transmit(raw)
        if true is None:
            return None
        self.answers.append(true)
        return self._way.arrives(true, self.answers[:-1])


def run(data: bytes) -> None:
    """Tap one of the cards, at one of the terminals, once or more often; its answers change on the way."""
    choices = Choices(data)
    name = choices.pick(CARDS)
    tap(Honest(name), choices)


def tap(card: Honest, choices: Choices) -> list[Outcome]:
    """Play what the choices say, check every outcome, and return them."""
    config, payment = choices.pick(TERMINALS), choices.pick(PAYMENTS)
    flags = choices.byte()
    reader = Reader(card, choices, choices.pick(ELAPSED_US))
    background = Background()
    found: list[Outcome] = []
    for _ in range(1 + (flags & 1)):
        machine = EntryPoint(config, background=background)
        begin = Begin(payment, polls=bool(flags & 2), preprocess=not flags & 4)
        for outcome in presentations(machine, begin, reader, choices):
            check(outcome, machine, config, payment)
            check_nothing_is_forged(outcome, reader.answers)
            found.append(outcome)
    return found


def honest(machine: EntryPoint, name: str, payment: Transaction) -> Outcome:
    """Tap a simulated card whose answers all arrive as they are."""
    outcome = _to_the_end(machine, Begin(payment), Reader(Honest(name), Choices(b""), 3_000), Choices(b""))
    assert outcome is not None
    return outcome


def presentations(machine: EntryPoint, begin: Begin, reader: Reader, choices: Choices) -> Iterator[Outcome]:
    """Yield each outcome; go on from it as the choices say."""
    event: Event = begin
    reader.power_on()
    for _ in range(MAX_PRESENTATIONS):
        outcome = _to_the_end(machine, event, reader, choices)
        if outcome is None:
            return
        yield outcome
        if machine.state is not EntryPointState.RESTARTABLE or not choices.byte() & 1:
            return
        if outcome.start is Start.B:
            reader.power_on()
        event = Restart(
            online_response=choices.take(choices.byte() & 0x3F),
            unpredictable_number=choices.take(4) if choices.byte() & 1 else None,
        )


def _to_the_end(machine: EntryPoint, event: Event, reader: Reader, choices: Choices) -> Outcome | None:
    """Play until an outcome, or until no card is held to the reader any more."""
    commands = waits = 0
    while True:
        actions = machine.handle(event)
        last = _last(actions)
        if isinstance(last, Complete):
            return last.outcome
        if isinstance(last, WaitForCard):
            waits, commands = waits + 1, 0
            if waits > MAX_PRESENTATIONS:
                return None
            if choices.byte() & 1:
                event = Collision(present=bool(choices.byte() & 1))
            else:
                reader.power_on()
                event = CardFound(choices.take(4) if choices.byte() & 1 else None)
        else:
            commands += 1
            assert commands <= MAX_COMMANDS, "the card is asked without end"
            event = reader.send(last.command)


def _last(actions: Actions) -> SendCommand | WaitForCard | Complete:
    """Return the one action that awaits an answer, or the outcome."""
    assert all(isinstance(action, ShowMessage) for action in actions[:-1])
    last = actions[-1]
    assert not isinstance(last, ShowMessage)
    return last


def check(outcome: Outcome, machine: EntryPoint, config: EmvConfig, payment: Transaction) -> None:
    """Check what must hold of every outcome."""
    assert outcome.reason
    assert outcome.kind is not OutcomeKind.SELECT_NEXT
    assert (machine.state is EntryPointState.COMPLETED) == (outcome.start is Start.NOT_APPLICABLE)
    assert (outcome.evidence is None) == (outcome.kernel_id == 0)
    pays = outcome.kind in (OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST)
    paid = instrument(outcome)
    if outcome.kind is OutcomeKind.APPROVED:
        assert outcome.evidence is not None
        assert outcome.evidence.oda.succeeded
        assert config.ca_keys
    if pays:
        assert outcome.evidence is not None
        assert outcome.pan is not None
        assert outcome.data_record is not None
        record = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
        assert record[Tag.AMOUNT_AUTHORISED] == encode_n(payment.amount_minor, 6)
        assert record[Tag.TRANSACTION_CURRENCY] == bytes.fromhex(f"{payment.currency:0>4}")
    assert paid.approved <= (outcome.kind is OutcomeKind.APPROVED)
    assert paid.refusal or (pays and len(paid.secret))
    numbers = _numbers_of(outcome)
    # Label and name are the card's own text. What is written down of them is in the instrument.
    no_numbers(f"{replace(outcome, label='', aid=b'')!r} {outcome.reason}", numbers)
    no_numbers(f"{paid!r}", [number for number in numbers if len(number) >= 13])


def check_nothing_is_forged(outcome: Outcome, answers: Sequence[bytes]) -> None:
    """Check that an approval rests on what the genuine card said, where its signatures cover that."""
    if outcome.kind is not OutcomeKind.APPROVED or outcome.evidence is None:
        return
    said = {pair for answer in answers for pair in _objects(answer)}
    covered: tuple[Tag, ...] = _SIGNED_BY_ISSUER
    if outcome.evidence.oda.method is OdaMethod.CDA:
        covered += _SIGNED_BY_CARD
    for tag in covered:
        value = outcome.evidence.card.get(tag)
        assert value is None or (tag, value) in said, f"approved with a forged {tag:02X}"
    numbers = {Pan.decode(value) for tag, value in said if tag == Tag.PAN}
    assert outcome.pan in numbers, "approved for another card"


_SIGNED_BY_ISSUER = (Tag.PAN, Tag.EXPIRATION_DATE, Tag.USAGE_CONTROL)
_SIGNED_BY_CARD = (Tag.CID, Tag.ATC, Tag.ISSUER_APPLICATION_DATA)


def _objects(answer: bytes) -> list[tuple[int, bytes]]:
    """Return what an answer says by tag, as far as it can be read."""
    try:
        return list(tlv.walk(tlv.decode(answer[:-2])))
    except DecodeError:
        return []


def _numbers_of(outcome: Outcome) -> list[str]:
    found = [] if outcome.pan is None else [outcome.pan.reveal()]
    value = outcome.evidence.card.get(Tag.PAN) if outcome.evidence else None
    try:
        found += [Pan.decode(value).reveal()] if value else []
    except DecodeError:
        pass
    return found


def no_numbers(text: str, numbers: Sequence[str]) -> None:
    """Check that a text has none of the card numbers. Short ones and such of one digit turn up by chance."""
    for number in numbers:
        if len(number) >= 12 and len(set(number)) > 2:
            assert number not in text, "a card number is shown"
