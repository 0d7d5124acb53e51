"""The frame that Entry Point and all kernels share: events in, actions out.

A machine takes one event and answers with actions in order. The tuple ends in exactly one action that
awaits an event (`SendCommand`, `WaitForCard`) or in `Complete`. There is no clock, no chance and no
input or output inside: the unpredictable number, date and time arrive in `Transaction`.

Each machine has a table of its transitions by state and event type. An event that the table does not
have raises `KernelMisuseError` and changes nothing; whatever the card answers never raises.

A kernel is made by a factory from an `Activation` and is handed `Begin` first. New kernels are new
files with a row in `entry_point.KERNELS`.

Spec: EMV Contactless Book A, 5.8 and 8; Book B, 3.4.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar

from emv.apdu import CommandApdu, ResponseApdu, StatusWord
from emv.background import Background
from emv.config import CombinationConfig, EmvConfig
from emv.errors import DecodeError, KernelMisuseError
from emv.fields import Ttq
from emv.outcome import Outcome, Start, UiRequest, end_application
from emv.sensitive import SensitiveBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One payment as the cards are told of it.

    Args:
        type: Tag 9C: 00 purchase, 01 cash, 09 cashback, 20 refund.
        amount_minor: Tag 9F02, in minor units of the currency; cashback included.
        amount_other_minor: Tag 9F03, the cashback in it.
        currency: Numeric ISO 4217 code, "978".
        currency_exponent: Digits behind the decimal point.
        date, time: The terminal's local date and time.
        unpredictable_number: Tag 9F37: four bytes, from a cryptographic source, never used before.
        sequence_counter: Tag 9F41.
        spare_unpredictable_numbers: More of them, for a kernel that asks the card again with another one
            (relay resistance). Without them it does not ask again.
        random_percent: A random number from 1 to 99, for random transaction selection (EMV 4.4 Book 3,
            10.6.2).
    """

    type: int = 0x00
    amount_minor: int
    amount_other_minor: int = 0
    currency: str
    currency_exponent: int = 2
    date: datetime.date
    time: datetime.time
    unpredictable_number: bytes
    sequence_counter: int = 0
    spare_unpredictable_numbers: tuple[bytes, ...] = ()
    random_percent: int = 99

    def __post_init__(self) -> None:
        if not 0 <= self.amount_minor < 10**12 or not 0 <= self.amount_other_minor <= self.amount_minor:
            raise ValueError("an amount has up to twelve digits, and cashback is part of it")
        if not 0 <= self.type <= 0xFF or not 0 <= self.currency_exponent <= 9:
            raise ValueError("a transaction type is one byte, a currency exponent one digit")
        if not (self.currency.isascii() and self.currency.isdecimal() and len(self.currency) in (3, 4)):
            raise ValueError("a numeric currency code has three digits")
        if any(len(n) != 4 for n in (self.unpredictable_number, *self.spare_unpredictable_numbers)):
            raise ValueError("the unpredictable number has four bytes")
        if not 1 <= self.random_percent <= 99:
            raise ValueError("random transaction selection draws from 1 to 99")


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the transaction.

    Args:
        transaction: The payment.
        polls: False: a card is in the field, and every outcome comes back, TRY_AGAIN too.
            True: Entry Point asks for cards by `WaitForCard` and tries again by itself.
        preprocess: False for a reader that starts by itself at Start B (Book A, autorun): all
            pre-processing indicators stay off.
    """

    transaction: Transaction
    polls: bool = False
    preprocess: bool = True


@dataclass(frozen=True, slots=True)
class CardFound:
    """A card was found and activated, after `WaitForCard`.

    Args:
        unpredictable_number: A fresh one for this presentation; None keeps the one there is.
    """

    unpredictable_number: bytes | None = None


@dataclass(frozen=True, slots=True)
class Collision:
    """More than one card is in the field, or (False) no longer so."""

    present: bool = True


@dataclass(frozen=True, slots=True)
class CardAnswered:
    """The card answered the last `SendCommand`.

    Args:
        rapdu: The answer.
        elapsed_us: Microseconds from the command's first byte out to the answer's last byte in, as exactly
            as the reader can tell; None if it was not measured.
    """

    rapdu: ResponseApdu
    elapsed_us: int | None = None


@dataclass(frozen=True, slots=True)
class CardLost:
    """The card left the field, timed out or broke the transmission protocol."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Go on at the outcome's `start`: the issuer answered, or the card is there again.

    Args:
        online_response: Issuer authentication data and scripts (91, 71, 72) as BER-TLV, or empty.
        unpredictable_number: A fresh one for this presentation; None keeps the one there is.
    """

    online_response: bytes = b""
    unpredictable_number: bytes | None = None


Event: TypeAlias = Begin | CardFound | Collision | CardAnswered | CardLost | Restart


def understood(event: Event) -> Event:
    """Return the event as machines take it: an answer without a status word is a card that was lost.

    Spec: EMV Contactless Book D, 10 (transmission errors).
    """
    if isinstance(event, CardAnswered) and event.rapdu.sw == StatusWord.MISSING:
        return CardLost()
    return event


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send a command; `CardAnswered` or `CardLost` is the answer."""

    command: CommandApdu


