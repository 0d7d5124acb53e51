"""What the firmware of an ACS reader does in front of the card: it takes some commands for itself.

Theory of operation: hold one of these to a `VirtualCard`, in a virtual reader that has the real one's
name. What the daemon sends on the card's way is offered to `pseudo` first; None means that it is
for the card. `escape` is the other way in, the CCID escape, which the virtual reader's driver does not
have: a test calls it. The state of lights, buzzer, field and settings is there to be looked at. While
the field is off, no card is seen.

Sources: ACS, ACR122U API 2.04; ACS, ACM1252U-Y3 reference manual 1.03; NXP UM0701-02 for the PN532.
Nothing of it is shared with the driver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simulators.cards.card import SimulatedCard

OK = b"\x90\x00"
FAILED = b"\x63\x00"
NOT_SUPPORTED = b"\x6a\x81"
UID = bytes.fromhex("08A1B2C3")
"""Begins with 08, as a UID that is drawn anew each time; this one stays."""


class Firmware(Protocol):
    """A reader in front of its card."""

    @property
    def field_on(self) -> bool:
        """Whether a card can be seen."""
        ...

    def pseudo(self, command: bytes, card: SimulatedCard | None) -> bytes | None:
        """Answer a command that came on the card's way; None if it is for the card."""
        ...

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the field was switched; return what ends that."""
        ...


class _Reader:
    """What both have."""

    def __init__(self) -> None:
        self.lights = {"red": False, "green": False}
        self.beeps: list[float] = []
        """How long the buzzer sounded each time, in seconds."""
        self._field_on = True
        self._listeners: list[Callable[[], None]] = []

    @property
    def field_on(self) -> bool:
        """Whether the field is on."""
        return self._field_on

    @field_on.setter
    def field_on(self, on: bool) -> None:
        self._field_on = on
        for listener in tuple(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the field was switched; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _indicate(self, control: int, data: bytes) -> bytes:
        """The command FF 00 40: blink and sound, then show the final state."""
        if len(data) != 4:
            return FAILED
        first, second, repetitions, buzzer = data
        for _ in range(repetitions):
            self.beeps += [first / 10] * (buzzer & 1) + [second / 10] * (buzzer >> 1 & 1)
        for bit, name in enumerate(self.lights):
            if control >> 2 + bit & 1:
                self.lights[name] = bool(control >> bit & 1)
        return bytes([0x90, self._lights_byte()])

    def _lights_byte(self) -> int:
        return sum(on << bit for bit, on in enumerate(self.lights.values()))

    @staticmethod
    def _get_data(kind: int, card: SimulatedCard | None) -> bytes:
        if card is None:
            return FAILED
        if kind == 0:
            return UID + OK
        return card.ats + OK if kind == 1 and card.ats else NOT_SUPPORTED


class Acr122Firmware(_Reader):
    """An ACR122U and the PN532 behind it.

    Args:
        version: The firmware's string.
    """

    NAME = "ACS ACR122U PICC Interface"
    """What the daemon calls it."""

    def __init__(self, version: str = "ACR122U203") -> None:
        super().__init__()
        self._version = version
        self.broken: set[str] = set()
        """Which of ``ROM``, ``RAM`` and ``antenna`` fail in the chip's self-test."""
        self.picc_parameter = 0xFF
        self.buzzer_at_card = True
        self.time_limit = 0

    def pseudo(self, command: bytes, card: SimulatedCard | None) -> bytes | None:
        """Take commands of class FF."""
        if command[:1] != b"\xff":
            return None
        return self.escape(command, card)

    def escape(self, command: bytes, card: SimulatedCard | None = None) -> bytes:
        """Answer a pseudo-APDU, however it came."""
        if len(command) < 5:
            return FAILED
        code, parameter, data = command[2], command[3], command[5:]
        if command[1] == 0xCA:
            return self._get_data(code, card)
        if command[1] != 0x00:
            return NOT_SUPPORTED
        if code == 0x00:
            return self._direct(data)
        if code == 0x40:
            return self._indicate(parameter, data)
        if code == 0x48:
            return self._version.encode()
        if code in (0x50, 0x51):
            if code == 0x51:
                self.picc_parameter = parameter
            return bytes([0x90, self.picc_parameter])
        if code == 0x52 and parameter in (0x00, 0xFF):
            self.buzzer_at_card = parameter == 0xFF
            return OK
        if code == 0x41:
            self.time_limit = parameter
            return OK
        return FAILED

    def _direct(self, frame: bytes) -> bytes:
        """Hand a frame to the PN532; its answer comes with 90 00 behind it."""
        if len(frame) < 2 or frame[0] != 0xD4:
            return FAILED
        answer = self._chip(frame[1], frame[2:])
        return FAILED if answer is None else bytes([0xD5, frame[1] + 1]) + answer + OK

    def _chip(self, code: int, data: bytes) -> bytes | None:
        if code == 0x02:
            return bytes.fromhex("32010607")
        if code == 0x00 and data:
            return self._diagnose(data[0], data)
        if code == 0x32 and len(data) == 2 and data[0] == 0x01:
            self.field_on = bool(data[1] & 1)
            return b""
        return None

    def _diagnose(self, test: int, data: bytes) -> bytes | None:
        if test == 0x00:
            return data
        if test in (0x01, 0x02):
            return b"\xff" if {1: "ROM", 2: "RAM"}[test] in self.broken else b"\0"
        if test == 0x07 and len(data) == 2:
            return b"\x80" if "antenna" in self.broken else b"\0"
        return None


