"""A reader that one of nfcpy's devices drives: looking for cards of types A and B, and talking to them.

Theory of operation: as EMV asks, types A and B are looked for in turns. A card that was found and then hears
the other type's frames may fall back to where it began, so only one that was found last in a round,
and alone, is activated; where the last type found nothing, the next round goes the other way
round. A field that holds more than one is told as `SeveralCardsError`, and nothing is chosen.

nfcpy's devices do what is before ISO/IEC 14443-4, `iso_dep` does the rest. Nothing here retries a command;
see `iso_dep` for what the block protocol repeats.

Spec: EMV Contactless Book D 2.6, 9.2 and 9.3 (polling and collision detection).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import struct
import termios
from collections.abc import Iterator, Sequence
from threading import Event
from time import monotonic
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
import nfc.clf.pn53x  # type: ignore[import-untyped]
import nfc.clf.rcs380  # type: ignore[import-untyped]
import nfc.tag  # type: ignore[import-untyped]
from nfc.tag.tt4 import Type4TagCommandError  # type: ignore[import-untyped]

from drivers.abilities import CardInField
from drivers.address import DeviceAddress
from drivers.errors import (
    CardLostError,
    DeviceError,
    DeviceUnavailableError,
    SeveralCardsError,
    TransmissionError,
)
from drivers.gate import Gate
from drivers.readers.card_parameters import describe_a, describe_b
from drivers.readers.iso_dep import IsoDep

# nfcpy writes every byte of a card into its debug log, and some of them are a card number. It keeps
# that log off by itself; a program that turns everything on must not turn this on.
logging.getLogger("nfc").setLevel(logging.WARNING)

LINE = (OSError, termios.error)
CHIP = (nfc.clf.pn53x.Chipset.Error, nfc.clf.rcs380.CommunicationError, nfc.clf.rcs380.StatusError)
"""What a chip says when a command could not be done."""

BROKEN = (IndexError, KeyError, ValueError, AttributeError, TypeError, AssertionError, struct.error)
"""What nfcpy raises, beside its own errors, over a frame that is cut off or makes no sense."""

_A, _B = "A", "B"
_FIELD_OFF_S = 0.02
_SAYS_ISO_DEP = 0x20
_MOST_CARDS = 8
_HLTA, _HLTA_TIMEOUT_S = b"\x50\x00", 0.005
# One more round after the time is up, where a card was found that only that round can activate.
_LAST_ROUND_S = 0.25


class NfcpyCard:
    """An activated card."""

    def __init__(self, reader: NfcpyReader, protocol: IsoDep) -> None:
        self._reader = reader
        self._protocol = protocol
        self._released = False

    @property
    def identification(self) -> bytes:
        """The ATS, length byte included; of a card of type B the ATQB."""
        return self._protocol.identification

    def describe(self) -> CardInField:
        """Say how the card was found, and the parameters of its protocol."""
        return self._protocol.describe()

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU; the limit covers every block of the exchange."""
        if self._released:
            raise CardLostError(f"{self._reader.address}: the card was released")
        with self._reader.using():
            rapdu = self._protocol.exchange(capdu, timeout_s)
        if len(rapdu) < 2:
            raise TransmissionError(f"{self._reader.address}: answer without a status word")
        return rapdu

    def release(self) -> None:
        """Deselect the card and turn the field off."""
        if self._released:
            return
        self._released = True
        with contextlib.suppress(DeviceError), self._reader.using() as device:
            self._protocol.deselect()
            device.mute()


