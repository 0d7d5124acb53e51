"""A Visa-like contactless application: PPSE, SELECT, GPO with a PDOL, READ RECORD.

Theory of operation: a small state machine over raw APDUs. SELECT of the PPSE or of the application
moves between two states, GPO ends a transaction with a cryptogram and raises the counter by one,
READ RECORD gives what the file locator lists. Everything unexpected gets the status word that
ISO/IEC 7816-4 names for it. Which cryptogram the card gives is decided by its personality and the
terminal's qualifiers (tag 9F66), never by the terminal's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from simulators import scheme
from simulators.cards import ber
from simulators.cards.ber import tlv
from simulators.cards.card import atr_from_ats
from simulators.scheme import CryptogramKind

PPSE = b"2PAY.SYS.DDF01"
VISA_AID = bytes.fromhex("A0000000031010")
DEFAULT_PDOL = bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704")
DEFAULT_ATS = bytes.fromhex("0878807000") + b"TSC"
"""TL, T0 (FSCI 8, TA TB TC follow), TA (106 kbit/s only), TB (FWI 7, SFGI 0), TC (no CID), historical."""

OK = b"\x90\x00"
WRONG_LENGTH = b"\x67\x00"
NOT_SATISFIED = b"\x69\x85"
WRONG_DATA = b"\x6a\x80"
FILE_NOT_FOUND = b"\x6a\x82"
RECORD_NOT_FOUND = b"\x6a\x83"
WRONG_P1_P2 = b"\x6a\x86"
WRONG_INS = b"\x6d\x00"
WRONG_CLA = b"\x6e\x00"


class Cvm(Enum):
    """How the card wants its holder checked when the terminal says that it must be."""

    NONE = "none"
    SIGNATURE = "signature"
    ONLINE_PIN = "online-pin"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Personality:
    """What a profile says of a card. Card data is made up; it is kept out of the repr all the same.

    Attributes:
        declines: The card answers every transaction with an AAC.
        records: The card points to a record (AFL) beside the GPO answer.
        cryptogram_version: 10, 17 or 18.
        cvm: In order of preference.
    """

    pan: str = field(repr=False)
    expiry: str = "3112"
    service_code: str = "201"
    sequence_number: str = "01"
    label: str = "VISA CREDIT"
    aid: bytes = VISA_AID
    pdol: bytes = DEFAULT_PDOL
    ats: bytes = DEFAULT_ATS
    country: str = "0276"
    cryptogram_version: int = 10
    declines: bool = False
    records: bool = True
    cvm: tuple[Cvm, ...] = (Cvm.ONLINE_PIN, Cvm.SIGNATURE)
    form_factor: bytes = bytes.fromhex("20700000")


class _State(Enum):
    IDLE = "idle"
    PPSE_SELECTED = "PPSE selected"
    SELECTED = "application selected"
    DONE = "cryptogram given"


@dataclass(frozen=True, slots=True)
class _Command:
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes


def _split(capdu: bytes) -> _Command | None:
    """Take a short C-APDU apart; None if its length and Lc contradict each other.

    Spec: ISO/IEC 7816-4, 5.1 (short length fields).
    """
    if len(capdu) < 4:
        return None
    cla, ins, p1, p2 = capdu[:4]
    if len(capdu) <= 5:
        return _Command(cla, ins, p1, p2, b"")
    lc = capdu[4]
    if lc == 0 or len(capdu) not in (5 + lc, 6 + lc):
        return None
    return _Command(cla, ins, p1, p2, capdu[5 : 5 + lc])


class VisaCard:
    """One card. The transaction counter lives as long as the object."""

    def __init__(self, personality: Personality) -> None:
        self._me = personality
        self._state = _State.IDLE
        self._counter = 0

    @property
    def atr(self) -> bytes:
        """The ATR that a PC/SC reader builds."""
        return atr_from_ats(self._me.ats)

    @property
    def ats(self) -> bytes:
        """The ATS, length byte included."""
        return self._me.ats

    @property
    def counter(self) -> int:
        """The application transaction counter (tag 9F36)."""
        return self._counter

    def power_on(self) -> None:
        """Forget the session."""
        self._state = _State.IDLE

    def transmit(self, capdu: bytes) -> bytes:
        """Answer one C-APDU."""
        command = _split(capdu)
        if command is None:
            return WRONG_LENGTH
        if command.cla not in (0x00, 0x80):
            return WRONG_CLA
        handler = {(0x00, 0xA4): self._select, (0x80, 0xA8): self._gpo, (0x00, 0xB2): self._read}.get(
            (command.cla, command.ins)
        )
        return handler(command) if handler else WRONG_INS

    def _select(self, command: _Command) -> bytes:
        if (command.p1, command.p2) not in ((0x04, 0x00), (0x04, 0x02)):
            return WRONG_P1_P2
        if command.p2 == 0x02 or not command.data:
            return FILE_NOT_FOUND
        if command.data == PPSE:
            self._state = _State.PPSE_SELECTED
            return self._ppse_fci() + OK
        if len(command.data) >= 5 and self._me.aid.startswith(command.data):
            self._state = _State.SELECTED
            return self._application_fci() + OK
        return FILE_NOT_FOUND

    def _ppse_fci(self) -> bytes:
        entry = tlv("61", tlv("4F", self._me.aid), tlv("50", self._me.label.encode()), tlv("87", b"\x01"))
        return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", entry)))

    def _application_fci(self) -> bytes:
        proprietary = [tlv("50", self._me.label.encode())]
        if self._me.pdol:
            proprietary.append(tlv("9F38", self._me.pdol))
        proprietary += [
            tlv("5F2D", b"en"),
            tlv("BF0C", tlv("9F5A", bytes.fromhex("310978" + self._me.country))),
        ]
        return tlv("6F", tlv("84", self._me.aid), tlv("A5", *proprietary))

    def _gpo(self, command: _Command) -> bytes:
        if self._state is not _State.SELECTED:
            return NOT_SATISFIED
        if (command.p1, command.p2) != (0x00, 0x00):
            return WRONG_P1_P2
        sent = self._sent_by_terminal(command.data)
        if sent is None:
            return WRONG_DATA
        qualifiers = sent.get("9F66", bytes(4))
        if self._me.pdol and not qualifiers[0] & 0x20:
            return NOT_SATISFIED  # The terminal does not speak the contactless chip protocol.
        self._state = _State.DONE
        self._counter += 1
        return self._answer(sent, qualifiers) + OK

    def _sent_by_terminal(self, data: bytes) -> dict[str, bytes] | None:
        try:
            [(tag, value)] = ber.objects(data)
            return ber.split_by_dol(self._me.pdol, value) if tag == "83" else None
        except ValueError:
            return None

    def _answer(self, sent: Mapping[str, bytes], qualifiers: bytes) -> bytes:
        transaction_qualifiers = self._card_qualifiers(qualifiers)
        declines = self._me.declines or transaction_qualifiers is None
        kind = CryptogramKind.AAC if declines else CryptogramKind.ARQC
        values = self._cryptogram_input(sent, kind)
        objects = [tlv("82", values["82"])]
        if self._me.records:
            objects.append(tlv("94", bytes.fromhex("10010100")))
        objects += [
            tlv("57", self._track2()),
            tlv("5F34", bytes.fromhex(self._me.sequence_number)),
            tlv("9F10", values["9F10"]),
            tlv("9F26", scheme.cryptogram(self._me.pan, self._me.sequence_number, values)),
            tlv("9F27", bytes([kind.value])),
            tlv("9F36", values["9F36"]),
            tlv("9F6C", transaction_qualifiers or b"\x00\x00"),
            tlv("9F6E", self._me.form_factor),
        ]
        return tlv("77", *objects)

    def _cryptogram_input(self, sent: Mapping[str, bytes], kind: CryptogramKind) -> dict[str, bytes]:
        # A value that the list does not ask for is zero on both sides.
        values = {"9F03": bytes(6), "9F1A": bytes(2), "95": bytes(5), "9A": bytes(3), "9C": bytes(1)}
        values |= {"9F02": bytes(6), "5F2A": bytes(2), "9F37": bytes(4), **sent}
        values["82"] = bytes(2)
        values["9F36"] = self._counter.to_bytes(2, "big")
        values["9F10"] = scheme.issuer_application_data(self._me.cryptogram_version, kind)
        return values

    def _card_qualifiers(self, qualifiers: bytes) -> bytes | None:
        """Return the CTQ (9F6C); None when the holder must be checked in a way we don't have.

        TTQ byte 2 bit 7: holder check required. Byte 1 bit 3: online PIN, bit 2: signature;
        byte 3 bit 7: on the holder's own device. CTQ byte 1 bit 8: online PIN, bit 7: signature;
        byte 2 bit 8: done on the device.
        """
        if not qualifiers[1] & 0x40:
            return b"\x00\x80" if Cvm.DEVICE in self._me.cvm else b"\x00\x00"
        offered = {
            Cvm.DEVICE: (qualifiers[2] & 0x40, b"\x00\x80"),
            Cvm.ONLINE_PIN: (qualifiers[0] & 0x04, b"\x80\x00"),
            Cvm.SIGNATURE: (qualifiers[0] & 0x02, b"\x40\x00"),
            Cvm.NONE: (1, b"\x00\x00"),
        }
        return next((ctq for accepted, ctq in map(offered.__getitem__, self._me.cvm) if accepted), None)

    def _track2(self) -> bytes:
        digits = f"{self._me.pan}D{self._me.expiry}{self._me.service_code}00000000000"
        return bytes.fromhex(digits + "F" * (len(digits) % 2))

    def _read(self, command: _Command) -> bytes:
        if self._state is not _State.DONE:
            return NOT_SATISFIED
        if command.p2 & 0x07 != 0x04:
            return WRONG_P1_P2
        if not self._me.records or command.p2 >> 3 != 2:
            return FILE_NOT_FOUND
        if command.p1 != 1:
            return RECORD_NOT_FOUND
        country = tlv("5F28", bytes.fromhex(self._me.country))
        return tlv("70", tlv("5F24", bytes.fromhex(self._me.expiry + "31")), country) + OK
