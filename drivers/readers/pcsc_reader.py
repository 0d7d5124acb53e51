"""A reader of the PC/SC daemon, and a card on it; see `drivers.readers.pcsc`."""

from __future__ import annotations

import contextlib
import re
from threading import Event
from time import monotonic

from smartcard import scard  # type: ignore[import-untyped]

from drivers.abilities import CardInField
from drivers.address import DeviceAddress
from drivers.errors import (
    CardLostError,
    DeviceError,
    DeviceUnavailableError,
    Reason,
    TransmissionError,
)
from drivers.protocols import MAX_WAIT_S, DeviceInfo
from drivers.readers import atr
from drivers.readers.pcsc_context import Context, absent

# GET DATA, which the reader answers itself (PC/SC part 3, 3.2.2.1.3).
_GET_UID = bytes.fromhex("FFCA000000")
_GET_ATS = bytes.fromhex("FFCA010000")
# What the daemon puts behind a reader's own name: interface, serial number, its number and its slot.
_NAME = re.compile(r"(?P<model>.+?)(?: \[[^\]]*\])?(?: \((?P<serial>[^)]*)\))?(?: [0-9A-F]{2} [0-9A-F]{2})?")


class PcscCard:
    """A card that this process holds exclusively until it is released."""

    def __init__(self, address: DeviceAddress, context: Context, reader: str) -> None:
        self._address = address
        self._context = context
        self._handle, self._atr = context.connect(reader)

    @property
    def identification(self) -> bytes:
        """The ATR."""
        return self._atr

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one C-APDU; PC/SC leaves the time limit to the reader."""
        rapdu = self._context.transmit(self._handle, capdu)
        if len(rapdu) < 2:
            # Some readers report a card that has just left as an empty answer.
            raise CardLostError(f"{self._address}: answer without a status word")
        return rapdu

    def describe(self) -> CardInField:
        """Return what the ATR tells, and UID and ATS where the reader gives them."""
        uid, ats = self._ask(_GET_UID), self._ask(_GET_ATS)
        protocol, details = atr.describe(self._atr, ats=ats)
        return CardInField(protocol, {**details, "UID": atr.spaced(uid)} if uid else details)

    def release(self) -> None:
        """Power the card off and let others have it."""
        self._context.disconnect(self._handle)

    def _ask(self, command: bytes) -> bytes:
        """Return the reader's answer; empty where the reader does not know the command."""
        try:
            answer = self.transceive(command, timeout_s=1.0)
        except TransmissionError:
            return b""
        return answer[:-2] if answer.endswith(b"\x90\x00") else b""


class PcscReader:
    """One reader of the daemon's list.

    Args:
        address: What it is opened by.
        context: A connection to the daemon, established.
        name: The reader's name in the daemon's list.
    """

    def __init__(self, address: DeviceAddress, context: Context, name: str) -> None:
        self._address = address
        self._context = context
        self._name = name
        self._identity: DeviceInfo | None = None

    @property
    def address(self) -> DeviceAddress:
        """The address that the reader was opened by."""
        return self._address

    def info(self) -> DeviceInfo:
        """Return what the daemon says of the reader; raises if the daemon or the reader has gone."""
        if self._name not in self._context.readers():
            raise DeviceUnavailableError(self._address, Reason.NOT_FOUND, absent())
        # A reader may be listed still while its driver can't reach it any more.
        self._context.state(self._name, scard.SCARD_STATE_UNAWARE, 0.0)
        if self._identity is not None:
            return self._identity
        try:
            self._identity = self._identify()
        except DeviceUnavailableError:
            # Another program has it to itself: it is asked again the next time.
            return self._from_name({})
        return self._identity

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

    def _identify(self) -> DeviceInfo:
        """Ask the daemon's driver. What it does not tell stays empty."""
        try:
            return self._from_name(self._context.attributes(self._name))
        except DeviceUnavailableError:
            raise
        except DeviceError:
            return self._from_name({})

    def _from_name(self, attributes: dict[str, bytes]) -> DeviceInfo:
        named = _NAME.fullmatch(self._name)
        told: tuple[str, ...] = ("vendor", "type")
        details = {name: _text(attributes[name]) for name in told if name in attributes}
        return DeviceInfo(
            name=self._name,
            model=named["model"] if named else self._name,
            firmware=_version(attributes.get("version", b"")),
            serial_number=_text(attributes.get("serial number", b"")) or (named and named["serial"]) or "",
            details=details,
        )

    def _slice(self, deadline: float) -> float:
        return max(0.0, min(MAX_WAIT_S, deadline - monotonic()))


def _text(value: bytes) -> str:
    """Return an attribute's text, without the zero at its end."""
    return "".join(char for char in value.decode("utf-8", "replace") if char.isprintable()).strip()


def _version(value: bytes) -> str:
    """Return a version: four bytes little endian, 0xMMmmbbbb; the CCID driver puts the USB release there."""
    if len(value) != 4:
        return ""
    number = int.from_bytes(value, "little")
    build = number & 0xFFFF
    return f"{number >> 24:x}.{number >> 16 & 0xFF:02x}" + (f".{build}" if build else "")
