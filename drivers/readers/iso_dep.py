"""Activation of an ISO/IEC 14443-4 card, and its block protocol by nfcpy under a deadline.

nfcpy's `IsoDepInitiator` does the blocks: numbers, chaining in both directions, waiting time
extensions, and after a time-out R(NAK), at most five times. R(NAK) asks the card to repeat its
answer; a command goes out a second time only where the card itself says that it never got it.
What nfcpy lacks is added here: the ATS read as the standard writes it, and a deadline for the whole
exchange, since a card that asks for more time, or acknowledges, without end would be served forever.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
from nfc.tag.tt4 import IsoDepInitiator  # type: ignore[import-untyped]

from drivers.errors import DeviceTimeoutError, TransmissionError

CARRIER_HZ = 13.56e6
_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_RATS = b"\xe0\x80"
"""Request for answer to select: frames of 256 bytes to the reader, card identifier 0."""

# The frame waiting time for the answer to select is 4.8 ms; slow phones have been seen to need more.
_RATS_TIMEOUT_S = 0.03
_DESELECT = b"\xc2"
_DESELECT_TIMEOUT_S = 0.01


@dataclass(frozen=True, slots=True)
class AnswerToSelect:
    """What an ATS says about the protocol: frame size in bytes, times in seconds."""

    frame_size: int = 32
    frame_waiting_s: float = 4096 * 2**4 / CARRIER_HZ
    guard_s: float = 0.0


def parse_ats(ats: bytes) -> AnswerToSelect:
    """Read an ATS; what it leaves out or sets to a reserved value has the standard's default.

    Spec: ISO/IEC 14443-4, 5.2.
    """
    if not ats or ats[0] != len(ats):
        raise TransmissionError("answer to select of a wrong length")
    if len(ats) == 1:
        return AnswerToSelect()
    interface = list(ats[2:])
    frame_size = _FRAME_SIZES[min(ats[1] & 0x0F, 8)]
    if ats[1] & 0x10 and interface:
        interface.pop(0)
    if not ats[1] & 0x20:
        return AnswerToSelect(frame_size)
    if not interface:
        raise TransmissionError("answer to select cut off")
    waiting, guard = interface[0] >> 4, interface[0] & 0x0F
    return AnswerToSelect(
        frame_size,
        4096 * 2 ** (waiting if waiting < 15 else 4) / CARRIER_HZ,
        4096 * 2**guard / CARRIER_HZ if 0 < guard < 15 else 0.0,
    )


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
    """The protocol with one card, from activation to deselection."""

    def __init__(self, device: Any, target: Any) -> None:
        self._link = Link(device, target)
        self._protocol: Any = None
        self.ats = b""
        self.guard_s = 0.0

    def activate(self) -> None:
        """Ask for the ATS; the caller must wait `guard_s` before the first exchange."""
        self.ats = bytes(self._link.exchange(_RATS, _RATS_TIMEOUT_S))
        answer = parse_ats(self.ats)
        self.guard_s = answer.guard_s
        self._protocol = IsoDepInitiator(self._link, answer.frame_size, answer.frame_waiting_s)

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