class Acr1252Firmware(_Reader):
    """An ACR1252U: escape commands, and some of the ACR122U's pseudo-APDUs."""

    NAME = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC]"
    """What the daemon calls it."""

    def __init__(self, version: str = "ACR1252U_V206.4", serial_number: str = "RR123-456789") -> None:
        super().__init__()
        self._version = version
        self._serial_number = serial_number
        self.settings = {0x20: 0x1F, 0x21: 0x7F, 0x23: 0x8B}
        """PICC operating parameter, behaviour of lights and buzzer, automatic polling: by their codes."""
        self._session = False

    def pseudo(self, command: bytes, card: SimulatedCard | None) -> bytes | None:
        """Take commands of class FF. An escape command is none here: it goes to the card."""
        if command[:1] != b"\xff" or len(command) < 5:
            return None
        code, parameter, data = command[2], command[3], command[5:]
        if command[1] == 0xCA:
            return self._get_data(code, card)
        if command[1] == 0xC2:
            return self._manage_session(data)
        if command[1:3] == b"\x00\x40":
            return self._indicate(parameter, data)
        if command[1:3] == b"\x00\x48":
            return self._version.encode()
        return NOT_SUPPORTED

    def escape(self, command: bytes) -> bytes:
        """Answer what came as a CCID escape: E0 00 00 code length data, or a pseudo-APDU."""
        if command[:1] == b"\xff":
            return self.pseudo(command, None) or FAILED
        if command[:3] != b"\xe0\x00\x00" or len(command) < 5 or len(command) != 5 + command[4]:
            return FAILED
        answer = self._setting(command[3], command[5:])
        return FAILED if answer is None else b"\xe1\x00\x00\x00" + bytes([len(answer)]) + answer

    def _setting(self, code: int, data: bytes) -> bytes | None:
        if code == 0x18:
            return self._version.encode()
        if code == 0x33:
            return self._serial_number.encode()
        if code == 0x28 and len(data) == 1:
            self.beeps.append(data[0] / 100)
            return data
        if code == 0x29:
            if data:
                self.lights = {"red": bool(data[0] & 1), "green": bool(data[0] & 2)}
            return bytes([self._lights_byte()])
        if code in self.settings:
            if data:
                self.settings[code] = data[0]
            return bytes([self.settings[code]])
        return None

    def _manage_session(self, data: bytes) -> bytes:
        """A transparent session's objects: 81 begin, 82 end, 83 field off, 84 field on."""
        allowed = data in (b"\x81\x00", b"\x82\x00") or (self._session and data in (b"\x83\x00", b"\x84\x00"))
        if not allowed:
            return bytes.fromhex("C003016A81") + OK
        self._session = data[0] != 0x82
        if data[0] in (0x83, 0x84):
            self.field_on = data[0] == 0x84
        return bytes.fromhex("C003009000") + OK
