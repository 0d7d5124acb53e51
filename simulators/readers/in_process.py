"""Driver of the simulated reader in the same process, scheme ``sim``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        returns as soon as a card is placed
several cards        yes        told, and listed
describe             yes        the type and the ATS, or the ATQB
set_field            yes        a card that was activated is lost when the field goes off
wait_for_removal     yes        returns as soon as the field is empty
transceive           yes        the time limit is not used: a simulated card answers or leaves; one that is
                                far away (`AnswersLate`) answers so much later
discover             yes        ``sim:``, the field that the whole process shares
===================  =========  ================================================================

``sim:`` looks at `FIELD`; ``sim:visa-approve`` has a field of its own with that card on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from time import sleep

from drivers.abilities import CardInField
from drivers.address import DeviceAddress
from drivers.errors import (
    CardLostError,
    DeviceUnavailableError,
    Reason,
    SeveralCardsError,
    TransmissionError,
)
from drivers.protocols import MAX_WAIT_S, DeviceInfo
from simulators.cards import profile
from simulators.cards.card import AnswersLate
from simulators.readers.field import Field, Placement, wait_slices
from simulators.readers.radio import type_b

TYPE_A, TYPE_B = "ISO/IEC 14443-4 type A", "ISO/IEC 14443-4 type B"
FIELD = Field()
"""The field of ``sim:``: whoever runs in this process places and takes away cards here."""


class InProcessCard:
    """A card in the field of the simulated reader, for as long as this one stay lasts."""

    def __init__(self, reader: InProcessReader, field: Field, placement: Placement) -> None:
        self._reader = reader
        self._powered = reader.powered
        self._field = field
        self._placement = placement
        card = placement.card
        self._far = card if isinstance(card, AnswersLate) else None

    @property
    def identification(self) -> bytes:
        """The card's ATS."""
        return self._placement.card.ats

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU to the card."""
        powered = self._powered == self._reader.powered
        rapdu = self._field.transmit(self._placement, capdu) if powered else None
        if self._far:
            sleep(self._far.delay_us(capdu) / 1_000_000)
        if rapdu is None:
            raise CardLostError("the card has left the field")
        if len(rapdu) < 2:
            raise TransmissionError("answer without a status word")
        return rapdu

    def describe(self) -> CardInField:
        """Say of which type the card is."""
        return _described(self._placement)

    def release(self) -> None:
        """Nothing is held: the next wait powers the card on again."""


class InProcessReader:
    """A reader that has no wire at all."""

    def __init__(self, address: DeviceAddress, field: Field) -> None:
        self._address = address
        self._field = field
        self._closed = False
        self.powered = 0
        """How often the field has gone off: a card that was activated before is not any more."""

    @property
    def address(self) -> DeviceAddress:
        """The address that the reader was opened by."""
        return self._address

    @property
    def field(self) -> Field:
        """The field that this reader looks at."""
        return self._field

    def info(self) -> DeviceInfo:
        """Say that this is a simulation."""
        self._check_open()
        return DeviceInfo(name="Simulated reader", details={"simulated": "yes"})

    def close(self) -> None:
        """Close the reader; its field and card stay as they are."""
        self._closed = True

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> InProcessCard | None:
        """Wait for a card and power it on; raises SeveralCardsError where there are more."""
        placements = self._field.placements if self._wait(True, stop, timeout_s) else ()
        if len(placements) > 1:
            raise SeveralCardsError(f"{self._address}: more than one card is in the field")
        if not placements:
            return None
        placements[0].card.power_on()
        return InProcessCard(self, self._field, placements[0])

    def cards_in_field(self) -> Sequence[CardInField]:
        """List every card."""
        self._check_open()
        return [_described(placement) for placement in self._field.placements]

    def set_field(self, on: bool) -> None:
        """Switch the field; a card that was activated is lost when it goes off."""
        self._check_open()
        self.powered += not on

    def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
        """Wait until the field is empty."""
        return self._wait(False, stop, timeout_s)

    def _wait(self, present: bool, stop: Event, timeout_s: float) -> bool:
        left_s = wait_slices(timeout_s, MAX_WAIT_S)
        while not stop.is_set():
            self._check_open()
            wait_s = left_s()
            if (self._field.wait_for(present, timeout_s=wait_s) is not None) == present:
                return True
            if wait_s == 0:
                return False
        return False

    def _check_open(self) -> None:
        if self._closed:
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, "open it again")


def _described(placement: Placement) -> CardInField:
    told = type_b(placement.card)
    if told is None:
        return CardInField(TYPE_A, {"ATS": placement.card.ats.hex().upper()})
    data = (told.application_data + told.protocol_info).hex().upper()
    return CardInField(TYPE_B, {"ATQB without its number": data})


def open(address: DeviceAddress) -> InProcessReader:
    """Open the simulated reader: the shared field, or one of its own with the named card on it."""
    if not address.target:
        return InProcessReader(address, FIELD)
    try:
        card = profile.load(address.target)
    except KeyError as error:
        near = [f"sim:{name}" for name in profile.nearest(address.target)]
        hint = f"write {' or '.join(near)}" if near else "python -m simulators.cards lists the cards"
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, hint) from error
    except profile.ProfileError as error:
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, f"mend the card: {error}") from error
    return InProcessReader(address, Field(card))


def discover() -> Sequence[DeviceAddress]:
    """Return ``sim:``; cards by name are not attached devices."""
    return (DeviceAddress("sim", ""),)
