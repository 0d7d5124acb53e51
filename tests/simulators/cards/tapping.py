"""A terminal's hand: a whole tap in raw commands, written out, without the terminal's own code."""

import hashlib
from dataclasses import dataclass, field

from simulators.cards import ber
from simulators.cards.card import SimulatedCard
from tests.simulators.scheme.book2 import Key, certified, opened

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
TERMINAL = {
    "9F66": "27004000",
    "9F02": "000000001250",
    "9F03": "000000000000",
    "9F1A": "0276",
    "95": "0000000000",
    "5F2A": "0978",
    "9A": "260131",
    "9C": "00",
    "9F37": "0BADCAFE",
    "9F34": "1F0302",
    "9F35": "22",
}
TC, ARQC, CDA = 0x40, 0x80, 0x10


class Torn(Exception):
    """The card has left."""


@dataclass
class Tap:
    """What was said in one tap."""

    values: dict[str, bytes] = field(default_factory=dict)
    fci: dict[str, bytes] = field(default_factory=dict)
    options: bytes = b""
    static: bytes = b""
    pdol_data: bytes = b""
    cdol_data: bytes = b""
    answer: bytes = b""
    commands: list[bytes] = field(default_factory=list)

    @property
    def record(self) -> bytes:
        """The data record for the issuer."""
        return b"".join(ber.tlv(tag, value) for tag, value in self.values.items())


def send(card: SimulatedCard, tap: Tap, capdu: str | bytes) -> bytes:
    """Send a command, follow 61xx and 6Cxx, and return the answer, which must be a good one."""
    command = bytes.fromhex(capdu) if isinstance(capdu, str) else capdu
    tap.commands.append(command)
    rapdu = card.transmit(command)
    if rapdu is None:
        raise Torn
    if rapdu[0] == 0x61 and len(rapdu) == 2:
        return send(card, tap, b"\x00\xc0\x00\x00" + rapdu[1:])
    if rapdu[0] == 0x6C and len(rapdu) == 2:
        return send(card, tap, command[:-1] + rapdu[1:])
    assert rapdu[-2:] == b"\x90\x00", rapdu.hex()
    return rapdu[:-2]


def filled(dol: bytes, values: dict[str, bytes]) -> bytes:
    """Return what a list asks for; zeroes where there is nothing."""
    out, at = b"", 0
    while at < len(dol):
        size = 2 if dol[at] & 0x1F == 0x1F else 1
        tag, length = dol[at : at + size].hex().upper(), dol[at + size]
        out += values.get(tag, b"").rjust(length, b"\x00")[-length:]
        at += size + 1
    return out


def command(header: str, data: bytes) -> bytes:
    """Return a command with data."""
    return bytes.fromhex(header) + bytes([len(data)]) + data + b"\x00"


def begin(card: SimulatedCard, changes: dict[str, str] | None = None) -> Tap:
    """Tap up to the records: directory, its first application, options, records."""
    tap = Tap()
    terminal = {tag: bytes.fromhex(value) for tag, value in (TERMINAL | (changes or {})).items()}
    card.power_on()
    directory = list(ber.objects(send(card, tap, SELECT_PPSE)))
    aid = next(value for tag, value in directory if tag == "4F")
    tap.fci = dict(ber.objects(send(card, tap, command("00A40400", aid))))
    pdol = tap.fci.get("9F38", b"")
    tap.pdol_data = filled(pdol, terminal)
    tap.options = send(card, tap, command("80A80000", ber.tlv("83", tap.pdol_data)))
    tap.values = terminal | {"84": aid} | dict(ber.objects(tap.options))
    locator = tap.values.get("94", b"")
    for sfi, first, last, signed in (locator[at : at + 4] for at in range(0, len(locator), 4)):
        for number in range(first, last + 1):
            record = send(card, tap, bytes([0x00, 0xB2, number, sfi | 0x04, 0x00]))
            [(tag, content)] = ber.siblings(record)
            assert tag == "70"
            tap.values |= dict(ber.objects(content))
            if number < first + signed:
                tap.static += content
    return tap


def tapped(card: SimulatedCard, asks: int = TC | CDA, changes: dict[str, str] | None = None) -> Tap:
    """Tap to the end: with GENERATE AC where the card has a list for it."""
    tap = begin(card, changes)
    if "8C" in tap.values:
        generate_ac(card, tap, asks)
    return tap


def generate_ac(card: SimulatedCard, tap: Tap, asks: int) -> None:
    """Ask for a cryptogram."""
    tap.cdol_data = filled(tap.values["8C"], tap.values)
    tap.answer = send(card, tap, command(f"80AE{asks:02X}00", tap.cdol_data))
    tap.values |= dict(ber.objects(tap.answer))


def issuer_key(tap: Tap, ca: Key) -> Key:
    """Return the issuer's key out of its certificate."""
    return certified(ca, tap.values["90"], tap.values.get("92", b""), tap.values["9F32"])


def card_key(tap: Tap, ca: Key) -> Key:
    """Return the card's key out of its certificates."""
    got = tap.values
    static = tap.static + (got["82"] if "9F4A" in got else b"")
    return certified(issuer_key(tap, ca), got["9F46"], got.get("9F48", b""), got["9F47"], static)


def combined(tap: Tap, key: Key) -> bytes:
    """Check CDA, put the cryptogram among the values, and return the dynamic data.

    What is signed is the answer to GENERATE AC, or where there was none that with the options.
    """
    content = opened(key, tap.values["9F4B"], tap.values["9F37"])
    dynamic = content[3 : 3 + content[2]]
    at = 1 + dynamic[0]
    assert dynamic[at : at + 1] == tap.values["9F27"]
    tap.values["9F26"] = dynamic[at + 1 : at + 9]
    answer = dict(ber.siblings(tap.answer or tap.options))["77"]
    rest = [(tag, value) for tag, value in ber.siblings(answer) if tag != "9F4B"]
    sent = tap.pdol_data + tap.cdol_data + b"".join(ber.tlv(tag, value) for tag, value in rest)
    assert hashlib.sha1(sent, usedforsecurity=False).digest() == dynamic[at + 9 : at + 29]
    return dynamic


def fast(tap: Tap, key: Key) -> bytes:
    """Check fast DDA; return what was signed."""
    related = tap.values["9F69"]
    beside = tap.values["9F37"]
    if related[0] == 1:
        beside += tap.values["9F02"] + tap.values["5F2A"] + related
    return opened(key, tap.values["9F4B"], beside)
