"""A card that decides in GET PROCESSING OPTIONS: Visa's qVSDC, and UnionPay's qPBOC, which is made like it.

Discover's D-PAS is one with another signature (`simulators.cards.discover`).

Theory of operation: GPO ends a transaction with a cryptogram and raises the counter by one, READ RECORD
gives what the file locator lists. Which cryptogram the card gives is decided by its personality and the
terminal's qualifiers (tag 9F66), never by the terminal's own code. Where the card proves itself offline
(for a TC, or for a request if the terminal asks so), it signs the terminal's unpredictable number, amount
and currency with its own qualifiers: fast DDA, tag 9F4B with 9F69.

Spec: EMV Contactless Book C-3, 5 and Annex C; Book C-7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from simulators import scheme
from simulators.cards import authentication
from simulators.cards.authentication import Authentication, Proof
from simulators.cards.ber import tlv
from simulators.cards.chip import DEFAULT_ATS, PPSE, ChipCard, Listed
from simulators.cards.commands import (
    GET_PROCESSING_OPTIONS,
    NOT_SATISFIED,
    OK,
    READ_RECORD,
    WRONG_DATA,
    WRONG_P1_P2,
    Command,
)
from simulators.cards.files import (
    Files,
    compressed,
    file_locator,
    last_day,
    read_record,
    sent_by_terminal,
    track2,
)
from simulators.scheme import CryptogramKind, application_data
from simulators.scheme.application_data import Verified
from simulators.scheme.certificates import sign_dynamic_data

__all__ = ["DEFAULT_ATS", "PPSE", "VISA_AID", "Cvm", "Personality", "VisaApplication", "VisaCard"]

VISA_AID = bytes.fromhex("A0000000031010")
DEFAULT_PDOL = bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704")


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
        expiry: YYMM.
        effective: YYMMDD, tag 5F25.
        declines: The card answers every transaction with an AAC.
        offline: The card approves by itself (TC) unless the terminal wants to go online.
        records: The card points to a record (AFL) beside the GPO answer.
        cryptogram_version: 10, 17, 18 or 34 for Visa (34 is 22 hex), 1 for UnionPay.
        cvm: In order of preference.
        verified_in_data: The issuer application data says so when the holder was checked on the device.
        qualifiers: More bits of the CTQ: what to do if authentication fails (2000: go online).
        program_id: Tag 9F5A, the programme that reader limits may name; made of currency and country
            if empty.
        transit: A phone in transit mode: it pays locked, without its holder, at readers that announce
            authentication for online requests, and refuses others.
        forged: Whoever made this card has no key of the issuer: its cryptograms are made up.
        online_format: The format byte of what is signed for an online request.
        authentication: How the card proves itself; None if it can't.
        signs_qualifiers: What is signed takes in amount, currency and CTQ (9F69 version 01).
        available_spending: Tag 9F5D, what may still be spent offline, in minor units.
        kernel_id: Tag 9F2A in the directory.
    """

    pan: str = field(repr=False)
    expiry: str = "3112"
    effective: str = "200101"
    service_code: str = "201"
    sequence_number: str = "01"
    label: str = "VISA CREDIT"
    aid: bytes = VISA_AID
    pdol: bytes = DEFAULT_PDOL
    ats: bytes = DEFAULT_ATS
    country: str = "0276"
    cryptogram_version: int = 10
    declines: bool = False
    offline: bool = False
    records: bool = True
    cvm: tuple[Cvm, ...] = (Cvm.ONLINE_PIN, Cvm.SIGNATURE)
    verified_in_data: bool = True
    qualifiers: bytes = b"\x00\x00"
    form_factor: bytes = bytes.fromhex("20700000")
    usage_control: bytes = bytes.fromhex("FF00")
    program_id: bytes = b""
    transit: bool = False
    forged: bool = False
    online_format: int = 0x95
    authentication: Authentication | None = None
    signs_qualifiers: bool = True
    available_spending: int | None = None
    kernel_id: bytes = b""
    priority: int | None = 1
    scheme: str = "visa"

    @property
    def last_day(self) -> str:
        """Tag 5F24: the last day of the month of expiry, YYMMDD."""
        return last_day(self.expiry)

    @property
    def track2(self) -> bytes:
        """Tag 57."""
        return track2(self.pan, self.expiry, self.service_code)


