"""Contactless readers behind the PC/SC daemon, by pyscard; scheme ``pcsc``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        blocks in the daemon, which reports a card at once; the card is
                                taken exclusively and powered on
wait_for_removal     yes        as above
transceive           yes        PC/SC has no time limit: the reader's own applies. A caller that
                                gives up closes the reader from another thread
release              yes        powers the card off, so one that stays starts afresh next time
info                 yes        asks the daemon whether the reader is still there
discover             yes        every reader that the daemon lists; none if it does not run
===================  =========  ================================================================

The target is the exact name of a reader, or a part of it that fits one reader only. An empty
target is the only reader there is; of several, the one whose name says that it is contactless;
of one reader's slots, the first.

Nothing here retries a command. After the daemon has stopped, every call raises
DeviceUnavailableError; `close` and `open` again once it runs.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from smartcard import scard  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import CardLostError, DeviceError, DeviceUnavailableError, Reason, TransmissionError
from drivers.protocols import MAX_WAIT_S, DeviceInfo
from drivers.readers.gate import Gate

_START = "sudo systemctl start pcscd" if Path("/run/systemd/system").is_dir() else "sudo pcscd"
_CONTACTLESS = re.compile(r"contactless|PICC|\bCL\b|NFC", re.IGNORECASE)
_SLOT = re.compile(r" [0-9A-F]{2}$")

# The card is gone, or answers no more: with a contactless card nobody can tell the two apart.
_CARD_LOST = {
    scard.SCARD_E_NO_SMARTCARD,
    scard.SCARD_W_REMOVED_CARD,
    scard.SCARD_W_RESET_CARD,
    scard.SCARD_W_UNPOWERED_CARD,
    scard.SCARD_W_UNRESPONSIVE_CARD,
    scard.SCARD_E_NOT_TRANSACTED,
    scard.SCARD_E_COMM_DATA_LOST,
    scard.SCARD_F_COMM_ERROR,
}
_SERVICE_DOWN = {
    scard.SCARD_E_NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED,
    # What the library says of a context whose daemon has gone.
    scard.SCARD_E_INVALID_HANDLE,
    scard.SCARD_F_INTERNAL_ERROR,
}
_NOT_FOUND = {
    scard.SCARD_E_UNKNOWN_READER,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_NO_READERS_AVAILABLE,
}


def _failure(address: DeviceAddress, code: int) -> DeviceError:
    """Return the error that stands for a PC/SC code; the hint can be typed."""
    if code in _CARD_LOST:
        return CardLostError(f"{address}: the card has left the field")
    if code in _SERVICE_DOWN:
        return DeviceUnavailableError(address, Reason.SERVICE_DOWN, _START)
    if code == scard.SCARD_E_CANCELLED:
        return DeviceUnavailableError(address, Reason.NOT_FOUND, "open it again")
    if code in _NOT_FOUND:
        return DeviceUnavailableError(address, Reason.NOT_FOUND, "pcsc_scan -r")
    if code == scard.SCARD_E_SHARING_VIOLATION:
        return DeviceUnavailableError(address, Reason.BUSY, "close the other program that uses the reader")
    if code in (scard.SCARD_W_SECURITY_VIOLATION, scard.SCARD_E_NO_ACCESS):
        hint = "sudo usermod -aG plugdev $USER, log in again, and allow org.debian.pcsc-lite.* in polkit"
        return DeviceUnavailableError(address, Reason.NO_PERMISSION, hint)
    return TransmissionError(f"{address}: {scard.SCardGetErrorMessage(code)}")


class _Context:
    """One connection to the daemon: PC/SC asks that each thread have its own."""

    def __init__(self, address: DeviceAddress) -> None:
        self._address = address
        self._handle: Any = None
        self._card: Any = None
        self._gate = Gate(address, self._end)

    def establish(self) -> None:
        with self._gate.use():
            code, self._handle = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            self._check(code)

    def close(self) -> None:
        """Let card and daemon go; a wait of another thread is woken and does it."""
        if not self._gate.close() and self._handle is not None:
            scard.SCardCancel(self._handle)

    def readers(self) -> list[str]:
        with self._gate.use():
            code, names = scard.SCardListReaders(self._handle, [])
            if code == scard.SCARD_E_NO_READERS_AVAILABLE:
                return []
            self._check(code)
            return list(names)

    def state(self, reader: str, known: int, wait_s: float) -> int:
        """Return the reader's state once it differs from the known one, or the known one after the wait."""
        with self._gate.use():
            code, states = scard.SCardGetStatusChange(self._handle, int(wait_s * 1000), [(reader, known)])
            if code == scard.SCARD_E_TIMEOUT:
                return known
            self._check(code)
        state: int = states[0][1] & ~scard.SCARD_STATE_CHANGED
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE):
            raise _failure(self._address, scard.SCARD_E_READER_UNAVAILABLE)
        return state

    def connect(self, reader: str) -> tuple[Any, int, bytes]:
        """Take the card exclusively; return its handle, its protocol and its ATR."""
        with self._gate.use():
            # pcsc-lite may block here for as long as another program holds the card.
            # The caller's deadline, not this call, decides when the reader counts as stuck.
            code, self._card, protocol = scard.SCardConnect(
                self._handle,
                reader,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if code != scard.SCARD_S_SUCCESS:
                self._card = None
                raise _failure(self._address, code)
            code, _, _, _, atr = scard.SCardStatus(self._card)
            if code != scard.SCARD_S_SUCCESS:
                self._disconnect()
                raise _failure(self._address, code)
            return self._card, protocol, bytes(atr)

    def transmit(self, card: Any, protocol: int, capdu: bytes) -> bytes:
        pci = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        with self._gate.use():
            if card != self._card:
                raise CardLostError(f"{self._address}: the card was released")
            code, rapdu = scard.SCardTransmit(card, pci, list(capdu))
            self._check(code)
            return bytes(rapdu)

    def disconnect(self, card: Any) -> None:
        with contextlib.suppress(DeviceError), self._gate.use():
            if card == self._card:
                self._disconnect()

    def _check(self, code: int) -> None:
        if code != scard.SCARD_S_SUCCESS:
            raise _failure(self._address, code)

    def _disconnect(self) -> None:
        card, self._card = self._card, None
        if card is not None:
            scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)

    def _end(self) -> None:
        self._disconnect()
        handle, self._handle = self._handle, None
        if handle is not None:
            scard.SCardReleaseContext(handle)


