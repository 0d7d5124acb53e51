"""The commands that ACS readers take for themselves, family by family. No I/O: a `Link` carries them.

Theory of operation: there are two sets. The ACR122U takes pseudo-APDUs, commands of class FF, which
travel like a card's or as a CCID escape; behind it is a PN532, which a direct transmit reaches. The
newer readers take escape commands, ``E0 00 00 code length data``, answered with ``E1 00 00 00 length
data``; they take some pseudo-APDUs of the ACR122U as well. A card on hand carries pseudo-APDUs even
where the daemon's driver lets no escape through: lights and buzzer then work in a tap.

============  ======  ====================  ==================  ====================================
reader        lights  field                 serial number       settings
============  ======  ====================  ==================  ====================================
ACR122U       2       the PN532's own       has none            PICC operating parameter; buzzer at
                                                                card and time limit can't be read
ACR1251U,     2       a transparent         E0 00 00 33         PICC operating parameter, automatic
ACR1252U              session of PC/SC                          polling, behaviour of lights
ACR1255U-J1   4       E0 00 00 25           E0 00 00 47         as ACR1252U
ACR1281U      2       E0 00 00 25           not asked           as ACR1252U
============  ======  ====================  ==================  ====================================

None of them has been at hand: the ACR122U and the ACR1252U are simulated from their manuals. Open:
whether the ACR122U, which looks for cards by itself, leaves its field off; whether the ACR1281U has the
field command of its sister, the ACR1255U-J1. The ACR1552U is left out: its settings mean other things.

Sources: ACS, ACR122U API 2.04; ACS, ACM1252U-Y3 reference manual 1.03 (the module of the ACR1252U),
ACR1281U-C1 API 1.08, ACR1255U-J1 reference manual 1.01; NXP UM0701-02 (PN532). Compared with nfcpy's
and libnfc's drivers for the ACR122U, and public programs for the ACR1252U and the ACR1255U-J1. The
session that switches the ACR1252U's field: PC/SC 3 amendment 1, as the manual has it, compared with a
program for Sony's RC-S660.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from drivers.abilities import TestResult
from drivers.errors import CardLostError, TransmissionError

PICC_PARAMETER = "picc-operating-parameter"
"""Which kinds of card the reader looks for; the ACR122U has its automatic polling in it too."""
POLLING = "automatic-polling"
BEHAVIOUR = "led-and-buzzer-behaviour"
BUZZER_AT_CARD = "buzzer-at-card"
"""FF: the ACR122U beeps by itself for each card; 00: it does not. Can be written only."""
TIME_LIMIT = "chip-time-limit"
"""How long the ACR122U waits for its chip, in units of 5 s; 00 and FF: without limit. Can be written only."""

_ONE_BYTE = re.compile(r"[0-9A-Fa-f]{2}")
_TENTH_S = 0.1
_LONGEST_BEEP_S = 5.0
"""The ACR122U answers only after its beep, and nobody can stop it meanwhile."""

_LINE_TEST = bytes(range(0x40, 0x60))
# Detection on; the thresholds for too little current in the middle, and for too much at the lowest.
_ANTENNA_THRESHOLD = 0x31


class Link(Protocol):
    """How commands reach the reader."""

    @property
    def holds_card(self) -> bool:
        """Whether a card is on hand, so that `pseudo` needs no escape."""
        ...

    def pseudo(self, command: bytes) -> bytes:
        """Send a pseudo-APDU: on the card's way if there is one, or else as an escape."""
        ...

    def escape(self, command: bytes) -> bytes:
        """Send an escape command."""
        ...


class Family(Protocol):
    """What a family of readers can do."""

    @property
    def model(self) -> str: ...

    @property
    def lights(self) -> Sequence[str]: ...

    def firmware(self, link: Link) -> str:
        """Return the firmware's string."""
        ...

    def serial_number(self, link: Link) -> str:
        """Return it; empty where the reader has none to tell."""
        ...

    def show(self, link: Link, lights: Mapping[str, bool]) -> None:
        """Switch these lights and leave the others."""
        ...

    def beep(self, link: Link, duration_s: float, times: int = 1) -> None:
        """Sound so often for so long, with as long a pause."""
        ...

    def set_field(self, link: Link, on: bool) -> None:
        """Switch the field."""
        ...

    def read_settings(self, link: Link) -> Mapping[str, str]:
        """Return what can be read."""
        ...

    def check_setting(self, name: str, value: str) -> None:
        """Raise ValueError for a name or a value that can't be."""
        ...

    def write_setting(self, link: Link, name: str, value: str) -> None:
        """Write one."""
        ...

    def self_test(self, link: Link) -> Sequence[TestResult]:
        """Run every test."""
        ...