class VisaApplication(Listed):
    """One application. The transaction counter lives as long as the object."""

    commands = frozenset({GET_PROCESSING_OPTIONS, READ_RECORD})

    def __init__(self, personality: Personality) -> None:
        super().__init__(personality)
        self._me = personality
        self._files: Files | None = None

    def select(self) -> bytes:
        """Begin a session."""
        me = self._me
        self._files = None
        proprietary = [tlv("50", me.label.encode())]
        if me.pdol:
            proprietary.append(tlv("9F38", me.pdol))
        program = me.program_id or bytes.fromhex("310978" + me.country)
        proprietary += [tlv("5F2D", b"en"), tlv("BF0C", tlv("9F5A", program))]
        return tlv("6F", tlv("84", me.aid), tlv("A5", *proprietary))

    def answer(self, command: Command) -> bytes:
        """Answer GPO or READ RECORD."""
        return self._gpo(command) if command.name == GET_PROCESSING_OPTIONS else self._read(command)

    def _gpo(self, command: Command) -> bytes:
        if self._files is not None:
            return NOT_SATISFIED
        if command.parameters != (0x00, 0x00):
            return WRONG_P1_P2
        sent = sent_by_terminal(self._me.pdol, command.data)
        if sent is None:
            return WRONG_DATA
        qualifiers = sent.get("9F66", bytes(4))
        if self._me.pdol and not qualifiers[0] & 0x20:
            return NOT_SATISFIED  # The terminal does not speak the contactless chip protocol.
        if self._me.transit and not qualifiers[0] & 0x01:
            return NOT_SATISFIED  # A locked phone pays at gates only.
        self._counter += 1
        return self._decide(sent, qualifiers) + OK

    def _decide(self, sent: Mapping[str, bytes], qualifiers: bytes) -> bytes:
        me = self._me
        mine = self._card_qualifiers(qualifiers)
        kind = CryptogramKind.ARQC
        if me.declines or mine is None:
            kind = CryptogramKind.AAC
        elif me.offline and not qualifiers[1] & 0x80:
            kind = CryptogramKind.TC
        mine = bytes(a | b for a, b in zip(mine or b"\x00\x00", me.qualifiers, strict=True))
        asked_to_sign = kind is CryptogramKind.TC or (
            kind is CryptogramKind.ARQC and bool(qualifiers[0] & 0x01)
        )
        proof = self._proof() if asked_to_sign else None
        values = self._cryptogram_input(sent, kind, mine)
        signed = self._sign(proof, values, mine, kind) if proof else ()
        # A long signature does not fit beside the rest, and comes as a record.
        in_answer = signed[:1] if signed and len(signed[0]) <= 132 else ()
        self._files = self._records(proof, signed[len(in_answer) :])
        return self._answer(values, kind, mine, in_answer)

    def _cryptogram_input(
        self, sent: Mapping[str, bytes], kind: CryptogramKind, mine: bytes
    ) -> dict[str, bytes]:
        me = self._me
        # A value that the list does not ask for is zero on both sides.
        values = {"9F03": bytes(6), "9F1A": bytes(2), "95": bytes(5), "9A": bytes(3), "9C": bytes(1)}
        values |= {"9F02": bytes(6), "5F2A": bytes(2), "9F37": bytes(4), **sent}
        values["82"] = self._profile()
        values["9F36"] = self._counter.to_bytes(2, "big")
        seen = bool(mine[1] & 0x80) and me.verified_in_data
        verified = Verified.DEVICE if seen else Verified.NOBODY
        values["9F10"] = application_data.write(me.scheme, me.cryptogram_version, kind, verified)
        return values

    def _profile(self) -> bytes:
        """Return the AIP: dynamic data authentication or nothing."""
        return b"\x20\x00" if self._me.authentication else b"\x00\x00"

    def _answer(
        self, values: Mapping[str, bytes], kind: CryptogramKind, mine: bytes, signed: tuple[bytes, ...]
    ) -> bytes:
        me = self._me
        objects = [tlv("82", values["82"])]
        if self._files:
            objects.append(tlv("94", file_locator(self._files, self._signed_files())))
        objects += [
            tlv("57", me.track2),
            tlv("5F34", bytes.fromhex(me.sequence_number)),
            tlv("9F10", values["9F10"]),
            tlv("9F26", self._cryptogram(values)),
            tlv("9F27", bytes([kind.value])),
            tlv("9F36", values["9F36"]),
            *signed,
            tlv("9F6C", mine),
        ]
        if me.form_factor:
            objects.append(tlv("9F6E", me.form_factor))
        if me.available_spending is not None:
            objects.append(tlv("9F5D", bytes.fromhex(f"{me.available_spending:012d}")))
        return tlv("77", *objects)

    def _cryptogram(self, values: Mapping[str, bytes]) -> bytes:
        me = self._me
        if me.forged:
            return hashlib.sha256(values["9F37"] + values["9F36"]).digest()[:8]
        return scheme.cryptogram(me.pan, me.sequence_number, values, me.scheme)

    def _card_qualifiers(self, qualifiers: bytes) -> bytes | None:
        """Return the CTQ (9F6C); None when the holder must be checked in a way we don't have.

        TTQ byte 2 bit 7: holder check required. Byte 1 bit 3: online PIN, bit 2: signature;
        byte 3 bit 7: on the holder's own device. CTQ byte 1 bit 8: online PIN, bit 7: signature;
        byte 2 bit 8: done on the device.
        """
        if self._me.transit:
            return b"\x00\x00"
        if not qualifiers[1] & 0x40:
            return b"\x00\x80" if Cvm.DEVICE in self._me.cvm else b"\x00\x00"
        offered = {
            Cvm.DEVICE: (qualifiers[2] & 0x40, b"\x00\x80"),
            Cvm.ONLINE_PIN: (qualifiers[0] & 0x04, b"\x80\x00"),
            Cvm.SIGNATURE: (qualifiers[0] & 0x02, b"\x40\x00"),
            Cvm.NONE: (1, b"\x00\x00"),
        }
        return next((ctq for accepted, ctq in map(offered.__getitem__, self._me.cvm) if accepted), None)

    # Offline data authentication

    def _static_record(self) -> bytes:
        me = self._me
        return b"".join(
            (
                tlv("5A", compressed(me.pan)),
                tlv("5F24", bytes.fromhex(me.last_day)),
                tlv("5F25", bytes.fromhex(me.effective)),
                tlv("5F28", bytes.fromhex(me.country)),
                tlv("9F07", me.usage_control),
                tlv("9F4A", b"\x82"),
            )
        )

    def _proof(self) -> Proof | None:
        me = self._me
        if me.authentication is None:
            return None
        static_data = self._static_record() + self._profile()
        return authentication.prove(me.scheme, me.pan, static_data, me.authentication)

    def _sign(
        self, proof: Proof, values: Mapping[str, bytes], mine: bytes, kind: CryptogramKind
    ) -> tuple[bytes, ...]:
        """Return 9F4B and 9F69. Spec: Book C-3, Annex C."""
        version = 0x01 if self._me.signs_qualifiers else 0x00
        own_number = hashlib.sha256(self._me.pan.encode() + values["9F36"]).digest()[:4]
        related = bytes([version]) + own_number + mine
        hashed = proof.hashed(values["9F37"])
        if version:
            hashed += values["9F02"] + values["5F2A"] + related
        counter = values["9F36"]
        signature = sign_dynamic_data(
            proof.key,
            bytes([len(counter)]) + counter,
            hashed,
            format_byte=0x05 if kind is CryptogramKind.TC else self._me.online_format,
        )
        return tlv("9F4B", signature), tlv("9F69", related)

    def _signed_files(self) -> frozenset[int]:
        return frozenset({3}) if self._files and (3, 1) in self._files else frozenset()

    def _records(self, proof: Proof | None, dynamic: tuple[bytes, ...]) -> Files:
        if not self._me.records:
            return {}
        if proof is None:
            country = tlv("5F28", bytes.fromhex(self._me.country))
            return {(2, 1): tlv("5F24", bytes.fromhex(self._me.last_day)) + country}
        parts = (*proof.records(), b"".join(dynamic))
        return {(3, 1): self._static_record()} | {(2, 2 + at): part for at, part in enumerate(parts)}

    def _read(self, command: Command) -> bytes:
        if self._files is None:
            return NOT_SATISFIED
        return read_record(self._files, command)


class VisaCard(ChipCard):
    """A card with one application that decides in GET PROCESSING OPTIONS."""

    def __init__(self, personality: Personality) -> None:
        self._application = VisaApplication(personality)
        super().__init__([self._application], ats=personality.ats)

    @property
    def counter(self) -> int:
        """The application transaction counter (tag 9F36)."""
        return self._application.counter
