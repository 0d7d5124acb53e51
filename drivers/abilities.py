"""What some devices can do beside their category's work; ask with ``isinstance``.

A driver that has such a function simply defines the method. As all methods of a device, these are
called from its own thread, and raise what `drivers.errors` has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable


class Signal(Enum):
    """What a reader's own lights and buzzer tell the customer."""

    IDLE = "idle"
    READY = "ready"
    CARD_READ = "card read"
    """The card may go. With a beep; not an approval."""
    ERROR = "error"
    OFF = "off"


@runtime_checkable
class Signals(Protocol):
    """A reader with lights or a buzzer of its own."""

    def signal(self, signal: Signal) -> None:
        """Show it; what the device lacks is left out."""
        ...


@runtime_checkable
class HasLights(Protocol):
    """Lights that can be switched one by one."""

    @property
    def lights(self) -> Sequence[str]:
        """Their names, such as red and green."""
        ...

    def set_light(self, name: str, on: bool) -> None:
        """Switch one light."""
        ...


@runtime_checkable
class HasBuzzer(Protocol):
    """A buzzer."""

    def beep(self, duration_s: float) -> None:
        """Sound for so long, as near as the device can."""
        ...


@runtime_checkable
class HasField(Protocol):
    """A radio field that can be switched."""

    def set_field(self, on: bool) -> None:
        """Switch the field. The next wait for a card switches it as it needs."""
        ...


@dataclass(frozen=True, slots=True)
class CardInField:
    """A card as a look into the field sees it, before any command. Nothing of it is a card number.

    `protocol` is such as ``ISO/IEC 14443-4 type A``; `details` has ATQA, SAK, UID, ATS or ATQB in
    hexadecimal, and what they mean.
    """

    protocol: str
    details: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class FindsCards(Protocol):
    """A reader that can tell every card in its field."""

    def cards_in_field(self) -> Sequence[CardInField]:
        """Look once, at all of them."""
        ...


@runtime_checkable
class DescribesItself(Protocol):
    """A card (what `wait_for_card` returns) that can tell how it was activated."""

    def describe(self) -> CardInField:
        """Return how it was found, and the parameters of its protocol."""
        ...


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test that a device did on itself. `passed` is None where the result is for a person to judge."""

    __test__ = False

    name: str
    passed: bool | None
    text: str = ""


@runtime_checkable
class TestsItself(Protocol):
    """A device with a self-test."""

    def self_test(self) -> Sequence[TestResult]:
        """Run all tests; a test that fails is a result, not an error."""
        ...


@runtime_checkable
class HasSettings(Protocol):
    """Configuration that is kept in the device."""

    def read_settings(self) -> Mapping[str, str]:
        """Return every setting by name, its value in hexadecimal."""
        ...

    def write_settings(self, settings: Mapping[str, str]) -> None:
        """Write these. Raises ValueError, before anything is written, for a name or value that can't be."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: rows of red, green and blue bytes."""

    width: int
    height: int
    rgb: bytes = field(repr=False)
    age_ms: float


@runtime_checkable
class ShowsPicture(Protocol):
    """A camera whose view can be shown."""

    def picture(self, width: int, height: int) -> Picture | None:
        """Return the newest picture, made to fit into so many pixels; None if there is none yet."""
        ...
