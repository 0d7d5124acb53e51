"""Activation of an ISO/IEC 14443-4 card, and its block protocol by nfcpy under a deadline.

nfcpy's `IsoDepInitiator` does the blocks: numbers, chaining in both directions, waiting time
extensions, and after a time-out R(NAK), at most five times. R(NAK) asks the card to repeat its
answer; a command goes out a second time only where the card itself says that it never got it.
What nfcpy lacks is added here: ATS and ATQB read as the standard writes them, and a deadline for the whole
exchange, since a card that asks for more time, or acknowledges, without end would be served forever.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
from nfc.tag.tt4 import IsoDepInitiator  # type: ignore[import-untyped]

from drivers.abilities import CardInField
from drivers.errors import DeviceTimeoutError, TransmissionError
from drivers.readers.card_parameters import (
    FRAME_SIZES,
    CardParameters,
    describe_a,
    describe_b,
    parse_atqb,
    parse_ats,
)

# The frame waiting time for the answer to select is 4.8 ms; slow phones have been seen to need more.
_ACTIVATION_TIMEOUT_S = 0.03
_DESELECT = b"\xc2"
_DESELECT_TIMEOUT_S = 0.01


class Link:
    """Frames to one card. Stands in for nfcpy's frontend, of which the protocol uses this much."""

    def __init__(self, device: Any, target: Any) -> None:
        self._device = device
        self._target = target
        self.deadline: float | None = None

    def exchange(self, data: bytes, timeout: float) -> bytearray:
        """Send one frame and return the card's; never later than the deadline."""
        left_s = timeout if self.deadline is None else self.deadline - monotonic()
        if left_s <= 0:
            raise DeviceTimeoutError("the card did not answer in time")
        answer: bytearray = self._device.send_cmd_recv_rsp(self._target, data, min(timeout, left_s))
        return answer


class IsoDep:
    """The protocol with one card, from activation to deselection.

    Args:
        device: nfcpy's, or whatever has its `send_cmd_recv_rsp`.
        target: nfcpy's target, as the device found it: of type B if it has an ATQB, else of type A.
        largest_in: The longest answer that the device takes from the card, in bytes.
        largest_out: The longest frame that the device carries to it.
    """

    def __init__(self, device: Any, target: Any, *, largest_in: int = 256, largest_out: int = 256) -> None:
        self._link = Link(device, target)
        self._target = target
        self._fsdi = max(i for i, size in enumerate(FRAME_SIZES) if size <= max(largest_in, 16))
        self._largest_out = largest_out
        self._parameters = CardParameters()
        self._protocol: Any = None
        self.identification = b""

    @property
    def guard_s(self) -> float:
        """How long to wait before the first exchange."""
        return self._parameters.guard_s

    def activate(self) -> None:
        """Ask for the ATS, or attach a card of type B: the identification is the ATS then, or the ATQB.

        The caller must wait `guard_s` before the first exchange.
        """
        atqb = bytes(getattr(self._target, "sensb_res", None) or b"")
        if atqb:
            self._parameters = parse_atqb(atqb)
            # ATTRIB: default timings, our frame size, protocol ISO/IEC 14443-4, card identifier 0.
            attrib = b"\x1d" + atqb[1:5] + bytes([0x00, self._fsdi, 0x01, 0x00])
            answer = self._link.exchange(attrib, _ACTIVATION_TIMEOUT_S)
            if not answer or answer[0] & 0x0F:
                raise TransmissionError("a card of type B answered as another one")
            self.identification = atqb
        else:
            # RATS: our frame size, card identifier 0.
            ats = bytes(self._link.exchange(bytes([0xE0, self._fsdi << 4]), _ACTIVATION_TIMEOUT_S))
            self._parameters = parse_ats(ats)
            self.identification = ats
        frame_size = min(self._parameters.frame_size, self._largest_out)
        self._protocol = IsoDepInitiator(self._link, frame_size, self._parameters.frame_waiting_s)

    def describe(self) -> CardInField:
        """Say how the card was found and activated."""
        texts = self._parameters.texts(FRAME_SIZES[self._fsdi])
        if getattr(self._target, "sensb_res", None):
            return describe_b(self.identification, texts)
        return describe_a(self._target, self.identification, texts)

    def exchange(self, capdu: bytes, timeout_s: float) -> bytes:
        """Send one C-APDU and return the R-APDU."""
        self._link.deadline = monotonic() + timeout_s
        return bytes(self._protocol.exchange(capdu))

    def deselect(self) -> None:
        """Tell the card that it is done; whether it hears that does not matter."""
        self._link.deadline = None
        try:
            self._link.exchange(_DESELECT, _DESELECT_TIMEOUT_S)
        except nfc.clf.CommunicationError:
            return