@dataclass(frozen=True, slots=True)
class WaitForCard:
    """Switch the field on and look for a card; `CardFound` or `Collision` is the answer.

    Args:
        field_off_ms: How long the field is off before.
    """

    field_off_ms: int = 0


@dataclass(frozen=True, slots=True)
class ShowMessage:
    """Show and sound something. It awaits no answer."""

    request: UiRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """The machine has come to its outcome."""

    outcome: Outcome


Action: TypeAlias = SendCommand | WaitForCard | ShowMessage | Complete
Actions: TypeAlias = tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Indicators:
    """What pre-processing found out for one combination.

    Spec: EMV Contactless Book A, table 5-3.
    """

    ttq: Ttq | None = None
    status_check_requested: bool = False
    not_allowed: bool = False
    zero_amount: bool = False
    cvm_limit_exceeded: bool = False
    floor_limit_exceeded: bool = False


_Options = TypeVar("_Options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What Entry Point gives a kernel.

    Args:
        config: The terminal.
        combination: The row of the configuration that was selected.
        indicators: Its pre-processing indicators.
        aid: The card's full application name.
        fci: The card's answer to SELECT.
        start: Where Entry Point was started.
        restart: Whether this is a restart after an outcome.
        online_response: The issuer's answer, after an online request.
        background: What the terminal remembers of earlier transactions.
    """

    config: EmvConfig
    combination: CombinationConfig
    indicators: Indicators
    aid: bytes
    fci: SensitiveBytes
    start: Start = Start.A
    restart: bool = False
    online_response: bytes = b""
    background: Background = field(default_factory=Background)

    def options(self, kind: type[_Options]) -> _Options:
        """Return the combination's settings of this kind, or the defaults."""
        found = self.combination.options
        return found if isinstance(found, kind) else kind()


class Kernel(Protocol):
    """A contactless kernel."""

    def handle(self, event: Event) -> Actions:
        """Take `Begin`, then the card's answers, until `Complete`."""
        ...


KernelFactory: TypeAlias = Callable[[Activation], Kernel]


Step: TypeAlias = "tuple[Enum, Actions]"
"""What a step comes to: the state to go to, and the actions."""
Transitions: TypeAlias = Mapping[Any, Mapping[type, Callable[[Any, Any], Any]]]
"""By state and event type: the method that takes the event and returns a `Step`."""


class Machine(Protocol):
    """What `advance` moves: a kernel with a state."""

    state: Any

    def end(self, outcome: Outcome) -> Any:
        """Return the step to the last state with this outcome."""
        ...


def advance(machine: Machine, transitions: Transitions, event: Event) -> Actions:
    """Consume one event and return what the caller must do next, in order.

    Card data that can't be decoded ends the application; it never raises.

    Raises:
        KernelMisuseError: the event has no place in this state. Nothing has changed.
    """
    event = understood(event)
    try:
        step = transitions[machine.state][type(event)]
    except KeyError:
        raise KernelMisuseError(f"{type(event).__name__} in {machine.state.name}") from None
    try:
        machine.state, actions = step(machine, event)
    except DecodeError as error:
        ended = end_application(f"the card's data is in error: {error}")
        machine.state, actions = machine.end(ended)
    return tuple(actions)