class Acr122:
    """The ACR122U and what is built like it."""

    lights = ("red", "green")
    _settings = (PICC_PARAMETER, BUZZER_AT_CARD, TIME_LIMIT)

    def __init__(self, model: str) -> None:
        self.model = model

    def firmware(self, link: Link) -> str:
        """Return such as ``ACR122U203``. It comes without a status word."""
        return _text(link.pseudo(_pseudo(0x48)))

    def serial_number(self, link: Link) -> str:
        """It has none."""
        return ""

    def show(self, link: Link, lights: Mapping[str, bool]) -> None:
        """Switch lights by their bits; a light whose mask bit is clear stays as it is."""
        _indicate(link, self.lights, lights)

    def beep(self, link: Link, duration_s: float, times: int = 1) -> None:
        """Sound; the reader answers when it is over."""
        _indicate(link, self.lights, {}, duration_s, times)

    def set_field(self, link: Link, on: bool) -> None:
        """Switch the PN532's field (RFConfiguration, item 1)."""
        self.chip(link, bytes([0x32, 0x01, int(on)]))

    def read_settings(self, link: Link) -> Mapping[str, str]:
        """Return the one setting that can be read."""
        answer = link.pseudo(_pseudo(0x50))
        return {PICC_PARAMETER: f"{_state(answer):02X}"}

    def check_setting(self, name: str, value: str) -> None:
        """One byte; the buzzer has two values only."""
        _check_byte(self._settings, name, value)
        if name == BUZZER_AT_CARD and value.upper() not in ("00", "FF"):
            raise ValueError(f"{name} is 00 or FF, not {value}")

    def write_setting(self, link: Link, name: str, value: str) -> None:
        """Write it into the parameter byte P2."""
        code = {PICC_PARAMETER: 0x51, BUZZER_AT_CARD: 0x52, TIME_LIMIT: 0x41}[name]
        new = int(value, 16)
        told = _state(link.pseudo(_pseudo(code, new)))
        if name == PICC_PARAMETER and told != new:
            raise TransmissionError(f"the reader keeps {name} at {told:02X}")

    def self_test(self, link: Link) -> Sequence[TestResult]:
        """Test the way to the chip, the chip's memories and the antenna."""
        return (
            _test("reader", lambda: (True, self.firmware(link))),
            _test("chip", lambda: (True, self._chip_version(link))),
            _test("communication line", lambda: (self._diagnose(link, 0x00, _LINE_TEST) == _LINE_TEST, "")),
            _test("ROM", lambda: (self._diagnose(link, 0x01) == b"\0", "")),
            _test("RAM", lambda: (self._diagnose(link, 0x02) == b"\0", "")),
            _test(
                "antenna", lambda: (None, _antenna(self._diagnose(link, 0x07, bytes([_ANTENNA_THRESHOLD]))))
            ),
        )

    def chip(self, link: Link, command: bytes) -> bytes:
        """Send a command to the PN532 behind the reader; return its answer's data."""
        frame = b"\xd4" + command
        answer = _successful(link.pseudo(_pseudo(0x00, 0x00, frame)))
        if answer[:2] != bytes([0xD5, command[0] + 1]):
            raise TransmissionError("the chip behind the reader did not answer to the command")
        return answer[2:]

    def _chip_version(self, link: Link) -> str:
        kind, version, revision, _ = self.chip(link, b"\x02")[:4]
        return f"PN5{kind:02X} {version}.{revision}"

    def _diagnose(self, link: Link, test: int, data: bytes = b"") -> bytes:
        answer = self.chip(link, bytes([0x00, test]) + data)
        # The line test alone repeats its number before the data.
        return answer[1:] if test == 0 and answer[:1] == b"\0" else answer


