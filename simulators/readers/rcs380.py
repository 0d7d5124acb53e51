"""A Sony RC-S380 (NFC Port-100) at the level of nfcpy's USB transport: the bytes of its bulk transfers.

There is no USB here: nfcpy's real `rcs380` driver runs on this in place of its `transport.USB`, and what
libusb and the kernel do (finding, claiming, permissions) is not simulated. `attached` of `pn533_usb`
puts it in the place of nfcpy's USB for a while.

Theory of operation: the host's frames are extended ones with a length of little endian order, acknowledged
and answered. Other than a PN53x, this chip does no anticollision by itself: the host sends every
frame of ISO/IEC 14443-3 by InCommRF, and where two cards answer differently the status says so. That
a collision of type B is reported as a checksum error is taken from how such receivers work.

Sources of the command codes and status bits: nfcpy's `rcs380` driver, the kernel's `port100` driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulators.readers.field import Field
from simulators.readers.pn533_usb import UsbWire
from simulators.readers.radio import Heard, Radio, Technology

ACK = bytes.fromhex("0000FF00FF00")
USB_IDS = (0x054C, 0x06C3)

_HEAD = bytes.fromhex("0000FFFFFF")
_NO_ERROR, _CRC_ERROR, _COLLISION, _TIMED_OUT = 0x00, 0x04, 0x08, 0x80
_FIRMWARE, _DATA_FORMAT = bytes.fromhex("1101"), bytes.fromhex("0001")
_BY_RF = {3: Technology.A, 7: Technology.B}
_TICK_S = 0.0001


def frame(body: bytes) -> bytes:
    """Return a frame around a command or an answer."""
    size = len(body).to_bytes(2, "little")
    return _HEAD + size + bytes([-sum(size) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


class Rcs380Chip:
    """The chip: bytes of the host in, frames for the host out."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._radio = Radio(field)
        self._technology: Technology | None = None
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            0x00: self._set_rf,
            0x02: lambda data: b"\x00",
            0x04: self._communicate,
            0x06: self._switch,
            0x20: lambda data: _FIRMWARE,
            0x22: lambda data: _DATA_FORMAT,
            0x2A: lambda data: b"\x00",
        }

    @property
    def field_on(self) -> bool:
        """Whether the antenna is driven."""
        return self._radio.on

    def hear(self, data: bytes) -> Iterator[bytes]:
        """Take one transfer; yield each frame that goes back. An ACK of the host ends what goes on."""
        size = int.from_bytes(data[5:7], "little")
        body = data[8 : 8 + size]
        if data[:5] != _HEAD or sum(data[5:8]) & 0xFF or len(body) != size or body[:1] != b"\xd6":
            return
        yield ACK
        handler = self._commands.get(body[1])
        if handler:
            yield frame(bytes([0xD7, body[1] + 1]) + handler(body[2:]))

    def _set_rf(self, data: bytes) -> bytes:
        self._technology = _BY_RF.get(data[1])
        return b"\x00"

    def _switch(self, data: bytes) -> bytes:
        self._radio.switch(bool(data[0]))
        return b"\x00"

    def _communicate(self, data: bytes) -> bytes:
        self._radio.switch(True)
        version = self._field.version
        sent = data[2:]
        heard = self._radio.send(sent, self._technology) if self._technology else Heard()
        if heard.data is not None:
            return bytes([_NO_ERROR, 0, 0, 0, 8]) + heard.data
        if heard.collision is not None:
            status = _COLLISION if self._technology is Technology.A else _CRC_ERROR
            return bytes([status, 0, 0, 0])
        self._field.wait_changed(version, timeout_s=int.from_bytes(data[:2], "little") * _TICK_S)
        return bytes([_TIMED_OUT, 0, 0, 0])


def rcs380(field: Field) -> UsbWire:
    """Return an RC-S380 with this field, freshly plugged in."""
    return UsbWire(Rcs380Chip(field), "SONY", "RC-S380/P")
