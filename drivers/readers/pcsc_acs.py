"""An ACS reader of the PC/SC daemon, with its lights, buzzer, field, settings; see `drivers.readers.acs`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Event

from drivers.abilities import Signal, TestResult
from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError
from drivers.protocols import DeviceInfo
from drivers.readers.acs import Family
from drivers.readers.pcsc_context import Context, EscapeRefusedError
from drivers.readers.pcsc_reader import PcscCard, PcscReader

_BEEP_S = 0.1
# Lights that are on, and beeps. A light that the reader lacks is left out.
_SIGNALS = {
    Signal.IDLE: ((), 0),
    Signal.READY: (("green",), 0),
    Signal.CARD_READ: (("green",), 1),
    Signal.ERROR: (("red",), 2),
    Signal.OFF: ((), 0),
}


class _Link:
    """Carries commands for the reader: with the card's, or as an escape."""

    def __init__(self, context: Context, reader: str) -> None:
        self._context = context
        self._reader = reader
        self._refused = False

    @property
    def holds_card(self) -> bool:
        """Whether a card is connected."""
        return self._context.holds_card

    @property
    def deaf(self) -> bool:
        """Whether an escape was refused before, and no card is there to go with."""
        return self._refused and not self.holds_card

    def pseudo(self, command: bytes) -> bytes:
        """Send it on the card's way, or as an escape while there is none."""
        return self._context.pseudo(command) if self.holds_card else self.escape(command)

    def escape(self, command: bytes) -> bytes:
        """Send it as an escape."""
        try:
            return self._context.escape(self._reader, command)
        except EscapeRefusedError:
            self._refused = True
            raise


class AcsReader(PcscReader):
    """A reader whose family is known.

    Each of its own functions, but `signal`, raises EscapeRefusedError, with the cure, where the
    daemon's driver lets no command through and no card is on hand.
    """

    def __init__(self, address: DeviceAddress, context: Context, name: str, family: Family) -> None:
        super().__init__(address, context, name)
        self._family = family
        self._link = _Link(context, name)
        self._field_is_off = False

    @property
    def lights(self) -> Sequence[str]:
        """The lights' names."""
        return self._family.lights

    def set_light(self, name: str, on: bool) -> None:
        """Switch one light and leave the others."""
        if name not in self.lights:
            raise ValueError(f"no light {name}; there are {', '.join(self.lights)}")
        self._family.show(self._link, {name: on})

    def beep(self, duration_s: float) -> None:
        """Sound. The ACR122U answers when it is over; 5 s is the longest."""
        self._family.beep(self._link, duration_s)

    def signal(self, signal: Signal) -> None:
        """Show it. A sale does not fail over a light: what can't be shown is left out."""
        if self._link.deaf:
            return
        on, beeps = _SIGNALS[signal]
        with contextlib.suppress(DeviceError):
            self._family.show(self._link, {name: name in on for name in self.lights})
            if beeps:
                self._family.beep(self._link, _BEEP_S, beeps)

    def set_field(self, on: bool) -> None:
        """Switch the field; the card that is in it is lost."""
        self._family.set_field(self._link, on)
        self._field_is_off = not on

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> PcscCard | None:
        """Switch the field on if it was switched off, then wait."""
        if self._field_is_off and not stop.is_set():
            self.set_field(True)
        return super().wait_for_card(stop, timeout_s=timeout_s)

    def read_settings(self) -> Mapping[str, str]:
        """Return every setting that can be read."""
        return self._family.read_settings(self._link)

    def write_settings(self, settings: Mapping[str, str]) -> None:
        """Check them all, then write them."""
        for name, value in settings.items():
            self._family.check_setting(name, value)
        for name, value in settings.items():
            self._family.write_setting(self._link, name, value)

    def self_test(self) -> Sequence[TestResult]:
        """Run all tests of the family."""
        return self._family.self_test(self._link)

    def _identify(self) -> DeviceInfo:
        """Ask the reader itself too, where it can be reached."""
        known = replace(super()._identify(), model=self._family.model)
        try:
            known = replace(known, firmware=self._family.firmware(self._link) or known.firmware)
            serial = self._family.serial_number(self._link)
            return replace(known, serial_number=serial or known.serial_number)
        except DeviceUnavailableError:
            raise
        except EscapeRefusedError as error:
            return replace(
                known, details={**known.details, "commands to the reader": f"refused: {error.hint}"}
            )
        except DeviceError:
            return known