@dataclass(frozen=True)
class EscapeFamily:
    """Readers that take escape commands.

    Args:
        model: Their name.
        lights: Their names, from bit 0.
        serial_command: What asks for the serial number; 0 for none.
        field_command: Whether there is a command for the field. Otherwise a transparent session does it.
        pseudo: Whether they take the ACR122U's commands too.
    """

    model: str
    lights: tuple[str, ...] = ("red", "green")
    serial_command: int = 0x33
    field_command: bool = True
    pseudo: bool = False

    _SETTINGS: ClassVar = {PICC_PARAMETER: 0x20, BEHAVIOUR: 0x21, POLLING: 0x23}

    def firmware(self, link: Link) -> str:
        """Return such as ``ACR1252U_V202.2``."""
        if self._by_card(link):
            return _text(link.pseudo(_pseudo(0x48)))
        return _text(_escape(link, 0x18))

    def serial_number(self, link: Link) -> str:
        """Return it as printable text."""
        return _text(_escape(link, self.serial_command)) if self.serial_command else ""

    def show(self, link: Link, lights: Mapping[str, bool]) -> None:
        """Switch lights; the command sets them all, so they are read first."""
        if self._by_card(link):
            _indicate(link, self.lights, lights)
            return
        state = _byte(_escape(link, 0x29))
        for name, on in lights.items():
            bit = 1 << self.lights.index(name)
            state = state | bit if on else state & ~bit
        _escape(link, 0x29, bytes([state & (1 << len(self.lights)) - 1]))

    def beep(self, link: Link, duration_s: float, times: int = 1) -> None:
        """Sound in units of 10 ms. Without a card on hand it sounds once, as long as all together."""
        if self._by_card(link):
            _indicate(link, self.lights, {}, duration_s, times)
            return
        units = round(min(duration_s * times, 2.5) * 100)
        _escape(link, 0x28, bytes([max(1, units)]))

    def set_field(self, link: Link, on: bool) -> None:
        """Switch the field."""
        if self.field_command:
            _escape(link, 0x25, bytes([int(on)]))
        elif on:
            _session(link, 0x84)
            _session(link, 0x82)
        else:
            # The reader's own polling, which would switch it on again, rests during the session.
            _session(link, 0x81)
            _session(link, 0x83)

    def read_settings(self, link: Link) -> Mapping[str, str]:
        """Return them all."""
        return {name: f"{_byte(_escape(link, code)):02X}" for name, code in self._SETTINGS.items()}

    def check_setting(self, name: str, value: str) -> None:
        """One byte each."""
        _check_byte(tuple(self._SETTINGS), name, value)

    def write_setting(self, link: Link, name: str, value: str) -> None:
        """Write it and look at what the reader made of it."""
        told = _byte(_escape(link, self._SETTINGS[name], bytes([int(value, 16)])))
        if told != int(value, 16):
            raise TransmissionError(f"the reader keeps {name} at {told:02X}")

    def self_test(self, link: Link) -> Sequence[TestResult]:
        """The family has no command for a test; what can be asked is asked."""
        return (
            _test("reader", lambda: (True, self.firmware(link))),
            _test("lights", lambda: (True, f"state {_byte(_escape(link, 0x29)):02X}")),
            _test("automatic polling", lambda: _polls(_byte(_escape(link, 0x23)))),
        )

    def _by_card(self, link: Link) -> bool:
        return self.pseudo and link.holds_card


# The first that fits the daemon's name for the reader.
_FAMILIES: tuple[tuple[str, Callable[[], Family]], ...] = (
    (r"ACR122(?!\d)", lambda: Acr122("ACR122U")),
    (r"AC[RM]1252", lambda: EscapeFamily("ACR1252U", field_command=False, pseudo=True)),
    (r"ACR1251", lambda: EscapeFamily("ACR1251U", field_command=False, pseudo=True)),
    (r"ACR1255", lambda: EscapeFamily("ACR1255U-J1", ("green", "red", "blue", "second red"), 0x47)),
    (r"ACR1281", lambda: EscapeFamily("ACR1281U", serial_command=0)),
)


def family(reader: str) -> Family | None:
    """Return the family of the reader with this name; None for a stranger."""
    for pattern, make in _FAMILIES:
        if re.search(pattern, reader):
            return make()
    return None