class NfcpyReader:
    """What every reader on nfcpy does; subclasses open it, and know their chip's own ways."""

    def __init__(self, address: DeviceAddress) -> None:
        self._address = address
        self._device: Any = None
        self._gate = Gate(address, self._end)

    @property
    def address(self) -> DeviceAddress:
        """The address that the reader was opened by."""
        return self._address

    @contextlib.contextmanager
    def using(self) -> Iterator[Any]:
        """Give nfcpy's device to this thread alone, and speak the seam's errors."""
        with self._gate.use(), self._translated():
            yield self._device

    def close(self) -> None:
        """Give the device back; a thread that waits for it does so."""
        self._gate.close()

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> NfcpyCard | None:
        """Look for a card until one is activated; a stop turns the field off.

        Raises SeveralCardsError as soon as more than one is there.
        """
        deadline = monotonic() + timeout_s
        first, last = _B, _A
        while not stop.is_set():
            others = self._look(first)
            targets = self._look(last)
            if len(others) + len(targets) > 1:
                self._turn_off()
                raise SeveralCardsError(f"{self._address}: more than one card is in the field")
            card = self._activate(targets[0], stop) if targets else None
            if card is not None:
                return card
            if others:
                first, last = last, first
            if monotonic() >= deadline + (_LAST_ROUND_S if others else 0.0):
                return None
        self._turn_off()
        return None

    def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
        """Look, with the field off in between, until no card answers twice."""
        deadline = monotonic() + timeout_s
        misses = 0
        while not stop.is_set():
            self._turn_off()
            stop.wait(_FIELD_OFF_S)
            misses = misses + 1 if not self._look(_A) and not self._look(_B) else 0
            if misses == 2 or monotonic() >= deadline:
                self._turn_off()
                return misses == 2
        return False

    def _look(self, technology: str) -> list[Any]:
        """Return nfcpy's targets of one type, two where there are several; one alone can be activated."""
        with self.using() as device:
            return self._targets(device, technology)

    def _targets(self, device: Any, technology: str) -> list[Any]:
        target = self._sense(device, technology)
        return [] if target is None else [target]

    def _sense(self, device: Any, technology: str) -> Any:
        """Return a card of one type that is not halted, ready to be activated; None where there is none."""
        sense = device.sense_tta if technology == _A else device.sense_ttb
        try:
            return sense(nfc.clf.RemoteTarget(f"106{technology}"))
        except (nfc.clf.CommunicationError, *CHIP):
            return None  # Noise: nothing that can be used.

    def _activate(self, target: Any, stop: Event) -> NfcpyCard | None:
        """Return the card, or None if it is no payment card or has left again already."""
        if _speaks_iso_dep(target):
            with contextlib.suppress(CardLostError, TransmissionError), self.using() as device:
                protocol = self._protocol(device, target)
                protocol.activate()
                stop.wait(protocol.guard_s)
                return NfcpyCard(self, protocol)
        self._turn_off()
        stop.wait(_FIELD_OFF_S)
        return None

    def _protocol(self, device: Any, target: Any) -> IsoDep:
        return IsoDep(
            device,
            target,
            largest_in=device.get_max_recv_data_size(target),
            largest_out=device.get_max_send_data_size(target),
        )

    def _listed(self) -> Sequence[CardInField]:
        """Start the field afresh and list every card; one that was activated is lost by it.

        Each card that was found is halted, so that the next look finds another.
        """
        found: list[CardInField] = []
        with self.using() as device:
            device.mute()
            for technology in (_A, _B):
                while len(found) < _MOST_CARDS and (card := self._next_card(device, technology)):
                    found.append(card)
            device.mute()
        return found

    def _next_card(self, device: Any, technology: str) -> CardInField | None:
        """Find a card that is not halted, and halt it."""
        target = self._sense(device, technology)
        if target is None:
            return None
        if _speaks_iso_dep(target):
            protocol = self._protocol(device, target)
            with contextlib.suppress(nfc.clf.CommunicationError, TransmissionError):
                protocol.activate()
                protocol.deselect()
                return protocol.describe()
        if target.sensb_res:
            return describe_b(bytes(target.sensb_res), {})
        with contextlib.suppress(nfc.clf.CommunicationError, *CHIP):
            device.send_cmd_recv_rsp(target, _HLTA, _HLTA_TIMEOUT_S)  # A card that obeys is silent.
        return describe_a(target, b"", {})

    def _turn_off(self) -> None:
        with self.using() as device:
            device.mute()

    def _unavailable(self, error: BaseException) -> DeviceUnavailableError:
        """Say why the device can't be used, and what cures it."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what nfcpy raises into what the seam promises."""
        address = self._address
        try:
            yield
        except Type4TagCommandError as error:
            if error.errno == nfc.tag.TIMEOUT_ERROR:
                raise CardLostError(f"{address}: the card has left the field") from error
            raise TransmissionError(f"{address}: the card broke the block protocol") from error
        except (nfc.clf.TimeoutError, nfc.clf.BrokenLinkError) as error:
            raise CardLostError(f"{address}: the card has left the field") from error
        except (nfc.clf.Error, *CHIP) as error:
            raise TransmissionError(f"{address}: {error or type(error).__name__}") from error
        except LINE as error:
            cause = _line_fault(error)
            if cause is None:
                raise TransmissionError(f"{address}: the chip's answer arrived broken") from error
            raise self._unavailable(cause) from error
        except BROKEN as error:
            raise TransmissionError(f"{address}: the chip sent a broken frame") from error

    def _broken(self) -> DeviceUnavailableError:
        """What a chip is that answers a plain question with nonsense."""
        return self._unavailable(OSError(errno.ETIMEDOUT, "no sensible answer"))

    def _end(self) -> None:
        device, self._device = self._device, None
        if device is None:
            return
        transport = getattr(getattr(device, "chipset", None), "transport", None)
        with contextlib.suppress(*LINE, *CHIP, *BROKEN, nfc.clf.Error):
            device.close()
        if transport is not None:
            shut(transport)


def shut(transport: Any) -> None:
    """Give a line back. nfcpy flushes a serial line first, which one that was unplugged refuses."""
    with contextlib.suppress(*LINE, *BROKEN):
        transport.close()
    if (tty := getattr(transport, "tty", None)) is not None:
        with contextlib.suppress(*LINE, *BROKEN):
            tty.close()


def _speaks_iso_dep(target: Any) -> bool:
    if target.sensb_res:
        return True
    return bool(target.sel_res) and bool(target.sel_res[0] & _SAYS_ISO_DEP)


def _line_fault(error: BaseException) -> BaseException | None:
    """Tell a dead line from a wrong checksum (None): nfcpy raises EIO for both; the first has a context."""
    if isinstance(error, OSError) and error.errno == errno.EIO and type(error) is OSError:
        return error.__context__
    return error