class PcscCard:
    """A card that this process holds exclusively until it is released."""

    def __init__(self, address: DeviceAddress, context: _Context, reader: str) -> None:
        self._address = address
        self._context = context
        self._handle, self._protocol, self._atr = context.connect(reader)

    @property
    def identification(self) -> bytes:
        """The ATR."""
        return self._atr

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU; PC/SC leaves the time limit to the reader."""
        rapdu = self._context.transmit(self._handle, self._protocol, capdu)
        if len(rapdu) < 2:
            # Some readers report a card that has just left as an empty answer.
            raise CardLostError(f"{self._address}: answer without a status word")
        return rapdu

    def release(self) -> None:
        """Power the card off and let others have it."""
        self._context.disconnect(self._handle)


class PcscReader:
    """One reader of the daemon's list."""

    def __init__(self, address: DeviceAddress) -> None:
        self._address = address
        self._context = _Context(address)
        self._name = ""

    @property
    def address(self) -> DeviceAddress:
        """The address that the reader was opened by."""
        return self._address

    def start(self) -> None:
        """Reach the daemon and find the reader."""
        try:
            self._context.establish()
            self._name = choose(self._address, self._context.readers())
        except DeviceError:
            self._context.close()
            raise

    def info(self) -> DeviceInfo:
        """Return the reader's name; raises if the daemon or the reader has gone."""
        if self._name not in self._context.readers():
            raise _failure(self._address, scard.SCARD_E_UNKNOWN_READER)
        return DeviceInfo(name=self._name)

    def close(self) -> None:
        """Let card and daemon go; a wait that hangs on another thread is woken by it."""
        self._context.close()

    def wait_for_card(self, stop: Event, *, timeout_s: float) -> PcscCard | None:
        """Wait for a card, take it exclusively and power it on."""
        deadline = monotonic() + timeout_s
        known = scard.SCARD_STATE_UNAWARE
        while not stop.is_set():
            known = self._context.state(self._name, known, self._slice(deadline))
            if known & scard.SCARD_STATE_PRESENT and not known & scard.SCARD_STATE_MUTE:
                with contextlib.suppress(CardLostError):  # It has left again already: wait on.
                    return PcscCard(self._address, self._context, self._name)
            if monotonic() >= deadline:
                return None
        return None

    def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
        """Wait until the daemon sees no card."""
        deadline = monotonic() + timeout_s
        known = scard.SCARD_STATE_UNAWARE
        while not stop.is_set():
            known = self._context.state(self._name, known, self._slice(deadline))
            if known & scard.SCARD_STATE_EMPTY:
                return True
            if monotonic() >= deadline:
                return False
        return False

    def _slice(self, deadline: float) -> float:
        return max(0.0, min(MAX_WAIT_S, deadline - monotonic()))


def choose(address: DeviceAddress, names: Sequence[str]) -> str:
    """Return the reader that the target means; see the module's text for the rule."""
    if address.target in names:
        return address.target
    fitting = [name for name in names if address.target.lower() in name.lower()]
    if len(fitting) > 1:
        fitting = [name for name in fitting if _CONTACTLESS.search(name)] or fitting
        if len({_SLOT.sub("", name) for name in fitting}) == 1:
            fitting = [min(fitting)]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(f"pcsc:{name}" for name in names)
    hint = f"write one of: {known}" if known else "attach the reader, then: pcsc_scan -r"
    raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint)


def open(address: DeviceAddress) -> PcscReader:
    """Open a reader of the PC/SC daemon."""
    reader = PcscReader(address)
    reader.start()
    return reader


def discover() -> Sequence[DeviceAddress]:
    """Return every reader that the daemon lists; nothing if it does not run."""
    context = _Context(DeviceAddress("pcsc", ""))
    try:
        context.establish()
        return tuple(DeviceAddress("pcsc", name) for name in context.readers())
    except DeviceError:
        return ()
    finally:
        context.close()