def _pseudo(code: int, parameter: int = 0, data: bytes = b"") -> bytes:
    """Return a pseudo-APDU. Without data its last byte is Le, with data Lc."""
    return bytes([0xFF, 0x00, code, parameter, len(data)]) + data


def _indicate(
    link: Link, names: Sequence[str], lights: Mapping[str, bool], duration_s: float = 0.0, times: int = 0
) -> None:
    """Switch lights and sound the buzzer, in one pseudo-APDU.

    P2 has the lights' final state in bits 0 and 1 and what of it counts in bits 2 and 3. The data are
    the times on and off in units of 100 ms, the repetitions, and 1 for the buzzer during the first.
    """
    parameter = 0
    for name, on in lights.items():
        bit = names.index(name)
        parameter |= int(on) << bit | 1 << bit + 2
    units = max(1, round(min(duration_s, _LONGEST_BEEP_S) / _TENTH_S)) if times else 0
    pause = units if times > 1 else 0
    _state(link.pseudo(_pseudo(0x40, parameter, bytes([units, pause, times, int(times > 0)]))))


def _session(link: Link, tag: int) -> None:
    """Send one object, without content, to the transparent session (FF C2 00 00)."""
    answer = _successful(link.pseudo(bytes([0xFF, 0xC2, 0x00, 0x00, 0x02, tag, 0x00])))
    # C0 03: which object failed, and a status word.
    if answer[:2] == b"\xc0\x03" and answer[2:5] != b"\x00\x90\x00":
        raise TransmissionError(f"the reader refused to switch its field: {answer[3:5].hex().upper()}")


def _escape(link: Link, code: int, data: bytes = b"") -> bytes:
    answer = link.escape(bytes([0xE0, 0x00, 0x00, code, len(data)]) + data)
    if len(answer) < 5 or answer[0] != 0xE1 or len(answer) < 5 + answer[4]:
        raise TransmissionError(f"the reader refused the command {code:02X}")
    return answer[5 : 5 + answer[4]]


def _successful(answer: bytes) -> bytes:
    if answer[-2:] != b"\x90\x00":
        raise TransmissionError(f"the reader answered {answer[-2:].hex().upper()}")
    return answer[:-2]


def _state(answer: bytes) -> int:
    """Return the state in an answer of two bytes, 90 and the state."""
    if len(answer) != 2 or answer[0] != 0x90:
        raise TransmissionError(f"the reader answered {answer[-2:].hex().upper()}")
    return answer[1]


def _byte(data: bytes) -> int:
    if not data:
        raise TransmissionError("the reader gave an empty answer")
    return data[0]


def _text(data: bytes) -> str:
    """Return what is printable of a string that may be filled up with zeros or followed by 90 00."""
    data = data.removesuffix(b"\x90\x00")
    text = "".join(chr(byte) for byte in data if 0x20 < byte < 0x7F)
    if not text and data.strip(b"\0\xff"):
        return data.hex().upper()
    return text


def _check_byte(names: Sequence[str], name: str, value: str) -> None:
    if name not in names:
        raise ValueError(f"no setting {name}; there are {', '.join(names)}")
    if not _ONE_BYTE.fullmatch(value):
        raise ValueError(f"{name} is one byte, two hexadecimal digits, not {value!r}")


def _polls(setting: int) -> tuple[bool, str]:
    if setting & 0x01:
        return True, f"setting {setting:02X}"
    return False, f"setting {setting:02X}: off, no card will be found; set bit 0 of {POLLING}"


def _antenna(result: bytes) -> str:
    """Return the raw bits: 80 too little current, 40 too much; 00 is an antenna in order."""
    if result == b"\0":
        return "00: connected"
    bits = _byte(result)
    meaning = [text for bit, text in ((0x80, "too little current"), (0x40, "too much current")) if bits & bit]
    return f"{bits:02X}: {' and '.join(meaning) or 'see the chip manual'}"


def _test(name: str, run: Callable[[], tuple[bool | None, str]]) -> TestResult:
    """A test that fails is a result; a reader that is gone is an error."""
    try:
        return TestResult(name, *run())
    except (TransmissionError, CardLostError) as error:
        return TestResult(name, False, str(error))
    except ValueError:
        return TestResult(name, False, "the answer is too short")
